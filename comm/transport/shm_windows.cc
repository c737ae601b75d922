#include "comm/transport/shm_windows.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/alignment.h"
#include "base/check.h"
#include "base/status.h"

namespace rm::comm {
namespace {

// Two numbers, as they lie in this machine's memory: a notice never leaves it.
constexpr size_t kNoticeBytes = 2 * sizeof(uint64_t);

// Ranks that read each other's memory meet several times a step, a few microseconds apart, and a sleep
// with its wake-up takes tens of them: so where each has a core of its own it is worth 100 µs of looking.
constexpr int kLooksOnACoreOfOnesOwn = 2000;
constexpr int kLooksOtherwise = 64;

int MostLooks(size_t ranks) {
  return ranks <= std::thread::hardware_concurrency() ? kLooksOnACoreOfOnesOwn : kLooksOtherwise;
}

size_t WholePages(size_t bytes) { return base::RoundUp(bytes, kShmPageBytes); }

}  // namespace

// Numbers of fixed width: both sides are processes of one machine, perhaps of two releases.
std::string EncodeWindowNotice(const WindowNotice& notice) {
  const uint64_t fields[2] = {static_cast<uint64_t>(notice.window), notice.bytes};
  std::string payload(kNoticeBytes, '\0');
  std::memcpy(payload.data(), fields, kNoticeBytes);
  return payload;
}

// Whatever it says is checked before anything is mapped by it.
absl::StatusOr<WindowNotice> ParseWindowNotice(absl::string_view payload) {
  uint64_t fields[2] = {};
  if (payload.size() == kNoticeBytes) std::memcpy(fields, payload.data(), kNoticeBytes);
  constexpr uint64_t kBytesMax = uint64_t{1} << 46;  // so that sizes can be added
  if (payload.size() != kNoticeBytes || fields[0] >= kSharedWindowsMax || fields[1] == 0 ||
      fields[1] > kBytesMax) {
    return absl::DataLossError(absl::StrCat("a notice of window ", fields[0], " with ", fields[1],
                                            " bytes makes no sense"));
  }
  return WindowNotice{static_cast<int>(fields[0]), static_cast<size_t>(fields[1])};
}

ShmWindows::ShmWindows(ShmHub& hub, SharedDoorbell bell, Membership membership)
    : hub_(hub),
      bell_(std::move(bell)),
      membership_(std::move(membership)),
      ranks_(membership_.peers),
      spins_(MostLooks(membership_.peers.size() + 1)) {
  ranks_.push_back(membership_.rank);
  std::sort(ranks_.begin(), ranks_.end());
  peers_ = std::vector<Peer>(static_cast<size_t>(ranks_.back()) + 1);
}

// The body is one mapping: nothing in a window goes around.
absl::StatusOr<absl::Span<char>> ShmWindows::Open(int window, size_t bytes) {
  RM_CHECK(window >= 0 && window < kSharedWindowsMax && bytes > 0, window, ", ", bytes, " bytes");
  RM_ASSIGN_OR_RETURN(ShmMemory memory, ShmMemory::Create(WholePages(bytes), 0));
  base::MutexLock lock(hub_.mutex());
  for (const Opened& opened : opened_) {
    RM_CHECK(opened.notice.window != window, "window ", window, " is opened twice");
  }
  const absl::Span<char> span(memory.head(), bytes);
  opened_.push_back({{window, bytes}, memory.fd()});
  own_.push_back(std::move(memory));
  membership_.on_open();
  return span;
}

// Found under the hub's mutex, read without it: memory that has come stays where it is.
absl::StatusOr<absl::Span<const char>> ShmWindows::Of(int rank, int window) {
  const Peer& peer = peers_[static_cast<size_t>(rank)];
  const auto number = static_cast<size_t>(window);
  absl::Span<const char> found;
  RM_RETURN_IF_ERROR(WaitUntil([&] {
    base::MutexLock lock(hub_.mutex());
    if (peer.memory[number] == nullptr) return false;
    found = absl::MakeSpan(peer.memory[number]->head(), peer.bytes[number]);
    return true;
  }));
  return found;
}

// A peer that has not come yet will look at everything when it does.
void ShmWindows::Ring() {
  for (const int rank : membership_.peers) {
    Doorbell* const bell = peers_[static_cast<size_t>(rank)].rung.load();
    if (bell != nullptr) bell->Ring();
  }
}

// What a peer stored before it left, or before it failed, counts: so done() has the last word.
absl::Status ShmWindows::WaitUntil(absl::FunctionRef<bool()> done) {
  while (true) {
    const uint32_t seen = bell_.bell().rings();
    const bool stopped = stopped_.load();
    if (done()) return absl::OkStatus();
    if (stopped) return membership_.why_stopped();
    spins_.Learn(bell_.bell().Wait(seen, absl::InfiniteFuture(), spins_.Next()));
  }
}

// In the order of opening, so that each line keeps a count of those it has passed on.
absl::optional<ShmWindows::Opened> ShmWindows::OpenedAt(size_t n) const {
  if (n >= opened_.size()) return absl::nullopt;
  return opened_[n];
}

// From now on Ring reaches it.
absl::Status ShmWindows::TakeBell(int peer, Descriptor fd) {
  Peer& known = peers_[static_cast<size_t>(peer)];
  RM_ASSIGN_OR_RETURN(SharedDoorbell bell, SharedDoorbell::Adopt(std::move(fd)));
  known.bell = std::make_unique<SharedDoorbell>(std::move(bell));
  known.rung.store(&known.bell->bell());
  // It may have waited for something that was there before it could be rung for.
  known.bell->bell().Ring();
  return absl::OkStatus();
}

// Sealed and of the announced size, or refused: memory that could shrink would end this process at a read.
absl::Status ShmWindows::TakeWindow(int peer, absl::string_view notice, Descriptor fd) {
  RM_ASSIGN_OR_RETURN(const WindowNotice window, ParseWindowNotice(notice));
  const auto number = static_cast<size_t>(window.window);
  Peer& known = peers_[static_cast<size_t>(peer)];
  if (known.memory[number] != nullptr) {
    return absl::DataLossError(absl::StrCat("rank ", peer, " has opened its window ",
                                            window.window, " twice"));
  }
  RM_ASSIGN_OR_RETURN(ShmMemory memory,
                      ShmMemory::AdoptToRead(std::move(fd), WholePages(window.bytes)));
  known.memory[number] = std::make_unique<ShmMemory>(std::move(memory));
  known.bytes[number] = window.bytes;
  bell_.bell().Ring();
  return absl::OkStatus();
}

// The ring wakes who waits now; the flag is for those who come later.
void ShmWindows::Stop() {
  stopped_.store(true);
  bell_.bell().Ring();
}

}  // namespace rm::comm
