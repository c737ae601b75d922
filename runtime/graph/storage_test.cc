#include "runtime/graph/storage.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "runtime/graph/gradient_order.h"
#include "runtime/graph/graph_testing.h"
#include "runtime/graph/kernel_choice.h"
#include "runtime/graph/kernel_testing.h"
#include "runtime/graph/random_model_testing.h"

namespace rm::graph {
namespace {

using kernels::DType;
using Kind = StorageGroup::Kind;

// The storage of a graph with plain kernels, looked up by names.
class Assigned {
 public:
  explicit Assigned(const Graph& graph, bool reuse = true)
      : table_(PlainTable()), typed_(Typed(graph)) {
    const auto entries = ChooseKernels(table_, {}, true, &typed_);
    REQUIRE(entries.status() == absl::OkStatus());
    storage_ = AssignStorage(typed_, *entries, reuse);
  }

  bool Same(const char* a, const char* b) const { return Index(a) == Index(b); }
  const StorageGroup& Group(const char* name) const {
    return storage_.groups[static_cast<size_t>(Index(name))];
  }
  // Indices of nodes by name.
  int Step(const char* name) const {
    const std::vector<Node>& nodes = typed_.graph.nodes();
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i].name == name) return static_cast<int>(i);
    }
    return -1;
  }
  int End() const { return static_cast<int>(typed_.graph.nodes().size()); }
  bool IsView(const char* name) const { return storage_.is_view[static_cast<size_t>(Step(name))]; }
  const Storage& storage() const { return storage_; }
  const TypedGraph& typed() const { return typed_; }

 private:
  int Index(const char* name) const {
    const ValueId id = typed_.graph.FindValue(name);
    REQUIRE(id != kNoValue);
    return storage_.group_of[static_cast<size_t>(id)];
  }

  std::vector<kernels::KernelEntry> table_;
  TypedGraph typed_;
  Storage storage_;
};

TEST_CASE("values live from their writer to their last reader", "[storage]") {
  const Assigned a(ForTraining(TwoLayers()));
  CHECK(a.Group("loss_sum/dlogits").first == a.Step("loss_sum/dlogits"));
  CHECK(a.Group("loss_sum/dlogits").last == a.Step("fc2/dA"));
  // The result of Relu is read by the backward pass.
  CHECK(a.Group("relu").last == a.Step("relu/dX"));
  CHECK(a.Group("loss_sum:1").last == a.Step("loss_sum/dlogits"));
}

TEST_CASE("what callers write or read lives through the whole program", "[storage]") {
  const Assigned a(ForTraining(TwoLayers()));
  for (const char* name : {"x", "labels", "weights", "scale"}) {
    INFO(name);
    CHECK(a.Group(name).kind == Kind::kArena);
    CHECK(a.Group(name).first == 0);
    CHECK(a.Group(name).last == a.End());
  }
  for (const char* name : {"fc2", "loss_sum", "correct"}) {
    INFO(name);
    CHECK(a.Group(name).last == a.End());
  }
}

