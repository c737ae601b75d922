// Answers preflight requests, one after another, on a thread of its own: reading a job's data may
// take seconds, and neither the ranks nor the coordinator's stream wait for it.
#ifndef RM_RUNTIME_WORKER_PREFLIGHT_RUNNER_H_
#define RM_RUNTIME_WORKER_PREFLIGHT_RUNNER_H_

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "proto/worker.pb.h"
#include "runtime/worker/outbox.h"

namespace rm::worker {

// What is wrong with a job, one sentence each; empty when it can run here. Called on the runner's
// thread.
using PreflightFunction =
    std::function<std::vector<std::string>(const ringmaster::v1::PreflightRequest&)>;

// Thread-safe.
class PreflightRunner {
 public:
  // Answers go into `outbox`, which outlives the runner.
  PreflightRunner(PreflightFunction check, Outbox& outbox);
  // Drops what waits, and waits for the check that is under way.
  ~PreflightRunner();
  PreflightRunner(const PreflightRunner&) = delete;
  PreflightRunner& operator=(const PreflightRunner&) = delete;

  // Returns at once. A job that waits for its turn already is not queued again: a coordinator that
  // was away asks anew.
  void Ask(ringmaster::v1::PreflightRequest request);

 private:
  void Run();

  const PreflightFunction check_;
  Outbox& outbox_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::deque<ringmaster::v1::PreflightRequest> waiting_ ABSL_GUARDED_BY(mutex_);
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: runs on what stands above
};

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_PREFLIGHT_RUNNER_H_
