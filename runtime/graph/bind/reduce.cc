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

namespace {

// Both forms are read whatever the opset says: a file that has the operand means it.
//
// axes are an attribute or an operand (ReduceSum since opset 13, the others since 18). None means
// all, or with noop_with_empty_axes nothing at all.
absl::StatusOr<Ints> ReadAxes(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const size_t rank = context->shape(context->input(0)).size();
  RM_ASSIGN_OR_RETURN(const Ints given, context->IntegersOrAttribute(1, "axes", {}));
  if (given.empty() && context->node().attributes.Int("noop_with_empty_axes", 0) != 0) return given;
  RM_ASSIGN_OR_RETURN(Ints axes, SortedAxes(given, rank));
  return axes.empty() ? AllAxes(rank) : axes;
}

// op(value) along the axes, with the node's own keepdims or with every dimension kept.
absl::StatusOr<ValueId> Reduced(BindContext* context, const char* op, ValueId value,
                                const Ints& axes, bool keep_all, absl::string_view suffix) {
  if (axes.empty()) return value;  // a scalar is its own sum and mean
  const int64_t keep = keep_all ? 1 : context->node().attributes.Int("keepdims", 1);
  return context->Append(op, {value}, {{"axes", axes}, {"keepdims", keep}}, suffix);
}

absl::Status Become(BindContext* context, const absl::StatusOr<ValueId>& value) {
  RM_RETURN_IF_ERROR(value.status());
  context->SetOutput(0, *value);
  return absl::OkStatus();
}

}  // namespace

namespace {

// The largest, or turned round the least, along the axes. All dimensions are kept by the operator,
// because its gradient compares the result with X; those that the model wants away go by a view.
absl::Status BecomeLargest(BindContext* context, ValueId x, const Ints& axes, bool turned) {
  Ints shape = context->shape(x);
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    const auto at = shape.begin() + *axis;
    if (context->node().attributes.Int("keepdims", 1) != 0) {
      *at = 1;
    } else {
      shape.erase(at);
    }
  }
  // The operator that has all of its dimensions is the result, and keeps its name.
  const bool whole = !turned && context->node().attributes.Int("keepdims", 1) != 0;
  RM_ASSIGN_OR_RETURN(ValueId value,
                      Reduced(context, "ReduceMax", x, axes, true, whole ? "" : "/most"));
  if (turned) {
    RM_ASSIGN_OR_RETURN(value, context->Append("Neg", {value}, {}, "/least"));
  }
  return Become(context, context->Reshaped(value, shape));
}

}  // namespace

absl::Status BindReduce(BindContext* context) {
  RM_ASSIGN_OR_RETURN(const Ints axes, ReadAxes(context));
  if (axes.empty()) return BindIdentity(context);
  const std::string& op = context->node().op;
  if (op != "ReduceMax") {
    return Become(context, Reduced(context, op.c_str(), context->input(0), axes, false, ""));
  }
  return BecomeLargest(context, context->input(0), axes, false);
}

// The least is the largest of the negative, turned round: one kernel and one gradient for both, and for
// infinities and NaN as well.
absl::Status BindReduceMin(BindContext* context) {
  RM_ASSIGN_OR_RETURN(const Ints axes, ReadAxes(context));
  RM_ASSIGN_OR_RETURN(const ValueId turned,
                      context->Append("Neg", {context->input(0)}, {}, "/turned"));
  return BecomeLargest(context, turned, axes, true);
}

