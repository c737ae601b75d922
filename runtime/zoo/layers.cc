#include "runtime/zoo/layers.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace rm::zoo {
namespace {

using graph::Graph;
using graph::Initializer;
using graph::ValueId;

// torch.nn.Linear and Conv2d: kaiming_uniform with a = √5 is U(−1/√fan_in, 1/√fan_in).
Initializer FanInUniform(int64_t fan_in) {
  Initializer initializer;
  initializer.kind = Initializer::Kind::kUniform;
  initializer.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(fan_in)));
  return initializer;
}

}  // namespace

ValueId Linear(absl::string_view name, ValueId x, int64_t in, int64_t out, Graph* graph) {
  const Initializer initializer = FanInUniform(in);
  const ValueId weight = graph->AddParameter(absl::StrCat(name, ".weight"), {out, in}, initializer);
  const ValueId bias = graph->AddParameter(absl::StrCat(name, ".bias"), {out}, initializer);
  return graph->AddNode("Gemm", name, {x, weight, bias}, {{"transB", int64_t{1}}});
}

ValueId Conv2d(absl::string_view name, ValueId x, int64_t in, int64_t out, int64_t k,
               Graph* graph) {
  const Initializer initializer = FanInUniform(in * k * k);
  const ValueId weight =
      graph->AddParameter(absl::StrCat(name, ".weight"), {out, in, k, k}, initializer);
  const ValueId bias = graph->AddParameter(absl::StrCat(name, ".bias"), {out}, initializer);
  return graph->AddNode("Conv", name, {x, weight, bias},
                        {{"kernel_shape", std::vector<int64_t>{k, k}}});
}

ValueId Relu(absl::string_view name, ValueId x, Graph* graph) {
  return graph->AddNode("Relu", name, {x});
}

}  // namespace rm::zoo
