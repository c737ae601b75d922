// The coordinator without its network: scheduler, journal, workers and open streams, on one thread.
//
//   what happens ─► Add(event) ─┐                       ┌─► actions carried out (executor.h)
//   (requests, worker streams)  ├─► Tick: one step ─► durable ─► answers released
//   who is lost (liveness.h) ───┤                       └─► streams told (feed.h)
//   who hangs (hang_watch.h) ───┘
//
// All that was added since the last Tick goes into one step and one sync of the disk. Nobody is
// answered, and nothing is done, before the record of its step is durable.
//
// Everything here is called on one thread (a TaskThread whose hook is Tick).
#ifndef RM_RUNTIME_COORDINATOR_COORDINATOR_H_
#define RM_RUNTIME_COORDINATOR_COORDINATOR_H_

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "proto/scheduler.pb.h"
#include "runtime/coordinator/attached_workers.h"
#include "runtime/coordinator/executor.h"
#include "runtime/coordinator/feed.h"
#include "runtime/coordinator/hang_watch.h"
#include "runtime/coordinator/job_view.h"
#include "runtime/coordinator/ledger.h"
#include "runtime/coordinator/live_jobs.h"
#include "runtime/coordinator/liveness.h"
#include "runtime/coordinator/preflights.h"
#include "runtime/coordinator/storage_probe.h"

namespace rm::coordinator {

// What a coordinator is made with. The functions are called on the coordinator's thread and must
// not block; what they borrow outlives it.
struct CoordinatorConfig {
  Folders folders;
  std::string version;  // of this program
  StorageProbeFile probe;
  scheduler::SchedulerOptions scheduler;
  LivenessLimits liveness;
  HangLimits hangs;
  // Called when a job has ended; when it is not known any more, some time after the scheduler has
  // forgotten it; and when the journal has failed (at most once): then nothing more is taken and the
  // process must end.
  std::function<void(const std::string& job_id)> on_job_ended = [](const std::string&) {};
  std::function<void(const std::string& job_id)> on_job_forgotten = [](const std::string&) {};
  std::function<void(const absl::Status& status)> on_failure = [](const absl::Status&) {};
  // Log chunks of the workers.
  std::function<void(const std::string& worker_id, ::ringmaster::v1::LogChunk chunk)> on_log =
      [](const std::string&, const ::ringmaster::v1::LogChunk&) {};
};

// Invariants:
// 1. A record is durable before any of its actions is carried out and any of its answers given.
// 2. `done` of every Add is called exactly once, unless the coordinator is destroyed before.
// 3. After a failure of the journal no event is taken and no action carried out any more.
class Coordinator {
 public:
  // Longest time between two Ticks: liveness is judged, and progress shown, this often.
  static constexpr absl::Duration kTickMax = absl::Milliseconds(200);

  // Says that it has started (as the first event) and takes up preflights that were not answered.
  Coordinator(CoordinatorConfig config, std::unique_ptr<Ledger> ledger, const base::Clock& clock);
  // Drops what was not answered.
  ~Coordinator();
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  // Adds an event to the next step. `done` is called when the step is durable: with OK when the
  // event was taken, else with its refusal (NotFound, InvalidArgument or FailedPrecondition and the
  // scheduler's sentence). Unavailable when the journal has failed.
  using Done = std::function<void(const absl::Status& status)>;
  void Add(::ringmaster::v1::Event event, Done done = nullptr);

  // Calls `then` as soon as `is_over` holds after a step, and at the latest when `limit` has
  // passed.
  void Await(std::function<bool()> is_over, absl::Duration limit, std::function<void()> then);

  // Does all that is due. Returns how long nothing will be due, unless something is added.
  absl::Duration Tick();

  // Releases everyone who waits, closes all streams and links.
  void Close(const absl::Status& status);

  // ---- what requests and worker streams read and use
  [[nodiscard]] const CoordinatorConfig& config() const { return config_; }
  [[nodiscard]] const base::Clock& clock() const { return clock_; }
  [[nodiscard]] const Ledger& ledger() const { return *ledger_; }
  [[nodiscard]] const scheduler::ClusterState& state() const { return ledger_->state(); }
  [[nodiscard]] const History& history() const { return ledger_->history(); }
  [[nodiscard]] LiveJobs& live() { return live_; }
  [[nodiscard]] AttachedWorkers& workers() { return workers_; }
  [[nodiscard]] Preflights& preflights() { return preflights_; }
  [[nodiscard]] Liveness& liveness() { return liveness_; }
  [[nodiscard]] HangWatch& hang_watch() { return hang_watch_; }
  [[nodiscard]] FeedList& feeds() { return feeds_; }

  // The job as the API shows it. NotFound: it ended so long ago that it is not known any more.
  [[nodiscard]] absl::StatusOr<::ringmaster::v1::Job> View(const std::string& job_id) const;

 private:
  // An event that waits for the next step, with who waits for its outcome.
  struct Pending {
    ::ringmaster::v1::Event event;
    Done done;
  };
  // Someone who waits for a condition (Await).
  struct Wait {
    std::function<bool()> is_over;
    absl::Duration deadline;  // monotonic
    std::function<void()> then;
  };

  // Tells liveness_ whose streams have brought anything since the last Tick.
  void NoteHeard(absl::Duration now);
  // Adds an event for each worker that fell silent, was heard again, or is lost now.
  void JudgeWorkers(absl::Duration now);
  void Lose(const Liveness::Finding& lost);
  // The other workers that hold ranks of a job of which this one holds ranks.
  [[nodiscard]] std::set<std::string> PeersOf(const std::string& worker_id) const;
  // One step over all that is pending: durable, carried out, answered.
  void Step();
  // The journal has failed in a step over `pending`.
  void Fail(const absl::Status& status, std::vector<Pending> pending);
  // Forgets the reports and logs of jobs that the scheduler has forgotten.
  void ForgetOld();
  // Logs what was decided, and forgets what ended jobs do not need.
  void NoteTransitions(const ::ringmaster::v1::JournalRecord& record);
  void ReleaseWaits(absl::Duration now);

  const CoordinatorConfig config_;
  const std::unique_ptr<Ledger> ledger_;
  const base::Clock& clock_;
  LiveJobs live_;
  AttachedWorkers workers_;
  Preflights preflights_;
  Liveness liveness_;
  HangWatch hang_watch_;
  Executor executor_;
  FeedList feeds_;
  std::vector<Pending> pending_;
  std::list<Wait> waits_;
  absl::Status failure_;  // not OK: nothing more is taken; what Add answers
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_COORDINATOR_H_
