// The scheduler core: events in, transitions and actions out.
//
// Step takes all events of one instant, decides, and says what it decided as one journal record. It
// has no clock, no thread, no I/O and no random source, so the daemon, the golden scripts and the
// simulator run the same code: the same events at the same times give the same records, bit for
// bit.
//
//   events, now ─► Step ─► { transitions, actions, refusals } ─► journal (durable) ─► executor
//                            next wake-up                         Fold ◄─ a restart reads them back
//
// Within a step: an event CoordinatorStarted first, then everything but submissions in order of
// arrival, then submissions in order of arrival, then the timers that are due, then one placement
// pass.
//
// An event that is illegal in the state it meets changes nothing: it is refused with a code and a
// sentence, and counted. Where it came from a rank that should not live, the worker that reported
// it is told to stop that rank (fence.h).
//
// What has ended and what was lost is forgotten in time (SchedulerOptions::retention), at the end
// of a step: of an older job there is then nothing here, and state().FindJob gives nullptr.
//
// For example, one worker attaches and a job of one rank is submitted in the same instant:
//
//   events              WorkerAttached w1 with 1 slot, SubmitJob a
//   worker transitions  w1 New → Ready
//   job transitions     a New → Queued, a Queued → Starting as generation 1 on w1[0]
//   actions             StartGang a, generation 1
//
// What the executor of the actions must know:
//  - Actions may be repeated: after a worker re-attaches, StartGang, StartGeneration and StopGang
//    are given again for the gangs it takes part in. They are idempotent by (job, generation,
//    rank).
//  - StopRank with dump_stack is followed by StopGang for the same generation: the kill of that
//  rank
//    must wait until its stacks are in its log, for a bounded time.
//  - StopGang of a generation that is not the job's present one has nothing left to stop: skip it.
//  - RunPreflight is given at submission and again after CoordinatorStarted; it waits for a READY
//    worker, and is asked of another one when that worker is lost.
//
// Not thread-safe: one thread calls Step and reads state().
#ifndef RM_SCHEDULER_CORE_SCHEDULER_H_
#define RM_SCHEDULER_CORE_SCHEDULER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "proto/scheduler.pb.h"
#include "scheduler/core/options.h"
#include "scheduler/state/cluster_state.h"

namespace rm::scheduler {

namespace pb = ::ringmaster::v1;

// Grows when Step decides otherwise for the same events. A journal of a newer core is refused.
//   2  silent workers, the storage, hangs, notices; absent workers get their whole time anew
inline constexpr int32_t kCoreVersion = 2;

struct StepResult {
  // To be durable before any of its actions is carried out. A record without transitions, actions
  // and refusals may be left out of the journal only when none of its events is one that changes a
  // rank or a job (a Tick alone).
  pb::JournalRecord record;
  // record.events(i) is the event that was given as events[taken[i]].
  std::vector<size_t> taken;
  // When Step must be called next even if nothing happens; InfiniteFuture: not before an event.
  absl::Time next_wake_up = absl::InfiniteFuture();
};

class Scheduler {
 public:
  // InvalidArgument: no policy or placement of that name (the message lists the names there are).
  static absl::StatusOr<std::unique_ptr<Scheduler>> Create(const SchedulerOptions& options);
  ~Scheduler();

  // Decides about the events of the instant `now`. A `now` before that of the last record counts as
  // that one.
  StepResult Step(absl::Span<const pb::Event> events, absl::Time now);

  // Recovery: applies what a record says was decided; decides nothing. Records go in the order in
  // which Step made them, before the first Step. FailedPrecondition: the record is of a newer core.
  // DataLoss: it does not follow from the records before it; the state is then of no use.
  absl::Status Fold(const pb::JournalRecord& record);

  const ClusterState& state() const;
  // As Step would return it now; for the first wait after a recovery. When the policy itself wants
  // to look again is known only after a Step.
  absl::Time next_wake_up() const;

 private:
  class Impl;
  explicit Scheduler(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_SCHEDULER_H_
