// ONNX spellings of operators that move or change elements, and what becomes of them.
#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "runtime/graph/bind.h"
#include "runtime/graph/debug_string.h"
#include "runtime/graph/graph_testing.h"
#include "runtime/graph/types.h"

namespace rm::graph {
namespace {

using kernels::DType;

// A model of one node over x (batch, 3, 4, 6) and known integers.
Graph Single(const std::string& op, const std::vector<std::pair<std::string, Ints>>& operands,
             kernels::Attributes attributes = {}, int outputs = 1) {
  Graph graph;
  std::vector<ValueId> inputs = {graph.AddInput("x", DType::kFloat32, {kBatch, 3, 4, 6})};
  for (const auto& [name, numbers] : operands) {
    inputs.push_back(graph.AddIntegerConstant(
        name, DType::kInt64, {static_cast<int64_t>(numbers.size())}, numbers));
  }
  const auto ids = graph.AddNodeWithOutputs(op, "node", inputs, outputs, std::move(attributes));
  for (size_t i = 0; i < ids.size(); ++i) graph.MarkOutput(absl::StrCat("y", i), ids[i]);
  return graph;
}

Graph Bound(const Graph& model) {
  absl::StatusOr<Graph> bound = BindBatch(model, 2);
  REQUIRE(bound.status() == absl::OkStatus());
  const absl::StatusOr<Graph> again = BindBatch(*bound, 2);
  REQUIRE(again.status() == absl::OkStatus());
  CHECK(DebugString(*again) == DebugString(*bound));
  return *std::move(bound);
}

std::string Refusal(const Graph& model) {
  return std::string(BindBatch(model, 2).status().message());
}

// The only node that is left.
Node OnlyNode(const Graph& model) {
  const Graph bound = Bound(model);
  REQUIRE(bound.nodes().size() == 1);
  return bound.nodes()[0];
}

Ints ShapeOf(const Graph& bound, const std::string& output) {
  const auto types = InferTypes(bound, 1).value();
  const kernels::Shape& shape = types[static_cast<size_t>(bound.FindOutput(output))].shape;
  return {shape.begin(), shape.end()};
}

TEST_CASE("slices are clamped to the tensor", "[bind]") {
  const auto slice = [](int64_t start, int64_t end, int64_t axis, int64_t step) {
    return OnlyNode(Single("Slice", {{"starts", {start}},
                                     {"ends", {end}},
                                     {"axes", {axis}},
                                     {"steps", {step}}}))
        .attributes;
  };
  CHECK(slice(1, INT64_MAX, -1, 1) == kernels::Attributes{{"axes", Ints{3}},
                                                          {"ends", Ints{6}},
                                                          {"starts", Ints{1}},
                                                          {"steps", Ints{1}}});
  CHECK(slice(-2, 100, 3, 1).Ints("starts", {}) == Ints{4});
  CHECK(slice(-1, INT64_MIN, 3, -1).Ints("ends", {}) == Ints{-1});
  CHECK(slice(100, -100, 3, -2).Ints("starts", {}) == Ints{5});
  CHECK(slice(5, 2, 3, 1).Ints("ends", {}) == Ints{5});  // nothing at all
}

TEST_CASE("a slice of everything is nothing, one by 0 is refused", "[bind]") {
  CHECK(Bound(Single("Slice", {{"starts", {0, 0}}, {"ends", {2, 99}}})).nodes().empty());
  CHECK(absl::EndsWith(Refusal(Single("Slice", {{"starts", {0}},
                                                {"ends", {1}},
                                                {"axes", {1}},
                                                {"steps", {0}}})),
                       "'steps' holds 0"));
  CHECK(absl::StrContains(Refusal(Single("Slice", {{"starts", {0}}, {"ends", {1, 2}}})),
                          "differ in length"));
}

TEST_CASE("splits know their sizes", "[bind]") {
  const auto sizes = [](const Graph& model) {
    return OnlyNode(model).attributes.Ints("split", {});
  };
  CHECK(sizes(Single("Split", {{"split", {1, 5}}}, {{"axis", int64_t{-1}}}, 2)) == Ints{1, 5});
  CHECK(sizes(Single("Split", {}, {{"axis", int64_t{3}}}, 3)) == Ints{2, 2, 2});
  CHECK(sizes(Single("Split", {}, {{"axis", int64_t{3}}, {"num_outputs", int64_t{4}}}, 4)
              ).size() == 4);
  CHECK(absl::StrContains(Refusal(Single("Split", {{"split", {1, 4}}}, {{"axis", int64_t{3}}}, 2)),
                          "adds up to 5, the axis has 6"));
  CHECK(absl::StrContains(Refusal(Single("Split", {{"split", {6}}}, {{"axis", int64_t{3}}}, 2)),
                          "1 sizes for 2 outputs"));
}

TEST_CASE("a sequence of parts is a split", "[bind]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 6});
  const ValueId size = graph.AddIntegerConstant("size", DType::kInt64, {}, {2});
  const ValueId last = graph.AddIntegerConstant("last", DType::kInt64, {}, {-1});
  const ValueId parts =
      graph.AddNode("SplitToSequence", "parts", {x, size}, {{"axis", int64_t{1}}});
  graph.MarkOutput("y", graph.AddNode("SequenceAt", "at", {parts, last}));
  const Graph bound = Bound(graph);
  REQUIRE(bound.nodes().size() == 1);
  CHECK(bound.nodes()[0].op == "Split");
  CHECK(bound.nodes()[0].attributes.Ints("split", {}) == Ints{2, 2, 2});
  CHECK(bound.FindOutput("y") == bound.nodes()[0].outputs[2]);
}

TEST_CASE("transposes, concatenations and expansions that change nothing vanish", "[bind]") {
  CHECK(OnlyNode(Single("Transpose", {})).attributes.Ints("perm", {}) == Ints{3, 2, 1, 0});
  CHECK(Bound(Single("Transpose", {}, {{"perm", Ints{0, 1, 2, 3}}})).nodes().empty());
  CHECK(Bound(Single("Concat", {}, {{"axis", int64_t{0}}})).nodes().empty());
  CHECK(Bound(Single("Expand", {{"shape", {1, 4, 1}}})).nodes().empty());
  CHECK(ShapeOf(Bound(Single("Expand", {{"shape", {5, 1, 1, 1, 1}}})), "y0") ==
        Ints{5, 2, 3, 4, 6});
}

TEST_CASE("pads and tiles are made of other operators", "[bind]") {
  CHECK(ShapeOf(Bound(Single("Pad", {{"pads", {0, 0, 1, 0, 0, 0, 2, 3}}})), "y0") ==
        Ints{2, 3, 7, 9});
  CHECK(ShapeOf(Bound(Single("Pad", {{"pads", {0, 0, 0, -1, 0, 0, 0, -2}}})), "y0") ==
        Ints{2, 3, 4, 3});
  CHECK(absl::StrContains(
      Refusal(Single("Pad", {{"pads", {0, 0, 0, 0, 0, 0, 0, 0}}}, {{"mode", std::string("mirror")}})),
      "attribute mode is mirror"));
  CHECK(ShapeOf(Bound(Single("Tile", {{"repeats", {1, 2, 1, 3}}})), "y0") == Ints{2, 6, 4, 18});
  CHECK(absl::StrContains(Refusal(Single("Tile", {{"repeats", {INT64_MAX, 2, 1, 3}}})),
                          "too many elements"));
}

// Bound checks that binding the result once more changes nothing.
TEST_CASE("what an operator is written by is bound again as it stands", "[bind]") {
  const auto shape = [](const char* op, const std::vector<std::pair<std::string, Ints>>& operands,
                        const kernels::Attributes& attributes) {
    return ShapeOf(Bound(Single(op, operands, attributes)), "y0");
  };
  for (const char* op : {"Celu", "Ceil", "Floor", "Mish", "Round", "Selu", "Sign", "Softplus",
                         "Softsign", "Swish", "ThresholdedRelu", "LpNormalization"}) {
    CAPTURE(op);
    CHECK(shape(op, {}, {}) == Ints{2, 3, 4, 6});
  }
  for (const char* op : {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
                         "ReduceMin", "ReduceProd", "ReduceSumSquare"}) {
    CAPTURE(op);
    CHECK(shape(op, {{"axes", {1, -1}}}, {{"keepdims", int64_t{0}}}) == Ints{2, 4});
    CHECK(shape(op, {}, {}) == Ints{1, 1, 1, 1});
  }
  CHECK(shape("Einsum", {}, {{"equation", std::string("n...w->w...")}}) == Ints{6, 3, 4});
  CHECK(shape("SpaceToDepth", {}, {{"blocksize", int64_t{2}}}) == Ints{2, 12, 2, 3});
  CHECK(shape("CumSum", {{"axis", {1}}}, {}) == Ints{2, 3, 4, 6});
  CHECK(shape("Pad", {{"pads", {0, 0, 1, 0, 0, 0, 2, 3}}}, {{"mode", std::string("wrap")}}) ==
        Ints{2, 3, 7, 9});
}

TEST_CASE("casts, bounds and powers take what ONNX allows", "[bind]") {
  CHECK(Bound(Single("Cast", {}, {{"to", std::string("float32")}})).nodes().empty());
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  const ValueId n = graph.AddInput("n", DType::kInt64, {kBatch, 4});
  const ValueId two = graph.AddIntegerConstant("two", DType::kInt64, {}, {2});
  const ValueId low = graph.AddConstant("low", {}, {-1.5F});
  graph.MarkOutput("clip", graph.AddNode("Clip", "clip", {x, low}));
  graph.MarkOutput("power", graph.AddNode("Pow", "power", {x, two}));
  graph.MarkOutput("minus", graph.AddNode("Neg", "minus", {n}));
  graph.MarkOutput("like", graph.AddNode("CastLike", "like", {n, x}));
  const std::string text = DebugString(Bound(graph));
  CHECK(absl::StrContains(text, "clip = Clip(x) {min = -1.5}\n"));
  CHECK(absl::StrContains(text, "power = Pow(x, "));
  CHECK(absl::StrContains(text, "minus = Sub("));
  CHECK(absl::StrContains(text, "like = Cast(n)"));
}

TEST_CASE("axes of softmax and norms are counted from the front", "[bind]") {
  CHECK(OnlyNode(Single("Softmax", {})).attributes.Int("axis", -9) == 3);
  CHECK(OnlyNode(Single("Softmax", {}, {{"axis", int64_t{-3}}})).attributes.Int("axis", -9) == 1);
  CHECK(absl::StrContains(Refusal(Single("Softmax", {}, {{"axis", int64_t{4}}})), "4"));
}

TEST_CASE("a shape that is computed from shapes becomes an attribute", "[bind]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 3, 4, 6});
  const auto numbers = [&](const std::string& name, kernels::Shape shape, const Ints& values) {
    return graph.AddIntegerConstant(name, DType::kInt64, std::move(shape), values);
  };
  const ValueId shape = graph.AddNode("Shape", "shape", {x});
  const ValueId rows =
      graph.AddNode("Gather", "rows", {shape, numbers("zero", {}, {0})}, {{"axis", int64_t{0}}});
  const ValueId list = graph.AddNode("Unsqueeze", "list", {rows, numbers("axes", {1}, {0})});
  const ValueId target = graph.AddNode("Concat", "target", {list, numbers("rest", {1}, {-1})},
                                       {{"axis", int64_t{0}}});
  graph.MarkOutput("y", graph.AddNode("Reshape", "flat", {x, target}));
  CHECK(DebugString(Bound(graph)) ==
        "input x: [2, 3, 4, 6]\nflat = Reshape(x) {shape = [2, 72]}\noutput y = flat\n");
}

}  // namespace
}  // namespace rm::graph
