// Operators that move elements: axes are counted from the front, and where to cut becomes known.
#include <algorithm>
#include <numeric>
#include <utility>

#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/bind/axes.h"
#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

using kernels::Misfit;

using Ints = std::vector<int64_t>;

// One axis of a Slice, as ONNX clamps it.
struct Cut {
  int64_t start = 0;
  int64_t end = 0;
  int64_t step = 1;
};

// ONNX allows anything for start and end: negative numbers count from the back, what lies beyond the
// tensor is its edge, and exporters write the largest int64 for "to the end". Kernels want numbers
// within the tensor.
//   dimension 5:  start −2 → 3, end 9223372036854775807 → 5;   step −1: start 9 → 4, end −9 → −1
absl::StatusOr<Cut> Clamped(Cut cut, int64_t dimension) {
  if (cut.step == 0) return Misfit("its input 'steps' holds 0");
  // A longer step takes no more than one element either.
  cut.step = std::clamp(cut.step, -dimension - 1, dimension + 1);
  // Ends far beyond the tensor mean "to its end"; adding the dimension to them would overflow.
  const auto from_front = [dimension](int64_t x) {
    return x < 0 ? std::max(x, -dimension - 1) + dimension : std::min(x, dimension);
  };
  cut.start = from_front(cut.start);
  cut.end = from_front(cut.end);
  if (cut.step > 0) {
    cut.start = std::clamp(cut.start, int64_t{0}, dimension);
    cut.end = std::clamp(cut.end, cut.start, dimension);
  } else {
    cut.start = std::clamp(cut.start, int64_t{-1}, dimension - 1);
    cut.end = std::clamp(cut.end, int64_t{-1}, cut.start);
  }
  return cut;
}

// Equal parts, the last one smaller where it does not divide.
// 7 in 3: 3, 3, 1. Opset 18 says so; before it, sizes that do not divide were an error.
absl::StatusOr<Ints> EqualParts(int64_t dimension, int64_t parts) {
  if (parts < 1 || parts > std::max(dimension, int64_t{1})) {
    return Misfit(dimension, " elements in ", parts, " parts");
  }
  const int64_t size = (dimension + parts - 1) / parts;
  Ints sizes(static_cast<size_t>(parts), size);
  sizes.back() = dimension - size * (parts - 1);
  if (sizes.back() < 0) return Misfit(dimension, " elements in ", parts, " parts");
  return sizes;
}

absl::Status CheckSizes(const Ints& sizes, int64_t dimension) {
  RM_RETURN_IF_ERROR(CheckedElements(sizes).status());  // none is negative or huge
  const int64_t sum = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  if (sum == dimension) return absl::OkStatus();
  return Misfit("its input 'split' adds up to ", sum, ", the axis has ", dimension);
}

}  // namespace

// One operand is itself.
absl::Status BindConcat(BindContext* context) {
  const size_t operands = context->node().inputs.size();
  RM_RETURN_IF_ERROR(context->RequireInputs(std::max(operands, size_t{1})));
  if (operands == 1) return BindIdentity(context);
  const size_t rank = context->shape(context->input(0)).size();
  RM_ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(context->node().attributes, 0, rank));
  return context->Become("Concat", context->inputs(), {{"axis", axis}});
}

// Gather and GatherElements.
absl::Status BindGather(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(2));
  const size_t rank = context->shape(context->input(0)).size();
  RM_ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(context->node().attributes, 0, rank));
  return context->Become(context->node().op, context->inputs(), {{"axis", axis}});
}

// Without perm the dimensions are turned around; an order that changes nothing is no node.
absl::Status BindTranspose(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const size_t rank = context->shape(context->input(0)).size();
  Ints same(rank);
  std::iota(same.begin(), same.end(), 0);
  const Ints perm = context->node().attributes.Ints("perm", Ints(same.rbegin(), same.rend()));
  if (perm == same) return BindIdentity(context);
  return context->Become("Transpose", {context->input(0)}, {{"perm", perm}});
}

// starts, ends, axes and steps are operands in ONNX, attributes in bound graphs.
absl::Status BindSlice(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  RM_ASSIGN_OR_RETURN(const Ints starts, context->IntegersOrAttribute(1, "starts", {}));
  RM_ASSIGN_OR_RETURN(const Ints ends, context->IntegersOrAttribute(2, "ends", {}));
  Ints first(starts.size());
  std::iota(first.begin(), first.end(), 0);
  RM_ASSIGN_OR_RETURN(const Ints axes, context->IntegersOrAttribute(3, "axes", first));
  RM_ASSIGN_OR_RETURN(const Ints steps,
                      context->IntegersOrAttribute(4, "steps", Ints(starts.size(), 1)));
  if (ends.size() != starts.size() || axes.size() != starts.size() ||
      steps.size() != starts.size()) {
    return Misfit("its inputs 'starts', 'ends', 'axes' and 'steps' differ in length");
  }
  const Ints shape = context->shape(context->input(0));
  RM_RETURN_IF_ERROR(SortedAxes(axes, shape.size()).status());  // none twice
  Ints begin;
  Ints end;
  Ints axis_of;
  Ints step;
  bool all = true;
  for (size_t i = 0; i < starts.size(); ++i) {
    RM_ASSIGN_OR_RETURN(const int64_t axis, kernels::NormalizeAxis(axes[i], shape.size()));
    const int64_t dimension = shape[static_cast<size_t>(axis)];
    // A bound graph counts from the front already, and its −1 is "before the first".
    const bool bound = !context->has_input(1);
    RM_ASSIGN_OR_RETURN(const Cut cut, bound ? absl::StatusOr<Cut>(Cut{starts[i], ends[i], steps[i]})
                                             : Clamped({starts[i], ends[i], steps[i]}, dimension));
    begin.push_back(cut.start);
    end.push_back(cut.end);
    axis_of.push_back(axis);
    step.push_back(cut.step);
    all = all && cut.step == 1 && cut.start == 0 && cut.end == dimension;
  }
  if (all) return BindIdentity(context);
  return context->Become(
      "Slice", {context->input(0)},
      {{"starts", begin}, {"ends", end}, {"axes", axis_of}, {"steps", step}});
}

