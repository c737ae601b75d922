// A thin skin over runtime/checkpoint: which checkpoint is meant, and its answer as messages. What
// a checkpoint is, and when it counts, is decided there alone.
#include "runtime/coordinator/checkpoints_api.h"

#include <algorithm>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/coordinator/job_view.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

pb::CheckpointInfo ViewInfo(const checkpoint::Info& info) {
  pb::CheckpointInfo view;
  view.set_name(info.name);
  view.set_path(info.path);
  view.set_step(info.step);
  view.set_generation(info.generation);
  view.set_bytes(static_cast<int64_t>(info.bytes));
  // A folder without a readable manifest has no time of creation.
  if (info.created > absl::UnixEpoch()) view.set_created_ns(absl::ToUnixNanos(info.created));
  view.set_counts(info.counts);
  view.set_problem(info.problem);
  for (const auto& [name, value] : info.metrics) (*view.mutable_metrics())[name] = value;
  return view;
}

// The one that is meant: of a step the one that counts, before those that do not.
absl::StatusOr<checkpoint::Info> Choose(const std::vector<checkpoint::Info>& infos,
                                        const CheckpointPlace& place, int64_t step) {
  const auto is_meant = [step](const checkpoint::Info& info) {
    return step == 0 || info.step == step;
  };
  const auto counts = [&](const checkpoint::Info& info) { return is_meant(info) && info.counts; };
  // `infos` is newest first. One that does not count is still worth verifying when it is all there
  // is: its problem is then the answer.
  auto chosen = std::find_if(infos.begin(), infos.end(), counts);
  if (chosen == infos.end()) chosen = std::find_if(infos.begin(), infos.end(), is_meant);
  if (chosen != infos.end()) return *chosen;
  if (step == 0) {
    return absl::NotFoundError(
        absl::StrCat("job ", place.job_id, " has no checkpoint in ", place.folder));
  }
  return absl::NotFoundError(
      absl::StrCat("job ", place.job_id, " has no checkpoint of step ", step));
}

}  // namespace

absl::StatusOr<CheckpointPlace> FindCheckpoints(const Coordinator& coordinator,
                                                const std::string& id) {
  RM_ASSIGN_OR_RETURN(const scheduler::Job* const job, FindJob(coordinator.state(), id));
  CheckpointPlace place;
  place.job_id = job->id();
  place.folder = coordinator.config().folders.Checkpoints(job->spec(), job->id());
  // The scheduler's lineage is that of the journal: every generation whose ranks had all joined.
  for (const scheduler::LineageEntry& entry : job->lineage) {
    place.lineage.push_back({entry.generation, entry.first_step});
  }
  return place;
}

absl::StatusOr<pb::ListCheckpointsReply> ListCheckpoints(const base::FileSystem& files,
                                                         const CheckpointPlace& place) {
  RM_ASSIGN_OR_RETURN(const std::vector<checkpoint::Info> infos,
                      checkpoint::List(files, place.folder, place.lineage));
  pb::ListCheckpointsReply reply;
  for (const checkpoint::Info& info : infos) *reply.add_checkpoints() = ViewInfo(info);
  return reply;
}

absl::StatusOr<pb::VerifyReply> VerifyCheckpoint(const base::FileSystem& files,
                                                 const CheckpointPlace& place, int64_t step) {
  RM_ASSIGN_OR_RETURN(const std::vector<checkpoint::Info> infos,
                      checkpoint::List(files, place.folder, place.lineage));
  RM_ASSIGN_OR_RETURN(const checkpoint::Info info, Choose(infos, place, step));
  RM_ASSIGN_OR_RETURN(const checkpoint::Verification verified,
                      checkpoint::Verify(files, info.path));
  pb::VerifyReply reply;
  reply.set_ok(verified.ok());
  *reply.mutable_checkpoint() = ViewInfo(info);
  reply.set_files(verified.files);
  reply.set_bytes(static_cast<int64_t>(verified.bytes));
  reply.mutable_problems()->Add(verified.problems.begin(), verified.problems.end());
  reply.set_weights_sha256(verified.weights_sha256);
  return reply;
}

// A checkpoint that does not count may still be chosen, when it is the only one of its step: then its
// problem is the answer, as it is of Verify.
absl::StatusOr<std::unique_ptr<WeightsDownload>> WeightsDownload::Open(
    const base::FileSystem& files, const CheckpointPlace& place, int64_t step) {
  RM_ASSIGN_OR_RETURN(const std::vector<checkpoint::Info> infos,
                      checkpoint::List(files, place.folder, place.lineage));
  RM_ASSIGN_OR_RETURN(const checkpoint::Info info, Choose(infos, place, step));
  if (!info.counts) {
    return absl::DataLossError(absl::StrCat("checkpoint ", info.path, ": ", info.problem));
  }
  auto loaded = checkpoint::Checkpoint::Load(files, info.path);
  if (!loaded.ok()) {
    return base::Annotate(loaded.status(), absl::StrCat("checkpoint ", info.path));
  }
  return absl::WrapUnique(new WeightsDownload(*std::move(loaded), ViewInfo(info)));
}

// All tensors before the first byte: the client makes room once, and knows when it has everything.
void WeightsDownload::FillHead(pb::WeightsHead* head) const {
  *head->mutable_checkpoint() = info_;
  head->set_weights_sha256(checkpoint_->info().weights_sha256);
  for (const auto& [name, tensor] : checkpoint_->weights()) {
    pb::WeightsTensor* view = head->add_tensors();
    view->set_name(name);
    view->set_dtype(tensor.dtype);
    view->mutable_shape()->Add(tensor.shape.begin(), tensor.shape.end());
    view->set_bytes(static_cast<int64_t>(tensor.bytes));
  }
}

// A tensor is read when its first piece is due. Those without elements have no message.
absl::StatusOr<bool> WeightsDownload::Next(pb::DownloadReply* message) {
  if (!head_is_sent_) {
    FillHead(message->mutable_head());
    head_is_sent_ = true;
    return true;
  }
  while (sent_ == tensor_.size()) {
    if (next_tensor_ == checkpoint_->weights().end()) return false;
    const auto& [name, tensor] = *next_tensor_++;
    tensor_.resize(static_cast<size_t>(tensor.bytes));
    sent_ = 0;
    RM_RETURN_IF_ERROR(base::Annotate(
        checkpoint_->ReadWeights(name, tensor_.data(), tensor.bytes),
        absl::StrCat("checkpoint ", info_.path())));
  }
  const size_t bytes = std::min(kPieceBytesMax, tensor_.size() - sent_);
  message->set_data(tensor_.data() + sent_, bytes);
  sent_ += bytes;
  return true;
}

}  // namespace rm::coordinator
