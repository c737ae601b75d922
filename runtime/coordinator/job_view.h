// Jobs, workers and the cluster as the public API shows them. Pure functions of what the scheduler
// and the live reports hold; nothing here is kept.
#ifndef RM_RUNTIME_COORDINATOR_JOB_VIEW_H_
#define RM_RUNTIME_COORDINATOR_JOB_VIEW_H_

#include <string>

#include "absl/status/statusor.h"
#include "proto/api.pb.h"
#include "runtime/coordinator/live_jobs.h"
#include "scheduler/state/cluster_state.h"

namespace rm::coordinator {

// Where things lie; absolute paths.
struct Folders {
  std::string state;    // journal and logs
  std::string storage;  // checkpoints of jobs that name no place of their own

  // <checkpoint.path>/<job_id>, or <storage>/<job_id>.
  [[nodiscard]] std::string Checkpoints(const ::ringmaster::v1::JobSpec& spec,
                                        const std::string& job_id) const;
  // <state>/logs/<job_id>.
  [[nodiscard]] std::string Logs(const std::string& job_id) const;
};

// `live` may be nullptr. What the live reports say of metrics is newer than what the journal knows.
[[nodiscard]] ::ringmaster::v1::Job ViewJob(const scheduler::Job& job, const LiveJob* live,
                                            const Folders& folders);

// The worker with each rank that holds slots on it, in the order of the slots.
[[nodiscard]] ::ringmaster::v1::Node ViewNode(const scheduler::Worker& worker);

// Fills workers, slots and slots_used (of the workers that are READY) and jobs (all, by the name of
// their state).
void CountCluster(const scheduler::ClusterState& state, ::ringmaster::v1::StatusReply* reply);

// The job of that id, or the only one whose id begins with `prefix`. NotFound; InvalidArgument when
// several do (it lists them) or the prefix is empty.
[[nodiscard]] absl::StatusOr<const scheduler::Job*> FindJob(const scheduler::ClusterState& state,
                                                            const std::string& prefix);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_JOB_VIEW_H_
