// Reductions and softmax: axes become attributes, counted from the front.
#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/bind/axes.h"
#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

using Ints = std::vector<int64_t>;

Ints AllAxes(size_t rank) {
  Ints axes;
  for (size_t i = 0; i < rank; ++i) axes.push_back(static_cast<int64_t>(i));
  return axes;
}

}  // namespace

// Both forms are read whatever the opset says: a file that has the operand means it.
//
// axes are an attribute or an operand (ReduceSum since opset 13, the others since 18). None means
// all, or with noop_with_empty_axes nothing at all.
absl::Status BindReduce(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const size_t rank = context->shape(context->input(0)).size();
  const kernels::Attributes& attributes = context->node().attributes;
  RM_ASSIGN_OR_RETURN(const Ints given, context->IntegersOrAttribute(1, "axes", {}));
  if (given.empty() && attributes.Int("noop_with_empty_axes", 0) != 0) {
    return BindIdentity(context);
  }
  RM_ASSIGN_OR_RETURN(Ints axes, SortedAxes(given, rank));
  if (axes.empty()) axes = AllAxes(rank);
  if (axes.empty()) return BindIdentity(context);  // a scalar is its own sum and mean
  return context->Become(context->node().op, {context->input(0)},
                         {{"axes", axes}, {"keepdims", attributes.Int("keepdims", 1)}});
}

// The largest element of each channel.
absl::Status BindGlobalMaxPool(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const Ints axes = AllAxes(context->shape(context->input(0)).size());
  if (axes.size() < 3) return kernels::Misfit("X has ", axes.size(), " dimensions, it needs 3");
  return context->Become("ReduceMax", {context->input(0)},
                         {{"axes", Ints(axes.begin() + 2, axes.end())}, {"keepdims", int64_t{1}}});
}

// Softmax and LogSoftmax since opset 13: along one axis.
absl::Status BindSoftmax(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const size_t rank = context->shape(context->input(0)).size();
  RM_ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(context->node().attributes, -1, rank));
  return context->Become(context->node().op, {context->input(0)}, {{"axis", axis}});
}

}  // namespace rm::graph
