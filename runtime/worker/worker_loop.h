// The worker's own thread: starts ranks, watches them, stops them.
//
// Ranks are started and owned by the thread that calls Run, which lives as long as the daemon does: the kernel kills a
// rank when the thread that started it ends. Commands may come from any thread; what the loop has to say goes into the
// outbox. Everything is idempotent by (job, generation, rank).
#ifndef RM_RUNTIME_WORKER_WORKER_LOOP_H_
#define RM_RUNTIME_WORKER_WORKER_LOOP_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "proto/worker.pb.h"
#include "runtime/worker/outbox.h"
#include "runtime/worker/rank_process.h"

namespace rm::worker {

class WorkerLoop {
 public:
  // Answers a PreflightRequest with its errors; runs on a thread of its own. The outbox outlives the loop.
  using PreflightFunction =
      std::function<std::vector<std::string>(const ringmaster::v1::PreflightRequest&)>;

  WorkerLoop(RankProcessOptions options, Outbox& outbox, PreflightFunction preflight);
  ~WorkerLoop();
  WorkerLoop(const WorkerLoop&) = delete;
  WorkerLoop& operator=(const WorkerLoop&) = delete;

  // Thread-safe: the loop acts on it soon.
  void Post(ringmaster::v1::WorkerCommand command);

  // Thread- and signal-safe: Run kills every rank, reports their ends and returns.
  void Quit();

  // Runs until Quit. Call once.
  void Run();

 private:
  void Wake() const;
  [[nodiscard]] absl::Time NextWakeUp(absl::Time now) const;
  void WaitForSomething(absl::Time until) const;
  [[nodiscard]] std::deque<ringmaster::v1::WorkerCommand> TakeCommands();

  void Handle(const ringmaster::v1::WorkerCommand& command);
  void StartRank(const ringmaster::v1::StartRank& command);
  void StopRank(const ringmaster::v1::StopRankCommand& command);
  void RunPreflight(const ringmaster::v1::PreflightRequest& request);
  void NoteRankMessage(const ringmaster::v1::RankRef& rank,
                       const ringmaster::v1::RankMessage& message);
  void KillOverdue(absl::Time now);
  void ForwardLogs();
  void ForwardLog(RankProcess& rank);
  void CollectEnded();
  void ReportExit(RankProcess& rank, const Exit& ended);

  // What a rank said last that its end must carry.
  struct LastWords {
    int64_t step = 0;
    ringmaster::v1::Reason cause;
  };

  const RankProcessOptions options_;
  Outbox& outbox_;
  const PreflightFunction preflight_;
  const int wake_fd_;  // eventfd
  std::map<RankKey, std::unique_ptr<RankProcess>> ranks_;  // the loop's thread only
  std::vector<std::thread> preflights_;

  base::Mutex mutex_;
  std::deque<ringmaster::v1::WorkerCommand> commands_ ABSL_GUARDED_BY(mutex_);
  std::map<RankKey, LastWords> last_words_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> quit_{false};
};

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_WORKER_LOOP_H_
