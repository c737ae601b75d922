#include "runtime/graph/flops.h"

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

}  // namespace

int64_t Flops(const OpInstance& instance) {
  const std::string& op = instance.op;
  if (op == "Gemm" || op == "MatMul") return ProductFlops(instance);
  if (op == "Conv") {
    return WindowFlops(kernels::InputShape(instance, 1), kernels::OutputShape(instance, 0));
  }
  if (op == "ConvGradInput") {
    return WindowFlops(kernels::InputShape(instance, 1), kernels::InputShape(instance, 0));
  }
  if (op == "ConvGradWeight") {
    return WindowFlops(kernels::OutputShape(instance, 0), kernels::InputShape(instance, 1));
  }
  if (op == "LSTM") return LstmFlops(instance);
  for (absl::string_view move : kMoves) {
    if (op == move) return 0;
  }
  int64_t elements = 0;
  for (size_t i = 0; i < instance.outputs.size(); ++i) {
    if (instance.has_output(i)) elements += instance.outputs[i].type.elements();
  }
  return elements;
}

}  // namespace rm::graph
