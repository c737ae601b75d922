#include "runtime/zoo/layers.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace rm::zoo {
namespace {

using graph::Graph;
using graph::Initializer;
using graph::ValueId;

// PyTorch's default for both normalisations. ONNX's momentum is the share that is kept, PyTorch's
// 0.1 the share that is new.
constexpr float kEpsilon = 1e-5F;

// torch.nn.Linear and Conv2d: kaiming_uniform with a = √5 is U(−1/√fan_in, 1/√fan_in).
Initializer FanInUniform(int64_t fan_in) {
  Initializer initializer;
  initializer.kind = Initializer::Kind::kUniform;
  initializer.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(fan_in)));
  return initializer;
}

// How normalisations begin: scales and variances of one.
Initializer Ones() {
  Initializer initializer;
  initializer.kind = Initializer::Kind::kOne;
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

ValueId LinearWithoutBias(absl::string_view name, ValueId x, int64_t in, int64_t out,
                          Graph* graph) {
  const ValueId weight =
      graph->AddParameter(absl::StrCat(name, ".weight"), {out, in}, FanInUniform(in));
  return graph->AddNode("Gemm", name, {x, weight}, {{"transB", int64_t{1}}});
}

ValueId PlainConv2d(absl::string_view name, ValueId x, const ConvShape& shape, Graph* graph) {
  const int64_t k = shape.kernel;
  const ValueId weight = graph->AddParameter(absl::StrCat(name, ".weight"),
                                             {shape.out, shape.in, k, k},
                                             FanInUniform(shape.in * k * k));
  return graph->AddNode("Conv", name, {x, weight},
                        {{"kernel_shape", std::vector<int64_t>{k, k}},
                         {"strides", std::vector<int64_t>{shape.stride, shape.stride}},
                         {"pads", std::vector<int64_t>(4, shape.padding)}});
}

ValueId BatchNorm(absl::string_view name, ValueId x, int64_t channels, Graph* graph) {
  const auto part = [&](const char* suffix) { return absl::StrCat(name, ".", suffix); };
  const ValueId weight = graph->AddParameter(part("weight"), {channels}, Ones());
  const ValueId bias = graph->AddParameter(part("bias"), {channels}, Initializer());
  const ValueId mean = graph->AddBuffer(part("running_mean"), {channels}, Initializer());
  const ValueId variance = graph->AddBuffer(part("running_var"), {channels}, Ones());
  return graph->AddNode("BatchNormalization", name, {x, weight, bias, mean, variance},
                        {{"epsilon", kEpsilon}, {"momentum", 0.9F}});
}

ValueId LayerNorm(absl::string_view name, ValueId x, int64_t width, Graph* graph) {
  const ValueId weight = graph->AddParameter(absl::StrCat(name, ".weight"), {width}, Ones());
  const ValueId bias = graph->AddParameter(absl::StrCat(name, ".bias"), {width}, Initializer());
  return graph->AddNode("LayerNormalization", name, {x, weight, bias},
                        {{"axis", int64_t{1}}, {"epsilon", kEpsilon}});
}

ValueId Embedding(absl::string_view name, int64_t entries, int64_t width, Graph* graph) {
  Initializer normal;
  normal.kind = Initializer::Kind::kNormal;
  normal.scale = 1;
  return graph->AddParameter(absl::StrCat(name, ".weight"), {entries, width}, normal);
}

ValueId Relu(absl::string_view name, ValueId x, Graph* graph) {
  return graph->AddNode("Relu", name, {x});
}

}  // namespace rm::zoo
