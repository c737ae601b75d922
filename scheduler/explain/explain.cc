#include "scheduler/explain/explain.h"

#include "absl/strings/str_cat.h"
#include "scheduler/core/reasons.h"
#include "scheduler/explain/ago.h"
#include "scheduler/explain/gang_details.h"
#include "scheduler/explain/queue_details.h"
#include "scheduler/state/job_state.h"

namespace rm::scheduler {
namespace {

void ExplainPaused(const Job& job, pb::Explanation& out) {
  out.add_details("It holds no slots and goes on when it is resumed.");
  if (!job.preflight_errors.empty()) {
    out.add_details(absl::StrCat("Then it fails: ", PreflightFailedReason(job).sentence(), "."));
  }
}

// The reason is the first cause; only the time is added.
void ExplainEnded(const Job& job, absl::Time now, pb::Explanation& out) {
  out.add_details(absl::StrCat("It ended ", AgoText(now, job.ended), " as ", StateName(job.state),
                               "; ", CheckpointText(job), "."));
}

}  // namespace

pb::Explanation Explain(const ClusterState& state, const std::string& job_id, absl::Time now,
                        const SchedulerOptions& /*options*/) {
  pb::Explanation out;
  const Job* job = state.FindJob(job_id);
  if (job == nullptr) {
    *out.mutable_reason() = MakeReason("UnknownJob", absl::StrCat("there is no job ", job_id));
    return out;
  }
  *out.mutable_reason() = job->reason;
  if (job->state == pb::QUEUED) {
    ExplainQueued(state, *job, now, out);
  } else if (job->state == pb::PAUSED) {
    ExplainPaused(*job, out);
  } else if (IsEnded(job->state)) {
    ExplainEnded(*job, now, out);
  } else {
    ExplainGang(state, *job, now, out);
  }
  return out;
}

}  // namespace rm::scheduler
