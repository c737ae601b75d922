// What a client asks, in terms of the scheduler: an event, or a look at the state. No decision
// about jobs is made here; the one check before an event (does the gang fit at all) is the
// scheduler's own function, asked early so that the submitter hears it.
#include "runtime/coordinator/jobs_api.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/coordinator/job_feeds.h"
#include "runtime/coordinator/job_id.h"
#include "runtime/coordinator/job_view.h"
#include "runtime/coordinator/request_limits.h"
#include "scheduler/explain/explain.h"
#include "scheduler/state/job_state.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

// Seconds; beyond it a client asks again by its request id, instead of holding a call open.
constexpr double kPreflightWaitMax = 60;
constexpr int kPageDefault = 100;
constexpr int kPageMax = 1000;

// Whether there is a worker whose slots count: only then can a job be said never to fit.
bool HasWorkers(const scheduler::ClusterState& state) {
  return std::any_of(state.workers().begin(), state.workers().end(),
                     [](const auto& entry) { return entry.second.state != pb::LOST; });
}

absl::Duration PreflightWait(double seconds) {
  // Comparisons with NaN are false: written so that NaN is no wait.
  return seconds > 0 ? absl::Seconds(std::min(seconds, kPreflightWaitMax)) : absl::ZeroDuration();
}

bool IsShown(const scheduler::Job& job, const pb::ListJobsRequest& request) {
  if (request.state() != pb::JOB_STATE_UNSPECIFIED) return job.state == request.state();
  return request.all() || !scheduler::IsEnded(job.state);
}

pb::Event CancelEvent(const std::string& job_id, bool kill) {
  pb::Event event;
  event.mutable_cancel()->set_job_id(job_id);
  event.mutable_cancel()->set_kill(kill);
  return event;
}

pb::Event SubmitEvent(const pb::SubmitRequest& request, const std::string& job_id) {
  pb::Event event;
  pb::SubmitJob& submit = *event.mutable_submit();
  submit.set_job_id(job_id);
  *submit.mutable_spec() = request.spec();
  submit.set_preflight_pending(true);
  submit.set_request_id(request.request_id());
  submit.set_user(request.user());
  *submit.mutable_source_positions() = request.source_positions();
  return event;
}

}  // namespace

JobsApi::JobsApi(Coordinator& coordinator, Random random)
    : coordinator_(coordinator), random_(std::move(random)) {}

// ---- submitting ---------------------------------------------------------------------------------

void JobsApi::Submit(const pb::SubmitRequest& request, SubmitAnswer answer) {
  const absl::Status limits = CheckLimits(request);
  if (!limits.ok()) return answer(limits);
  const std::string& request_id = request.request_id();
  const double wait = request.preflight_wait_seconds();
  // Idempotence first, before anything may refuse: a client that repeats a request whose answer it
  // missed must get the job of that time, even if the cluster has shrunk since.
  if (!request.validate_only()) {
    const std::string* const known = coordinator_.history().JobOfRequest(request_id);
    if (known != nullptr) return AnswerSubmit(*known, wait, std::move(answer));
    // The first request is in the step that comes; its twin waits for the same answer.
    const auto submitting = submitting_.find(request_id);
    if (submitting != submitting_.end()) {
      submitting->second.push_back(std::move(answer));
      return;
    }
  }
  if (HasWorkers(coordinator_.state())) {
    const absl::Status fits = scheduler::CheckFeasible(coordinator_.state(), request.spec());
    if (!fits.ok()) return answer(base::Annotate(fits, "refused"));
  }
  if (request.validate_only()) return DryRun(request, std::move(answer));

  const std::string job_id = NewId(request.spec().name());
  if (!request_id.empty()) submitting_[request_id] = {};
  coordinator_.Add(SubmitEvent(request, job_id),
                   [this, request_id, job_id, wait, answer](const absl::Status& status) {
                     // The record is durable, or refused for all: everyone who asked by this
                     // request id is answered.
                     std::vector<SubmitAnswer> answers = {answer};
                     const auto others = submitting_.find(request_id);
                     if (others != submitting_.end()) {
                       answers.insert(answers.end(), others->second.begin(), others->second.end());
                       submitting_.erase(others);
                     }
                     for (SubmitAnswer& each : answers) {
                       if (!status.ok()) {
                         each(status);
                       } else {
                         AnswerSubmit(job_id, wait, std::move(each));
                       }
                     }
                   });
}

