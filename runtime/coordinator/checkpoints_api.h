// The Checkpoints service of proto/api.proto without gRPC.
//
// Two halves, because a checkpoint is read for seconds: FindCheckpoints asks the coordinator on its
// thread, the others read files on whatever thread has time.
#ifndef RM_RUNTIME_COORDINATOR_CHECKPOINTS_API_H_
#define RM_RUNTIME_COORDINATOR_CHECKPOINTS_API_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

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

// One call of Download, message by message. Not thread-safe. Files stay open, so that retention may
// take the checkpoint away meanwhile; one tensor at a time is in memory.
class WeightsDownload {
 public:
  static constexpr size_t kPieceBytesMax = 1 << 20;

  // Of the checkpoint of `step`, or of the newest that counts when it is 0. NotFound: there is none.
  // DataLoss: the one of that step is damaged or not of the job's history; the message says why.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<WeightsDownload>> Open(
      const base::FileSystem& files, const CheckpointPlace& place, int64_t step);

  // Fills the next message; false: all were. DataLoss, with file and offset, when a tensor's bytes
  // are not those that were saved.
  [[nodiscard]] absl::StatusOr<bool> Next(::ringmaster::v1::DownloadReply* message);

 private:
  using Tensors = std::map<std::string, checkpoint::TensorInfo>;

  WeightsDownload(std::unique_ptr<checkpoint::Checkpoint> checkpoint,
                  ::ringmaster::v1::CheckpointInfo info)
      : checkpoint_(std::move(checkpoint)),
        info_(std::move(info)),
        next_tensor_(checkpoint_->weights().begin()) {}

  void FillHead(::ringmaster::v1::WeightsHead* head) const;

  const std::unique_ptr<checkpoint::Checkpoint> checkpoint_;
  const ::ringmaster::v1::CheckpointInfo info_;
  bool head_is_sent_ = false;
  Tensors::const_iterator next_tensor_;
  std::string tensor_;   // the one that is being sent
  size_t sent_ = 0;      // bytes of it
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_CHECKPOINTS_API_H_
