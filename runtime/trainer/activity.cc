#include "runtime/trainer/activity.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/check.h"
#include "proto/rank.pb.h"

namespace rm::trainer {
namespace pb = ::ringmaster::v1;

// A switch and not a table, so that the compiler names the one that is missing.
const char* DoingName(Doing doing) {
  switch (doing) {
    case Doing::kLoading: return "loading";
    case Doing::kCompiling: return "compiling";
    case Doing::kFirstStep: return "first step";
    case Doing::kStep: return "step";
    case Doing::kEvaluation: return "evaluation";
    case Doing::kCheckpoint: return "checkpoint";
  }
  return "";
}

// An eventfd and poll instead of a condition variable: the thread sleeps without a mutex of ours.
ActivityReporter::ActivityReporter(const ActivityBoard& board, RankLink& link,
                                   absl::Duration interval)
    : board_(board), link_(link), end_fd_(::eventfd(0, EFD_CLOEXEC)) {
  RM_CHECK(end_fd_ >= 0, "eventfd: errno ", errno);
  thread_ = std::thread([this, interval] { Run(interval); });
}

// The thread may be in the middle of a report, which is short; then it sees the event.
ActivityReporter::~ActivityReporter() {
  const uint64_t one = 1;
  RM_CHECK(::write(end_fd_, &one, sizeof(one)) == sizeof(one), "eventfd: errno ", errno);
  thread_.join();
  ::close(end_fd_);
}

// One message is used again and again, so that its memory is allocated once. What TrySend answers
// does not matter: the next report says all of this one and more.
void ActivityReporter::Run(absl::Duration interval) {
  ::pthread_setname_np(::pthread_self(), "activity");
  pollfd end = {end_fd_, POLLIN, 0};
  pb::RankMessage message;
  while (::poll(&end, 1, static_cast<int>(absl::ToInt64Milliseconds(interval))) <= 0) {
    pb::Activity& activity = *message.mutable_activity();
    activity.set_step(board_.step);
    // In this order: a rank must never seem to have left more than it has entered.
    activity.set_left(board_.collectives.left);
    activity.set_entered(board_.collectives.entered);
    activity.set_doing(DoingName(board_.doing));
    link_.TrySend(message);
  }
}

}  // namespace rm::trainer