TEST_CASE("parameters and their gradients are the caller's memory", "[storage]") {
  const Assigned a(ForTraining(TwoLayers()));
  const char* parameters[] = {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"};
  const char* gradients[] = {"fc1/dB", "fc1/dC", "fc2/dB", "fc2/dC"};
  for (int i = 0; i < 4; ++i) {
    INFO(parameters[i]);
    CHECK(a.Group(parameters[i]).kind == Kind::kParameter);
    CHECK(a.Group(parameters[i]).index == i);
    CHECK(a.Group(gradients[i]).kind == Kind::kGradient);
    CHECK(a.Group(gradients[i]).index == i);
  }
}

TEST_CASE("a kernel works in place when nobody reads its operand afterwards", "[storage]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  const ValueId a = graph.AddNode("Gemm", "a", {x, graph.AddParameter("w", {4, 4}, {})});
  const ValueId b = graph.AddNode("Relu", "b", {a});
  const ValueId c = graph.AddNode("Relu", "c", {b});
  const ValueId d = graph.AddNode("Add", "d", {c, b});
  graph.MarkOutput("output", graph.AddNode("Relu", "e", {d}));
  const Assigned assigned(graph);
  CHECK(assigned.Same("a", "b"));        // only b reads a
  CHECK_FALSE(assigned.Same("b", "c"));  // d reads b as well
  CHECK(assigned.Same("c", "d"));
  CHECK(assigned.Same("d", "e"));
  CHECK(assigned.Group("e").last == assigned.End());
  CHECK(assigned.Group("a").last == assigned.Step("d"));
}

TEST_CASE("no kernel works in place of inputs, parameters, outputs or both its operands",
          "[storage]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {2, 4});
  const ValueId w = graph.AddParameter("w", {2, 4}, {});
  const ValueId of_input = graph.AddNode("Relu", "of_input", {x});
  const ValueId of_parameter = graph.AddNode("Relu", "of_parameter", {w});
  graph.MarkOutput("kept", of_input);
  const ValueId of_output = graph.AddNode("Relu", "of_output", {of_input});
  const ValueId twice = graph.AddNode("Add", "twice", {of_output, of_output});
  graph.MarkOutput("output",
                   graph.AddNode("Gemm", "y", {twice, of_parameter}, {{"transB", int64_t{1}}}));
  const Assigned assigned(graph);
  CHECK_FALSE(assigned.Same("x", "of_input"));
  CHECK_FALSE(assigned.Same("w", "of_parameter"));
  CHECK_FALSE(assigned.Same("of_input", "of_output"));
  CHECK_FALSE(assigned.Same("of_output", "twice"));  // operand 1 would overlap with the output
}

TEST_CASE("an operand that shares memory with another operand is not written over", "[storage]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {2, 4});
  const ValueId a = graph.AddNode("Gemm", "a", {x, graph.AddParameter("w", {4, 4}, {})});
  const ValueId view = graph.AddNode("Reshape", "view", {a}, {{"shape", Ints{4, 2}}});
  const ValueId back = graph.AddNode("Reshape", "back", {view}, {{"shape", Ints{2, 4}}});
  graph.MarkOutput("output", graph.AddNode("Add", "sum", {a, back}));
  const Assigned assigned(graph);
  CHECK(assigned.Same("a", "back"));
  CHECK_FALSE(assigned.Same("a", "sum"));
}

TEST_CASE("views share memory without a kernel, and hold it as long as one is read", "[storage]") {
  const Assigned a(ForTraining(SmallConvnet()));
  CHECK(a.IsView("flatten"));
  CHECK(a.Same("pool", "flatten"));
  CHECK(a.Group("pool").last == a.Step("fc/dB"));
  CHECK(a.IsView("flatten/dX"));
  CHECK(a.Same("fc/dA", "flatten/dX"));
  CHECK_FALSE(a.IsView("fc"));
}

TEST_CASE("a gradient behind a view is written where it belongs", "[storage]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  const ValueId w = graph.AddParameter("w", {12}, {});
  const ValueId matrix = graph.AddNode("Reshape", "matrix", {w}, {{"shape", Ints{4, 3}}});
  graph.MarkOutput(kModelOutput, graph.AddNode("Gemm", "y", {x, matrix}));
  const Assigned a(ForTraining(graph));
  CHECK(a.Same("matrix", "w"));
  CHECK(a.Group("matrix").kind == Kind::kParameter);
  CHECK(a.Same("y/dB", "matrix/dX"));
  CHECK(a.Group("y/dB").kind == Kind::kGradient);
  CHECK(a.IsView("matrix/dX"));
}

TEST_CASE("a sum of gradients works in the caller's memory in the backward pass alone",
          "[storage]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 3});
  const ValueId w = graph.AddParameter("w", {3, 3}, {});
  const ValueId once = graph.AddNode("Gemm", "once", {x, w});
  graph.MarkOutput(kModelOutput, graph.AddNode("Gemm", "again", {once, w}));
  const Assigned a(ForTraining(graph));
  CHECK(a.Same("again/dB", "w/sum"));
  CHECK(a.Group("w/sum").kind == Kind::kGradient);
  CHECK(a.Group("w/sum").first == a.Step("again/dB"));

  // A value of the forward pass must not lie there: the caller still reads its gradient of the
  // step before.
  Graph forward;
  const ValueId z = forward.AddInput("z", DType::kFloat32, {2});
  const ValueId p = forward.AddParameter("p", {2}, {});
  const ValueId y = forward.AddNode("Add", "y", {z, p});
  forward.SetGradient(p, forward.AddBackwardNode("Relu", "d", {y}, {p})[0]);
  CHECK_FALSE(Assigned(forward).Same("y", "d"));
}

TEST_CASE("a copy that gives a gradient memory of its own is made while the source is read",
          "[storage]") {
  // Both copies of the same value: the first is a copy, the last may have the memory itself.
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {2, 4});
  const ValueId c = graph.AddParameter("c", {2, 4}, {});
  const ValueId e = graph.AddParameter("e", {2, 4}, {});
  const ValueId d = graph.AddBackwardNode("Relu", "d", {x}, {c})[0];
  graph.SetGradient(c, graph.AddBackwardNode("Reshape", "dc", {d}, {c})[0]);
  graph.SetGradient(e, graph.AddBackwardNode("Reshape", "de", {d}, {e})[0]);
  const Assigned a(graph);
  CHECK_FALSE(a.IsView("dc"));
  CHECK(a.IsView("de"));
  CHECK(a.Same("d", "de"));
  CHECK(a.Group("dc").kind == Kind::kGradient);
}

