#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "runtime/trainer/flat_update.h"
#include "runtime/trainer/optimizer.h"
#include "runtime/trainer/optimizer_params.h"

namespace rm::trainer {
namespace pb = ::ringmaster::v1;
namespace {

// Places of the numbers in SgdUpdate's operand.
enum SgdNumber : size_t { kRate, kMomentum, kDecay, kNesterov, kScale, kSgdNumbers };

// PyTorch's SGD; the rule is written down in kernels/api/op.h.
class Sgd final : public Optimizer {
 public:
  Sgd(double momentum, double decay, bool nesterov) : update_("SgdUpdate", 1, kSgdNumbers) {
    for (const bool decays : {true, false}) {
      const absl::Span<float> numbers = update_.numbers(decays);
      numbers[kMomentum] = static_cast<float>(momentum);
      numbers[kDecay] = decays ? static_cast<float>(decay) : 0.0F;
      numbers[kNesterov] = nesterov ? 1.0F : 0.0F;
    }
  }

  std::vector<std::string> state_names() const override { return {"momentum"}; }

  absl::Status Bind(const std::vector<BucketMemory>& buckets, kernels::KernelTable table,
                    const kernels::KernelOptions& options) override {
    return update_.Bind(buckets, table, options);
  }

  absl::Status Apply(const UpdateStep& update) override {
    for (const bool decays : {true, false}) {
      update_.numbers(decays)[kRate] = static_cast<float>(update.learning_rate);
      update_.numbers(decays)[kScale] = update.gradient_scale;
    }
    return update_.Run();
  }

 private:
  FlatUpdate update_;
};

}  // namespace

// lr is the schedule's.
absl::StatusOr<std::unique_ptr<Optimizer>> MakeSgd(const pb::OptimizerSpec& spec) {
  RM_ASSIGN_OR_RETURN(
      auto params,
      ReadOptimizerParams(spec, {{"momentum", 0}, {"weight_decay", 0}, {"nesterov", 0}}));
  const double momentum = params["momentum"];
  const double decay = params["weight_decay"];
  if (!(momentum >= 0 && momentum < 1 && decay >= 0)) {
    return absl::InvalidArgumentError(
        "train.optimizer.params: momentum must be in [0, 1) and weight_decay not negative");
  }
  return std::make_unique<Sgd>(momentum, decay, params["nesterov"] != 0);
}

}  // namespace rm::trainer
