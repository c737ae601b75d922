#include "runtime/onnx/roles.h"

#include <catch2/catch.hpp>
#include <limits>

#include "runtime/onnx/sort.h"
#include "runtime/onnx/testing.h"

namespace rm::onnx {
namespace {

// The graph's initializers and inputs, which no node writes.
std::vector<int> OrderOf(const ringmaster::onnx::GraphProto& graph) {
  std::set<std::string> known;
  for (const auto& initializer : graph.initializer()) known.insert(initializer.name());
  for (const auto& input : graph.input()) known.insert(input.name());
  const auto order = SortNodes(graph, known);
  REQUIRE(order.status() == absl::OkStatus());
  return *order;
}

// The role of initializer `name`, by its own content.
Role RoleIn(const ModelBuilder& model, const std::string& name) {
  const auto& graph = model.proto().graph();
  const Readers readers(graph, OrderOf(graph));
  for (const auto& initializer : graph.initializer()) {
    if (initializer.name() == name) return readers.RoleOf(name, *ReadTensor(initializer, {}));
  }
  FAIL("no initializer " << name);
  return Role::kConstant;
}

// x times an initializer of this name.
Role RoleOfFactor(const std::string& name, const std::vector<int64_t>& shape,
                  const std::vector<float>& values) {
  ModelBuilder model;
  model.Input("x", {"batch", "4"}).Weights(name, shape, values);
  return RoleIn(model.Node("Mul", {"x", name}, {"y"}).Output("y"), name);
}

TEST_CASE("weights are parameters, whatever uses them", "[onnx]") {
  CHECK(RoleIn(LinearModel(), "fc.weight") == Role::kParameter);
  CHECK(RoleIn(LinearModel(), "fc.bias") == Role::kParameter);
  CHECK(RoleOfFactor("layer_scale", {4}, {1, 2, 3, 4}) == Role::kParameter);
  CHECK(RoleOfFactor("mask_token", {1, 1, 4}, {1, 2, 3, 4}) == Role::kParameter);
}

TEST_CASE("a norm's scale and bias are parameters, its statistics buffers", "[onnx]") {
  ModelBuilder model;
  model.Input("x", {"batch", "2", "3", "3"});
  for (const char* name : {"scale", "bias", "mean", "var"}) model.Weight(name, {2}, 1);
  model.Node("BatchNormalization", {"x", "scale", "bias", "mean", "var"}, {"y"}).Output("y");
  CHECK(RoleIn(model, "scale") == Role::kParameter);
  CHECK(RoleIn(model, "bias") == Role::kParameter);
  CHECK(RoleIn(model, "mean") == Role::kBuffer);
  CHECK(RoleIn(model, "var") == Role::kBuffer);
}

TEST_CASE("what carries no gradient to an output is a constant", "[onnx]") {
  ModelBuilder model;
  model.Input("x", {"batch", "4"}).Weights("limit", {4}, {1, 2, 3, 4}).Weight("low", {}, 0);
  model.Weights("unread", {4}, {1, 2, 3, 4}).Integers("indices", {0, 1});
  model.Node("Clip", {"x", "low"}, {"clipped"})
      .Node("Less", {"clipped", "limit"}, {"flags"})
      .Node("Gather", {"clipped", "indices"}, {"picked"})
      .Output("flags")
      .Output("picked");
  for (const char* name : {"limit", "low", "unread", "indices"}) {
    CAPTURE(name);
    CHECK(RoleIn(model, name) == Role::kConstant);
  }
}

TEST_CASE("masks and rotary tables are constants", "[onnx]") {
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(RoleOfFactor("layers.0.attn.mask", {2, 2}, {1, 2, 3, 4}) == Role::kConstant);
  CHECK(RoleOfFactor("causal_mask", {4}, {1, 2, 3, 4}) == Role::kConstant);
  CHECK(RoleOfFactor("rotary.inv_freq", {4}, {1, 2, 3, 4}) == Role::kConstant);
  CHECK(RoleOfFactor("tril", {2, 2}, {1, 0, 1, 1}) == Role::kConstant);
  CHECK(RoleOfFactor("future", {2, 2}, {0, -1e9F, 0, 0}) == Role::kConstant);
  CHECK(RoleOfFactor("future", {4}, {0, -infinity, 0, 0}) == Role::kConstant);
  // Fresh weights look alike too, but not like a switch.
  CHECK(RoleOfFactor("w", {2, 2}, {0, 0, 0, 0}) == Role::kParameter);
  CHECK(RoleOfFactor("w", {2, 2}, {0, 0.5F, 0, 0.5F}) == Role::kParameter);
  CHECK(RoleOfFactor("w", {4}, {0, 1, 0, 1}) == Role::kParameter);
}

TEST_CASE("scalars are trained if they have a name of their own", "[onnx]") {
  CHECK(RoleOfFactor("logit_scale", {}, {2}) == Role::kParameter);
  CHECK(RoleOfFactor("val_12", {}, {2}) == Role::kConstant);
  CHECK(RoleOfFactor("onnx::Mul_41", {1}, {2}) == Role::kConstant);
  CHECK(RoleOfFactor("onnx::Mul_41", {2, 2}, {1, 2, 3, 4}) == Role::kParameter);
}

TEST_CASE("names that exporters make up are known", "[onnx]") {
  for (const char* name : {"val_3", "onnx::MatMul_17", "/encoder/Constant_output_0", "42",
                           "Constant_7", "const_1"}) {
    CAPTURE(name);
    CHECK(IsGeneratedName(name));
  }
  for (const char* name : {"fc.weight", "val_net.weight", "logit_scale", "t_embed", "h.0.bias"}) {
    CAPTURE(name);
    CHECK_FALSE(IsGeneratedName(name));
  }
}

TEST_CASE("aliases lead to their initializer, through chains", "[onnx]") {
  ModelBuilder model;
  model.Input("x", {"batch"}).Weight("a", {1}, 1);
  model.Node("Identity", {"a"}, {"b"}).Node("Identity", {"b"}, {"c"}).Node("Identity", {"x"}, {"d"});
  const auto& graph = model.proto().graph();
  CHECK(FindAliases(graph, OrderOf(graph)) ==
        std::map<std::string, std::string>{{"b", "a"}, {"c", "a"}});
}

TEST_CASE("exports that change what is trained are warned about", "[onnx]") {
  const auto warnings = [](const ModelBuilder& model, const std::vector<std::string>& names) {
    const auto& graph = model.proto().graph();
    return ExportWarnings(graph, Readers(graph, OrderOf(graph)), names);
  };
  CHECK(warnings(LinearModel(), {"fc.weight", "fc.bias"}).empty());

  ModelBuilder merged;
  merged.Input("x", {"batch", "2"}).Weight("norm.weight", {2}, 1);
  merged.Node("LayerNormalization", {"x", "norm.weight"}, {"a"})
      .Node("LayerNormalization", {"a", "norm.weight"}, {"b"})
      .Output("b");
  const auto about_merged = warnings(merged, {"norm.weight"});
  REQUIRE(about_merged.size() == 2);
  CHECK(about_merged[0] ==
        "parameter 'norm.weight' is shared by 2 normalisations: the export has merged equal values, "
        "and they will be trained as one");
  CHECK(about_merged[1].find("optimize=False") != std::string::npos);

  const auto nameless = warnings(LinearModel(), {"val_1", "fc.bias"});
  REQUIRE(nameless.size() == 2);
  CHECK(nameless[0] ==
        "1 of 2 parameters have no name of their own, such as 'val_1': the export has folded or "
        "renamed them");
  CHECK(warnings(LinearModel(), {"conv1.weight_bias"}).size() == 2);
}

// The signature that PyTorch's exporter leaves in a file.
void Sign(const std::string& lines, ModelBuilder* model) {
  auto* entry = model->mutable_proto().mutable_graph()->add_metadata_props();
  entry->set_key("pkg.torch.export.ExportedProgram.graph_signature");
  entry->set_value(lines);
}

TEST_CASE("a parameter of the signature is handed on by Identity, not copied", "[onnx]") {
  ModelBuilder model;
  model.Input("x", {"batch", "4"}).Weight("w", {4}, 1).Weight("v", {4}, 1);
  model.Node("Identity", {"w"}, {"clone"}).Node("Identity", {"v"}, {"copy"});
  model.Node("Mul", {"x", "clone"}, {"y"}).Node("Mul", {"y", "copy"}, {"z"}).Output("z");
  Sign("p: PARAMETER target='w'\n", &model);
  const auto& graph = model.proto().graph();
  CHECK(FindAliases(graph, OrderOf(graph)) == std::map<std::string, std::string>{{"copy", "v"}});
  CHECK(RoleIn(model, "w") == Role::kParameter);
}

TEST_CASE("a signature says what is trained, whatever a tensor looks like", "[onnx]") {
  const auto role = [](const std::string& name, const std::string& lines) {
    ModelBuilder model;
    model.Input("x", {"batch", "4"}).Weights(name, {4}, {1, 2, 3, 4});
    model.Node("Mul", {"x", name}, {"y"}).Output("y");
    Sign(lines, &model);
    return RoleIn(model, name);
  };
  CHECK(role("positions", "b: BUFFER target='positions' persistent=True\n") == Role::kConstant);
  CHECK(role("the_mask", "p: PARAMETER target='the_mask'\n") == Role::kParameter);
  // Everything trained is there: the table is something else.
  CHECK(role("table", "b: BUFFER target='other' persistent=False\n") == Role::kConstant);
  // A parameter is missing, and the tensor may be what became of it.
  CHECK(role("val_3", "p: PARAMETER target='weight'\n") == Role::kParameter);
}

TEST_CASE("a neutral scale without a name is none of the model's", "[onnx]") {
  const auto role = [](const std::string& name, const std::vector<float>& values) {
    ModelBuilder model;
    model.Input("x", {"batch", "2", "3"}).Weights(name, {2}, values).Weights("b", {2}, {1, 2});
    model.Node("InstanceNormalization", {"x", name, "b"}, {"y"}).Output("y");
    return RoleIn(model, name);
  };
  CHECK(role("val_9", {1, 1}) == Role::kConstant);
  CHECK(role("val_9", {1, 2}) == Role::kParameter);
  CHECK(role("norm.weight", {1, 1}) == Role::kParameter);
}

TEST_CASE("parameters that an export has lost are named", "[onnx]") {
  ModelBuilder model;
  model.Input("x", {"batch", "4"}).Weights("conv.bias", {4}, {1, 2, 3, 4});
  model.Node("Add", {"x", "conv.bias"}, {"y"}).Output("y");
  Sign("p: PARAMETER target='conv.bias'\nq: PARAMETER target='norm.weight'\n", &model);
  const auto warnings = [&model] {
    const auto& graph = model.proto().graph();
    return ExportWarnings(graph, Readers(graph, OrderOf(graph)), {"conv.bias"});
  };
  CHECK(warnings().empty());  // it may be tied
  model.mutable_proto().mutable_graph()->mutable_node(0)->add_metadata_props()->set_key(
      "pkg.onnxscript.rewriter.rule_name");
  REQUIRE(warnings().size() == 2);
  CHECK(warnings()[0] ==
        "1 of the model's 2 parameters are not in the file, such as 'norm.weight': the export has "
        "folded, merged or renamed them");
}

}  // namespace
}  // namespace rm::onnx