// Products are few: of sizes, mostly, which are known and fold away. One factor after the other, whose
// gradients, unlike dY · Y / X, are right where a factor is 0.
absl::Status BindReduceProd(BindContext* context) {
  constexpr int64_t kFactorsMax = 256;
  RM_ASSIGN_OR_RETURN(const Ints axes, ReadAxes(context));
  ValueId value = context->input(0);
  for (const int64_t axis : axes) {
    const int64_t count = context->shape(value)[static_cast<size_t>(axis)];
    if (count < 1 || count > kFactorsMax) {
      return kernels::Misfit("it multiplies ", count, " elements; 1 to ", kFactorsMax, " are known");
    }
    if (count == 1) continue;  // a slice of everything would be gone when it is bound again
    RM_RETURN_IF_ERROR(context->TakeRoomForNodes(2 * count));
    ValueId product = kNoValue;
    for (int64_t i = 0; i < count; ++i) {
      RM_ASSIGN_OR_RETURN(const ValueId factor,
                          context->Append("Slice", {value},
                                          {{"axes", Ints{axis}},
                                           {"starts", Ints{i}},
                                           {"ends", Ints{i + 1}},
                                           {"steps", Ints{1}}},
                                          "/factor"));
      if (i == 0) {
        product = factor;
        continue;
      }
      RM_ASSIGN_OR_RETURN(product, context->Append("Mul", {product, factor}, {}, "/product"));
    }
    value = product;
  }
  if (context->node().attributes.Int("keepdims", 1) == 0) {
    Ints shape = context->shape(value);
    for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) shape.erase(shape.begin() + *axis);
    RM_ASSIGN_OR_RETURN(value, context->Reshaped(value, shape));
  }
  context->SetOutput(0, value);
  return absl::OkStatus();
}

// The norms and logarithms of sums. The largest element is taken out of the powers of a
// ReduceLogSumExp and put back behind the logarithm; its part of the gradient cancels out.
absl::Status BindReduceComposite(BindContext* context) {
  RM_ASSIGN_OR_RETURN(const Ints axes, ReadAxes(context));
  const std::string& op = context->node().op;
  const ValueId x = context->input(0);
  ValueId terms = x;
  if (op == "ReduceL1") {
    RM_ASSIGN_OR_RETURN(terms, context->Append("Abs", {x}, {}, "/terms"));
  } else if (op == "ReduceL2" || op == "ReduceSumSquare") {
    RM_ASSIGN_OR_RETURN(terms, context->Append("Mul", {x, x}, {}, "/terms"));
  }
  if (op == "ReduceLogSumExp") {
    RM_ASSIGN_OR_RETURN(const ValueId most, Reduced(context, "ReduceMax", x, axes, true, "/most"));
    RM_ASSIGN_OR_RETURN(const ValueId below, context->Append("Sub", {x, most}, {}, "/below"));
    RM_ASSIGN_OR_RETURN(terms, context->Append("Exp", {below}, {}, "/terms"));
    RM_ASSIGN_OR_RETURN(const ValueId sum,
                        Reduced(context, "ReduceSum", terms, axes, false, "/sum"));
    RM_ASSIGN_OR_RETURN(const ValueId log, context->Append("Log", {sum}, {}, "/log"));
    RM_ASSIGN_OR_RETURN(const ValueId back,
                        context->Reshaped(most, context->shape(log), "/back"));
    return context->Become("Add", {log, back});
  }
  const bool last = op == "ReduceL1" || op == "ReduceSumSquare";
  RM_ASSIGN_OR_RETURN(const ValueId sum,
                      Reduced(context, "ReduceSum", terms, axes, false, last ? "" : "/sum"));
  if (op == "ReduceL2") {
    // The norm of nothing is 0; its slope there, which has no one value, is 0 as PyTorch's.
    RM_ASSIGN_OR_RETURN(const OffZero kept, KeptOffZero(context, sum));
    RM_ASSIGN_OR_RETURN(const ValueId root, context->Append("Sqrt", {kept.value}, {}, "/root"));
    const ValueId zero =
        context->Constant("/zero", kernels::DType::kFloat32, {}, Initializer::Of({0}));
    return context->Become("Where", {kept.is_zero, zero, root});
  }
  if (op == "ReduceLogSum") return context->Become("Log", {sum});
  context->SetOutput(0, sum);
  return absl::OkStatus();
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
