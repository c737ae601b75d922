// The worker's own thread: starts ranks, watches them, stops them.
//
// Ranks are started and owned by the thread that calls Run, which lives as long as the daemon does:
// the kernel kills a rank when the thread that started it ends. Commands may come from any thread;
// what the loop has to say goes into the outbox. Everything is idempotent by (job, generation, rank):
//
//   StartRank   of a rank that runs          nothing
//               of a rank that has ended     its end, once more: it is never started twice
//   StopRank    of a rank that runs          it is asked to leave, and killed after the grace
//               of a rank that has ended     its end, once more
//               of a rank never seen here    RankExited with the cause NotRunning
//
//               with dump_stack                it writes its stacks and is killed, see RankProcess::StopHung
//
// Grace is measured on the monotonic clock: setting the machine's clock neither kills nor spares. The
// end of a rank that said nothing itself carries what the worker knows of it: why it was stopped as
// hung, or that the kernel has most probably killed it for want of memory.
#ifndef RM_RUNTIME_WORKER_WORKER_LOOP_H_
#define RM_RUNTIME_WORKER_WORKER_LOOP_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "proto/worker.pb.h"
#include "runtime/worker/life_file.h"
#include "runtime/worker/oom_watch.h"
#include "runtime/worker/outbox.h"
#include "runtime/worker/preflight_runner.h"
#include "runtime/worker/rank_process.h"

namespace rm::worker {

// What the loop does for its ranks beside running them.
struct WorkerLoopOptions {
  RankProcessOptions ranks;
  // Where the ends of ranks are kept for the next start of this worker (life_file.h); empty: nowhere.
  std::string life_file;
  // How the kernel's kills for want of memory are counted; none: they are not told apart.
  OomCounter oom_counter;
};

class WorkerLoop {
 public:
  // The outbox outlives the loop. The ends that a predecessor left in the life file are in it when
  // this returns.
  WorkerLoop(WorkerLoopOptions options, Outbox& outbox, PreflightFunction preflight);
  ~WorkerLoop();
  WorkerLoop(const WorkerLoop&) = delete;
  WorkerLoop& operator=(const WorkerLoop&) = delete;

  // Thread-safe: the loop acts on it soon.
  void Post(ringmaster::v1::WorkerCommand command);

  // Thread-safe: Run closes the outbox, kills every rank and returns when all are gone. Their ends
  // are not told: the coordinator would start them here again, before it knew that this worker goes.
  void Quit();

  // Runs until Quit. Call once.
  void Run();

 private:
  void Wake() const;
  [[nodiscard]] absl::Duration NextWakeUp(absl::Duration now) const;
  void WaitForSomething(absl::Duration timeout) const;
  [[nodiscard]] std::deque<ringmaster::v1::WorkerCommand> TakeCommands();

  void Handle(const ringmaster::v1::WorkerCommand& command);
  void StartRank(const ringmaster::v1::StartRank& command);
  void Refuse(const ringmaster::v1::RankRef& rank, const absl::Status& status);
  void StopRank(const ringmaster::v1::StopRankCommand& command);
  void ForwardGeneration(const ringmaster::v1::StartGeneration& generation);
  void NoteRankMessage(const ringmaster::v1::RankRef& rank,
                       const ringmaster::v1::RankMessage& message);
  void ForwardLog(RankProcess& rank, int chunks_max);
  void CollectEnded();
  void ReportExit(RankProcess& rank, const Exit& ended);
  void ExplainExit(const RankProcess& rank, const Exit& ended, ringmaster::v1::RankExited& exited);
  void PushEnd(ringmaster::v1::WorkerMessage end);

  // What a rank said last that its end must carry.
  struct LastWords {
    int64_t step = 0;
    ringmaster::v1::Reason cause;
  };

  const WorkerLoopOptions options_;
  Outbox& outbox_;
  std::unique_ptr<LifeFile> life_file_;  // null: ends are not kept
  OomWatch oom_watch_;
  PreflightRunner preflights_;
  const int wake_fd_;  // eventfd
  std::map<RankKey, std::unique_ptr<RankProcess>> ranks_;  // the loop's thread only

  base::Mutex mutex_;
  std::deque<ringmaster::v1::WorkerCommand> commands_ ABSL_GUARDED_BY(mutex_);
  std::map<RankKey, LastWords> last_words_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> quit_{false};
};

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_WORKER_LOOP_H_
