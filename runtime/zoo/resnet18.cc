// ResNet-18 in its form for small images: a 3×3 stem and no first pooling (He et al., 2015).
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/graph/training.h"
#include "runtime/zoo/layers.h"
#include "runtime/zoo/models.h"

namespace rm::zoo {
namespace {

using graph::Graph;
using graph::ValueId;

constexpr int64_t kStem = 64;

// One residual block: how many channels come in and go out, and by what the image shrinks.
struct BlockShape {
  int64_t in, out, stride;
};

constexpr BlockShape kBlocks[] = {{64, 64, 1},   {64, 64, 1},   {64, 128, 2},  {128, 128, 1},
                                  {128, 256, 2}, {256, 256, 1}, {256, 512, 2}, {512, 512, 1}};

// conv-norm-relu-conv-norm beside the input (or its projection, where the sizes change), then relu.
ValueId Block(const std::string& name, ValueId x, const BlockShape& shape, Graph* graph) {
  const auto named = [&](const char* part) { return absl::StrCat(name, ".", part); };
  ValueId y = PlainConv2d(named("c1"), x, {shape.in, shape.out, 3, shape.stride, 1}, graph);
  y = Relu(named("relu1"), BatchNorm(named("b1"), y, shape.out, graph), graph);
  y = PlainConv2d(named("c2"), y, {shape.out, shape.out, 3, 1, 1}, graph);
  y = BatchNorm(named("b2"), y, shape.out, graph);
  if (shape.stride != 1 || shape.in != shape.out) {
    x = PlainConv2d(named("sc.0"), x, {shape.in, shape.out, 1, shape.stride, 0}, graph);
    x = BatchNorm(named("sc.1"), x, shape.out, graph);
  }
  return Relu(named("relu2"), graph->AddNode("Add", named("add"), {y, x}), graph);
}

}  // namespace

// No layer but the last has a bias: the normalisation behind it would take it out again.
absl::StatusOr<graph::Graph> BuildResNet18(const Params& params) {
  const int64_t channels = params.at("channels");
  Graph graph;
  ValueId x = graph.AddInput("input", kernels::DType::kFloat32,
                             {graph::kBatch, channels, params.at("height"), params.at("width")});
  x = PlainConv2d("stem.0", x, {channels, kStem, 3, 1, 1}, &graph);
  x = Relu("stem.2", BatchNorm("stem.1", x, kStem, &graph), &graph);
  int64_t out = kStem;
  for (size_t i = 0; i < std::size(kBlocks); ++i) {
    x = Block(absl::StrCat("body.", i), x, kBlocks[i], &graph);
    out = kBlocks[i].out;
  }
  x = graph.AddNode("GlobalAveragePool", "pool", {x});
  x = graph.AddNode("Flatten", "flatten", {x});
  x = Linear("fc", x, out, params.at("classes"), &graph);
  graph.MarkOutput(graph::kModelOutput, x);
  return graph;
}

}  // namespace rm::zoo
