#include <catch2/catch.hpp>
#include <string>

#include "runtime/graph/graph_testing.h"
#include "runtime/graph/recognize.h"
#include "runtime/graph/recognize_rules.h"

namespace rm::graph {
namespace {

using kernels::DType;

// x (2, 6) in parts; what is done with them is added up.
class Parts {
 public:
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {2, 6});

  ValueId Slice(const char* name, int64_t axis, int64_t begin, int64_t end, int64_t step = 1) {
    return graph.AddNode("Slice", name, {x},
                         {{"axes", Ints{axis}},
                          {"starts", Ints{begin}},
                          {"ends", Ints{end}},
                          {"steps", Ints{step}}});
  }
  ValueId Row(const char* name, int64_t index) {
    const ValueId place = graph.AddIntegerConstant(graph.FreeNodeName("place", 1), DType::kInt64,
                                                   {}, {index});
    return graph.AddNode("Gather", name, {x, place}, {{"axis", int64_t{0}}});
  }
  // The nodes that recognition leaves, but for the Concat of all parts.
  std::string Left(std::vector<ValueId> parts, int64_t axis) {
    graph.MarkOutput("output",
                     graph.AddNode("Concat", "all", std::move(parts), {{"axis", axis}}));
    REQUIRE(Recognize(&graph) == absl::OkStatus());
    const std::string nodes = Nodes(graph);
    return nodes.substr(0, nodes.find("all = "));
  }
};

TEST_CASE("slices that tile an axis are one split", "[recognize]") {
  Parts p;
  const ValueId a = p.Slice("a", 1, 0, 1);
  const ValueId b = p.Slice("b", 1, 1, 4);
  const ValueId c = p.Slice("c", 1, 4, 6);
  CHECK(p.Left({a, b, c}, 1) ==
        "a/split, a/split:1, a/split:2 = Split(x) {axis = 1, split = [1, 3, 2]}\n"
        "a = Reshape(a/split) {shape = [2, 1]}\n"
        "b = Reshape(a/split:1) {shape = [2, 3]}\n"
        "c = Reshape(a/split:2) {shape = [2, 2]}\n");
}

TEST_CASE("the order in which they are taken is any", "[recognize]") {
  Parts p;
  const ValueId b = p.Slice("b", 1, 3, 6);
  const ValueId a = p.Slice("a", 1, 0, 3);
  CHECK(p.Left({a, b}, 1) ==
        "b/split, b/split:1 = Split(x) {axis = 1, split = [3, 3]}\n"
        "b = Reshape(b/split:1) {shape = [2, 3]}\n"
        "a = Reshape(b/split) {shape = [2, 3]}\n");
}

TEST_CASE("rows that are gathered one by one lose their axis", "[recognize]") {
  Parts p;
  const ValueId a = p.Row("a", 0);
  const ValueId b = p.Row("b", -1);
  CHECK(p.Left({a, b}, 0) ==
        "a/split, a/split:1 = Split(x) {axis = 0, split = [1, 1]}\n"
        "a = Reshape(a/split) {shape = [6]}\n"
        "b = Reshape(a/split:1) {shape = [6]}\n");
}

TEST_CASE("the gradient of the parts is one Concat", "[recognize]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {2, 4});
  const ValueId y = Linear("fc", x, 4, 6, &graph);
  std::vector<ValueId> parts;
  for (const int64_t begin : {0, 3}) {
    parts.push_back(graph.AddNode("Slice", absl::StrCat("s", begin), {y},
                                  {{"axes", Ints{1}},
                                   {"starts", Ints{begin}},
                                   {"ends", Ints{begin + 3}},
                                   {"steps", Ints{1}}}));
  }
  graph.MarkOutput(kModelOutput, graph.AddNode("Mul", "product", parts));
  REQUIRE(Recognize(&graph) == absl::OkStatus());
  const std::string nodes = BackwardNodes(ForTraining(graph));
  CHECK(nodes.find("SliceGrad") == std::string::npos);
  CHECK(nodes.find("= Concat(") != std::string::npos);
}

TEST_CASE("parts that leave a gap, overlap or skip stay", "[recognize]") {
  Parts p;
  std::vector<ValueId> parts;
  SECTION("a gap") { parts = {p.Slice("a", 1, 0, 2), p.Slice("b", 1, 3, 6)}; }
  SECTION("an overlap") { parts = {p.Slice("a", 1, 0, 4), p.Slice("b", 1, 3, 6)}; }
  SECTION("an end that is missing") { parts = {p.Slice("a", 1, 0, 2), p.Slice("b", 1, 2, 5)}; }
  SECTION("the same part twice") { parts = {p.Slice("a", 1, 0, 3), p.Slice("b", 1, 0, 3)}; }
  SECTION("every second one") {
    parts = {p.Slice("a", 1, 0, 6, 2), p.Slice("b", 1, 1, 6, 2)};
  }
  SECTION("one part that is all") { parts = {p.Slice("a", 1, 0, 6), p.x}; }
  CHECK(p.Left(parts, 1).find("Split") == std::string::npos);
}

}  // namespace
}  // namespace rm::graph
