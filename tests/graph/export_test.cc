// What a trained model computes survives the way out to an ONNX file and back in, to the last bit.
#include "runtime/model/export.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"
#include "base/temporary_folder.h"
#include "kernels/kernels.h"
#include "runtime/graph/bind.h"
#include "runtime/graph/own_weights.h"
#include "runtime/graph/prepare.h"
#include "runtime/graph/program.h"
#include "runtime/graph/training.h"
#include "runtime/model/model.h"
#include "runtime/onnx/import.h"
#include "runtime/onnx/model_file.h"
#include "runtime/onnx/testing.h"
#include "runtime/zoo/zoo.h"

namespace rm::model {
namespace {

using graph::Graph;
using graph::Value;
using graph::ValueKind;
using onnx::ModelBuilder;
using ringmaster::onnx::ModelProto;
using ringmaster::onnx::TensorProto;
using ringmaster::v1::ModelSpec;

bool IsWeight(const Value& value) {
  return value.kind == ValueKind::kParameter || value.kind == ValueKind::kBuffer;
}

// The graph with other values in every parameter and buffer, as training leaves them. What is added is positive, so that a running
// variance stays one.
Graph Trained(Graph graph) {
  for (size_t i = 0; i < graph.values().size(); ++i) {
    Value& value = graph.mutable_value(static_cast<graph::ValueId>(i));
    if (!IsWeight(value)) continue;
    std::vector<float> values(static_cast<size_t>(kernels::ElementCount(value.shape)));
    graph::InitializeParameter(value, 7, absl::MakeSpan(values));
    base::RandomStream noise(11, i);
    for (float& x : values) x += 0.1F * noise.NextUniform();
    value.initializer = graph::Initializer::Of(std::move(values));
  }
  return graph;
}

onnx::Weights WeightsOf(const Graph& graph) {
  onnx::Weights weights;
  for (const Value& value : graph.values()) {
    if (IsWeight(value)) weights[value.name] = *value.initializer.values;
  }
  return weights;
}

// Whole numbers stay small: they are places in a table.
void FillInput(const Value& input, graph::Program* program) {
  const auto type = program->InputType(input.name);
  REQUIRE(type.status() == absl::OkStatus());
  void* const memory = program->InputMemory(input.name).value();
  base::RandomStream random(5, base::StableHash(input.name));
  for (int64_t i = 0; i < type->elements(); ++i) {
    if (type->dtype == kernels::DType::kInt64) {
      static_cast<int64_t*>(memory)[i] = static_cast<int64_t>(random.NextBelow(5));
    } else {
      static_cast<float*>(memory)[i] = random.NextNormal();
    }
  }
}

// What the model in use says of a batch, with the values that the graph itself holds.
std::vector<float> Logits(const Graph& model, int64_t batch) {
  auto bound = graph::BindBatch(model, batch);
  REQUIRE(bound.status() == absl::OkStatus());
  REQUIRE(graph::SwitchDropout(/*training=*/false, &*bound) == absl::OkStatus());
  graph::CompileOptions options;
  options.batch = batch;
  options.kernels = kernels::CpuKernels();
  options.training = false;
  const auto program = graph::Program::Compile(*bound, options);
  REQUIRE(program.status() == absl::OkStatus());
  const auto weights = graph::OwnWeights::Bind(*bound, 0, program->get());
  REQUIRE(weights.status() == absl::OkStatus());
  for (const graph::ValueId id : bound->inputs()) FillInput(bound->value(id), program->get());
  REQUIRE((*program)->Forward() == absl::OkStatus());
  const auto type = (*program)->OutputType(graph::kModelOutput);
  const auto* output = static_cast<const float*>((*program)->OutputMemory(graph::kModelOutput).value());
  return {output, output + type->elements()};
}

Graph Reimported(const ModelProto& model) {
  auto imported = onnx::ImportModel(model, onnx::ExternalFiles());
  REQUIRE(imported.status() == absl::OkStatus());
  return std::move(imported->graph);
}

// The exported model, once it has been seen to compute what the engine does, for more than one batch size.
ModelProto ExportAndCompare(const ModelSpec& spec) {
  const auto model = BuildGraph(spec);
  REQUIRE(model.status() == absl::OkStatus());
  const Graph trained = Trained(*model);
  auto exported = ToOnnx(spec, base::PosixFileSystem(), WeightsOf(trained));
  REQUIRE(exported.status() == absl::OkStatus());
  for (const int64_t batch : {1, 3}) {
    const std::vector<float> expected = Logits(trained, batch);
    CHECK(Logits(Reimported(*exported), batch) == expected);
    CHECK(Logits(*model, batch) != expected);  // it is the trained values that went out
  }
  return *std::move(exported);
}

ModelSpec Zoo(const std::string& name) {
  // Small forms of the large ones: what they consist of is the same.
  static const std::map<std::string, std::map<std::string, double>> kParams = {
      {"convnet", {{"dropout", 0.25}}},
      {"resnet18", {{"height", 8}, {"width", 8}}},
      {"gpt", {{"layers", 2}, {"width", 32}, {"heads", 2}, {"context", 8}, {"vocabulary", 11}}}};
  ModelSpec spec;
  spec.set_zoo(name);
  const auto params = kParams.find(name);
  if (params == kParams.end()) return spec;
  for (const auto& [key, value] : params->second) (*spec.mutable_params())[key] = value;
  return spec;
}

// A model file in a folder of its own.
class File {
 public:
  explicit File(const ModelProto& model) : path_(folder_.File("model.onnx")) {
    REQUIRE(onnx::WriteModel(model, path_, base::PosixFileSystem()) == absl::OkStatus());
  }
  ModelSpec spec() const {
    ModelSpec spec;
    spec.set_onnx(path_);
    return spec;
  }
  const base::TemporaryFolder& folder() const { return folder_; }

