// What this rank is doing, said every half second by a thread that waits for nobody.
//
// A rank that hangs cannot say so itself, and its peers, which wait for it, look just as still. So
// every rank keeps a few numbers where any thread can read them, and one thread reports them to the
// worker: the rank that has entered fewer collectives than the others is the one they wait for. The
// thread takes no lock that it could wait for and allocates nothing once it runs, so neither a step
// loop that stands still nor a lock that somebody holds for ever makes it fall silent; only a process
// that is stopped as a whole does, and that silence says it as well.
#ifndef RM_RUNTIME_TRAINER_ACTIVITY_H_
#define RM_RUNTIME_TRAINER_ACTIVITY_H_

#include <atomic>
#include <cstdint>
#include <thread>

#include "absl/time/time.h"
#include "comm/collective/communicator.h"
#include "runtime/trainer/rank_link.h"

namespace rm::trainer {

// What the step loop is at. "checkpoint" is only the part of a save that holds up the training.
enum class Doing { kLoading, kCompiling, kFirstStep, kStep, kEvaluation, kCheckpoint };

// "loading", "compiling", "first step", "step", "evaluation", "checkpoint": as proto/rank.proto has it.
[[nodiscard]] const char* DoingName(Doing doing);

// Written by the trainer and the communicator as they go, read by anybody.
struct ActivityBoard {
  std::atomic<int64_t> step{0};  // applied steps
  std::atomic<Doing> doing{Doing::kLoading};
  comm::CollectiveCounters collectives;
};

// Reports the board over the link until it is destroyed. A report that finds the link busy is left
// out: somebody else is speaking for this rank at that moment.
class ActivityReporter {
 public:
  static constexpr absl::Duration kInterval = absl::Milliseconds(500);

  // Board and link outlive it.
  ActivityReporter(const ActivityBoard& board, RankLink& link,
                   absl::Duration interval = kInterval);
  // Returns without waiting for the interval.
  ~ActivityReporter();
  ActivityReporter(const ActivityReporter&) = delete;
  ActivityReporter& operator=(const ActivityReporter&) = delete;

 private:
  void Run(absl::Duration interval);

  const ActivityBoard& board_;
  RankLink& link_;
  const int end_fd_;  // eventfd: readable once it is to end
  std::thread thread_;
};

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_ACTIVITY_H_
