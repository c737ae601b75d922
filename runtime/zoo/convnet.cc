// The MNIST convolutional network of the PyTorch examples.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "runtime/graph/training.h"
#include "runtime/zoo/layers.h"
#include "runtime/zoo/models.h"

namespace rm::zoo {
namespace {

constexpr int64_t kKernel = 3;
constexpr int64_t kPool = 2;
constexpr int64_t kFilters1 = 32;
constexpr int64_t kFilters2 = 64;
constexpr int64_t kHidden = 128;
constexpr float kDropoutMax = 0.9F;
// Two convolutions take two pixels each, and one window of the pooling must be left.
constexpr int64_t kSideMin = 2 * (kKernel - 1) + kPool;

// Nothing where the ratio is 0: a graph without dropout is what it was before there was any.
graph::ValueId Dropout(const char* name, graph::ValueId x, float ratio, graph::Graph* graph) {
  return ratio > 0 ? graph->AddNode("Dropout", name, {x}, {{"ratio", ratio}}) : x;
}

int64_t PooledSide(int64_t side) { return (side - 2 * (kKernel - 1)) / kPool; }

}  // namespace

// The MNIST network of PyTorch's examples; other sizes change only the first linear layer. As there, twice as much is dropped
// before the last layer as before the first linear one, up to nine tenths.
absl::StatusOr<graph::Graph> BuildConvnet(const Params& params) {
  const int64_t channels = params.at("channels");
  const int64_t height = params.at("height");
  const int64_t width = params.at("width");
  if (height < kSideMin || width < kSideMin) {
    return absl::InvalidArgumentError(absl::StrCat("model 'convnet' needs images of at least ",
                                                   kSideMin, "×", kSideMin, " pixels, not ", height,
                                                   "×", width));
  }
  graph::Graph graph;
  graph::ValueId x =
      graph.AddInput("input", kernels::DType::kFloat32, {graph::kBatch, channels, height, width});
  x = Relu("relu1", Conv2d("conv1", x, channels, kFilters1, kKernel, &graph), &graph);
  x = Relu("relu2", Conv2d("conv2", x, kFilters1, kFilters2, kKernel, &graph), &graph);
  x = graph.AddNode("MaxPool", "pool", {x},
                    {{"kernel_shape", std::vector<int64_t>{kPool, kPool}},
                     {"strides", std::vector<int64_t>{kPool, kPool}}});
  const float dropout = params.share("dropout");
  x = Dropout("dropout1", x, dropout, &graph);
  x = graph.AddNode("Flatten", "flatten", {x});
  const int64_t features = kFilters2 * PooledSide(height) * PooledSide(width);
  x = Relu("relu3", Linear("fc1", x, features, kHidden, &graph), &graph);
  x = Dropout("dropout2", x, std::min(2 * dropout, kDropoutMax), &graph);
  x = Linear("fc2", x, kHidden, params.at("classes"), &graph);
  graph.MarkOutput(graph::kModelOutput, x);
  return graph;
}

}  // namespace rm::zoo
