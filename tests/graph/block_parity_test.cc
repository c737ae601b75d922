// Blocks as real models have them, of many operators each: the fast kernels in their layouts, with
// memory used again and in place, compute what the reference computes.
#include <algorithm>
#include <catch2/catch.hpp>

#include "kernels/kernels.h"
#include "tests/graph/gradient_check.h"
#include "tests/graph/training_run.h"

namespace rm::graph {
namespace {

using kernels::Attributes;

// A model by name; `build` makes logits out of the input.
struct Block {
  const char* name;
  kernels::Shape input;
  ValueId (*build)(ValueId x, Graph* graph);
};

ValueId Conv(const char* name, ValueId x, kernels::Shape w, const Attributes& attributes,
             Graph* g) {
  const ValueId weight = Parameter((std::string(name) + "/w").c_str(), std::move(w), g);
  return g->AddNode("Conv", name, {x, weight}, attributes);
}

// x · sigmoid(x), then a gate a channel: the heart of an EfficientNet. `channels` fill a block of
// 8 or 16, or they do not.
ValueId GatedImage(ValueId x, int64_t channels, Graph* g) {
  const ValueId a = Conv("a", x, {channels, 3, 3, 3}, {}, g);
  const ValueId silu =
      g->AddNode("Mul", "silu", {a, g->AddNode("Sigmoid", "sigmoid", {a})});
  const ValueId gate =
      g->AddNode("HardSigmoid", "gate", {Parameter("g", {1, channels, 1, 1}, g)});
  const ValueId gated = g->AddNode("Mul", "gated", {silu, gate});
  const Attributes depthwise{{"group", channels}, {"pads", Ints{1, 1, 1, 1}}};
  const ValueId b = Conv("b", gated, {channels, 1, 3, 3}, depthwise, g);
  const ValueId swish = g->AddNode("HardSwish", "swish", {b});
  const ValueId sum = g->AddNode("Add", "residual", {swish, gated});
  const Attributes six{{"min", 0.0F}, {"max", 6.0F}};
  const ValueId clipped = g->AddNode("Clip", "relu6", {sum}, six);
  const ValueId c = Conv("c", clipped, {5, channels, 1, 1}, {}, g);
  const ValueId less = g->AddNode("Sub", "less", {g->AddNode("Gelu", "gelu", {c}), c});
  return g->AddNode("MatMul", "logits", {Flat(less, g), Parameter("w", {5 * 4 * 4, 4}, g)});
}

// One head split out of a joint product, masked scores, and Gelu by tanh, as an export of a GPT
// writes them: (batch, 6 places, 8 wide), 2 heads of 4.
ValueId Attention(ValueId x, Graph* g) {
  const ValueId places = g->AddIntegerConstant("places", kernels::DType::kInt64, {6},
                                               {0, 1, 2, 3, 4, 5});
  const ValueId position = g->AddNode("Gather", "position", {Parameter("e", {9, 8}, g), places});
  const ValueId h = g->AddNode("Add", "h", {x, position});
  const ValueId joint = g->AddNode("MatMul", "joint", {h, Parameter("qkv", {8, 24}, g)});
  const auto qkv = g->AddNodeWithOutputs("Split", "split", {joint}, 3,
                                         {{"axis", int64_t{2}}, {"split", Ints{8, 8, 8}}});
  std::vector<ValueId> heads;
  for (size_t i = 0; i < 3; ++i) {
    const std::string name(1, "qkv"[i]);
    const ValueId parts =
        g->AddNode("Reshape", name + "/heads", {qkv[i]}, {{"shape", Ints{-1, 6, 2, 4}}});
    // Keys go to (batch, head, 4, 6), the others to (batch, head, 6, 4).
    const Ints perm = i == 1 ? Ints{0, 2, 3, 1} : Ints{0, 2, 1, 3};
    heads.push_back(g->AddNode("Transpose", name, {parts}, {{"perm", perm}}));
  }
  const ValueId half = g->AddConstant("half", {}, {0.5F});
  const ValueId scores = g->AddNode(
      "Mul", "scores", {g->AddNode("MatMul", "dots", {heads[0], heads[1]}), half});
  const ValueId ones = g->AddConstant("ones", {6, 6}, std::vector<float>(36, 1.0F));
  const ValueId lower = g->AddNode("Trilu", "lower", {ones}, {{"upper", int64_t{0}}});
  const ValueId mask =
      g->AddNode("Cast", "mask", {lower}, {{"to", std::string("bool")}});
  const ValueId far = g->AddConstant("far", {}, {-1e9F});
  const ValueId masked = g->AddNode("Where", "masked", {mask, scores, far});
  const ValueId shares = g->AddNode("Softmax", "shares", {masked}, {{"axis", int64_t{3}}});
  const ValueId zero = g->AddConstant("zero", {}, {0.0F});
  const ValueId is_nan = g->AddNode("IsNaN", "is_nan", {shares});
  const ValueId sure = g->AddNode("Where", "sure", {is_nan, zero, shares});
  const ValueId mixed = g->AddNode("MatMul", "mixed", {sure, heads[2]});
  const ValueId back = g->AddNode("Transpose", "back", {mixed}, {{"perm", Ints{0, 2, 1, 3}}});
  const ValueId joined = g->AddNode("Reshape", "joined", {back}, {{"shape", Ints{-1, 6, 8}}});
  const ValueId after = g->AddNode("Add", "after", {h, joined});
  const ValueId up = g->AddNode("MatMul", "up", {after, Parameter("up/w", {8, 16}, g)});
  const ValueId gelu =
      g->AddNode("Gelu", "gelu", {up}, {{"approximate", std::string("tanh")}});
  const ValueId first = g->AddNode(
      "Slice", "first", {gelu},
      {{"axes", Ints{1}}, {"starts", Ints{5}}, {"ends", Ints{-1}}, {"steps", Ints{-3}}});
  const ValueId both = g->AddNode("Concat", "both", {first, first}, {{"axis", int64_t{1}}});
  return g->AddNode("MatMul", "logits", {Flat(both, g), Parameter("out", {64, 3}, g)});
}

// Gelu of the old form, with x³ taken apart, and a norm written out.
ValueId WrittenOut(ValueId x, Graph* g) {
  const ValueId z = g->AddNode("MatMul", "z", {x, Parameter("w", {4, 12}, g)});
  const ValueId three = g->AddConstant("three", {}, {3.0F});
  const ValueId cube = g->AddNode("Pow", "cube", {z, three});
  const ValueId cubic = g->AddConstant("cubic", {}, {0.044715F});
  const ValueId inner = g->AddNode("Add", "inner", {z, g->AddNode("Mul", "c", {cube, cubic})});
  const ValueId root = g->AddConstant("root", {}, {0.7978846F});
  const ValueId one = g->AddConstant("one", {}, {1.0F});
  const ValueId t = g->AddNode("Tanh", "t", {g->AddNode("Mul", "u", {inner, root})});
  const ValueId gelu = g->AddNode("Mul", "gelu", {z, g->AddNode("Add", "t1", {t, one})});
  const ValueId two = g->AddConstant("two", {}, {2.0F});
  const ValueId square = g->AddNode("Pow", "square", {gelu, two});
  const ValueId sum = g->AddNode("MatMul", "sum", {square, Parameter("s", {12, 1}, g)});
  const ValueId safe =
      g->AddNode("Add", "safe", {g->AddNode("Abs", "abs", {sum}), one});
  const ValueId norm = g->AddNode("Div", "norm", {gelu, g->AddNode("Sqrt", "sqrt", {safe})});
  const ValueId most = g->AddNode("Max", "most", {norm, Parameter("m", {12}, g)});
  const ValueId erf = g->AddNode("Erf", "erf", {g->AddNode("Neg", "neg", {most})});
  return g->AddNode("MatMul", "logits", {erf, Parameter("v", {12, 3}, g)});
}

const Block kBlocks[] = {
    {"a gated image of 16 channels",
     {kBatch, 3, 6, 6},
     [](ValueId x, Graph* g) { return GatedImage(x, 16, g); }},
    {"a gated image of 5 channels",
     {kBatch, 3, 6, 6},
     [](ValueId x, Graph* g) { return GatedImage(x, 5, g); }},
    {"attention", {kBatch, 6, 8}, &Attention},
    {"a network written out", {kBatch, 4}, &WrittenOut},
};

Graph Training(const Block& block) {
  Graph graph;
  const ValueId x = graph.AddInput("input", kernels::DType::kFloat32, block.input);
  graph.MarkOutput(kModelOutput, block.build(x, &graph));
  return WithLoss(std::move(graph), 0.1F);
}

StepResult Run(const Graph& graph, const CompileOptions& options, uint64_t seed) {
  auto run = TrainingRun::Make(graph, options, seed);
  REQUIRE(run.status() == absl::OkStatus());
  const StepData data = RandomStep(graph, options.batch, seed);
  REQUIRE(run->Step(data).status() == absl::OkStatus());
  // The second of two equal steps: the arena is full of what the first one left.
  auto result = run->Step(data);
  REQUIRE(result.status() == absl::OkStatus());
  return *std::move(result);
}

CompileOptions Options(kernels::KernelTable table) {
  CompileOptions options;
  options.batch = 3;
  options.kernels = table;
  return options;
}

void CheckClose(const StepResult& a, const StepResult& b) {
  double largest = 0;
  for (const auto& gradient : b.gradients) largest = std::max(largest, LargestMagnitude(gradient));
  CHECK(LargestDifference(a.output, b.output) <= 1e-5 * std::max(1.0, LargestMagnitude(b.output)));
  REQUIRE(a.gradients.size() == b.gradients.size());
  for (size_t i = 0; i < a.gradients.size(); ++i) {
    INFO("gradient of parameter " << i);
    CHECK(LargestDifference(a.gradients[i], b.gradients[i]) <= 2e-5 * largest);
  }
}

TEST_CASE("blocks of real models: the fast kernels agree with the reference", "[block_parity]") {
  for (const Block& block : kBlocks) {
    const Graph graph = Training(block);
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      INFO(block.name << ", seed " << seed);
      CheckClose(Run(graph, Options(kernels::CpuKernels()), seed),
                 Run(graph, Options(kernels::ReferenceKernels()), seed));
    }
  }
}

TEST_CASE("neither memory that is used again nor layouts change what they compute",
          "[block_parity]") {
  for (const Block& block : kBlocks) {
    INFO(block.name);
    const Graph graph = Training(block);
    CompileOptions options = Options(kernels::CpuKernels());
    const StepResult result = Run(graph, options, 1);
    options.reuse_memory = false;
    CHECK(SameBits(result, Run(graph, options, 1)));
    options.blocked_layouts = false;
    CheckClose(result, Run(graph, options, 1));
  }
}

TEST_CASE("blocks of real models agree with finite differences", "[block_parity]") {
  for (const Block& block : kBlocks) {
    INFO(block.name);
    CheckGradients(Training(block), 2, 3, 6);
  }
}

}  // namespace
}  // namespace rm::graph
