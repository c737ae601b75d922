// Normalisations beside those of a batch and of a row, in terms of the latter: its kernels are fast and
// have gradients.
//
// Instances and groups are rows of another shape:
//
//   (N, C, H, W), G groups → (N, G, C/G · H · W) → LayerNormalization of the last axis → (N, C, H, W)
//
// Instances are groups of one channel. Sums over a row are as exact as LayerNormalization's, which sums in
// blocks. The kernel multiplies by a scale in any case, here by a constant of
// ones; the model's own scale and bias are one number a channel and come behind it.
#include <string>

#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/bind/axes.h"
#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

using kernels::DType;
using kernels::Misfit;

using Ints = std::vector<int64_t>;

// True when the value is a constant of this one number, so that it need not be multiplied or added:
// PyTorch writes a GroupNorm as an InstanceNormalization with a scale of 1 and a bias of 0.
bool IsConstantOf(const BindContext& context, ValueId value, float number) {
  if (!context.is_constant(value)) return false;
  const auto& values = context.graph().value(value).initializer.values;
  if (values == nullptr) return false;
  for (const float element : *values) {
    if (element != number) return false;
  }
  return true;
}

// Normalises X in `groups` rows a sample.
absl::StatusOr<ValueId> NormalizeGroups(BindContext* context, int64_t groups, float epsilon) {
  const ValueId x = context->input(0);
  const Ints shape = context->shape(x);
  if (shape.size() < 3) return Misfit("X has ", shape.size(), " dimensions, it needs 3");
  if (groups < 1 || shape[1] % groups != 0) {
    return Misfit(shape[1], " channels do not divide into ", groups, " groups");
  }
  int64_t row = shape[1] / groups;
  for (size_t i = 2; i < shape.size(); ++i) row *= shape[i];
  RM_ASSIGN_OR_RETURN(const ValueId rows,
                      context->Reshaped(x, {shape[0], groups, row}, "/rows"));
  RM_ASSIGN_OR_RETURN(const ValueId ones,
                      context->Filled("/ones", DType::kFloat32, {row}, 1));
  RM_ASSIGN_OR_RETURN(const ValueId normal,
                      context->Append("LayerNormalization", {rows, ones},
                                      {{"axis", int64_t{2}}, {"epsilon", epsilon}}, "/normal"));
  return context->Reshaped(normal, shape, "/image");
}

// y · scale + bias, each of one number a channel.
absl::Status ScaleChannels(BindContext* context, ValueId y) {
  const Ints shape = context->shape(y);
  Ints wide(shape.size() - 1, 1);
  wide[0] = shape[1];
  for (size_t i : {size_t{1}, size_t{2}}) {
    const ValueId given = context->input(i);
    const char* name = i == 1 ? "scale" : "bias";
    const Ints of = context->shape(given);
    if (of != Ints{shape[1]}) {
      return Misfit("its input '", name, "' is ", context->type(given).ToString(), " for ",
                    shape[1], " channels");
    }
    if (IsConstantOf(*context, given, i == 1 ? 1.0F : 0.0F)) continue;
    RM_ASSIGN_OR_RETURN(const ValueId numbers,
                        context->Reshaped(given, wide, absl::StrCat("/", name)));
    RM_ASSIGN_OR_RETURN(y, context->Append(i == 1 ? "Mul" : "Add", {y, numbers}, {},
                                           i == 1 ? "/scaled" : ""));
  }
  context->SetOutput(0, y);
  return absl::OkStatus();
}

}  // namespace

// Since opset 21 scale and bias are one number a channel; before that, one a group, a form that
// ONNX itself took back.
absl::Status BindGroupNormalization(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(3));
  const kernels::Attributes& given = context->node().attributes;
  RM_ASSIGN_OR_RETURN(const ValueId y,
                      NormalizeGroups(context, given.Int("num_groups", 0),
                                      given.Float("epsilon", 1e-5F)));
  return ScaleChannels(context, y);
}

