// BatchNormTraining.
#include <vector>

#include "runtime/graph/ops/rules.h"

namespace rm::graph {

// One node gives all gradients, from X and the statistics that the forward node reports. A residual
// was added behind the normalisation: its gradient is what arrives there.
absl::Status DifferentiateBatchNormTraining(GradientContext* context) {
  constexpr size_t kMean = 1;
  constexpr size_t kInverse = 3;
  std::vector<ValueId> statistics;
  for (size_t i = 0; i <= kInverse; ++i) {
    const bool missing = i >= context->node().outputs.size();
    statistics.push_back(missing ? context->AppendForwardOutput() : context->output(i));
  }
  const ValueId x = context->input(0);
  const ValueId scale = context->input(1);
  const ValueId dy = context->BeforeActivation();
  if (context->wants(3)) context->SetInputGradient(3, dy);
  if (!context->wants(0) && !context->wants(1) && !context->wants(2)) return absl::OkStatus();
  kernels::Attributes attributes = context->attributes();
  attributes.Remove("activation");
  const std::vector<ValueId> gradients = context->AppendMany(
      "BatchNormGrad", "dX", {dy, x, scale, statistics[kMean], statistics[kInverse]},
      {x, scale, context->input(2)}, attributes);
  for (size_t i : {size_t{1}, size_t{2}, size_t{0}}) {
    if (context->wants(i)) context->SetInputGradient(i, gradients[i]);
  }
  return absl::OkStatus();
}

}  // namespace rm::graph