// The sizes are an operand, or follow from num_outputs (opset 18) or the number of outputs.
absl::Status BindSplit(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const Ints shape = context->shape(context->input(0));
  const kernels::Attributes& attributes = context->node().attributes;
  RM_ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(attributes, 0, shape.size()));
  const int64_t dimension = shape[static_cast<size_t>(axis)];
  const size_t outputs = context->node().outputs.size();
  RM_ASSIGN_OR_RETURN(Ints sizes, context->IntegersOrAttribute(1, "split", {}));
  if (sizes.empty()) {
    RM_ASSIGN_OR_RETURN(sizes, EqualParts(dimension, static_cast<int64_t>(outputs)));
  }
  RM_RETURN_IF_ERROR(CheckSizes(sizes, dimension));
  if (sizes.size() != outputs) {
    return Misfit("its input 'split' has ", sizes.size(), " sizes for ", outputs, " outputs");
  }
  if (outputs == 1) return BindIdentity(context);
  RM_ASSIGN_OR_RETURN(const std::vector<ValueId> parts,
                      context->AppendMany("Split", {context->input(0)}, outputs,
                                          {{"axis", axis}, {"split", sizes}}));
  for (size_t i = 0; i < outputs; ++i) context->SetOutput(i, parts[i]);
  return absl::OkStatus();
}

// A Split whose parts are taken by number. One size for all, a list of sizes, or single elements
// (whose axis goes with keepdims = 0).
absl::Status BindSplitToSequence(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const Ints shape = context->shape(context->input(0));
  const kernels::Attributes& attributes = context->node().attributes;
  RM_ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(attributes, 0, shape.size()));
  const int64_t dimension = shape[static_cast<size_t>(axis)];
  if (dimension > (1 << 16)) return Misfit("a sequence of ", dimension, " elements");
  Ints sizes(static_cast<size_t>(dimension), 1);
  const bool single = !context->has_input(1);
  if (!single) {
    RM_ASSIGN_OR_RETURN(sizes, context->Integers(1, "split"));
    if (context->shape(context->input(1)).empty()) {
      const int64_t size = sizes[0];
      if (size < 1) return Misfit("its input 'split' is ", size);
      sizes = Ints(static_cast<size_t>(dimension / size), size);
      if (dimension % size != 0) sizes.push_back(dimension % size);
    }
    RM_RETURN_IF_ERROR(CheckSizes(sizes, dimension));
  }
  if (sizes.empty()) return Misfit("a sequence without elements");
  RM_ASSIGN_OR_RETURN(std::vector<ValueId> parts,
                      context->AppendMany("Split", {context->input(0)}, sizes.size(),
                                          {{"axis", axis}, {"split", sizes}}));
  if (single && attributes.Int("keepdims", 1) == 0) {
    Ints without = shape;
    without.erase(without.begin() + axis);
    for (ValueId& part : parts) {
      RM_ASSIGN_OR_RETURN(part, context->Reshaped(part, without, "/part"));
    }
  }
  context->SetSequence(std::move(parts));
  return absl::OkStatus();
}

absl::Status BindSequenceAt(BindContext* context) {
  const std::vector<ValueId>* sequence = context->sequence();
  if (sequence == nullptr) return Misfit("its input is not a SplitToSequence");
  if (!context->has_input(1)) return Misfit("it lacks its position");
  // Operand 0 is no tensor, so the position is read by itself.
  const ValueId id = context->input(1);
  if (!context->is_constant(id) || context->graph().value(id).initializer.integers == nullptr ||
      context->type(id).elements() != 1) {
    return Misfit("its input 'position' must be one known integer");
  }
  const int64_t position = (*context->graph().value(id).initializer.integers)[0];
  RM_ASSIGN_OR_RETURN(const int64_t from_front,
                      kernels::NormalizeAxis(position, sequence->size()));
  context->SetOutput(0, (*sequence)[static_cast<size_t>(from_front)]);
  return absl::OkStatus();
}

// The diagonal is an operand in ONNX. One beyond the matrix is as far as one at its edge.
absl::Status BindTrilu(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const kernels::Attributes& attributes = context->node().attributes;
  int64_t k = attributes.Int("k", 0);
  if (context->has_input(1)) {
    RM_ASSIGN_OR_RETURN(const Ints given, context->Integers(1, "k"));
    if (given.size() != 1) return Misfit("its input 'k' must be one number");
    k = given[0];
  }
  int64_t widest = 1;
  for (int64_t dimension : context->shape(context->input(0))) widest = std::max(widest, dimension);
  k = std::clamp(k, -widest, widest);
  return context->Become("Trilu", {context->input(0)},
                         {{"k", k}, {"upper", attributes.Int("upper", 1)}});
}

}  // namespace rm::graph
