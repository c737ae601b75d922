// Wherever weights come from, they end in one map, in the order of their names: the order in which they
// are sent, and in which their SHA-256 is taken.
#include "tools/trainctl/trained_weights.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/tensorfile/dtype.h"

namespace rm::trainctl {
namespace {

namespace pb = ::ringmaster::v1;

// More than any memory holds.
constexpr uint64_t kElementsMax = uint64_t{1} << 40;

// Takes bytes in order and puts them into the tensors that were announced, in order.
class Filler {
 public:
  void Expect(TrainedWeights::Tensor* tensor) { tensors_.push_back(tensor); }

  // More bytes than were expected are the sender's mistake, which the client has told already.
  void Take(absl::string_view bytes) {
    while (!bytes.empty() && next_ < tensors_.size()) {
      std::vector<float>& values = tensors_[next_]->values;
      const size_t size = values.size() * sizeof(float);
      const size_t count = std::min(bytes.size(), size - filled_);
      if (count > 0) {
        std::memcpy(reinterpret_cast<char*>(values.data()) + filled_, bytes.data(), count);
      }
      bytes.remove_prefix(count);
      filled_ += count;
      if (filled_ == size) {
        ++next_;
        filled_ = 0;
      }
    }
  }

 private:
  std::vector<TrainedWeights::Tensor*> tensors_;
  size_t next_ = 0;
  size_t filled_ = 0;  // bytes of the next one
};

// The folder of one checkpoint: `path` itself, or the newest whole one in it. A folder by itself does
// not know the job's lineage, so generations that were given up count as well.
absl::StatusOr<std::string> FindFolder(const base::FileSystem& files, const std::string& path,
                                       std::vector<std::string>* warnings) {
  if (files.Exists(base::JoinPath(path, "manifest.json"))) return path;
  RM_ASSIGN_OR_RETURN(const checkpoint::Info newest,
                      checkpoint::FindNewest(files, path, {}, warnings));
  return newest.path;
}

}  // namespace

// Memory is taken only when bytes and shape agree. Pointers into the map stay good as it grows.
absl::StatusOr<TrainedWeights::Tensor*> TrainedWeights::Add(const std::string& name,
                                                            const std::string& dtype,
                                                            std::vector<int64_t> shape,
                                                            uint64_t bytes) {
  // No product of dimensions may wrap around to what the bytes say.
  uint64_t elements = 1;
  bool fits = dtype == "F32" && tensors_.count(name) == 0;
  for (const int64_t dimension : shape) {
    const auto factor = static_cast<uint64_t>(dimension);
    fits = fits && dimension >= 0 && (factor == 0 || elements <= kElementsMax / factor);
    if (fits) elements *= factor;
  }
  if (!fits || bytes != elements * sizeof(float)) {
    return absl::InvalidArgumentError(
        absl::StrCat("tensor '", name, "' of the checkpoint is ",
                     tensorfile::DescribeTensor(dtype, shape), " in ", bytes,
                     " bytes, not F32, or is there twice"));
  }
  Tensor& tensor = tensors_[name];
  tensor.shape = std::move(shape);
  tensor.values.resize(static_cast<size_t>(elements));
  return &tensor;
}

// The sum was written with the checkpoint by the ranks that held the weights: it finds what any disk,
// coordinator or network on the way has changed.
absl::Status TrainedWeights::CheckSum(const std::string& sha256) const {
  if (checkpoint::WeightsSha256(ForFile()) == sha256) return absl::OkStatus();
  return absl::DataLossError("the weights are not those that were saved: their SHA-256 differs");
}

// The head makes room for everything, so bytes go straight to their place. What is wrong with it is
// told after the stream has ended: its callback has no way to.
absl::StatusOr<TrainedWeights> TrainedWeights::Download(client::Client& client,
                                                        const std::string& job, int64_t step) {
  TrainedWeights weights;
  std::string sha256;
  Filler filler;
  absl::Status announced;
  const auto take_head = [&](const pb::WeightsHead& head) {
    weights.step_ = head.checkpoint().step();
    sha256 = head.weights_sha256();
    for (const pb::WeightsTensor& tensor : head.tensors()) {
      const absl::StatusOr<Tensor*> room =
          weights.Add(tensor.name(), tensor.dtype(), {tensor.shape().begin(), tensor.shape().end()},
                      static_cast<uint64_t>(tensor.bytes()));
      announced.Update(room.status());
      if (room.ok()) filler.Expect(*room);
    }
  };
  const auto take_data = [&filler](absl::string_view bytes) { filler.Take(bytes); };
  RM_RETURN_IF_ERROR(client.DownloadWeights(job, step, take_head, take_data));
  RM_RETURN_IF_ERROR(announced);
  RM_RETURN_IF_ERROR(weights.CheckSum(sha256));
  return weights;
}

// Its step is known where it was written by an export of ours.
absl::StatusOr<TrainedWeights> TrainedWeights::ReadFile(const base::FileSystem& files,
                                                        const std::string& path) {
  RM_ASSIGN_OR_RETURN(const auto file, tensorfile::SafetensorsFile::Open(files, path));
  TrainedWeights weights;
  const auto step = file->metadata().find(kStepKey);
  const bool has_step =
      step != file->metadata().end() && absl::SimpleAtoi(step->second, &weights.step_);
  if (!has_step) weights.step_ = 0;
  for (const tensorfile::TensorInfo& tensor : file->tensors()) {
    RM_ASSIGN_OR_RETURN(Tensor* const room,
                        weights.Add(tensor.name, tensor.dtype, tensor.shape, tensor.bytes));
    RM_RETURN_IF_ERROR(file->Read(tensor, room->values.data()));
  }
  return weights;
}

absl::StatusOr<TrainedWeights> TrainedWeights::Read(const base::FileSystem& files,
                                                    const std::string& path,
                                                    std::vector<std::string>* warnings) {
  RM_ASSIGN_OR_RETURN(const base::FileInfo info, files.Stat(path));
  if (!info.is_folder) return ReadFile(files, path);
  RM_ASSIGN_OR_RETURN(const std::string folder, FindFolder(files, path, warnings));
  const auto loaded = checkpoint::Checkpoint::Load(files, folder);
  if (!loaded.ok()) return base::Annotate(loaded.status(), folder);
  TrainedWeights weights;
  weights.step_ = (*loaded)->info().step;
  // Blocks are compared with the manifest's checksums as they are read.
  for (const auto& [name, tensor] : (*loaded)->weights()) {
    RM_ASSIGN_OR_RETURN(Tensor* const room,
                        weights.Add(name, tensor.dtype, tensor.shape, tensor.bytes));
    RM_RETURN_IF_ERROR(base::Annotate(
        (*loaded)->ReadWeights(name, room->values.data(), tensor.bytes), folder));
  }
  RM_RETURN_IF_ERROR(base::Annotate(weights.CheckSum((*loaded)->info().weights_sha256), folder));
  return weights;
}

std::map<std::string, absl::Span<const float>> TrainedWeights::Spans() const {
  std::map<std::string, absl::Span<const float>> spans;
  for (const auto& [name, tensor] : tensors_) spans[name] = tensor.values;
  return spans;
}

std::vector<tensorfile::TensorData> TrainedWeights::ForFile() const {
  std::vector<tensorfile::TensorData> data;
  for (const auto& [name, tensor] : tensors_) {
    data.push_back({name, "F32", tensor.shape, tensor.values.data(),
                    tensor.values.size() * sizeof(float)});
  }
  return data;
}

}  // namespace rm::trainctl