 private:
  base::TemporaryFolder folder_;
  std::string path_;
};

std::map<std::string, const TensorProto*> InitializersOf(const ModelProto& model) {
  std::map<std::string, const TensorProto*> tensors;
  for (const TensorProto& tensor : model.graph().initializer()) tensors[tensor.name()] = &tensor;
  return tensors;
}

TEST_CASE("every model of the zoo computes the same from its exported file", "[export]") {
  for (const std::string& name : zoo::ModelNames()) {
    CAPTURE(name);
    const ModelProto exported = ExportAndCompare(Zoo(name));
    CHECK(exported.graph().input(0).type().tensor_type().shape().dim(0).dim_param() == "batch");
  }
}

TEST_CASE("frozen parameters go out with the others", "[export]") {
  ModelSpec spec = Zoo("mlp");
  spec.add_freeze("fc1.*");
  const ModelProto exported = ExportAndCompare(spec);
  CHECK(InitializersOf(exported).count("fc1.weight") == 1);
}

// An image model as PyTorch exports it, with a normalisation that still says it is in training.
ModelBuilder Convolutional() {
  ModelBuilder model;
  model.Input("x", {"batch", "2", "6", "6"})
      .Weight("conv.weight", {3, 2, 3, 3}, 0.1F)
      .Weights("norm.weight", {3}, {1, 2, 3})
      .Weights("norm.bias", {3}, {0, 1, 0})
      .Weights("norm.running_mean", {3}, {0.1F, 0.2F, 0.3F})
      .Weights("norm.running_var", {3}, {1, 2, 3})
      .Weight("fc.weight", {4, 3}, 0.2F)
      .Weight("fc.bias", {4}, 0);
  model.Node("Conv", {"x", "conv.weight"}, {"c"});
  model.Node("BatchNormalization",
             {"c", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"},
             {"n", "moved_mean", "moved_var"})
      .Int("training_mode", 1);
  model.Node("Relu", {"n"}, {"r"}).Node("GlobalAveragePool", {"r"}, {"p"});
  model.Node("Flatten", {"p"}, {"f"});
  model.Node("Gemm", {"f", "fc.weight", "fc.bias"}, {"logits"}).Int("transB", 1).Output("logits");
  return model;
}

TEST_CASE("running statistics of a normalisation go back into the file's graph", "[export]") {
  const File file(Convolutional().proto());
  const ModelProto exported = ExportAndCompare(file.spec());
  CHECK(exported.graph().node_size() == 6);
  CHECK(exported.graph().node(1).op_type() == "BatchNormalization");
}

TEST_CASE("tied weights stay tied, aliases become their own", "[export]") {
  ModelBuilder model;
  model.Input("tokens", {"batch", "4"}, TensorProto::INT64)
      .Weights("table", {5, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
      .Weights("scale", {2}, {1, 2});
  model.Node("Identity", {"scale"}, {"scale.copy"})
      .Node("Gather", {"table", "tokens"}, {"embedded"})
      .Node("Mul", {"embedded", "scale"}, {"scaled"})
      .Node("Add", {"scaled", "scale.copy"}, {"shifted"})
      .Node("Transpose", {"table"}, {"output_table"})
      .Node("MatMul", {"shifted", "output_table"}, {"logits"})
      .Output("logits");
  const File file(model.proto());
  const ModelProto exported = ExportAndCompare(file.spec());
  const auto tensors = InitializersOf(exported);
  CHECK(tensors.size() == 3);
  CHECK(tensors.count("table") == 1);
  // They had one value in the file and were trained apart.
  CHECK(tensors.at("scale")->raw_data() != tensors.at("scale.copy")->raw_data());
}

TEST_CASE("weights in a file beside the model are taken in", "[export]") {
  ModelBuilder model = Convolutional();
  auto* tensor = model.mutable_proto().mutable_graph()->mutable_initializer(0);
  const std::vector<float> values(static_cast<size_t>(3 * 2 * 3 * 3), 0.25F);
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  tensor->clear_float_data();
  tensor->set_data_location(TensorProto::EXTERNAL);
  auto* entry = tensor->add_external_data();
  entry->set_key("location");
  entry->set_value("weights.bin");
  const File file(model.proto());
  REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), file.folder().File("weights.bin"), bytes) ==
          absl::OkStatus());
  const ModelProto exported = ExportAndCompare(file.spec());
  for (const TensorProto& each : exported.graph().initializer()) {
    CHECK(each.data_location() != TensorProto::EXTERNAL);
    CHECK(each.external_data_size() == 0);
  }
}

TEST_CASE("weights of another model are refused by name", "[export]") {
  const std::vector<float> ten(10, 1);
  const auto graph = BuildGraph(Zoo("mlp"));
  REQUIRE(graph.status() == absl::OkStatus());
  const Graph trained = Trained(*graph);
  onnx::Weights weights = WeightsOf(trained);
  weights.erase("fc2.bias");
  weights["fc1.bias"] = ten;
  weights["head.bias"] = ten;
  CHECK(ToOnnx(Zoo("mlp"), base::PosixFileSystem(), weights).status().message() ==
        "the weights do not fit the model: 'fc1.bias' has 10 elements, the model's 512; 'fc2.bias' is "
        "missing; 'head.bias' is not of the model");
}

}  // namespace
}  // namespace rm::model
