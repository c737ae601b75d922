#include "runtime/graph/bind.h"

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "runtime/graph/debug_string.h"
#include "runtime/graph/graph_testing.h"
#include "runtime/graph/types.h"

namespace rm::graph {
namespace {

using kernels::DType;

// The graph's nodes and outputs, a line each, without its leaves.
std::string Listing(const Graph& graph) {
  std::string lines;
  for (absl::string_view line : absl::StrSplit(DebugString(graph), '\n')) {
    if (absl::StrContains(line, " = ")) absl::StrAppend(&lines, line, "\n");
  }
  return lines;
}

Graph Bound(const Graph& model, int64_t batch = 2) {
  absl::StatusOr<Graph> bound = BindBatch(model, batch);
  REQUIRE(bound.status() == absl::OkStatus());
  CHECK(InferTypes(*bound, 1).status() == absl::OkStatus());  // no shape is open: any batch will do
  const absl::StatusOr<Graph> again = BindBatch(*bound, batch);
  REQUIRE(again.status() == absl::OkStatus());
  CHECK(DebugString(*again) == DebugString(*bound));
  return *std::move(bound);
}

std::string Refusal(const Graph& model, int64_t batch = 2) {
  return std::string(BindBatch(model, batch).status().message());
}

// The integers of a constant output.
Ints IntegersOf(const Graph& graph, const std::string& output) {
  const Value& value = graph.value(graph.FindOutput(output));
  REQUIRE(value.kind == ValueKind::kConstant);
  return *value.initializer.integers;
}

ValueId Image(Graph* graph) {
  return graph->AddInput("x", DType::kFloat32, {kBatch, 3, 4, 6});
}

ValueId Numbers(const std::string& name, const Ints& numbers, Graph* graph) {
  return graph->AddIntegerConstant(name, DType::kInt64, {static_cast<int64_t>(numbers.size())},
                                   numbers);
}

// A model of one node over x.
Graph Single(const std::string& op, const std::vector<std::pair<std::string, Ints>>& operands,
             kernels::Attributes attributes = {}) {
  Graph graph;
  std::vector<ValueId> inputs = {Image(&graph)};
  for (const auto& [name, numbers] : operands) inputs.push_back(Numbers(name, numbers, &graph));
  graph.MarkOutput("y", graph.AddNode(op, "node", inputs, std::move(attributes)));
  return graph;
}

std::vector<int64_t> OutputShape(const Graph& graph, const std::string& output = "y") {
  const auto types = InferTypes(graph, 1).value();
  const kernels::Shape& shape = types[static_cast<size_t>(graph.FindOutput(output))].shape;
  return {shape.begin(), shape.end()};
}

TEST_CASE("a batch takes the place of the open dimension", "[bind]") {
  const Graph bound = Bound(SmallConvnet(), 5);
  CHECK(bound.value(bound.FindValue("x")).shape == kernels::Shape{5, 1, 8, 8});
  CHECK(OutputShape(bound, kModelOutput) == Ints{5, 4});
  CHECK(Refusal(SmallConvnet(), 0) == "a batch of 0 samples; at least 1");
}

TEST_CASE("a graph in canonical form stays as it is", "[bind]") {
  CHECK(Listing(Bound(TwoLayers())) == Listing(TwoLayers()));
}

TEST_CASE("parameters, inputs and outputs keep their names and order", "[bind]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  graph.AddInput("unused", DType::kInt64, {kBatch});
  graph.AddParameter("spare", {2}, Initializer::Of({1, 2}));
  graph.MarkOutput("scores", Linear("fc", x, 4, 3, &graph));
  const Graph bound = Bound(graph);
  CHECK(DebugString(bound) ==
        "input x: [2, 4]\ninput unused: int64 [2]\nparameter spare: [2]\n"
        "parameter fc.weight: [3, 4]\nparameter fc.bias: [3]\n"
        "fc = Gemm(x, fc.weight, fc.bias) {transB = 1}\noutput scores = fc\n");
  CHECK(bound.value(bound.FindValue("spare")).initializer.values ==
        graph.value(graph.FindValue("spare")).initializer.values);
}

TEST_CASE("shapes are constants once the batch is known", "[bind]") {
  CHECK(IntegersOf(Bound(Single("Shape", {})), "y") == Ints{2, 3, 4, 6});
  CHECK(IntegersOf(Bound(Single("Shape", {}, {{"start", int64_t{1}}})), "y") == Ints{3, 4, 6});
  CHECK(IntegersOf(Bound(Single("Shape", {}, {{"start", int64_t{-3}}, {"end", int64_t{-1}}})),
                   "y") == Ints{3, 4});
  CHECK(IntegersOf(Bound(Single("Shape", {}, {{"start", int64_t{3}}, {"end", int64_t{1}}})), "y")
            .empty());
  CHECK(IntegersOf(Bound(Single("Size", {})), "y") == Ints{144});
}

TEST_CASE("a reshape has its target as an attribute", "[bind]") {
  CHECK(Listing(Bound(Single("Reshape", {{"shape", {0, -1}}}))) ==
        "node = Reshape(x) {shape = [2, 72]}\noutput y = node\n");
  CHECK(Listing(Bound(Single("Reshape", {}, {{"shape", Ints{-1, 12}}}))) ==
        "node = Reshape(x) {shape = [12, 12]}\noutput y = node\n");
  CHECK(Listing(Bound(Single("Reshape", {{"shape", {0, 3, 4, 6}}}))) == "output y = x\n");
  CHECK(Listing(Bound(Single("Squeeze", {}))) == "output y = x\n");
  CHECK(OutputShape(Bound(Single("Unsqueeze", {{"axes", {-1, 0}}}))) == Ints{1, 2, 3, 4, 6, 1});
  CHECK(OutputShape(Bound(Single("Squeeze", {{"axes", {0}}}), 1)) == Ints{3, 4, 6});
}

TEST_CASE("a shape that follows from the shape of a tensor is known too", "[bind]") {
  Graph graph;
  const ValueId x = Image(&graph);
  const ValueId shape = graph.AddNode("Shape", "shape", {x}, {{"end", int64_t{2}}});
  graph.MarkOutput("y", graph.AddNode("Reshape", "flat",
                                      {graph.AddNode("Flatten", "flatten", {x}), shape}));
  CHECK(absl::StrContains(Refusal(graph), "does not fill [2, 3]"));
}

TEST_CASE("a reshape that does not fit says why", "[bind]") {
  CHECK(Refusal(Single("Reshape", {{"shape", {5, -1}}})) ==
        "node 'node' (Reshape of [2, 3, 4, 6], int64 [2]): 144 elements do not divide by 5");
  CHECK(absl::EndsWith(Refusal(Single("Reshape", {{"shape", {-1, -1}}})), "holds two −1"));
  CHECK(absl::EndsWith(Refusal(Single("Reshape", {{"shape", {-2}}})), "'shape' holds -2"));
  CHECK(absl::EndsWith(Refusal(Single("Reshape", {{"shape", {1, 1, 1, 1, 0}}})),
                       "copies dimension 4"));
  CHECK(absl::EndsWith(Refusal(Single("Reshape", {{"shape", {int64_t{1} << 40, 1 << 20, -1}}})),
                       "has too many elements"));
  CHECK(absl::EndsWith(Refusal(Single("Squeeze", {{"axes", {1}}})), "axis 1 has 3 elements, not 1"));
  CHECK(absl::EndsWith(Refusal(Single("Unsqueeze", {{"axes", {0, 0}}})), "axis 0 is given twice"));
}

TEST_CASE("a shape that depends on data names the input it depends on", "[bind]") {
  Graph graph;
  const ValueId x = Image(&graph);
  const ValueId target = graph.AddInput("target", DType::kInt64, {kBatch});
  const ValueId flat = graph.AddNode("Flatten", "flat", {target}, {{"axis", int64_t{0}}});
  const ValueId list = graph.AddNode("Squeeze", "list", {flat});
  graph.MarkOutput("y", graph.AddNode("Reshape", "node", {x, list}));
  CHECK(Refusal(graph) ==
        "node 'node' (Reshape of [2, 3, 4, 6], int64 [2]): its input 'shape' depends on the data in "
        "input 'target'; it must follow from shapes and constants alone");
}

TEST_CASE("ranges become constants within a limit", "[bind]") {
  const auto range = [](int64_t start, int64_t limit, int64_t delta) {
    Graph graph;
    const auto scalar = [&](const std::string& name, int64_t number) {
      return graph.AddIntegerConstant(name, DType::kInt64, {}, {number});
    };
    graph.MarkOutput("y", graph.AddNode("Range", "node",
                                        {scalar("start", start), scalar("limit", limit),
                                         scalar("delta", delta)}));
    return graph;
  };
  CHECK(IntegersOf(Bound(range(1, 6, 2)), "y") == Ints{1, 3, 5});
  CHECK(IntegersOf(Bound(range(3, 0, -1)), "y") == Ints{3, 2, 1});
  CHECK(IntegersOf(Bound(range(3, 0, 1)), "y").empty());
  CHECK(absl::StrContains(Refusal(range(0, 5, 0)), "is no range"));
  CHECK(absl::StrContains(Refusal(range(INT64_MAX, 0, -(int64_t{1} << 60))), "is no range"));
  CHECK(absl::StrContains(Refusal(range(0, int64_t{1} << 50, 1)), "at most 67108"));
}

TEST_CASE("nodes of constants are computed, those with a parameter are not", "[bind]") {
  Graph graph;
  const ValueId a = graph.AddConstant("a", {2}, {1, 2});
  const ValueId b = graph.AddConstant("b", {1}, {10});
  const ValueId w = graph.AddParameter("w", {2}, Initializer::Of({5, 5}));
  const ValueId sum = graph.AddNode("Sum", "sum", {a, b, a});
  graph.MarkOutput("constant", sum);
  graph.MarkOutput("trained", graph.AddNode("Add", "shift", {w, sum}));
  const Graph bound = Bound(graph);
  const Value& constant = bound.value(bound.FindOutput("constant"));
  CHECK(constant.kind == ValueKind::kConstant);
  CHECK(*constant.initializer.values == std::vector<float>{12, 14});
  REQUIRE(bound.nodes().size() == 1);
  CHECK(bound.nodes()[0].name == "shift");
  CHECK(bound.FindValue("a") == kNoValue);  // nobody reads it any more
}

TEST_CASE("what is too large for a constant is computed in every step", "[bind]") {
  Graph graph;
  const ValueId a = graph.AddConstant("a", {100}, std::vector<float>(100, 1));
  graph.MarkOutput("y", graph.AddNode("Add", "sum", {a, a}));
  CHECK(BindBatch(graph, 1, 400)->nodes().empty());
  const absl::StatusOr<Graph> bound = BindBatch(graph, 1, 399);
  REQUIRE(bound.status() == absl::OkStatus());
  CHECK(bound->nodes().size() == 1);
}

TEST_CASE("what no output needs is dropped, what changes nothing too", "[bind]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  const ValueId dropped = graph.AddNodeWithOutputs("Dropout", "drop", {x}, 2)[0];
  const ValueId same = graph.AddNode("Identity", "same", {dropped});
  graph.AddNode("Relu", "dead", {same});
  graph.MarkOutput("y", graph.AddNode("Relu", "relu", {same}));
  CHECK(Listing(Bound(graph)) == "relu = Relu(x)\noutput y = relu\n");
}

TEST_CASE("dropout stays with its ratio where training wants it", "[bind]") {
  const auto dropout = [](bool with_flag, int64_t flag) {
    Graph graph;
    std::vector<ValueId> inputs = {graph.AddInput("x", DType::kFloat32, {kBatch, 4}),
                                   graph.AddConstant("ratio", {}, {0.25F})};
    if (with_flag) inputs.push_back(graph.AddIntegerConstant("flag", DType::kBool, {}, {flag}));
    graph.MarkOutput("y", graph.AddNode("Dropout", "drop", inputs));
    return Listing(*BindBatch(graph, 2));
  };
  CHECK(dropout(true, 1) == "drop = Dropout(x) {ratio = 0.25}\noutput y = drop\n");
  CHECK(dropout(true, 0) == "output y = x\n");
  CHECK(dropout(false, 0) == "output y = x\n");

  Graph ours;
  const ValueId x = ours.AddInput("x", DType::kFloat32, {kBatch, 4});
  ours.MarkOutput("y", ours.AddNode("Dropout", "drop", {x}, {{"ratio", 0.5F}}));
  CHECK(Listing(*BindBatch(ours, 2)) == Listing(ours));
}

TEST_CASE("all missing operators are named at once, with their nodes", "[bind]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  for (const char* name : {"a", "b", "c", "d", "e"}) graph.AddNode("NonZero", name, {x});
  graph.MarkOutput("y", graph.AddNode("com.acme::Magic", "magic", {x}));
  CHECK(Refusal(graph) ==
        "operators that are not known: NonZero (nodes 'a', 'b', 'c' and 2 more), com.acme::Magic "
        "(node 'magic')");
}

TEST_CASE("automatic padding is worked out", "[bind]") {
  const auto pool = [](const char* mode, int64_t stride) {
    const Graph bound = Bound(Single("MaxPool", {},
                                     {{"kernel_shape", Ints{3, 2}},
                                      {"strides", Ints{stride, stride}},
                                      {"auto_pad", std::string(mode)}}));
    CHECK_FALSE(bound.nodes()[0].attributes.Has("auto_pad"));
    return bound.nodes()[0].attributes.Ints("pads", {});
  };
  CHECK(pool("SAME_UPPER", 1) == Ints{1, 0, 1, 1});
  CHECK(pool("SAME_LOWER", 1) == Ints{1, 1, 1, 0});
  CHECK(pool("SAME_UPPER", 2) == Ints{0, 0, 1, 0});
  CHECK(pool("VALID", 1) == Ints{0, 0, 0, 0});
  CHECK(absl::EndsWith(Refusal(Single("MaxPool", {},
                                      {{"kernel_shape", Ints{2, 2}},
                                       {"auto_pad", std::string("SAME")}})),
                       "attribute auto_pad is 'SAME'"));
}

TEST_CASE("ceil_mode pads the end, and is refused where such pads would be counted", "[bind]") {
  const auto pool = [](const char* op, int64_t k, const Ints& pads) {
    return Single(op, {},
                  {{"kernel_shape", Ints{k, k}},
                   {"strides", Ints{k, k}},
                   {"pads", pads},
                   {"count_include_pad", int64_t{1}},
                   {"ceil_mode", int64_t{1}}});
  };
  CHECK(OutputShape(Bound(pool("MaxPool", 2, {0, 0, 0, 0}))) == Ints{2, 3, 2, 3});
  CHECK(OutputShape(Bound(pool("MaxPool", 3, {0, 0, 0, 0}))) == Ints{2, 3, 2, 2});
  CHECK(OutputShape(Bound(pool("AveragePool", 3, {0, 0, 0, 0}))) == Ints{2, 3, 2, 2});
  CHECK(absl::StrContains(Refusal(pool("AveragePool", 3, {1, 0, 0, 0})),
                          "attributes ceil_mode and count_include_pad are 1"));
}

TEST_CASE("windows over one dimension become windows over two", "[bind]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 3, 10});
  const ValueId w = graph.AddParameter("w", {4, 3, 3}, {});
  const ValueId conv = graph.AddNode("Conv", "conv", {x, w}, {{"pads", Ints{1, 1}}});
  graph.MarkOutput("y", graph.AddNode("MaxPool", "pool", {conv},
                                      {{"kernel_shape", Ints{2}}, {"strides", Ints{2}}}));
  const Graph bound = Bound(graph);
  CHECK(OutputShape(bound) == Ints{2, 4, 5});
  CHECK(bound.value(bound.FindValue("w")).shape == kernels::Shape{4, 3, 3});
  CHECK(absl::StrContains(Listing(bound), "conv/kernel = Reshape(w) {shape = [4, 3, 1, 3]}"));
  CHECK(absl::StrContains(Listing(bound), "pads = [0, 1, 0, 1]"));
}

TEST_CASE("a window with impossible attributes is refused by name", "[bind]") {
  const auto refused = [](kernels::Attributes attributes) {
    return Refusal(Single("MaxPool", {}, std::move(attributes)));
  };
  CHECK(absl::EndsWith(refused({}), "it lacks the attribute kernel_shape"));
  CHECK(absl::EndsWith(refused({{"kernel_shape", Ints{2}}}),
                       "attribute kernel_shape has 1 numbers, it must have 2"));
  CHECK(absl::EndsWith(refused({{"kernel_shape", Ints{2, 2}}, {"strides", Ints{0, 1}}}),
                       "attribute strides holds 0"));
  CHECK(absl::EndsWith(refused({{"kernel_shape", Ints{2, 2}}, {"pads", Ints{0, 0, 0, -1}}}),
                       "attribute pads holds -1"));
  CHECK(absl::EndsWith(refused({{"kernel_shape", Ints{2, 2}},
                                {"dilations", Ints{int64_t{1} << 50, 1}}}),
                       "attribute dilations holds 1125899906842624"));
}

TEST_CASE("a vector is multiplied as a matrix of one row or column", "[bind]") {
  const auto product = [](kernels::Shape a, kernels::Shape b) {
    Graph graph;
    const ValueId x = graph.AddInput("a", DType::kFloat32, std::move(a));
    const ValueId y = graph.AddInput("b", DType::kFloat32, std::move(b));
    graph.MarkOutput("y", graph.AddNode("MatMul", "node", {x, y}));
    return OutputShape(Bound(graph));
  };
  CHECK(product({5, 3}, {3}) == Ints{5});
  CHECK(product({3}, {3, 7}) == Ints{7});
  CHECK(product({3}, {3}).empty());
}

TEST_CASE("axes of reductions come from an operand or an attribute", "[bind]") {
  const Graph by_operand = Bound(Single("ReduceSum", {{"axes", {-1, 1}}}));
  CHECK(Listing(by_operand) == "node = ReduceSum(x) {axes = [1, 3], keepdims = 1}\noutput y = node\n");
  CHECK(Listing(Bound(Single("ReduceSum", {}, {{"axes", Ints{3, 1}}, {"keepdims", int64_t{0}}}))) ==
        "node = ReduceSum(x) {axes = [1, 3], keepdims = 0}\noutput y = node\n");
  CHECK(OutputShape(Bound(Single("ReduceSum", {}))) == Ints{1, 1, 1, 1});
  CHECK(Listing(Bound(Single("ReduceSum", {}, {{"noop_with_empty_axes", int64_t{1}}}))) ==
        "output y = x\n");
  CHECK(absl::StrContains(Refusal(Single("ReduceSum", {{"axes", {4}}})), "4"));
}

TEST_CASE("a leaf of too many elements is refused by name, an empty one too", "[bind]") {
  constexpr int64_t kHuge = int64_t{1} << 62;
  const auto refused = [](kernels::Shape shape) {
    Graph graph;
    const ValueId x = graph.AddInput("image", DType::kFloat32, std::move(shape));
    graph.MarkOutput("y", graph.AddNode("Relu", "node", {x}));
    return Refusal(graph);
  };
  CHECK(absl::StartsWith(refused({kBatch, kHuge, kHuge}), "value 'image': "));
  CHECK(absl::EndsWith(refused({kBatch, kHuge, kHuge}), "has too many elements"));
  CHECK(absl::EndsWith(refused({0, kHuge, kHuge}), "has too many elements"));
  CHECK(absl::EndsWith(refused({kHuge, kHuge, 0}), "has too many elements"));
}

TEST_CASE("a transposed convolution over an endless axis is refused before its size overflows",
          "[bind]") {
  const auto refused = [](int64_t size, kernels::Attributes attributes) {
    Graph graph;
    const ValueId x = graph.AddInput("x", DType::kFloat32, {1, 1, size});
    const ValueId w = graph.AddParameter("w", {1, 1, 3}, {});
    graph.MarkOutput("y", graph.AddNode("ConvTranspose", "node", {x, w}, std::move(attributes)));
    return Refusal(graph);
  };
  const Ints stride = {int64_t{1} << 31};
  CHECK(absl::EndsWith(refused(int64_t{1} << 40, {{"strides", stride}}),
                       "X has 1099511627776 elements along an axis"));
  CHECK(absl::EndsWith(refused(4, {{"output_shape", Ints{INT64_MIN}}}),
                       "attribute output_shape holds -9223372036854775808"));
}

TEST_CASE("attributes beyond 32 bits are refused before anybody multiplies them", "[bind]") {
  CHECK(absl::StrContains(
      Refusal(Single("Flatten", {}, {{"axis", int64_t{1} << 40}})),
      "attribute axis holds 1099511627776, which is beyond 32 bits"));
}

}  // namespace
}  // namespace rm::graph
