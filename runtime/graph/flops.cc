#include "runtime/graph/flops.h"

#include <algorithm>
#include <array>

#include "absl/strings/string_view.h"
#include "kernels/api/shapes.h"

namespace rm::graph {
namespace {

using kernels::OpInstance;
using kernels::Shape;

// What memory bandwidth bounds and not arithmetic.
constexpr std::array<absl::string_view, 16> kMoves = {
    "Cast",    "Concat",  "Expand",  "Flatten", "Gather",    "GatherElements",
    "GatherND", "Identity", "Reorder", "Reshape", "Slice",     "Split",
    "Squeeze", "Transpose", "Unsqueeze", "Where"};

// The dimension that is summed over: the last of A, or with transA the one before.
int64_t ProductFlops(const OpInstance& instance) {
  const Shape& a = kernels::InputShape(instance, 0);
  if (a.empty()) return 0;
  const bool transposed = a.size() >= 2 && instance.attributes.Int("transA", 0) != 0;
  const int64_t inner = transposed ? a[a.size() - 2] : a.back();
  return 2 * kernels::ElementCount(kernels::OutputShape(instance, 0)) * inner;
}

// Each element of the image's side is met by every element of its filter: weights of shape
// (O, I/group, H, W), images that come out of shape (N, O, …).
int64_t WindowFlops(const Shape& weight, const Shape& image) {
  if (weight.empty() || weight[0] == 0) return 0;
  return 2 * kernels::ElementCount(image) * (kernels::ElementCount(weight) / weight[0]);
}

// Per step and direction: the input and the state times four gates.
int64_t LstmFlops(const OpInstance& instance) {
  const Shape& x = kernels::InputShape(instance, 0);
  const int64_t weights = kernels::ElementCount(kernels::InputShape(instance, 1)) +
                          kernels::ElementCount(kernels::InputShape(instance, 2));
  return x.size() < 2 ? 0 : 2 * x[0] * x[1] * weights;
}

// Elements of all outputs.
int64_t OutputElements(const OpInstance& instance) {
  int64_t elements = 0;
  for (size_t i = 0; i < instance.outputs.size(); ++i) {
    if (instance.has_output(i)) elements += instance.outputs[i].type.elements();
  }
  return elements;
}

// What fusion has added to an operator that stands for more than itself: so many operations for each
// element of its result.
int64_t FusedFlops(const OpInstance& instance) {
  const bool activated = !instance.attributes.String("activation", "").empty();
  const bool has_residual = instance.op == "BatchNormTraining" && instance.has_input(3);
  const bool is_scaled = instance.attributes.Float("alpha", 1) != 1 &&
                         (instance.op == "MatMul" || instance.op == "Gemm");
  const int64_t each = int64_t{activated} + int64_t{has_residual} + int64_t{is_scaled};
  return each == 0 ? 0 : each * instance.outputs[0].type.elements();
}

// The operator by itself.
int64_t OwnFlops(const OpInstance& instance) {
  const std::string& op = instance.op;
  if (op == "Gemm" || op == "MatMul") return ProductFlops(instance);
  if (op == "Conv") {
    return WindowFlops(kernels::InputShape(instance, 1), kernels::OutputShape(instance, 0));
  }
  if (op == "ConvGradInput" || op == "ConvTranspose") {
    return WindowFlops(kernels::InputShape(instance, 1), kernels::InputShape(instance, 0));
  }
  if (op == "ConvGradWeight") {
    return WindowFlops(kernels::OutputShape(instance, 0), kernels::InputShape(instance, 1));
  }
  if (op == "LSTM") return LstmFlops(instance);
  for (absl::string_view move : kMoves) {
    if (op == move) return 0;
  }
  return OutputElements(instance);
}

// Operators that read a part of their first operand, as large as their result.
bool IsPicky(absl::string_view op) {
  return op == "Gather" || op == "GatherElements" || op == "GatherND" || op == "Slice";
}

}  // namespace

int64_t Flops(const OpInstance& instance) { return OwnFlops(instance) + FusedFlops(instance); }

int64_t MovedBytes(const OpInstance& instance) {
  int64_t written = 0;
  for (size_t i = 0; i < instance.outputs.size(); ++i) {
    if (instance.has_output(i)) written += static_cast<int64_t>(instance.outputs[i].type.bytes());
  }
  int64_t read = 0;
  for (size_t i = 0; i < instance.inputs.size(); ++i) {
    if (!instance.has_input(i)) continue;
    const auto bytes = static_cast<int64_t>(instance.inputs[i].type.bytes());
    read += i == 0 && IsPicky(instance.op) ? std::min(bytes, written) : bytes;
  }
  return read + written;
}

}  // namespace rm::graph
