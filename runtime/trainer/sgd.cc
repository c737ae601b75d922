#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "kernels/api/op.h"
#include "runtime/trainer/optimizer.h"

namespace rm::trainer {
namespace pb = ::ringmaster::v1;
namespace {

constexpr size_t kHyperParameters = 4;  // learning rate, momentum, weight decay, nesterov

// The update of a whole bucket is one call of the kernel over flat memory; padding stays zero under it.
kernels::OpInstance SgdInstance(int64_t elements) {
  const kernels::Operand flat{{kernels::DType::kFloat32, {elements}}};
  const kernels::Operand hyper{{kernels::DType::kFloat32, {kHyperParameters}}};
  return {"SgdUpdate", {}, {flat, flat, flat, hyper}, {flat, flat}};
}

// PyTorch's SGD; the rule is written down in kernels/api/op.h.
class Sgd final : public Optimizer {
 public:
  explicit Sgd(std::array<float, kHyperParameters> hyper) : hyper_(hyper) {}

  std::vector<std::string> state_names() const override { return {"momentum"}; }

  // One kernel a bucket, made once.
  absl::Status Bind(std::vector<BucketMemory> buckets, kernels::KernelTable table,
                    const kernels::KernelOptions& options) override {
    buckets_ = std::move(buckets);
    for (const BucketMemory& bucket : buckets_) {
      const auto instance = SgdInstance(static_cast<int64_t>(bucket.weights.size()));
      const kernels::KernelEntry* entry = kernels::FindKernel(table, instance);
      if (entry == nullptr) return absl::InternalError("no kernel for SgdUpdate");
      RM_ASSIGN_OR_RETURN(auto kernel, entry->make(instance, options));
      RM_CHECK(kernel->scratch_bytes() == 0);
      kernels_.push_back(std::move(kernel));
    }
    return absl::OkStatus();
  }

  // In place: outputs are the memory of inputs 0 and 2.
  absl::Status Apply(double learning_rate) override {
    hyper_[0] = static_cast<float>(learning_rate);
    for (size_t i = 0; i < buckets_.size(); ++i) {
      const BucketMemory& bucket = buckets_[i];
      const std::array<const void*, 4> inputs = {bucket.weights.data(), bucket.gradients.data(),
                                                 bucket.state[0].data(), hyper_.data()};
      const std::array<void*, 2> outputs = {bucket.weights.data(), bucket.state[0].data()};
      RM_RETURN_IF_ERROR(kernels_[i]->Run({inputs, outputs, nullptr}));
    }
    return absl::OkStatus();
  }

 private:
  alignas(64) std::array<float, kHyperParameters> hyper_;
  std::vector<BucketMemory> buckets_;
  std::vector<std::unique_ptr<kernels::Kernel>> kernels_;  // one a bucket
};

}  // namespace

// Reads momentum, weight_decay and nesterov; lr is the schedule's.
absl::StatusOr<std::unique_ptr<Optimizer>> MakeSgd(const pb::OptimizerSpec& spec) {
  double momentum = 0;
  double weight_decay = 0;
  double nesterov = 0;
  for (const auto& [name, value] : spec.params()) {
    if (name == "momentum") momentum = value;
    else if (name == "weight_decay") weight_decay = value;
    else if (name == "nesterov") nesterov = value;
    else if (name != "lr") {
      return absl::InvalidArgumentError(
          absl::StrCat("train.optimizer.params: SGD takes no '", name,
                       "'; known: lr, momentum, weight_decay, nesterov"));
    }
  }
  if (momentum < 0 || momentum >= 1 || weight_decay < 0) {
    return absl::InvalidArgumentError(
        "train.optimizer.params: momentum must be in [0, 1) and weight_decay not negative");
  }
  return std::make_unique<Sgd>(std::array<float, kHyperParameters>{
      0, static_cast<float>(momentum), static_cast<float>(weight_decay),
      nesterov != 0 ? 1.0F : 0.0F});
}

}  // namespace rm::trainer
