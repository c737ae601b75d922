#include "comm/transport/tcp_reactor.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/time/clock.h"
#include "base/check.h"
#include "base/status.h"

namespace rm::comm {
namespace {

constexpr size_t kEvents = 64;

// How often to look without sleeping: a peer that is at work answers within microseconds, and a sleep
// costs as much.
constexpr int kLooks = 4;

// The socket and the key of an event travel together: a number may have been used again.
uint64_t TagOf(int socket, uint64_t key) {
  return (key << 24) | static_cast<uint64_t>(static_cast<uint32_t>(socket) & 0xFFFFFFU);
}

int MillisecondsUntil(absl::Time deadline) {
  if (deadline == absl::InfiniteFuture()) return -1;
  const absl::Duration left = std::max(deadline - absl::Now(), absl::ZeroDuration());
  return static_cast<int>(std::min<int64_t>(absl::ToInt64Milliseconds(left) + 1, 60'000));
}

}  // namespace

// The alarm is level-triggered: it rings until it has been read.
absl::StatusOr<std::unique_ptr<TcpReactor>> TcpReactor::Create() {
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.open()) return base::ErrnoStatus(errno, "epoll_create1");
  Descriptor alarm(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!alarm.open()) return base::ErrnoStatus(errno, "eventfd");
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = 0;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, alarm.get(), &event) != 0) {
    return base::ErrnoStatus(errno, "epoll_ctl");
  }
  return std::unique_ptr<TcpReactor>(new TcpReactor(std::move(epoll), std::move(alarm)));
}

// Both directions from the beginning, and for good: no system call changes what is listened for.
absl::Status TcpReactor::Watch(int socket, TcpHandler* handler) {
  RM_CHECK(watched_.count(socket) == 0, "socket ", socket, " is watched twice");
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | static_cast<uint32_t>(EPOLLET);
  event.data.u64 = TagOf(socket, next_key_);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event) != 0) {
    return base::ErrnoStatus(errno, "epoll_ctl");
  }
  watched_[socket] = {next_key_++, handler};
  return absl::OkStatus();
}

// Events that have been fetched already are told apart by their key.
void TcpReactor::Forget(int socket) {
  if (watched_.erase(socket) == 0) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, socket, nullptr);
}

// Leader and followers: who finds nobody polling polls, for all.
bool TcpReactor::ServeUntil(absl::FunctionRef<bool()> done, absl::Time deadline) {
  while (!done()) {
    if (deadline != absl::InfiniteFuture() && absl::Now() >= deadline) return false;
    if (polling_) {
      polled_.WaitUntil(mutex_, deadline);
    } else {
      PollOnce(deadline);
    }
  }
  return true;
}

// First a few looks without sleeping, then asleep. Sockets that were forgotten while nobody held the mutex are not spoken of.
void TcpReactor::PollOnce(absl::Time deadline) {
  std::array<epoll_event, kEvents> events;
  polling_ = true;
  mutex_.Unlock();
  int count = 0;
  for (int look = 0; look < kLooks && count == 0; ++look) {
    count = ::epoll_wait(epoll_.get(), events.data(), kEvents, 0);
  }
  if (count == 0) {
    count = ::epoll_wait(epoll_.get(), events.data(), kEvents, MillisecondsUntil(deadline));
  }
  mutex_.Lock();
  polling_ = false;
  for (int i = 0; i < count; ++i) {
    const uint64_t tag = events[static_cast<size_t>(i)].data.u64;
    if (tag == 0) {
      uint64_t rung = 0;
      static_cast<void>(!::read(alarm_.get(), &rung, sizeof(rung)));
      wake_pending_ = false;
      continue;
    }
    const int socket = static_cast<int>(tag & 0xFFFFFFU);
    const auto found = watched_.find(socket);
    if (found == watched_.end() || TagOf(socket, found->second.key) != tag) continue;
    found->second.handler->OnReady(socket);
  }
  polled_.SignalAll();
}

// One ring is enough until somebody has heard it.
void TcpReactor::Wake() {
  if (wake_pending_.exchange(true)) return;
  const uint64_t one = 1;
  static_cast<void>(!::write(alarm_.get(), &one, sizeof(one)));
}

}  // namespace rm::comm
