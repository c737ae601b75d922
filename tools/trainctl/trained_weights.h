// The weights of a checkpoint in memory, wherever it lies: with a coordinator, or in a folder here; or
// those of a safetensors file.
//
// Every byte of a checkpoint has been checked when a function returns: against its checksums, and
// against the SHA-256 over all weights that was written with it. A safetensors file has neither.
#ifndef RM_TOOLS_TRAINCTL_TRAINED_WEIGHTS_H_
#define RM_TOOLS_TRAINCTL_TRAINED_WEIGHTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/file_system.h"
#include "runtime/client/client.h"
#include "runtime/tensorfile/safetensors.h"

namespace rm::trainctl {

// The key of a safetensors file's metadata that the step stands under.
inline constexpr char kStepKey[] = "step";

// A value type; large. Parameters and buffers, plain row-major.
class TrainedWeights {
 public:
  struct Tensor {
    std::vector<int64_t> shape;
    std::vector<float> values;
  };

  // Of the checkpoint of `step`, or of the newest that counts when it is 0. Errors are the
  // coordinator's; DataLoss when what came is not what was saved.
  [[nodiscard]] static absl::StatusOr<TrainedWeights> Download(client::Client& client,
                                                               const std::string& job,
                                                               int64_t step);
  // Of the safetensors file `path`, or of the checkpoint in the folder `path`: one of a step, or one
  // that holds those of a job, of which the newest whole one is taken; the names of others, with what
  // is wrong, go into `warnings`. NotFound: nothing is there. DataLoss: it is damaged.
  [[nodiscard]] static absl::StatusOr<TrainedWeights> Read(const base::FileSystem& files,
                                                           const std::string& path,
                                                           std::vector<std::string>* warnings);

  [[nodiscard]] int64_t step() const { return step_; }
  [[nodiscard]] const std::map<std::string, Tensor>& tensors() const { return tensors_; }
  // Borrow the values.
  [[nodiscard]] std::map<std::string, absl::Span<const float>> Spans() const;
  [[nodiscard]] std::vector<tensorfile::TensorData> ForFile() const;

 private:
  [[nodiscard]] static absl::StatusOr<TrainedWeights> ReadFile(const base::FileSystem& files,
                                                               const std::string& path);
  // Room for a tensor. InvalidArgument: it is not float32, or its bytes are not those of its shape.
  [[nodiscard]] absl::StatusOr<Tensor*> Add(const std::string& name, const std::string& dtype,
                                            std::vector<int64_t> shape, uint64_t bytes);
  [[nodiscard]] absl::Status CheckSum(const std::string& sha256) const;

  int64_t step_ = 0;
  std::map<std::string, Tensor> tensors_;
};

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_TRAINED_WEIGHTS_H_
