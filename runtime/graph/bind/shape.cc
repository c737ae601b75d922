// Operators that ask for a shape, or that only give a tensor another one.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/bind/axes.h"
#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

using kernels::DType;
using kernels::Misfit;

using Ints = std::vector<int64_t>;

// An axis as Shape's start and end give it: clamped to the rank, never an error.
int64_t Clamped(int64_t axis, int64_t rank) {
  const int64_t from_front = axis < 0 ? axis + rank : axis;
  return std::min(std::max(from_front, int64_t{0}), rank);
}

// What 0 and −1 stand for in the target of a Reshape.
absl::StatusOr<Ints> ReshapeTarget(const Ints& wanted, const Ints& from, bool allow_zero) {
  Ints target = wanted;
  size_t open = wanted.size();
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] < -1) return Misfit("its input 'shape' holds ", wanted[i]);
    if (wanted[i] == -1 && open < wanted.size()) return Misfit("its input 'shape' holds two −1");
    if (wanted[i] == -1) open = i;
    if (wanted[i] != 0 || allow_zero) continue;
    if (i >= from.size()) return Misfit("its input 'shape' copies dimension ", i);
    target[i] = from[i];
  }
  if (open == wanted.size()) return target;
  target[open] = 1;
  RM_ASSIGN_OR_RETURN(const int64_t known, CheckedElements(target));
  RM_ASSIGN_OR_RETURN(const int64_t elements, CheckedElements(from));
  if (known == 0 || elements % known != 0) {
    return Misfit(elements, " elements do not divide by ", known);
  }
  target[open] = elements / known;
  return target;
}

// Elements of a Range, as ONNX counts them: ⌈(limit − start) / delta⌉, none when that is negative. The
// most is what constants may still take, since each of them is one.
absl::StatusOr<int64_t> RangeCount(double start, double limit, double delta, int64_t most) {
  // Beyond 2^53 a double is not exact, and may be no int64 at all.
  const double largest = std::max({std::abs(start), std::abs(limit), std::abs(delta)});
  if (delta == 0 || std::isnan(start + limit + delta) || largest > kExactDoubleMax) {
    return Misfit("from ", start, " to ", limit, " by ", delta, " is no range");
  }
  const double count = std::max(0.0, std::ceil((limit - start) / delta));
  if (count > static_cast<double>(most)) {
    return Misfit("a range of ", count, " elements; at most ", most);
  }
  return static_cast<int64_t>(count);
}

}  // namespace

// Aliases need no node. What a model calls an output stays one, as outputs have names of their own.
absl::Status BindIdentity(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  context->SetOutput(0, context->input(0));
  return absl::OkStatus();
}

// start and end (opset 15) cut a part out.
absl::Status BindShape(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const Ints shape = context->shape(context->input(0));
  const auto rank = static_cast<int64_t>(shape.size());
  const kernels::Attributes& attributes = context->node().attributes;
  const int64_t start = Clamped(attributes.Int("start", 0), rank);
  const int64_t end = std::max(start, Clamped(attributes.Int("end", rank), rank));
  Ints part(shape.begin() + start, shape.begin() + end);
  const Ints count = {static_cast<int64_t>(part.size())};
  context->SetOutput(0, context->Constant("", DType::kInt64, count,
                                          Initializer::OfIntegers(std::move(part))));
  return absl::OkStatus();
}

absl::Status BindSize(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const int64_t elements = context->type(context->input(0)).elements();
  context->SetOutput(
      0, context->Constant("", DType::kInt64, {}, Initializer::OfIntegers({elements})));
  return absl::OkStatus();
}

// Integers or floats, as its operands are.
absl::Status BindRange(BindContext* context) {
  RM_ASSIGN_OR_RETURN(const double start, context->Number(0, "start"));
  RM_ASSIGN_OR_RETURN(const double limit, context->Number(1, "limit"));
  RM_ASSIGN_OR_RETURN(const double delta, context->Number(2, "delta"));
  const int64_t most = std::max(context->folded_bytes_left() / 8, int64_t{0});
  RM_ASSIGN_OR_RETURN(const int64_t count, RangeCount(start, limit, delta, most));
  const DType dtype = context->type(context->input(0)).dtype;
  std::vector<float> floats;
  Ints integers;
  for (int64_t i = 0; i < count; ++i) {
    const double element = start + static_cast<double>(i) * delta;
    if (dtype == DType::kFloat32) {
      floats.push_back(static_cast<float>(element));
    } else {
      integers.push_back(static_cast<int64_t>(element));
    }
  }
  Initializer content = dtype == DType::kFloat32 ? Initializer::Of(std::move(floats))
                                                 : Initializer::OfIntegers(std::move(integers));
  context->SetOutput(0, context->Constant("", dtype, {count}, std::move(content)));
  return absl::OkStatus();
}

// The target is an operand in ONNX, an attribute in graphs of our own.
absl::Status BindReshape(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const kernels::Attributes& attributes = context->node().attributes;
  if (!context->has_input(1) && !attributes.Has("shape")) return Misfit("it lacks its shape");
  RM_ASSIGN_OR_RETURN(const Ints wanted, context->IntegersOrAttribute(1, "shape", {}));
  RM_ASSIGN_OR_RETURN(const Ints target, ReshapeTarget(wanted, context->shape(context->input(0)),
                                                       attributes.Int("allowzero", 0) != 0));
  return context->BecomeReshaped(target);
}

// Without axes every dimension of 1 goes.
absl::Status BindSqueeze(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const Ints from = context->shape(context->input(0));
  RM_ASSIGN_OR_RETURN(const Ints given, context->IntegersOrAttribute(1, "axes", {}));
  RM_ASSIGN_OR_RETURN(const Ints axes, SortedAxes(given, from.size()));
  Ints to;
  size_t next = 0;
  for (size_t i = 0; i < from.size(); ++i) {
    const bool listed = next < axes.size() && axes[next] == static_cast<int64_t>(i);
    if (listed) ++next;
    if (listed && from[i] != 1) return Misfit("axis ", i, " has ", from[i], " elements, not 1");
    const bool goes = listed || (axes.empty() && from[i] == 1);
    if (!goes) to.push_back(from[i]);
  }
  return context->BecomeReshaped(to);
}

// Axes count in the result.
absl::Status BindUnsqueeze(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const Ints from = context->shape(context->input(0));
  RM_ASSIGN_OR_RETURN(const Ints given, context->IntegersOrAttribute(1, "axes", {}));
  RM_ASSIGN_OR_RETURN(const Ints axes, SortedAxes(given, from.size() + given.size()));
  Ints to = from;
  for (int64_t axis : axes) to.insert(to.begin() + axis, 1);
  return context->BecomeReshaped(to);
}

// The given shape broadcasts too: a 1 in it keeps what the operand has.
absl::Status BindExpand(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  RM_ASSIGN_OR_RETURN(const Ints wanted, context->IntegersOrAttribute(1, "shape", {}));
  RM_RETURN_IF_ERROR(CheckedElements(wanted).status());
  const kernels::Shape& from = context->type(context->input(0)).shape;
  RM_ASSIGN_OR_RETURN(const kernels::Shape both,
                      kernels::Broadcast(from, kernels::Shape(wanted.begin(), wanted.end())));
  if (both == from) return BindIdentity(context);
  return context->Become("Expand", {context->input(0)}, {{"shape", Ints(both.begin(), both.end())}});
}

}  // namespace rm::graph