TEST_CASE("without reuse every computed value is apart", "[storage]") {
  const Assigned a(ForTraining(SmallConvnet()), false);
  std::vector<int> used(a.storage().groups.size(), 0);
  for (int group : a.storage().group_of) {
    if (group >= 0) ++used[static_cast<size_t>(group)];
  }
  for (int count : used) CHECK(count == 1);
  CHECK_FALSE(a.IsView("flatten"));
}

// Executes a graph on memory that holds, instead of numbers, the names of the values that lie in
// it.
class MemoryModel {
 public:
  MemoryModel(const TypedGraph& typed, const Storage& storage)
      : graph_(typed.graph), storage_(storage), holds_(storage.groups.size()) {
    for (size_t i = 0; i < graph_.values().size(); ++i) {
      const ValueId id = static_cast<ValueId>(i);
      if (graph_.value(id).kind != ValueKind::kNode) holds_[GroupOf(id)] = {id};
    }
    for (ValueId parameter : graph_.parameters()) {
      const auto it = graph_.gradients().find(parameter);
      if (it != graph_.gradients().end()) gradients_.insert(it->second);
    }
  }

  // Counts what must not be: reads of memory that holds something else by then, reads and writes
  // outside a group's lifetime or of a gradient that is final, values that are lost at the end.
  int Violations() {
    for (size_t i = 0; i < graph_.nodes().size(); ++i) RunNode(static_cast<int>(i));
    for (const auto& [name, output] : graph_.outputs()) Expect(Holds(output));
    for (ValueId gradient : gradients_) Expect(Holds(gradient));
    for (ValueId input : graph_.inputs()) Expect(Holds(input));
    for (ValueId parameter : graph_.parameters()) Expect(Holds(parameter));
    return violations_;
  }

 private:
  size_t GroupOf(ValueId id) const {
    return static_cast<size_t>(storage_.group_of[static_cast<size_t>(id)]);
  }
  bool Holds(ValueId id) const { return holds_[GroupOf(id)].count(id) > 0; }
  void Expect(bool holds) { violations_ += holds ? 0 : 1; }