std::string JobsApi::NewId(const std::string& name) const {
  // 2^30 ids for each name: a second draw is already rare. A clash within one step is refused by
  // the scheduler (DuplicateJob).
  while (true) {
    std::string id = MakeJobId(name, random_());
    if (coordinator_.state().FindJob(id) == nullptr) return id;
  }
}

void JobsApi::AnswerSubmit(const std::string& job_id, double wait_seconds, SubmitAnswer answer) {
  // Also over when the job has ended otherwise: the scheduler then waits for no verdict either.
  const auto has_verdict = [this, job_id] {
    const scheduler::Job* const job = coordinator_.state().FindJob(job_id);
    return job == nullptr || !job->preflight_pending;
  };
  coordinator_.Await(has_verdict, PreflightWait(wait_seconds),
                     [this, job_id, answer = std::move(answer)] {
                       pb::SubmitReply reply;
                       reply.set_job_id(job_id);
                       // nullptr: the request is repeated long after its job has ended.
                       const scheduler::Job* const job = coordinator_.state().FindJob(job_id);
                       if (job != nullptr) {
                         *reply.mutable_job() = ViewOf(*job);
                         reply.mutable_preflight_errors()->Add(job->preflight_errors.begin(),
                                                               job->preflight_errors.end());
                       }
                       answer(std::move(reply));
                     });
}

void JobsApi::DryRun(const pb::SubmitRequest& request, SubmitAnswer answer) {
  // Shared by the preflight's answer and the wait for it: either may end first.
  struct Verdict {
    bool is_in = false;
    std::vector<std::string> errors;
  };
  const auto verdict = std::make_shared<Verdict>();
  pb::PreflightRequest preflight;
  preflight.set_job_id(absl::StrCat("dry-run/", ++dry_runs_));  // no job has such an id
  *preflight.mutable_spec() = request.spec();
  *preflight.mutable_source_positions() = request.source_positions();
  preflight.set_checkpoint_folder(
      coordinator_.config().folders.Checkpoints(request.spec(), request.spec().name()));
  coordinator_.preflights().Ask(preflight, [verdict](const std::vector<std::string>& errors) {
    verdict->is_in = true;
    verdict->errors = errors;
  });
  coordinator_.Await(
      [verdict] { return verdict->is_in; }, PreflightWait(request.preflight_wait_seconds()),
      [this, verdict, id = preflight.job_id(), answer = std::move(answer)] {
        coordinator_.preflights().Cancel(id);
        pb::SubmitReply reply;
        reply.mutable_preflight_errors()->Add(verdict->errors.begin(), verdict->errors.end());
        answer(std::move(reply));
      });
}

// ---- reading ------------------------------------------------------------------------------------

pb::Job JobsApi::ViewOf(const scheduler::Job& job) const {
  return ViewJob(job, coordinator_.live().Find(job.id()), coordinator_.config().folders);
}

absl::StatusOr<pb::Job> JobsApi::Get(const std::string& id) const {
  RM_ASSIGN_OR_RETURN(const scheduler::Job* const job, FindJob(coordinator_.state(), id));
  return ViewOf(*job);
}

absl::StatusOr<pb::ListJobsReply> JobsApi::List(const pb::ListJobsRequest& request) const {
  RM_RETURN_IF_ERROR(CheckLimits(request));
  // A token is a position in the order of submission, which only grows at its other end: pages stay
  // stable while jobs are added.
  const std::vector<History::Submitted>& jobs = coordinator_.history().jobs();
  const int64_t newest = jobs.empty() ? 0 : jobs.back().ordinal;
  int64_t last = newest;
  if (!request.page_token().empty() &&
      (!absl::SimpleAtoi(request.page_token(), &last) || last < 0 || last > newest)) {
    return absl::InvalidArgumentError(absl::StrCat("no page '", request.page_token(), "'"));
  }
  const int page =
      request.page_size() <= 0 ? kPageDefault : std::min(request.page_size(), kPageMax);
  pb::ListJobsReply reply;
  for (auto submitted = jobs.rbegin(); submitted != jobs.rend(); ++submitted) {
    if (submitted->ordinal > last) continue;
    const scheduler::Job* const job = coordinator_.state().FindJob(submitted->job_id);
    if (job == nullptr || !IsShown(*job, request)) continue;  // nullptr: ended long ago
    if (reply.jobs_size() == page) {
      reply.set_next_page_token(absl::StrCat(submitted->ordinal));
      break;
    }
    *reply.add_jobs() = ViewOf(*job);
  }
  return reply;
}

