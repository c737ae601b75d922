// Adam and AdamW: one update rule, two ways to decay.
#include <cmath>
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

// Places of the numbers in AdamUpdate's operand.
enum AdamNumber : size_t {
  kRate,
  kBeta1,
  kRest1,
  kBeta2,
  kRest2,
  kEpsilon,
  kDecay,
  kKeep,
  kCorrection,
  kScale,
  kAdamNumbers
};

// What a job file says of it.
struct AdamSettings {
  double beta1, beta2, epsilon, decay;
  bool decoupled;  // AdamW
};

// The rule is written down in kernels/api/op.h. What depends on the step alone is computed in double, once for all weights:
// 1 − β₂ = 0.001 would lose half of its digits in float32.
class Adam final : public Optimizer {
 public:
  explicit Adam(const AdamSettings& settings)
      : settings_(settings), update_("AdamUpdate", 2, kAdamNumbers) {
    for (const bool decays : {true, false}) {
      const absl::Span<float> numbers = update_.numbers(decays);
      numbers[kBeta1] = static_cast<float>(settings.beta1);
      numbers[kRest1] = static_cast<float>(1 - settings.beta1);
      numbers[kBeta2] = static_cast<float>(settings.beta2);
      numbers[kRest2] = static_cast<float>(1 - settings.beta2);
      numbers[kEpsilon] = static_cast<float>(settings.epsilon);
      numbers[kDecay] = decays && !settings.decoupled ? static_cast<float>(settings.decay) : 0.0F;
    }
  }

  // PyTorch's names, by which people know them.
  std::vector<std::string> state_names() const override { return {"exp_avg", "exp_avg_sq"}; }

  absl::Status Bind(const std::vector<BucketMemory>& buckets, kernels::KernelTable table,
                    const kernels::KernelOptions& options) override {
    return update_.Bind(buckets, table, options);
  }

  absl::Status Apply(const UpdateStep& update) override {
    const auto step = static_cast<double>(update.number);
    const double rate = update.learning_rate;
    const double first = 1 - std::pow(settings_.beta1, step);
    const double second = 1 - std::pow(settings_.beta2, step);
    for (const bool decays : {true, false}) {
      const absl::Span<float> numbers = update_.numbers(decays);
      const bool shrinks = decays && settings_.decoupled;
      numbers[kRate] = static_cast<float>(rate / first);
      numbers[kKeep] = shrinks ? static_cast<float>(1 - rate * settings_.decay) : 1.0F;
      numbers[kCorrection] = static_cast<float>(std::sqrt(second));
      numbers[kScale] = update.gradient_scale;
    }
    return update_.Run();
  }

 private:
  const AdamSettings settings_;
  FlatUpdate update_;
};

// PyTorch's defaults.
absl::StatusOr<std::unique_ptr<Optimizer>> Make(const pb::OptimizerSpec& spec, bool decoupled) {
  RM_ASSIGN_OR_RETURN(auto params,
                      ReadOptimizerParams(spec, {{"beta1", 0.9},
                                                 {"beta2", 0.999},
                                                 {"eps", 1e-8},
                                                 {"weight_decay", decoupled ? 0.01 : 0.0}}));
  const AdamSettings settings{params["beta1"], params["beta2"], params["eps"],
                              params["weight_decay"], decoupled};
  const auto is_share = [](double beta) { return beta >= 0 && beta < 1; };
  if (!is_share(settings.beta1) || !is_share(settings.beta2) || !(settings.epsilon >= 0) ||
      !(settings.decay >= 0)) {
    return absl::InvalidArgumentError(
        "train.optimizer.params: beta1 and beta2 must be in [0, 1), eps and weight_decay not "
        "negative");
  }
  return std::make_unique<Adam>(settings);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Optimizer>> MakeAdam(const pb::OptimizerSpec& spec) {
  return Make(spec, /*decoupled=*/false);
}

absl::StatusOr<std::unique_ptr<Optimizer>> MakeAdamW(const pb::OptimizerSpec& spec) {
  return Make(spec, /*decoupled=*/true);
}

}  // namespace rm::trainer
