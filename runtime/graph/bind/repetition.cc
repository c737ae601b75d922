// Pad and Tile, made of the operators that have kernels and gradients already.
#include <algorithm>
#include <utility>

#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/bind/axes.h"
#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

using kernels::Misfit;

using Ints = std::vector<int64_t>;

// One axis: `before` and `after` constant elements around the value, or so many fewer of its own.
// A pad is a Concat with constants, so that it has a gradient (a Slice of what comes back) without a
// rule of its own; negative pads, which ONNX allows, cut off.
absl::StatusOr<ValueId> PadAxis(BindContext* context, ValueId value, int64_t axis, int64_t before,
                                int64_t after, double fill) {
  const auto at = static_cast<size_t>(axis);
  Ints shape = context->shape(value);
  if (before < 0 || after < 0) {
    const int64_t start = std::max(-before, int64_t{0});
    const int64_t end = shape[at] - std::max(-after, int64_t{0});
    if (start > end) return Misfit("its input 'pads' takes more than there is along axis ", axis);
    RM_ASSIGN_OR_RETURN(value, context->Append("Slice", {value},
                                               {{"starts", Ints{start}},
                                                {"ends", Ints{end}},
                                                {"axes", Ints{axis}},
                                                {"steps", Ints{1}}},
                                               "/cut"));
  }
  std::vector<ValueId> parts;
  const auto add = [&](int64_t count) -> absl::Status {
    if (count <= 0) return absl::OkStatus();
    shape[at] = count;
    RM_ASSIGN_OR_RETURN(const ValueId part,
                        context->Filled("/pad", context->type(value).dtype, shape, fill));
    parts.push_back(part);
    return absl::OkStatus();
  };
  RM_RETURN_IF_ERROR(add(before));
  parts.push_back(value);
  RM_RETURN_IF_ERROR(add(after));
  if (parts.size() == 1) return value;
  return context->Append("Concat", parts, {{"axis", axis}});
}

// The index of the element that stands at place `i`, which may lie outside 0 … n − 1:
//
//   n = 4      …  −2 −1 |  0  1  2  3 |  4  5 …
//   edge           0  0 |  0  1  2  3 |  3  3
//   reflect        2  1 |  0  1  2  3 |  2  1
//   wrap           2  3 |  0  1  2  3 |  0  1
int64_t Mirrored(const std::string& mode, int64_t i, int64_t n) {
  if (mode == "edge" || n == 1) return std::clamp(i, int64_t{0}, n - 1);
  const int64_t period = mode == "wrap" ? n : 2 * (n - 1);
  const int64_t at = ((i % period) + period) % period;
  return at < n ? at : period - at;
}

// One axis padded by elements of its own: a Gather, whose gradient adds up what one element became.
absl::StatusOr<ValueId> MirrorAxis(BindContext* context, const std::string& mode, ValueId value,
                                   int64_t axis, int64_t before, int64_t after) {
  if (before == 0 && after == 0) return value;
  const int64_t n = context->shape(value)[static_cast<size_t>(axis)];
  if (n < 1 || n + before + after < 1) return Misfit("axis ", axis, " has no elements left");
  RM_RETURN_IF_ERROR(CheckedElements({n + before + after, 8}).status());
  RM_RETURN_IF_ERROR(context->CheckRoom(8 * (n + before + after)));
  Ints indices;
  for (int64_t i = -before; i < n + after; ++i) indices.push_back(Mirrored(mode, i, n));
  const auto count = static_cast<int64_t>(indices.size());
  const ValueId taken = context->Constant("/indices", kernels::DType::kInt64, {count},
                                          Initializer::OfIntegers(std::move(indices)));
  return context->Append("Gather", {value, taken}, {{"axis", axis}});
}

}  // namespace

// Pads are an operand, and so are the element and the axes (opset 18).
absl::Status BindPad(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const std::string mode = context->node().attributes.String("mode", "constant");
  if (mode != "constant" && mode != "edge" && mode != "reflect" && mode != "wrap") {
    return Misfit("attribute mode is ", mode, ", which is not known");
  }
  const size_t rank = context->shape(context->input(0)).size();
  RM_ASSIGN_OR_RETURN(const Ints pads, context->IntegersOrAttribute(1, "pads", {}));
  double fill = 0;
  if (context->has_input(2)) {
    RM_ASSIGN_OR_RETURN(fill, context->Number(2, "constant_value"));
  }
  Ints axes;
  for (size_t i = 0; i < rank; ++i) axes.push_back(static_cast<int64_t>(i));
  if (context->has_input(3)) {
    RM_ASSIGN_OR_RETURN(axes, context->Integers(3, "axes"));
  }
  if (pads.size() != 2 * axes.size()) {
    return Misfit("its input 'pads' has ", pads.size(), " numbers for ", axes.size(), " axes");
  }
  ValueId value = context->input(0);
  for (size_t i = 0; i < axes.size(); ++i) {
    RM_ASSIGN_OR_RETURN(const int64_t axis, kernels::NormalizeAxis(axes[i], rank));
    const int64_t after = pads[i + axes.size()];
    if (std::max(pads[i], after) > kElementsMax || std::min(pads[i], after) < -kElementsMax) {
      return Misfit("its input 'pads' holds ", std::max(pads[i], after));
    }
    RM_ASSIGN_OR_RETURN(value, mode == "constant"
                                   ? PadAxis(context, value, axis, pads[i], after, fill)
                                   : MirrorAxis(context, mode, value, axis, pads[i], after));
  }
  context->SetOutput(0, value);
  return absl::OkStatus();
}

// [a, b] repeated [r, s] times: [1, a, 1, b] expanded to [r, a, s, b], and joined.
absl::Status BindTile(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(2));
  RM_ASSIGN_OR_RETURN(const Ints repeats, context->Integers(1, "repeats"));
  RM_RETURN_IF_ERROR(CheckedElements(repeats).status());
  const Ints from = context->shape(context->input(0));
  if (repeats.size() != from.size()) {
    return Misfit("its input 'repeats' has ", repeats.size(), " numbers for ", from.size(),
                  " dimensions");
  }
  Ints apart;
  Ints repeated;
  Ints joined;
  for (size_t i = 0; i < from.size(); ++i) {
    apart.insert(apart.end(), {1, from[i]});
    repeated.insert(repeated.end(), {repeats[i], from[i]});
    RM_RETURN_IF_ERROR(CheckedElements({repeats[i], from[i]}).status());
    joined.push_back(repeats[i] * from[i]);
  }
  RM_RETURN_IF_ERROR(CheckedElements(joined).status());
  if (joined == from) return BindIdentity(context);
  RM_ASSIGN_OR_RETURN(const ValueId wide, context->Reshaped(context->input(0), apart, "/apart"));
  RM_ASSIGN_OR_RETURN(const ValueId expanded,
                      context->Append("Expand", {wide}, {{"shape", repeated}}, "/repeated"));
  RM_ASSIGN_OR_RETURN(const ValueId output, context->Reshaped(expanded, joined));
  context->SetOutput(0, output);
  return absl::OkStatus();
}

}  // namespace rm::graph
