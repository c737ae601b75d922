// trainctl graph: what a model is to the engine, before anybody trains it: its parameters, its nodes
// once a batch size is bound, the kernels that run them, the memory that a step takes.
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/status.h"
#include "base/units.h"
#include "kernels/kernels.h"
#include "runtime/graph/bind.h"
#include "runtime/graph/flops.h"
#include "runtime/graph/ops/infer_node.h"
#include "runtime/graph/prepare.h"
#include "runtime/graph/program.h"
#include "runtime/graph/training.h"
#include "runtime/graph/types.h"
#include "runtime/model/model.h"
#include "runtime/onnx/import.h"
#include "runtime/zoo/zoo.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"
#include "tools/trainctl/print.h"

namespace rm::trainctl {
namespace {

using base::Json;
using graph::Graph;
using graph::Value;
using graph::ValueId;
using graph::ValueKind;

// A model and what its file had to be said about.
struct Loaded {
  Graph graph;
  std::vector<std::string> warnings;
};

constexpr char kZoo[] = "zoo:";

// "zoo:NAME", or the path of an ONNX file. No coordinator is asked: this runs where the file is.
absl::StatusOr<Loaded> Load(const std::string& model) {
  Loaded loaded;
  if (absl::StartsWith(model, kZoo)) {
    RM_ASSIGN_OR_RETURN(loaded.graph, zoo::BuildModel(model.substr(sizeof(kZoo) - 1), {}));
    return loaded;
  }
  RM_ASSIGN_OR_RETURN(onnx::ImportedModel imported,
                      onnx::ImportModel(base::PosixFileSystem(), model));
  loaded.graph = std::move(imported.graph);
  loaded.warnings = std::move(imported.warnings);
  return loaded;
}

Json Dimensions(const kernels::Shape& shape) {
  Json::Array list;
  for (int64_t dimension : shape) list.push_back(dimension);
  return Json(std::move(list));
}

// Every value of one kind, with its type: [{"name", "dtype", "shape"}, …].
Json Leaves(const Graph& graph, ValueKind kind) {
  Json::Array list;
  for (const Value& value : graph.values()) {
    if (value.kind != kind) continue;
    Json leaf;
    leaf.Set("name", value.name).Set("dtype", kernels::DTypeName(value.dtype));
    leaf.Set("shape", Dimensions(value.shape));
    list.push_back(std::move(leaf));
  }
  return Json(std::move(list));
}

Json Outputs(const Graph& graph, const std::vector<kernels::TensorType>& types) {
  Json::Array list;
  for (const auto& [name, id] : graph.outputs()) {
    const kernels::TensorType& type = types[static_cast<size_t>(id)];
    Json output;
    output.Set("name", name).Set("dtype", kernels::DTypeName(type.dtype));
    output.Set("shape", Dimensions(type.shape));
    list.push_back(std::move(output));
  }
  return Json(std::move(list));
}

// What people call the size of a model. Buffers are not trained and not counted.
int64_t ParameterElements(const Graph& graph) {
  int64_t elements = 0;
  for (ValueId id : graph.parameters()) elements += kernels::ElementCount(graph.value(id).shape);
  return elements;
}

// Of the graph before fusion: fused nodes do the same work, but their instances tell less of it.
int64_t CountFlops(const Graph& graph, const std::vector<kernels::TensorType>& types) {
  int64_t flops = 0;
  for (const graph::Node& node : graph.nodes()) {
    flops += graph::Flops(graph::MakeInstance(node, types));
  }
  return flops;
}

absl::StatusOr<std::unique_ptr<graph::Program>> Compile(const Graph& graph, int64_t batch,
                                                        bool training) {
  graph::CompileOptions options;
  options.batch = batch;
  options.kernels = kernels::CpuKernels();
  options.training = training;
  return graph::Program::Compile(graph, options);
}

// The nodes as they run after fusion, with their kernels.
Json Steps(const graph::Program& program) {
  Json::Array list;
  for (const graph::NodeReport& report : program.Report()) {
    Json node;
    node.Set("name", report.node).Set("op", report.instance).Set("kernel", report.kernel);
    list.push_back(std::move(node));
  }
  return Json(std::move(list));
}

// A step of training with the usual loss: {"loss", "nodes", "arena_bytes", "flops"}.
absl::StatusOr<Json> Training(const Graph& bound, int64_t batch) {
  const graph::LossOptions loss;
  ringmaster::v1::ModelSpec spec;
  spec.set_loss(loss.loss);
  RM_ASSIGN_OR_RETURN(const Graph graph,
                      model::ForBatch(bound, spec, batch, model::Purpose::kTraining));
  RM_ASSIGN_OR_RETURN(const auto program, Compile(graph, batch, /*training=*/true));
  RM_ASSIGN_OR_RETURN(const auto types, graph::InferTypes(graph, batch));
  Json step;
  step.Set("loss", loss.loss).Set("nodes", static_cast<int64_t>(program->Report().size()));
  step.Set("arena_bytes", program->arena_bytes()).Set("flops", CountFlops(graph, types));
  return step;
}

// Two graphs come of the model: the one in use, whose nodes are listed, and a step of training, of which
// there is the sum. A model that cannot be trained with the usual loss is shown all the same.
//
// All there is to say, as one value that every output format is made from.
absl::StatusOr<Json> Describe(const std::string& model, int64_t batch) {
  RM_ASSIGN_OR_RETURN(const Loaded loaded, Load(model));
  RM_ASSIGN_OR_RETURN(const Graph open, graph::BindBatch(loaded.graph, batch));
  Graph bound = open;
  RM_RETURN_IF_ERROR(graph::SwitchDropout(/*training=*/false, &bound));
  RM_ASSIGN_OR_RETURN(const auto types, graph::InferTypes(bound, batch));
  RM_ASSIGN_OR_RETURN(const auto program, Compile(bound, batch, /*training=*/false));
  Json all;
  all.Set("model", model).Set("batch", batch);
  all.Set("inputs", Leaves(bound, ValueKind::kInput)).Set("outputs", Outputs(bound, types));
  all.Set("parameters", Leaves(bound, ValueKind::kParameter));
  all.Set("buffers", Leaves(bound, ValueKind::kBuffer));
  all.Set("parameter_elements", ParameterElements(bound));
  all.Set("nodes", Steps(*program));
  all.Set("arena_bytes", program->arena_bytes()).Set("flops", CountFlops(bound, types));
  absl::StatusOr<Json> training = Training(open, batch);
  if (!training.ok()) training = Json().Set("problem", training.status().message());
  all.Set("training", *std::move(training));
  Json::Array warnings;
  for (const std::string& warning : loaded.warnings) warnings.push_back(warning);
  all.Set("warnings", Json(std::move(warnings)));
  return all;
}

// "float32 [3, 4]".
std::string TypeText(const Json& value) {
  return absl::StrCat(value.Find("dtype")->string_or(""), " ", value.Find("shape")->Dump());
}

std::string NameTypeTable(const Json& all, const std::vector<const char*>& kinds) {
  std::vector<std::vector<std::string>> rows = {{"KIND", "NAME", "TYPE"}};
  for (const char* kind : kinds) {
    std::string one = kind;
    one.pop_back();  // "inputs" lists an input
    for (const Json& value : all.Find(kind)->array()) {
      rows.push_back({one, value.Find("name")->string_or(""), TypeText(value)});
    }
  }
  return FormatTable(std::move(rows));
}

std::string NodeTable(const Json& all) {
  std::vector<std::vector<std::string>> rows = {{"NODE", "KERNEL", "OPERATOR"}};
  for (const Json& node : all.Find("nodes")->array()) {
    rows.push_back({node.Find("name")->string_or(""), node.Find("kernel")->string_or(""),
                    node.Find("op")->string_or("")});
  }
  return FormatTable(std::move(rows));
}

// "12 nodes, arena 1.5 MiB, 3.20 GFLOP".
std::string Cost(int64_t nodes, const Json& of) {
  const double flops = static_cast<double>(of.Find("flops")->int_or(0));
  return absl::StrCat(nodes, " nodes, arena ",
                      base::FormatBytes(of.Find("arena_bytes")->int_or(0)), ", ", flops / 1e9,
                      " GFLOP");
}

std::string Text(const Json& all) {
  std::string text = NameTypeTable(all, {"inputs", "outputs", "parameters", "buffers"});
  absl::StrAppend(&text, "\n", NodeTable(all), "\n");
  absl::StrAppend(&text, "parameters: ", all.Find("parameters")->array().size(), " tensors, ",
                  all.Find("parameter_elements")->int_or(0), " elements\n");
  const auto nodes = static_cast<int64_t>(all.Find("nodes")->array().size());
  absl::StrAppend(&text, "forward, batch ", all.Find("batch")->int_or(0), ": ", Cost(nodes, all),
                  "\n");
  const Json& training = *all.Find("training");
  if (const Json* problem = training.Find("problem")) {
    absl::StrAppend(&text, "training: not with softmax_cross_entropy: ", problem->string_or(""),
                    "\n");
  } else {
    absl::StrAppend(&text, "training step with ", training.Find("loss")->string_or(""), ": ",
                    Cost(training.Find("nodes")->int_or(0), training), "\n");
  }
  return text;
}

void PrintNames(const Json& all) {
  for (const Json& parameter : all.Find("parameters")->array()) {
    std::cout << parameter.Find("name")->string_or("") << "\n";
  }
}

}  // namespace

// Warnings are messages; with -o json they are part of the answer too.
int RunGraph(const Command& command, const Words& words) {
  CommandLine line(command);
  int64_t batch = 1;
  line.flags().Integer("batch", "N", "samples of a batch", 1, 1 << 20, &batch);
  if (!line.Parse(words, 1, 1)) return line.exit_code();
  const absl::StatusOr<Json> all = Describe(line.positional(0), batch);
  if (!all.ok()) return Complain(all.status());
  const std::string& format = line.common().output;
  if (format == "json") {
    std::cout << all->Dump() << "\n";
  } else if (format == "yaml") {
    std::cout << ToYamlText(*all);
  } else if (format == "name") {
    PrintNames(*all);
  } else {
    std::cout << Text(*all);
  }
  for (const Json& warning : all->Find("warnings")->array()) {
    std::cerr << "warning: " << warning.string_or("") << "\n";
  }
  return kDone;
}

}  // namespace rm::trainctl
