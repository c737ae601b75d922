#include "runtime/graph/training.h"
#include "runtime/zoo/layers.h"
#include "runtime/zoo/models.h"

namespace rm::zoo {

// Flatten, then two hidden layers with relu, then the logits.
absl::StatusOr<graph::Graph> BuildMlp(const Params& params) {
  const int64_t channels = params.at("channels");
  const int64_t height = params.at("height");
  const int64_t width = params.at("width");
  const int64_t hidden1 = params.at("hidden1");
  const int64_t hidden2 = params.at("hidden2");
  graph::Graph graph;
  graph::ValueId x =
      graph.AddInput("input", kernels::DType::kFloat32, {graph::kBatch, channels, height, width});
  x = graph.AddNode("Flatten", "flatten", {x});
  x = Relu("relu1", Linear("fc1", x, channels * height * width, hidden1, &graph), &graph);
  x = Relu("relu2", Linear("fc2", x, hidden1, hidden2, &graph), &graph);
  x = Linear("fc3", x, hidden2, params.at("classes"), &graph);
  graph.MarkOutput(graph::kModelOutput, x);
  return graph;
}

}  // namespace rm::zoo
