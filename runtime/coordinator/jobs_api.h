// The Jobs service of proto/api.proto without gRPC: each method's meaning, on the coordinator's
// thread.
//
// A job is named by its id or a unique beginning of it. What changes state is answered when its
// record is durable.
#ifndef RM_RUNTIME_COORDINATOR_JOBS_API_H_
#define RM_RUNTIME_COORDINATOR_JOBS_API_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/api.pb.h"
#include "runtime/coordinator/coordinator.h"
#include "runtime/coordinator/feed.h"
#include "runtime/coordinator/log_feed.h"

namespace rm::coordinator {

// Takes the answer of a call; called exactly once, unless the coordinator ends before.
template <typename Reply>
using Answer = std::function<void(absl::StatusOr<Reply> reply)>;

class JobsApi {
 public:
  // Draws the bits of a job id.
  using Random = std::function<uint64_t()>;

  // Borrows the coordinator.
  JobsApi(Coordinator& coordinator, Random random);

  // Makes a job of a checked request, and waits up to request.preflight_wait_seconds (60 at most)
  // for the verdict of its preflight before it answers. REQUIRES: CheckSubmission (spec_errors.h)
  // has passed the request. ResourceExhausted ("refused: …") when the gang can never fit on the
  // cluster as it is; a cluster without workers takes everything. A request id that was used before
  // gives the job of that time. validate_only: as above, with a preflight, but there will be no
  // job.
  void Submit(const ::ringmaster::v1::SubmitRequest& request,
              Answer<::ringmaster::v1::SubmitReply> answer);

  [[nodiscard]] absl::StatusOr<::ringmaster::v1::Job> Get(const std::string& id) const;
  // Newest first. InvalidArgument: a page token that this did not make.
  [[nodiscard]] absl::StatusOr<::ringmaster::v1::ListJobsReply> List(
      const ::ringmaster::v1::ListJobsRequest& request) const;
  [[nodiscard]] absl::StatusOr<::ringmaster::v1::Explanation> Explain(const std::string& id) const;

  // Answered with the job as it is after the change. FailedPrecondition with the scheduler's
  // sentence when its state does not allow it.
  void Cancel(const std::string& id, Answer<::ringmaster::v1::Job> answer);
  void Kill(const std::string& id, Answer<::ringmaster::v1::Job> answer);
  void Pause(const std::string& id, Answer<::ringmaster::v1::Job> answer);
  void Resume(const std::string& id, Answer<::ringmaster::v1::Job> answer);

  // Feeds for streams (job_feeds.h); they borrow the coordinator.
  [[nodiscard]] absl::StatusOr<std::unique_ptr<Feed<::ringmaster::v1::Job>>> Watch(
      const std::string& id) const;
  [[nodiscard]] absl::StatusOr<std::unique_ptr<Feed<::ringmaster::v1::JobEvent>>> Events(
      const ::ringmaster::v1::EventsRequest& request) const;
  // What to open at the LogService.
  [[nodiscard]] absl::StatusOr<LogFeedOptions> Logs(
      const ::ringmaster::v1::LogsRequest& request) const;

 private:
  using SubmitAnswer = Answer<::ringmaster::v1::SubmitReply>;

  // Resolves the id, adds the event that `make` gives for it, answers with the job after it.
  void Change(const std::string& id,
              const std::function<::ringmaster::v1::Event(const std::string& job_id)>& make,
              Answer<::ringmaster::v1::Job> answer);
  [[nodiscard]] ::ringmaster::v1::Job ViewOf(const scheduler::Job& job) const;
  // An id that no job has yet.
  [[nodiscard]] std::string NewId(const std::string& name) const;
  // Answers with the errors of a preflight, without a job.
  void DryRun(const ::ringmaster::v1::SubmitRequest& request, SubmitAnswer answer);
  // Answers with the job when its preflight has ended or the time is over.
  void AnswerSubmit(const std::string& job_id, double wait_seconds, SubmitAnswer answer);

  Coordinator& coordinator_;
  const Random random_;
  // Requests whose job is not durable yet → who else waits for it.
  std::map<std::string, std::vector<SubmitAnswer>> submitting_;
  int64_t dry_runs_ = 0;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_JOBS_API_H_
