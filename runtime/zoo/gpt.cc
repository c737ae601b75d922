// A decoder-only transformer: pre-norm blocks, causal attention, tanh-approximated GELU, learnt
// positions, a head of its own without bias (Radford et al., 2019, in the small).
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/graph/training.h"
#include "runtime/zoo/layers.h"
#include "runtime/zoo/models.h"

namespace rm::zoo {
namespace {

using graph::Graph;
using graph::ValueId;
using Ints = std::vector<int64_t>;

// The sizes of one model.
struct GptShape {
  int64_t vocabulary, context, width, layers, heads;
  [[nodiscard]] int64_t head_width() const { return width / heads; }
};

// 0 where a position may look, −∞ where it may not: at what comes after it.
ValueId CausalMask(const GptShape& shape, Graph* graph) {
  const int64_t t = shape.context;
  std::vector<float> mask(static_cast<size_t>(t * t), 0.0F);
  for (int64_t row = 0; row < t; ++row) {
    for (int64_t column = row + 1; column < t; ++column) {
      mask[static_cast<size_t>(row * t + column)] = -std::numeric_limits<float>::infinity();
    }
  }
  return graph->AddConstant("causal_mask", {t, t}, std::move(mask));
}

// Rows (batch · context, width) → the same: softmax(Q·Kᵀ/√d + mask)·V for each head, then a layer.
// One product makes Q, K and V of all heads; the scale rides on the product of Q and K.
ValueId Attention(const std::string& name, ValueId rows, ValueId mask, const GptShape& shape,
                  Graph* graph) {
  const int64_t d = shape.head_width();
  const ValueId qkv =
      Linear(absl::StrCat(name, ".qkv"), rows, shape.width, 3 * shape.width, graph);
  const auto node = [&](const char* op, const char* suffix, std::vector<ValueId> inputs,
                        kernels::Attributes attributes) {
    return graph->AddNode(op, absl::StrCat(name, ".attention/", suffix), std::move(inputs),
                          std::move(attributes));
  };
  const ValueId apart = node("Reshape", "apart", {qkv},
                             {{"shape", Ints{-1, shape.context, 3, shape.heads, d}}});
  const ValueId by_head = node("Transpose", "by_head", {apart}, {{"perm", Ints{2, 0, 3, 1, 4}}});
  const std::vector<ValueId> parts =
      graph->AddNodeWithOutputs("Split", absl::StrCat(name, ".attention/split"), {by_head}, 3,
                                {{"axis", int64_t{0}}, {"split", Ints{1, 1, 1}}});
  const Ints stack = {-1, shape.heads, shape.context, d};
  const ValueId q = node("Reshape", "q", {parts[0]}, {{"shape", stack}});
  const ValueId k = node("Reshape", "k", {parts[1]}, {{"shape", stack}});
  const ValueId v = node("Reshape", "v", {parts[2]}, {{"shape", stack}});
  const float scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(d)));
  ValueId x = node("MatMul", "scores", {q, k}, {{"transB", int64_t{1}}, {"alpha", scale}});
  x = node("Add", "masked", {x, mask}, {});
  x = node("Softmax", "weights", {x}, {{"axis", int64_t{3}}});
  x = node("MatMul", "mixed", {x, v}, {});
  x = node("Transpose", "by_position", {x}, {{"perm", Ints{0, 2, 1, 3}}});
  x = node("Reshape", "rows", {x}, {{"shape", Ints{-1, shape.width}}});
  return Linear(absl::StrCat(name, ".o"), x, shape.width, shape.width, graph);
}

// What goes around a sublayer is never normalised: the gradient reaches every layer unscaled.
ValueId Block(const std::string& name, ValueId x, ValueId mask, const GptShape& shape,
              Graph* graph) {
  const int64_t width = shape.width;
  ValueId y = LayerNorm(absl::StrCat(name, ".l1"), x, width, graph);
  y = Attention(name, y, mask, shape, graph);
  x = graph->AddNode("Add", absl::StrCat(name, ".add1"), {x, y});
  y = LayerNorm(absl::StrCat(name, ".l2"), x, width, graph);
  y = Linear(absl::StrCat(name, ".f1"), y, width, 4 * width, graph);
  y = graph->AddNode("Gelu", absl::StrCat(name, ".gelu"), {y},
                     {{"approximate", std::string("tanh")}});
  y = Linear(absl::StrCat(name, ".f2"), y, 4 * width, width, graph);
  return graph->AddNode("Add", absl::StrCat(name, ".add2"), {x, y});
}

}  // namespace

// Tokens (batch, context) → logits (batch, context, vocabulary). Between the embedding and the head
// everything is rows of one matrix: a layer is then one product with its bias inside.
absl::StatusOr<graph::Graph> BuildGpt(const Params& params) {
  const GptShape shape = {params.at("vocabulary"), params.at("context"), params.at("width"),
                          params.at("layers"), params.at("heads")};
  if (shape.width % shape.heads != 0) {
    return absl::InvalidArgumentError(absl::StrCat("model 'gpt': ", shape.heads,
                                                   " heads do not divide a width of ",
                                                   shape.width));
  }
  Graph graph;
  const ValueId tokens =
      graph.AddInput("input", kernels::DType::kInt64, {graph::kBatch, shape.context});
  const ValueId mask = CausalMask(shape, &graph);
  const ValueId te = Embedding("te", shape.vocabulary, shape.width, &graph);
  const ValueId pe = Embedding("pe", shape.context, shape.width, &graph);
  ValueId x = graph.AddNode("Gather", "te", {te, tokens}, {{"axis", int64_t{0}}});
  x = graph.AddNode("Add", "embedded", {x, pe});
  x = graph.AddNode("Reshape", "rows", {x}, {{"shape", Ints{-1, shape.width}}});
  for (int64_t i = 0; i < shape.layers; ++i) {
    x = Block(absl::StrCat("blocks.", i), x, mask, shape, &graph);
  }
  x = LayerNorm("ln", x, shape.width, &graph);
  x = LinearWithoutBias("head", x, shape.width, shape.vocabulary, &graph);
  x = graph.AddNode("Reshape", "logits", {x},
                    {{"shape", Ints{-1, shape.context, shape.vocabulary}}});
  graph.MarkOutput(graph::kModelOutput, x);
  return graph;
}

}  // namespace rm::zoo
