// BatchNormTraining, and BatchNormalization with statistics that stand.
#include <vector>

#include "absl/strings/string_view.h"

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

namespace {

// (C) as (C, 1, 1) for images, so that it broadcasts to X: a view.
ValueId AsChannels(GradientContext* context, ValueId value, absl::string_view suffix) {
  const kernels::Shape& x = context->shape(context->input(0));
  if (x.size() <= 2) return value;
  std::vector<int64_t> shape(x.size() - 1, 1);
  shape[0] = x[1];
  return context->Append("Reshape", suffix, {value}, kNoValue, {{"shape", shape}});
}

}  // namespace

// Models that were exported with frozen layers have this form in the midst of what is trained; a layer whose
// statistics follow the batch is BatchNormTraining by then (runtime/graph/prepare.h).
//
// Y = (X − mean) · inverse · scale + B, where inverse = 1 / √(var + epsilon) and the statistics are no
// part of the batch: a layer that stays as it was learnt while others are trained.
absl::Status DifferentiateBatchNormalization(GradientContext* context) {
  if (context->wants(3) || context->wants(4)) {
    return absl::InvalidArgumentError("running statistics have no gradient");
  }
  const ValueId x = context->input(0);
  const ValueId scale = context->input(1);
  const ValueId variance = context->input(4);
  const ValueId dy = context->BeforeActivation();
  const ValueId epsilon = context->Number(context->attributes().Float("epsilon", 1e-5F));
  const ValueId sum = context->Append("Add", "variance", {variance, epsilon}, variance);
  const ValueId root = context->Append("Sqrt", "stddev", {sum}, variance);
  if (context->wants(1)) {
    const ValueId mean = AsChannels(context, context->input(3), "mean/channels");
    const ValueId stddev = AsChannels(context, root, "stddev/channels");
    const ValueId centred = context->Append("Sub", "centred", {x, mean}, x);
    const ValueId normal = context->Append("Div", "normal", {centred, stddev}, x);
    const ValueId all = context->Append("Mul", "dscale/all", {dy, normal}, x);
    const ValueId of_channels =
        context->SumTo(all, AsChannels(context, scale, "scale/like"), "dscale/sum");
    context->SetInputGradient(1, context->Append("Reshape", "dscale", {of_channels}, scale));
  }
  if (context->wants(2)) {
    const ValueId of_channels = context->SumTo(
        dy, AsChannels(context, context->input(2), "B/like"), "dB/sum");
    context->SetInputGradient(2, context->Append("Reshape", "dB", {of_channels},
                                                 context->input(2)));
  }
  if (context->wants(0)) {
    const ValueId factor = context->Append("Div", "factor", {scale, root}, scale);
    const ValueId wide = AsChannels(context, factor, "factor/channels");
    context->SetInputGradient(0, context->Append("Mul", "dX", {dy, wide}, x));
  }
  return absl::OkStatus();
}

}  // namespace rm::graph
