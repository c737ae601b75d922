// Kept in memory whole: a transition is a few hundred bytes without its submission, a job has about
// five, so a hundred thousand jobs take some hundred megabytes. Older parts can move to the journal
// when that becomes too much.
#include "runtime/coordinator/history.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

}  // namespace

void History::Apply(const pb::JournalRecord& record) {
  ++statistics_.records;
  statistics_.events += record.events_size();
  // Workers first: a job's transition often follows from that of a worker in the same step.
  for (const pb::WorkerTransition& transition : record.worker_transitions()) {
    *events_.emplace_back().mutable_worker() = transition;
  }
  for (const pb::JobTransition& transition : record.job_transitions()) Apply(transition);
}

void History::Apply(const pb::JobTransition& transition) {
  const std::string& job_id = transition.job_id();
  if (transition.from() == pb::JOB_STATE_UNSPECIFIED) {
    jobs_.push_back(job_id);
    const std::string& request_id = transition.submission().request_id();
    if (!request_id.empty()) job_of_request_.emplace(request_id, job_id);
  }
  Count(transition);
  events_of_job_[job_id].push_back(events_.size());
  pb::JobTransition& kept = *events_.emplace_back().mutable_transition();
  kept = transition;
  kept.clear_submission();  // a whole job spec; the scheduler's state has it
}

void History::Count(const pb::JobTransition& transition) {
  const absl::Time time = absl::FromUnixNanos(transition.time_ns());
  // `since` is when the wait began that this transition may end.
  const auto since = since_.find(transition.job_id());
  const auto waited = [&] {
    return since == since_.end() ? 0 : absl::ToDoubleSeconds(time - since->second);
  };
  if (transition.from() == pb::QUEUED && transition.to() == pb::STARTING) {
    statistics_.queue_wait_seconds.Observe(waited());
  }
  if (transition.from() == pb::RECOVERING && transition.to() == pb::RUNNING) {
    statistics_.recovery_seconds.Observe(waited());
  }
  // Both kinds of waiting last over repeated arrows to the same state.
  if (transition.from() == transition.to()) return;  // a further generation: it waits since before
  if (transition.to() == pb::RECOVERING) ++statistics_.recoveries[transition.reason().code()];
  if (transition.to() == pb::QUEUED || transition.to() == pb::RECOVERING) {
    since_[transition.job_id()] = time;
  } else {
    since_.erase(transition.job_id());
  }
}

absl::Span<const size_t> History::EventsOf(const std::string& job_id) const {
  const auto events = events_of_job_.find(job_id);
  if (events == events_of_job_.end()) return {};
  return events->second;
}

const std::string* History::JobOfRequest(const std::string& request_id) const {
  if (request_id.empty()) return nullptr;
  const auto job = job_of_request_.find(request_id);
  return job == job_of_request_.end() ? nullptr : &job->second;
}

}  // namespace rm::coordinator
