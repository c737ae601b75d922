#include "runtime/onnx/sort.h"

#include <catch2/catch.hpp>

#include "runtime/onnx/testing.h"

namespace rm::onnx {
namespace {

absl::StatusOr<std::vector<int>> Sorted(const ModelBuilder& model) {
  return SortNodes(model.proto().graph(), {"x"});
}

TEST_CASE("nodes that are in order stay there", "[onnx]") {
  ModelBuilder model;
  model.Node("Relu", {"x"}, {"a"}).Node("Relu", {"x"}, {"b"}).Node("Add", {"a", "b"}, {"c"});
  CHECK(*Sorted(model) == std::vector<int>{0, 1, 2});
}

TEST_CASE("nodes that are not are put in order", "[onnx]") {
  ModelBuilder model;
  model.Node("Add", {"a", "b"}, {"c"}).Node("Relu", {"a"}, {"b"}).Node("Relu", {"x"}, {"a"});
  CHECK(*Sorted(model) == std::vector<int>{2, 1, 0});
}

TEST_CASE("an absent operand waits for nobody, one read twice is waited for once", "[onnx]") {
  ModelBuilder model;
  model.Node("Clip", {"a", "", "a"}, {"b"}).Node("Relu", {"x"}, {"a"});
  CHECK(*Sorted(model) == std::vector<int>{1, 0});
}

TEST_CASE("circles are refused with their nodes", "[onnx]") {
  ModelBuilder model;
  model.Node("Relu", {"x"}, {"fine"}).Node("Add", {"x", "c"}, {"a"}).Node("Relu", {"a"}, {"c"});
  CHECK(Sorted(model).status().message() ==
        "the graph has a circle: 2 nodes wait for each other, among them 'a', 'c'");
  ModelBuilder self;
  self.Node("Relu", {"y"}, {"y"});
  CHECK_FALSE(Sorted(self).ok());
}

TEST_CASE("a value that nobody writes, or two do, is refused with the node", "[onnx]") {
  ModelBuilder missing;
  missing.Node("Relu", {"nothing"}, {"y"});
  CHECK(Sorted(missing).status().message() ==
        "node 'y' (Relu) reads 'nothing', which nothing in the file defines");
  ModelBuilder twice;
  twice.Node("Relu", {"x"}, {"y"}).Node("Tanh", {"x"}, {"y"});
  CHECK(Sorted(twice).status().message() == "node 'y' (Tanh) writes 'y', which exists already");
  ModelBuilder input;
  input.Node("Relu", {"x"}, {"x"});
  CHECK_FALSE(Sorted(input).ok());
}

TEST_CASE("a node is called by its name, or by what it writes", "[onnx]") {
  ModelBuilder model;
  model.Node("Relu", {"x"}, {"", "y"});
  auto* node = model.mutable_proto().mutable_graph()->mutable_node(0);
  CHECK(NodeName(*node) == "y");
  node->set_name("relu_1");
  CHECK(NodeName(*node) == "relu_1");
}

}  // namespace
}  // namespace rm::onnx
