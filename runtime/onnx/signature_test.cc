#include "runtime/onnx/signature.h"

#include <catch2/catch.hpp>

namespace rm::onnx {
namespace {

using ringmaster::onnx::GraphProto;

constexpr char kText[] =
    "\n# inputs\n"
    "p_a_weight: PARAMETER target='a.weight'\n"
    "p_b_weight: PARAMETER target='b.weight'\n"
    "b_mean: BUFFER target='mean' persistent=True\n"
    "c_table: CONSTANT_TENSOR target='lifted_tensor_0'\n"
    "x: USER_INPUT\n\n# outputs\nlinear: USER_OUTPUT\n";

// A graph with this signature and float initializers of these names.
GraphProto GraphOf(const std::string& text, const std::vector<std::string>& initializers) {
  GraphProto graph;
  auto* entry = graph.add_metadata_props();
  entry->set_key("pkg.torch.export.ExportedProgram.graph_signature");
  entry->set_value(text);
  for (const std::string& name : initializers) {
    auto* initializer = graph.add_initializer();
    initializer->set_name(name);
    initializer->set_data_type(ringmaster::onnx::TensorProto::FLOAT);
  }
  return graph;
}

TEST_CASE("parameters, buffers and other tensors are told apart", "[onnx]") {
  const Signature signature(GraphOf(kText, {"a.weight", "b.weight", "mean"}));
  CHECK(signature.known());
  CHECK(signature.IsParameter("a.weight"));
  CHECK(signature.IsConstant("mean"));
  CHECK(signature.IsConstant("lifted_tensor_0"));
  CHECK_FALSE(signature.IsParameter("mean"));
  CHECK_FALSE(signature.IsParameter("x"));
  CHECK(signature.parameters() == 2);
  CHECK(signature.missing().empty());
  CHECK_FALSE(signature.rewritten());
}

TEST_CASE("a parameter that the file lacks is missing", "[onnx]") {
  const Signature tied(GraphOf(kText, {"b.weight", "mean"}));
  CHECK(tied.missing() == std::vector<std::string>{"a.weight"});
  CHECK_FALSE(tied.rewritten());
}

TEST_CASE("initializers and nodes of an optimizer are seen", "[onnx]") {
  CHECK(Signature(GraphOf(kText, {"a.weight", "b.weight", "val_3"})).rewritten());
  GraphProto graph = GraphOf(kText, {"a.weight", "b.weight"});
  auto* entry = graph.add_node()->add_metadata_props();
  entry->set_key("namespace");
  CHECK_FALSE(Signature(graph).rewritten());
  entry->set_key("pkg.onnxscript.rewriter.rule_name");
  CHECK(Signature(graph).rewritten());
}

TEST_CASE("other files have no signature, and lines of another form say nothing", "[onnx]") {
  CHECK_FALSE(Signature(GraphProto()).known());
  CHECK_FALSE(Signature().known());
  CHECK_FALSE(Signature(GraphOf("", {"a"})).known());
  const Signature odd(GraphOf("p: PARAMETER target='\nq: PARAMETER target='q\nPARAMETER\n", {}));
  CHECK(odd.IsParameter("q"));
  CHECK(odd.parameters() == 1);
}

}  // namespace
}  // namespace rm::onnx
