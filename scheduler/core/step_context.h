// One step in the making: the state it changes and the record that says how.
//
// Every change goes through here, so that nothing changes without standing in the record, and the
// record and the state cannot differ. Used by the files of scheduler/core only; not thread-safe.
#ifndef RM_SCHEDULER_CORE_STEP_CONTEXT_H_
#define RM_SCHEDULER_CORE_STEP_CONTEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/scheduler.pb.h"
#include "scheduler/core/options.h"
#include "scheduler/state/cluster_state.h"

namespace rm::scheduler {

namespace pb = ::ringmaster::v1;

class StepContext {
 public:
  // `state`, `options` and `record` outlive this.
  StepContext(ClusterState& state, const SchedulerOptions& options, pb::JournalRecord& record)
      : state_(state), options_(options), record_(record) {}

  const ClusterState& state() const { return state_; }
  const SchedulerOptions& options() const { return options_; }
  absl::Time now() const { return state_.now(); }

  // -- events
  // The events that follow are those of `event`, which is entered into the record.
  void Begin(const pb::Event& event);
  // No event any more: timers and placements follow.
  void EndEvents() { event_ = 0; }
  // Accepts the event: its facts are applied. At most once an event, and before its transitions.
  void Accept();
  // Refuses the event: counted and said, nothing else.
  void Refuse(const pb::Reason& reason);

  // -- decisions
  // A transition of `job` to `to` with everything that stays as it is filled in.
  pb::JobTransition From(const Job& job, pb::JobState to, const pb::Reason& reason) const;
  // Applies and records it. CHECKs that it is legal: the core draws no other arrow. An event's
  // transitions of workers come before those of jobs.
  void Move(pb::JobTransition transition);
  void Move(pb::WorkerTransition transition);
  // A new action of the record, to be filled in.
  pb::Action& Act() { return *record_.add_actions(); }

  // -- gangs whose last rank left in this step; the placement pass makes the next generation or
  // finds none
  void AddEmptied(const Job& job) { emptied_.push_back(&job); }
  const std::vector<const Job*>& emptied() const { return emptied_; }

 private:
  ClusterState& state_;
  const SchedulerOptions& options_;
  pb::JournalRecord& record_;
  int32_t event_ = 0;  // of the record, from 1; 0: none
  std::vector<const Job*> emptied_;
};

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_STEP_CONTEXT_H_
