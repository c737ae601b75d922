#include "runtime/checkpoint/testing.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace rm::checkpoint {
namespace {

constexpr char kState[] = ".momentum";

absl::Status Different(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("differs from what was saved: ", what));
}

template <typename Read>
absl::Status CheckTensors(const std::vector<TensorData>& expected,
                          const std::map<std::string, TensorInfo>& found, const Read& read) {
  if (found.size() != expected.size()) return Different("number of tensors");
  for (const TensorData& tensor : expected) {
    std::string bytes(static_cast<size_t>(tensor.bytes), '\0');
    RM_RETURN_IF_ERROR(read(tensor.name, bytes.data(), tensor.bytes));
    if (std::memcmp(bytes.data(), tensor.data, bytes.size()) != 0) return Different(tensor.name);
    if (found.at(tensor.name).shape != tensor.shape) return Different("shape");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ShardReport>> WriteAllShards(base::FileSystem& files,
                                                        const SaveId& id, const TestSave& save,
                                                        const TestModel& model) {
  std::vector<ShardReport> reports;
  for (int rank = 0; rank < save.world_size; ++rank) {
    RM_ASSIGN_OR_RETURN(const auto own, WriteShard(files, kJobFolder, id,
                                                   model.ShardOf(rank, save.world_size)));
    RM_ASSIGN_OR_RETURN(const auto received, ParseReports(SerializeReports(own)));
    reports.insert(reports.end(), received.begin(), received.end());
  }
  return reports;
}

}  // namespace

TestModel::TestModel(int64_t step, size_t floats_max) {
  const int64_t rows = static_cast<int64_t>(floats_max / 3);
  Add("fc1.weight", {rows, 3}, step);
  Add("fc1.bias", {3}, step);
  Add("bn.running_mean", {2, 1, 2}, step);
  Add("scale", {}, step);
  for (size_t i = 0; i < weights_.size(); ++i) weights_[i].data = memory_[i].data();
  // The optimizer's state: one tensor beside each of the first two weights, with the same values.
  for (size_t i = 0; i < 2; ++i) {
    optimizer_.push_back(weights_[i]);
    optimizer_.back().name += kState;
  }
}

void TestModel::Add(const std::string& name, const std::vector<int64_t>& shape, int64_t step) {
  size_t count = 1;
  for (const int64_t size : shape) count *= static_cast<size_t>(size);
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(step) + static_cast<float>(i) / 1024.0F;
  }
  memory_.push_back(std::move(values));
  weights_.push_back({name, "F32", shape, nullptr, count * sizeof(float)});
}

ShardSpec TestModel::ShardOf(int rank, int world_size) const {
  ShardSpec shard;
  shard.rank = rank;
  shard.world_size = world_size;
  const auto pick = [&](const std::vector<TensorData>& all, std::vector<TensorData>& own) {
    for (size_t i = 0; i < all.size(); ++i) {
      if (static_cast<int>(i) % world_size == rank) own.push_back(all[i]);
    }
  };
  pick(weights_, shard.weights);
  pick(optimizer_, shard.optimizer);
  return shard;
}

absl::StatusOr<CommitResult> Save(base::FileSystem& files, const TestSave& save) {
  const TestModel model(save.step, save.floats_max);
  const std::string nonce =
      save.nonce.empty() ? absl::StrCat("n", save.step, "x", save.generation) : save.nonce;
  const SaveId id{save.step, save.generation, nonce};
  RM_RETURN_IF_ERROR(Prepare(files, kJobFolder, id, 1000));
  const auto reports = WriteAllShards(files, id, save, model);
  if (!reports.ok()) {
    Abandon(files, kJobFolder, id);
    return reports.status();
  }
  CommitSpec commit;
  commit.id = id;
  commit.world_size = save.world_size;
  commit.reports = *reports;
  commit.lineage = save.lineage;
  commit.trainer_state.Set("step", save.step);
  commit.metrics["train/loss"] = 0.25;
  commit.weights_sha256 = WeightsSha256(model.weights());
  commit.created = absl::FromUnixSeconds(1'800'000'000);
  commit.keep_last = save.keep_last;
  return Commit(files, kJobFolder, commit);
}

absl::Status CheckHolds(const base::FileSystem& files, const std::string& path, int64_t step,
                        size_t floats_max) {
  RM_ASSIGN_OR_RETURN(const Verification verification, Verify(files, path));
  if (!verification.ok()) return absl::DataLossError(verification.problems.front());
  const TestModel model(step, floats_max);
  if (verification.weights_sha256 != WeightsSha256(model.weights())) {
    return Different("fingerprint");
  }
  RM_ASSIGN_OR_RETURN(const auto loaded, Checkpoint::Load(files, path));
  if (loaded->info().step != step) return Different("step");
  const base::Json* const saved_step = loaded->trainer_state().Find("step");
  if (saved_step == nullptr || saved_step->int_or(-1) != step) return Different("trainer state");
  RM_RETURN_IF_ERROR(CheckTensors(model.weights(), loaded->weights(),
                                  [&](const std::string& name, void* destination, uint64_t bytes) {
                                    return loaded->ReadWeights(name, destination, bytes);
                                  }));
  return CheckTensors(model.optimizer(), loaded->optimizer(),
                      [&](const std::string& name, void* destination, uint64_t bytes) {
                        return loaded->ReadOptimizer(name, destination, bytes);
                      });
}

std::vector<std::string> NamesIn(const base::FileSystem& files) {
  const auto names = files.List(kJobFolder);
  return names.ok() ? *names : std::vector<std::string>();
}

}  // namespace rm::checkpoint