absl::Status BindInstanceNormalization(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(3));
  const Ints shape = context->shape(context->input(0));
  if (shape.size() < 3) return Misfit("X has ", shape.size(), " dimensions, it needs 3");
  RM_ASSIGN_OR_RETURN(const ValueId y,
                      NormalizeGroups(context, shape[1],
                                      context->node().attributes.Float("epsilon", 1e-5F)));
  return ScaleChannels(context, y);
}

// Equal, and not Greater, picks the zeros out: a sum of NaN is to stay one, and be seen.
absl::StatusOr<OffZero> KeptOffZero(BindContext* context, ValueId sum) {
  const ValueId zero = context->Constant("/zero", DType::kFloat32, {}, Initializer::Of({0}));
  const ValueId one = context->Constant("/one", DType::kFloat32, {}, Initializer::Of({1}));
  OffZero kept;
  RM_ASSIGN_OR_RETURN(kept.is_zero, context->Append("Equal", {sum, zero}, {}, "/is_zero"));
  RM_ASSIGN_OR_RETURN(kept.value, context->Append("Where", {kept.is_zero, one, sum}, {}, "/kept"));
  return kept;
}

// x / (Σ|x|ᵖ)^(1/p) along an axis. A row of zeros stays one: it has no direction to keep.
absl::Status BindLpNormalization(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const ValueId x = context->input(0);
  const kernels::Attributes& given = context->node().attributes;
  RM_ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(given, -1, context->shape(x).size()));
  const int64_t p = given.Int("p", 2);
  if (p != 1 && p != 2) return Misfit("attribute p is ", p, "; 1 and 2 are known");
  RM_ASSIGN_OR_RETURN(const ValueId terms,
                      p == 1 ? context->Append("Abs", {x}, {}, "/terms")
                             : context->Append("Mul", {x, x}, {}, "/terms"));
  RM_ASSIGN_OR_RETURN(const ValueId sum,
                      context->Append("ReduceSum", {terms},
                                      {{"axes", Ints{axis}}, {"keepdims", int64_t{1}}}, "/sum"));
  RM_ASSIGN_OR_RETURN(const OffZero kept, KeptOffZero(context, sum));
  ValueId norm = kept.value;
  if (p == 2) {
    RM_ASSIGN_OR_RETURN(norm, context->Append("Sqrt", {norm}, {}, "/norm"));
  }
  return context->Become("Div", {x, norm});
}

// x / √(mean(x²) + epsilon) · scale over the dimensions from the axis on (opset 23).
absl::Status BindRmsNormalization(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(2));
  const ValueId x = context->input(0);
  const size_t rank = context->shape(x).size();
  const kernels::Attributes& given = context->node().attributes;
  RM_ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(given, -1, rank));
  Ints axes;
  for (auto i = axis; i < static_cast<int64_t>(rank); ++i) axes.push_back(i);
  RM_ASSIGN_OR_RETURN(const ValueId squares, context->Append("Mul", {x, x}, {}, "/squares"));
  RM_ASSIGN_OR_RETURN(const ValueId mean,
                      context->Append("ReduceMean", {squares},
                                      {{"axes", axes}, {"keepdims", int64_t{1}}}, "/mean"));
  const ValueId epsilon = context->Constant("/epsilon", DType::kFloat32, {},
                                            Initializer::Of({given.Float("epsilon", 1e-5F)}));
  RM_ASSIGN_OR_RETURN(const ValueId sum, context->Append("Add", {mean, epsilon}, {}, "/sum"));
  RM_ASSIGN_OR_RETURN(const ValueId root, context->Append("Sqrt", {sum}, {}, "/root"));
  RM_ASSIGN_OR_RETURN(const ValueId normal, context->Append("Div", {x, root}, {}, "/normal"));
  return context->Become("Mul", {normal, context->input(1)});
}

}  // namespace rm::graph
