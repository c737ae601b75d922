#include "scheduler/core/fold.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "scheduler/state/transition_check.h"

namespace rm::scheduler {
namespace {

// Walks the lists of a record in step with its events: entries stand in the order of the events
// that caused them.
class Cursor {
 public:
  Cursor(ClusterState& state, const pb::JournalRecord& record) : state_(state), record_(record) {}

  // The refusal of event `index` (from 1), if it was refused.
  const pb::Refusal* RefusalOf(int index) {
    if (refusal_ == record_.refusals_size()) return nullptr;
    const pb::Refusal& refusal = record_.refusals(refusal_);
    if (refusal.event_index() != index) return nullptr;
    ++refusal_;
    return &refusal;
  }

  // The transitions that event `index` caused; 0: those of no event.
  absl::Status ApplyTransitions(int index) {
    for (; worker_ < record_.worker_transitions_size(); ++worker_) {
      const pb::WorkerTransition& transition = record_.worker_transitions(worker_);
      if (transition.event() != index) break;
      RM_RETURN_IF_ERROR(state_.Apply(transition));
    }
    for (; job_ < record_.job_transitions_size(); ++job_) {
      const pb::JobTransition& transition = record_.job_transitions(job_);
      if (transition.event() != index) break;
      RM_RETURN_IF_ERROR(state_.Apply(transition));
    }
    return absl::OkStatus();
  }

  bool AtEnd() const {
    return refusal_ == record_.refusals_size() && worker_ == record_.worker_transitions_size() &&
           job_ == record_.job_transitions_size();
  }

 private:
  ClusterState& state_;
  const pb::JournalRecord& record_;
  int refusal_ = 0;
  int worker_ = 0;
  int job_ = 0;
};

// The same order as Scheduler::Step: an event, its facts, its transitions; then what belongs to
// none.
absl::Status ApplyAll(ClusterState& state, const pb::JournalRecord& record) {
  Cursor cursor(state, record);
  for (int index = 1; index <= record.events_size(); ++index) {
    const pb::Event& event = record.events(index - 1);
    if (const pb::Refusal* refusal = cursor.RefusalOf(index)) {
      state.Apply(*refusal);
    } else {
      RM_RETURN_IF_ERROR(CheckFacts(state, event));
      state.Apply(event);
    }
    RM_RETURN_IF_ERROR(cursor.ApplyTransitions(index));
  }
  RM_RETURN_IF_ERROR(cursor.ApplyTransitions(0));
  if (!cursor.AtEnd()) return absl::InvalidArgumentError("its parts are out of order");
  return absl::OkStatus();
}

}  // namespace

absl::Status FoldRecord(ClusterState& state, const pb::JournalRecord& record) {
  state.AdvanceTo(absl::FromUnixNanos(record.now_ns()));
  const absl::Status applied = ApplyAll(state, record);
  if (applied.ok()) {
    state.Forget();
    return applied;
  }
  return absl::DataLossError(
      absl::StrCat("the journal record of ", absl::FormatTime(absl::FromUnixNanos(record.now_ns())),
                   " does not follow from those before it: ", applied.message()));
}

}  // namespace rm::scheduler
