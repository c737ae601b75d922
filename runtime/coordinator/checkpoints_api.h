// The Checkpoints service of proto/api.proto without gRPC.
//
// Two halves, because a checkpoint is read for seconds: FindCheckpoints asks the coordinator on its
// thread, the others read files on whatever thread has time.
#ifndef RM_RUNTIME_COORDINATOR_CHECKPOINTS_API_H_
#define RM_RUNTIME_COORDINATOR_CHECKPOINTS_API_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "proto/api.pb.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/coordinator/coordinator.h"

namespace rm::coordinator {

// Where a job's checkpoints lie, and which of them count.
struct CheckpointPlace {
  std::string job_id;
  std::string folder;           // absolute; holds the step-… folders; may not exist yet
  checkpoint::Lineage lineage;  // empty: no generation has trained, and every one counts
};

// NotFound: no such job. On the coordinator's thread.
[[nodiscard]] absl::StatusOr<CheckpointPlace> FindCheckpoints(const Coordinator& coordinator,
                                                              const std::string& id);

// Newest first. Thread-safe.
[[nodiscard]] absl::StatusOr<::ringmaster::v1::ListCheckpointsReply> ListCheckpoints(
    const base::FileSystem& files, const CheckpointPlace& place);

// Reads every byte of the checkpoint of `step`, or of the newest that counts when it is 0.
// NotFound: there is none; a damaged one is an answer, not an error. Thread-safe.
[[nodiscard]] absl::StatusOr<::ringmaster::v1::VerifyReply> VerifyCheckpoint(
    const base::FileSystem& files, const CheckpointPlace& place, int64_t step);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_CHECKPOINTS_API_H_
