// The cluster as data: every job and worker, and the indices that let a decision look at few of
// them.
//
// Operations: everyone reads through the const methods. Only the scheduler core changes it, and
// only by the Apply methods, each of which takes something that stands in a journal record. So the
// state is a function of the records: applying them again in order (Scheduler::Fold) gives the same
// state, byte for byte of Dump() (dump.h).
//
// Invariants:
//  1. A slot has at most one holder, and its holder's gang names that slot for that rank.
//  2. `queue()` holds exactly the jobs with Placeable(), `replacing()` those that wait for slots of
//     a lost rank, `holding()` those with MayHoldSlots().
//  3. `free_slots()` holds exactly the Usable() workers, each under its count of free slots.
//  4. `capacity()` counts exactly the workers that Counts() names, each under its count of slots.
//  5. `next_deadline()` is the least Deadline() of all jobs and workers.
//  6. After Forget there are at most as many ended jobs and lost workers as the retention says.
//
// Cost, for n jobs and w workers: look-ups O(1); a transition of a job O(log n) and
// O(log w) for each of its ranks; a fact O(log n). Nothing walks over all jobs or all workers.
//
// Pointers to jobs and workers stay valid until Forget, at the end of each record; those to jobs
// that have not ended and to workers that are not lost stay valid over it.
// Not thread-safe. Iterates ordered containers only.
#ifndef RM_SCHEDULER_STATE_CLUSTER_STATE_H_
#define RM_SCHEDULER_STATE_CLUSTER_STATE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/scheduler.pb.h"
#include "scheduler/state/free_slots.h"
#include "scheduler/state/history.h"
#include "scheduler/state/job.h"
#include "scheduler/state/queue.h"
#include "scheduler/state/retention.h"
#include "scheduler/state/windows.h"
#include "scheduler/state/worker.h"

namespace rm::scheduler {

namespace pb = ::ringmaster::v1;

class ClusterState {
 public:
  using Deadlines = std::set<std::pair<absl::Time, std::string>>;
  using Jobs = History::Jobs;

  // `queue_rank` orders the queue (least first, then order of submission); it must be pure.
  ClusterState(QueueRankFn queue_rank, const Windows& windows, const Retention& retention = {});
  ClusterState(const ClusterState&) = delete;
  ClusterState& operator=(const ClusterState&) = delete;

  // -- reading
  const std::map<std::string, Job, std::less<>>& jobs() const { return jobs_; }
  const std::map<std::string, Worker, std::less<>>& workers() const { return workers_; }
  const Job* FindJob(absl::string_view id) const;        // nullptr: unknown
  const Worker* FindWorker(absl::string_view id) const;  // nullptr: unknown
  const Queue& queue() const { return queue_; }
  const Queue& replacing() const { return replacing_; }
  // Jobs whose gang has slots or had them when it broke, in order of submission.
  const Jobs& holding() const { return holding_; }
  // All jobs that are known, by size, and what they were served.
  const History& history() const { return history_; }
  const FreeSlots& free_slots() const { return free_slots_; }
  const Windows& windows() const { return windows_; }
  // Slots of a worker → how many workers that Counts() names have so many: what there is at most.
  const std::map<int32_t, int64_t>& capacity() const { return capacity_; }
  // Changes with every worker that comes, goes or changes: what can never fit may fit after it.
  int64_t capacity_version() const { return capacity_version_; }
  // Changes when a job begins to wait for slots, when slots become free, and with every worker: as
  // long as it stays, a job for which there was no place has none.
  int64_t room_version() const { return room_version_; }
  // Time of the newest record; time never runs backwards here.
  absl::Time now() const { return now_; }
  // The next moment at which something must be done without an event; InfiniteFuture: none.
  absl::Time next_deadline() const;
  // Refused events so far, by code.
  const std::map<std::string, int64_t>& refusals() const { return refusals_; }

  // -- changing: the scheduler core only
  // Time of the record whose parts are applied next.
  void AdvanceTo(absl::Time now);
  // The facts an accepted event carries; decisions come as transitions.
  void Apply(const pb::Event& event);
  // InvalidArgument: the arrow is not legal, or a job, worker or slot is not as the transition
  // says. The state is then unchanged.
  absl::Status Apply(const pb::JobTransition& transition);
  absl::Status Apply(const pb::WorkerTransition& transition);
  void Apply(const pb::Refusal& refusal);
  // Ends a record: jobs and workers beyond the retention are erased, the oldest first.
  void Forget();

  // What must happen when, as (deadline, id), earliest first; each job and worker at most once.
  const Deadlines& job_deadlines() const { return job_deadlines_; }
  const Deadlines& worker_deadlines() const { return worker_deadlines_; }

 private:
  Job& MutableJob(absl::string_view id);
  template <typename... Fact>
  void NoteFor(const std::string& job_id, const Fact&... fact);
  void NoteGone(const std::string& job_id, int32_t rank);
  void NoteMissing(const pb::WorkerAttached& attached);
  void NoteStart();
  void AddJob(const pb::JobTransition& transition);
  void HoldSlots(const Job& job);
  void ReleaseSlots(const Job& job);
  static void Describe(Worker& worker, const pb::WorkerTransition& transition);
  void LoseSlots(Worker& worker);
  // Enters `worker` into the order of losses, or takes it out, as its state says.
  void FollowLoss(Worker& worker);
  // Counts `worker` in capacity() (by = 1) or takes it out (-1), if it Counts().
  void CountCapacity(const Worker& worker, int64_t by);
  // Brings queue, replacing and deadline of `job` up to date after it changed.
  void Reindex(Job& job);

  std::map<std::string, Job, std::less<>> jobs_;
  std::map<std::string, Worker, std::less<>> workers_;
  // For look-ups alone, of which an event makes many: their order is random in each process, so they
  // are never walked. The keys are those of the maps.
  absl::flat_hash_map<absl::string_view, Job*> job_of_id_;
  absl::flat_hash_map<absl::string_view, Worker*> worker_of_id_;
  Queue queue_;
  Queue replacing_;
  Jobs holding_;
  History history_;
  FreeSlots free_slots_;
  Windows windows_;
  absl::Time now_ = absl::InfinitePast();
  std::map<int32_t, int64_t> capacity_;
  int64_t capacity_version_ = 0;
  int64_t room_version_ = 0;
  std::map<std::string, int64_t> refusals_;
  Retention retention_;
  // How many jobs, workers and losses there ever were: numbers that nobody has.
  int64_t last_sequence_ = 0;
  int64_t last_ordinal_ = 0;
  int64_t last_loss_ = 0;
  std::deque<std::string> ended_;          // jobs, in the order of their ends
  std::map<int64_t, std::string> losses_;  // LOST workers by Worker::loss
  Deadlines job_deadlines_;
  Deadlines worker_deadlines_;
};

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_CLUSTER_STATE_H_
