#include "scheduler/core/step_context.h"

#include <utility>

#include "base/check.h"

namespace rm::scheduler {

// The event is copied first and taken from the record after that: a journal must hold exactly what
// was decided about.
void StepContext::Begin(const pb::Event& event) {
  *record_.add_events() = event;
  event_ = record_.events_size();
}

void StepContext::Accept() { state_.Apply(record_.events(event_ - 1)); }

// The refusal carries its event, so that one who reads the record alone sees what was refused.
void StepContext::Refuse(const pb::Reason& reason) {
  pb::Refusal& refusal = *record_.add_refusals();
  *refusal.mutable_event() = record_.events(event_ - 1);
  *refusal.mutable_reason() = reason;
  refusal.set_event_index(event_);
  state_.Apply(refusal);
}

// Time and event are filled in by Move: a transition may be prepared before it is known that it is
// taken.
pb::JobTransition StepContext::From(const Job& job, pb::JobState to,
                                    const pb::Reason& reason) const {
  pb::JobTransition transition;
  transition.set_job_id(job.id());
  transition.set_from(job.state);
  transition.set_to(to);
  *transition.mutable_reason() = reason;
  transition.set_generation(job.generation);
  transition.set_restarts(job.restarts);
  return transition;
}

// Applied before it is recorded; the CHECK is for our own arrows, an event of the world can never
// reach it (scheduler/core/refusals.h stands before).
void StepContext::Move(pb::JobTransition transition) {
  transition.set_time_ns(absl::ToUnixNanos(now()));
  transition.set_event(event_);
  const absl::Status applied = state_.Apply(transition);
  RM_CHECK(applied.ok(), applied.message());
  *record_.add_job_transitions() = std::move(transition);
}

void StepContext::Move(pb::WorkerTransition transition) {
  transition.set_time_ns(absl::ToUnixNanos(now()));
  transition.set_event(event_);
  const absl::Status applied = state_.Apply(transition);
  RM_CHECK(applied.ok(), applied.message());
  *record_.add_worker_transitions() = std::move(transition);
}

}  // namespace rm::scheduler
