// A transition is a few hundred bytes without its submission, and a job has about five. All of the
// past stays in the journal; memory holds what people look at.
#include "runtime/coordinator/history.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

}  // namespace

void History::Apply(const pb::JournalRecord& record) {
  ++statistics_.records;
  statistics_.events += record.events_size();
  // Workers first: a job's transition often follows from that of a worker in the same step.
  for (const pb::WorkerTransition& transition : record.worker_transitions()) {
    *AddEvent().mutable_worker() = transition;
  }
  for (const pb::JobTransition& transition : record.job_transitions()) Apply(transition);
  DropOld();
}

void History::DropOld() {
  for (; events_.size() > events_max_; events_.erase(events_.begin())) {
    const pb::JobEvent& oldest = events_.begin()->second;
    if (!oldest.has_transition()) continue;
    const auto positions = positions_of_job_.find(oldest.transition().job_id());
    positions->second.pop_front();
    if (positions->second.empty()) positions_of_job_.erase(positions);
  }
}

void History::Apply(const pb::JobTransition& transition) {
  const std::string& job_id = transition.job_id();
  if (transition.from() == pb::JOB_STATE_UNSPECIFIED) {
    jobs_.push_back({++submitted_, job_id});
    const std::string& request_id = transition.submission().request_id();
    if (!request_id.empty()) job_of_request_.emplace(request_id, job_id);
  }
  Count(transition);
  positions_of_job_[job_id].push_back(end_position());
  pb::JobTransition& kept = *AddEvent().mutable_transition();
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

const pb::JobEvent* History::Next(const std::string& job_id, size_t* position) const {
  size_t wanted = *position;
  if (!job_id.empty()) {
    const auto of_job = positions_of_job_.find(job_id);
    if (of_job == positions_of_job_.end()) return nullptr;
    const std::deque<size_t>& positions = of_job->second;
    const auto next = std::lower_bound(positions.begin(), positions.end(), wanted);
    if (next == positions.end()) return nullptr;
    wanted = *next;
  }
  const auto found = events_.lower_bound(wanted);
  if (found == events_.end()) return nullptr;
  *position = found->first + 1;
  return &found->second;
}

size_t History::EndOf(const std::string& job_id) const {
  const auto of_job = positions_of_job_.find(job_id);
  return of_job == positions_of_job_.end() ? 0 : of_job->second.back() + 1;
}

std::vector<std::string> History::Forget(
    absl::FunctionRef<bool(const std::string& job_id)> is_known) {
  const auto first = std::stable_partition(
      jobs_.begin(), jobs_.end(), [&](const Submitted& job) { return is_known(job.job_id); });
  std::vector<std::string> forgotten;
  for (auto job = first; job != jobs_.end(); ++job) forgotten.push_back(std::move(job->job_id));
  jobs_.erase(first, jobs_.end());
  for (auto request = job_of_request_.begin(); request != job_of_request_.end();) {
    request = is_known(request->second) ? std::next(request) : job_of_request_.erase(request);
  }
  for (auto job = positions_of_job_.begin(); job != positions_of_job_.end();) {
    if (is_known(job->first)) {
      ++job;
      continue;
    }
    for (const size_t position : job->second) events_.erase(position);
    job = positions_of_job_.erase(job);
  }
  for (auto since = since_.begin(); since != since_.end();) {
    since = is_known(since->first) ? std::next(since) : since_.erase(since);
  }
  return forgotten;
}

const std::string* History::JobOfRequest(const std::string& request_id) const {
  if (request_id.empty()) return nullptr;
  const auto job = job_of_request_.find(request_id);
  return job == job_of_request_.end() ? nullptr : &job->second;
}

}  // namespace rm::coordinator