absl::StatusOr<pb::Explanation> JobsApi::Explain(const std::string& id) const {
  RM_ASSIGN_OR_RETURN(const scheduler::Job* const job, FindJob(coordinator_.state(), id));
  return scheduler::Explain(coordinator_.state(), job->id(), coordinator_.clock().Now(),
                            coordinator_.config().scheduler);
}

// ---- changing -----------------------------------------------------------------------------------

void JobsApi::Change(const std::string& id,
                     const std::function<pb::Event(const std::string&)>& make,
                     Answer<pb::Job> answer) {
  // The id is resolved now and the event carries the whole one: a prefix must not come to mean
  // another job between here and the step.
  const absl::StatusOr<const scheduler::Job*> job = FindJob(coordinator_.state(), id);
  if (!job.ok()) return answer(job.status());
  coordinator_.Add(make((*job)->id()), [this, job_id = (*job)->id(),
                                        answer = std::move(answer)](const absl::Status& status) {
    if (!status.ok()) return answer(status);
    answer(Get(job_id));
  });
}

void JobsApi::Cancel(const std::string& id, Answer<pb::Job> answer) {
  Change(
      id, [](const std::string& job_id) { return CancelEvent(job_id, false); }, std::move(answer));
}

void JobsApi::Kill(const std::string& id, Answer<pb::Job> answer) {
  Change(
      id, [](const std::string& job_id) { return CancelEvent(job_id, true); }, std::move(answer));
}

void JobsApi::Pause(const std::string& id, Answer<pb::Job> answer) {
  const auto make = [](const std::string& job_id) {
    pb::Event event;
    event.mutable_pause()->set_job_id(job_id);
    return event;
  };
  Change(id, make, std::move(answer));
}

void JobsApi::Resume(const std::string& id, Answer<pb::Job> answer) {
  const auto make = [](const std::string& job_id) {
    pb::Event event;
    event.mutable_resume()->set_job_id(job_id);
    return event;
  };
  Change(id, make, std::move(answer));
}

// ---- streams ------------------------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<Feed<pb::Job>>> JobsApi::Watch(const std::string& id) const {
  RM_ASSIGN_OR_RETURN(const scheduler::Job* const job, FindJob(coordinator_.state(), id));
  return std::make_unique<WatchFeed>(coordinator_, job->id());
}

absl::StatusOr<std::unique_ptr<Feed<pb::JobEvent>>> JobsApi::Events(
    const pb::EventsRequest& request) const {
  std::string job_id;
  if (!request.job_id().empty()) {
    RM_ASSIGN_OR_RETURN(const scheduler::Job* const job,
                        FindJob(coordinator_.state(), request.job_id()));
    job_id = job->id();
  }
  return std::make_unique<EventsFeed>(coordinator_, job_id, request.follow());
}

absl::StatusOr<LogFeedOptions> JobsApi::Logs(const pb::LogsRequest& request) const {
  RM_RETURN_IF_ERROR(CheckLimits(request));
  RM_ASSIGN_OR_RETURN(const scheduler::Job* const job,
                      FindJob(coordinator_.state(), request.job_id()));
  LogFeedOptions options;
  options.job_id = job->id();
  options.follow = request.follow();
  options.job_ended = scheduler::IsEnded(job->state);
  if (request.has_rank()) options.rank = request.rank();
  options.tail = request.tail();
  options.resume.insert(request.resume().begin(), request.resume().end());
  // A length of time on the wire, a time inside: clocks of clients need not agree with ours.
  if (request.since_seconds() > 0) {
    options.since = coordinator_.clock().Now() - absl::Seconds(request.since_seconds());
  }
  return options;
}

}  // namespace rm::coordinator