  // The group is the program's to use at this step.
  void Touch(ValueId id, int step) {
    const StorageGroup& group = storage_.groups[GroupOf(id)];
    Expect(group.first <= step && step <= group.last);
    Expect(final_.count(GroupOf(id)) == 0);
  }

  void RunNode(int step) {
    const Node& node = graph_.nodes()[static_cast<size_t>(step)];
    for (ValueId input : node.inputs) {
      if (input == kNoValue) continue;
      Expect(Holds(input));
      Touch(input, step);
    }
    const bool is_view = storage_.is_view[static_cast<size_t>(step)];
    for (ValueId output : node.outputs) {
      if (output == kNoValue) continue;
      Touch(output, step);
      if (is_view) Expect(GroupOf(output) == GroupOf(node.inputs[0]));
      if (!is_view) holds_[GroupOf(output)].clear();
      holds_[GroupOf(output)].insert(output);
      if (gradients_.count(output) > 0) final_.insert(GroupOf(output));
    }
  }

  const Graph& graph_;
  const Storage& storage_;
  std::vector<std::set<ValueId>> holds_;  // by group
  std::set<ValueId> gradients_;
  std::set<size_t> final_;  // groups that belong to the caller again
  int violations_ = 0;
};

// The graph as Program::Compile prepares it, without fusion, of which fake kernels know nothing.
TypedGraph Prepared(const Graph& graph, const std::vector<kernels::KernelEntry>& table,
                    std::vector<const kernels::KernelEntry*>* entries) {
  TypedGraph typed = Typed(graph);
  IsolateGradients(&typed);
  OrderBackward(&typed.graph);
  auto chosen = ChooseKernels(table, {}, true, &typed);
  REQUIRE(chosen.status() == absl::OkStatus());
  *entries = *std::move(chosen);
  return typed;
}

TEST_CASE("every read finds what was written, in generated graphs", "[storage]") {
  int in_place = 0, views = 0;
  for (const std::vector<kernels::KernelEntry>& table : {PlainTable(), BlockedTable()}) {
    for (uint64_t seed = 0; seed < 300; ++seed) {
      INFO("seed " << seed);
      std::vector<const kernels::KernelEntry*> entries;
      const TypedGraph typed = Prepared(RandomTrainingGraph(seed, seed % 2 == 0), table, &entries);
      const Storage shared = AssignStorage(typed, entries, true);
      CHECK(MemoryModel(typed, shared).Violations() == 0);
      const Storage apart = AssignStorage(typed, entries, false);
      CHECK(MemoryModel(typed, apart).Violations() == 0);
      in_place += static_cast<int>(apart.groups.size() - shared.groups.size());
      views += static_cast<int>(std::count(shared.is_view.begin(), shared.is_view.end(), true));
    }
  }
  // The generated graphs do have what is to be tested.
  CHECK(in_place > 1000);
  CHECK(views > 1000);
}

TEST_CASE("the model of memory sees a wrong assignment", "[storage]") {
  std::vector<const kernels::KernelEntry*> entries;
  const std::vector<kernels::KernelEntry> table = PlainTable();
  const TypedGraph typed = Prepared(ForTraining(SmallConvnet()), table, &entries);
  Storage storage = AssignStorage(typed, entries, true);
  SECTION("two values in one place") {
    storage.group_of[static_cast<size_t>(typed.graph.FindValue("relu1"))] =
        storage.group_of[static_cast<size_t>(typed.graph.FindValue("relu2"))];
  }
  SECTION("a lifetime that ends too early") {
    const int group = storage.group_of[static_cast<size_t>(typed.graph.FindValue("relu1"))];
    --storage.groups[static_cast<size_t>(group)].last;
  }
  CHECK(MemoryModel(typed, storage).Violations() > 0);
}

}  // namespace
}  // namespace rm::graph
