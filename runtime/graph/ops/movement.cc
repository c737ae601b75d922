// The gradients of what moves elements: views, parts and repetitions. A gradient goes back the way
// its element came.
#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kernels/api/strided_view.h"
#include "runtime/graph/ops/rules.h"

namespace rm::graph {
namespace {

using kernels::Attributes;

// The part from `begin` to `end` along an axis.
Attributes Part(int64_t axis, int64_t begin, int64_t end) {
  return {{"axes", std::vector<int64_t>{axis}},
          {"starts", std::vector<int64_t>{begin}},
          {"ends", std::vector<int64_t>{end}},
          {"steps", std::vector<int64_t>{1}}};
}

int64_t SizeAlong(ValueId value, int64_t axis, const GradientContext& context) {
  return context.shape(value)[static_cast<size_t>(axis)];
}

}  // namespace

// Back to the operand's shape: a view again.
absl::Status DifferentiateView(GradientContext* context) {
  context->SetInputGradient(
      0, context->Append("Reshape", "dX", {context->output_gradient(0)}, context->input(0)));
  return absl::OkStatus();
}

// By the inverse of the permutation.
absl::Status DifferentiateTranspose(GradientContext* context) {
  const ValueId x = context->input(0);
  const std::vector<int64_t> perm =
      kernels::Permutation(context->attributes(), context->shape(x).size());
  std::vector<int64_t> inverse(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) {
    inverse[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  }
  context->SetInputGradient(
      0, context->Append("Transpose", "dX", {context->output_gradient(0)}, x, {{"perm", inverse}}));
  return absl::OkStatus();
}

// Each operand takes its part of the gradient.
absl::Status DifferentiateConcat(GradientContext* context) {
  const int64_t axis = context->attributes().Int("axis", 0);
  int64_t begin = 0;
  for (size_t i = 0; i < context->node().inputs.size(); ++i) {
    const ValueId x = context->input(i);
    const int64_t end = begin + SizeAlong(x, axis, *context);
    if (context->wants(i)) {
      context->SetInputGradient(
          i, context->Append("Slice", absl::StrCat("d", i), {context->output_gradient(0)}, x,
                             Part(axis, begin, end)));
    }
    begin = end;
  }
  return absl::OkStatus();
}

// The parts are joined again. Where no gradient arrives at one of them it is zero there: the others
// are put among zeros and added up.
absl::Status DifferentiateSplit(GradientContext* context) {
  const ValueId x = context->input(0);
  const int64_t axis = context->attributes().Int("axis", 0);
  const std::vector<int64_t> sizes = context->attributes().Ints("split", {});
  std::vector<ValueId> gradients;
  for (size_t i = 0; i < sizes.size(); ++i) gradients.push_back(context->output_gradient(i));
  if (std::count(gradients.begin(), gradients.end(), kNoValue) == 0) {
    context->SetInputGradient(0, context->Append("Concat", "dX", gradients, x, {{"axis", axis}}));
    return absl::OkStatus();
  }
  ValueId sum = kNoValue;
  int64_t begin = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const int64_t end = begin + sizes[i];
    if (gradients[i] != kNoValue) {
      const ValueId part = context->Append("SliceGrad", absl::StrCat("d", i), {gradients[i]}, x,
                                           Part(axis, begin, end));
      sum = sum == kNoValue ? part
                            : context->Append("Add", absl::StrCat("d", i, "/sum"), {sum, part}, x);
    }
    begin = end;
  }
  context->SetInputGradient(0, sum);
  return absl::OkStatus();
}

absl::Status DifferentiateExpand(GradientContext* context) {
  context->SetInputGradient(
      0, context->SumTo(context->output_gradient(0), context->input(0), "dX"));
  return absl::OkStatus();
}

// What was dropped stays dropped.
absl::Status DifferentiateTrilu(GradientContext* context) {
  context->SetInputGradient(0,
                            context->Append("Trilu", "dX", {context->output_gradient(0)},
                                            context->input(0), context->attributes()));
  return absl::OkStatus();
}

absl::Status DifferentiateSlice(GradientContext* context) {
  context->SetInputGradient(0,
                            context->Append("SliceGrad", "dX", {context->output_gradient(0)},
                                            context->input(0), context->attributes()));
  return absl::OkStatus();
}

// "GatherND" has "GatherNDGrad", and so have the others; nothing flows to the indices.
absl::Status DifferentiateGather(GradientContext* context) {
  context->SetInputGradient(
      0, context->Append(absl::StrCat(context->node().op, "Grad"), "dX",
                         {context->output_gradient(0), context->input(1)}, context->input(0),
                         context->attributes()));
  return absl::OkStatus();
}

}  // namespace rm::graph
