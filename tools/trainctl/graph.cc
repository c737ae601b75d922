// trainctl graph: what a model is to the engine, before anybody trains it: its parameters, its nodes
// once a batch size is bound, the kernels that run them, the memory that a step takes.
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/status.h"
#include "base/units.h"
#include "kernels/kernels.h"
#include "runtime/graph/bind.h"
#include "runtime/graph/prepare.h"
#include "runtime/graph/program.h"
#include "runtime/graph/recognize.h"
#include "runtime/graph/training.h"
#include "runtime/graph/types.h"
#include "runtime/model/model.h"
#include "runtime/onnx/import.h"
#include "runtime/zoo/zoo.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"
#include "tools/trainctl/measure.h"
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
  for (int64_t dimension : shape) list.emplace_back(dimension);
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

// Of the nodes as they run, after fusion.
int64_t CountFlops(const graph::Program& program) {
  int64_t flops = 0;
  for (const graph::NodeReport& report : program.Report()) flops += report.flops;
  return flops;
}

// What is asked about a model.
struct Question {
  std::string model;
  int64_t batch = 1;
  std::string precision = "fp32";
  bool training = false;  // the nodes of a step of training instead of those of the model in use
  bool measure = false;
};

// A graph and what it is compiled to.
struct Compiled {
  Graph graph;
  std::unique_ptr<graph::Program> program;
};

// Types are shown on any machine, also on one that would not train in them.
absl::StatusOr<std::unique_ptr<graph::Program>> Compile(const Graph& graph,
                                                        const Question& question, bool training) {
  graph::CompileOptions options;
  options.batch = question.batch;
  options.kernels = kernels::CpuKernels();
  options.training = training;
  RM_ASSIGN_OR_RETURN(options.precision, graph::FindPrecision(question.precision));
  return graph::Program::Compile(graph, options);
}

// The model as it is when it is served: dropout passes everything on.
absl::StatusOr<Compiled> InUse(const Graph& bound, const Question& question) {
  Compiled compiled{bound, nullptr};
  RM_RETURN_IF_ERROR(graph::SwitchDropout(/*training=*/false, &compiled.graph));
  RM_ASSIGN_OR_RETURN(compiled.program, Compile(compiled.graph, question, /*training=*/false));
  return compiled;
}

// A step of training with the usual loss.
absl::StatusOr<Compiled> InTraining(const Graph& bound, const Question& question) {
  ringmaster::v1::ModelSpec spec;
  spec.set_loss(graph::LossOptions().loss);
  Compiled compiled;
  RM_ASSIGN_OR_RETURN(compiled.graph,
                      model::ForBatch(bound, spec, question.batch, model::Purpose::kTraining));
  RM_ASSIGN_OR_RETURN(compiled.program, Compile(compiled.graph, question, /*training=*/true));
  return compiled;
}

// What kernels take is counted in these; nanoseconds are behind the point.
double Microseconds(absl::Duration time) { return absl::ToDoubleMicroseconds(time); }

// One node as it runs after fusion, with its kernel.
Json NodeOf(const graph::NodeReport& report) {
  Json node;
  node.Set("name", report.node).Set("op", report.instance).Set("kernel", report.kernel);
  node.Set("flops", report.flops).Set("bytes", report.bytes);
  return node;
}

Json Nodes(const graph::Program& program) {
  Json::Array list;
  for (const graph::NodeReport& report : program.Report()) list.push_back(NodeOf(report));
  return Json(std::move(list));
}

// The same with the times; a view takes none, and need not.
Json Nodes(const Measurement& measured) {
  Json::Array list;
  for (const NodeCost& cost : measured.nodes) {
    Json node = NodeOf(cost.report);
    node.Set("us", Microseconds(cost.time)).Set("bound_us", Microseconds(cost.bound));
    list.push_back(std::move(node));
  }
  return Json(std::move(list));
}

// Sums, and what the bounds were made from: {"runs", "threads", "us", "step_us", "bound_us",
// "gflop_per_s", "bandwidth": [{"bytes", "gb_per_s"}, …]}.
Json Sums(const Measurement& measured, const MachineRates& rates) {
  absl::Duration time, bound;
  for (const NodeCost& cost : measured.nodes) {
    time += cost.time;
    bound += cost.bound;
  }
  Json sums;
  sums.Set("runs", int64_t{measured.runs});
  sums.Set("threads", int64_t{kernels::KernelOptions().threads});
  sums.Set("us", Microseconds(time)).Set("step_us", Microseconds(measured.step));
  sums.Set("bound_us", Microseconds(bound)).Set("gflop_per_s", rates.flops_per_second / 1e9);
  Json::Array bandwidth;
  for (const auto& [bytes, rate] : rates.bytes_per_second) {
    bandwidth.push_back(Json().Set("bytes", bytes).Set("gb_per_s", rate / 1e9));
  }
  sums.Set("bandwidth", Json(std::move(bandwidth)));
  return sums;
}

// The nodes, with the time of each where that was asked for.
absl::Status AddNodes(const Question& question, const Compiled& compiled, Json* all) {
  if (!question.measure) {
    all->Set("nodes", Nodes(*compiled.program));
    return absl::OkStatus();
  }
  RM_ASSIGN_OR_RETURN(const MachineRates rates, MeasureRates());
  RM_ASSIGN_OR_RETURN(const Measurement measured,
                      MeasureProgram(compiled.graph, question.training, rates,
                                     compiled.program.get()));
  all->Set("nodes", Nodes(measured)).Set("measured", Sums(measured, rates));
  return absl::OkStatus();
}

// What a step costs as a whole: {"nodes", "arena_bytes", "flops"}.
Json TrainingSummary(const absl::StatusOr<Compiled>& training) {
  if (!training.ok()) return Json().Set("problem", training.status().message());
  const graph::Program& program = *training->program;
  Json step;
  step.Set("loss", graph::LossOptions().loss);
  step.Set("nodes", static_cast<int64_t>(program.Report().size()));
  step.Set("arena_bytes", program.arena_bytes()).Set("flops", CountFlops(program));
  return step;
}

// Two graphs come of the model: the one in use, and a step of training; the nodes of one are listed, of
// both there is the sum. A model that cannot be trained with the usual loss is shown all the same,
// unless its training is what was asked for.
//
// All there is to say, as one value that every output format is made from.
absl::StatusOr<Json> Describe(const Question& question) {
  const int64_t batch = question.batch;
  RM_ASSIGN_OR_RETURN(const Loaded loaded, Load(question.model));
  RM_ASSIGN_OR_RETURN(Graph bound, graph::BindBatch(loaded.graph, batch));
  RM_RETURN_IF_ERROR(graph::Recognize(&bound));
  RM_ASSIGN_OR_RETURN(const Compiled in_use, InUse(bound, question));
  RM_ASSIGN_OR_RETURN(const auto types, graph::InferTypes(in_use.graph, batch));
  const absl::StatusOr<Compiled> training = InTraining(bound, question);
  if (question.training && !training.ok()) return training.status();
  Json all;
  all.Set("model", question.model).Set("batch", batch).Set("precision", question.precision);
  all.Set("inputs", Leaves(bound, ValueKind::kInput)).Set("outputs", Outputs(in_use.graph, types));
  all.Set("parameters", Leaves(bound, ValueKind::kParameter));
  all.Set("buffers", Leaves(bound, ValueKind::kBuffer));
  all.Set("parameter_elements", ParameterElements(bound));
  all.Set("listed", question.training ? "training" : "forward");
  RM_RETURN_IF_ERROR(AddNodes(question, question.training ? *training : in_use, &all));
  all.Set("forward_nodes", static_cast<int64_t>(in_use.program->Report().size()));
  all.Set("arena_bytes", in_use.program->arena_bytes()).Set("flops", CountFlops(*in_use.program));
  all.Set("training", TrainingSummary(training));
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

double Number(const Json& of, const char* key) { return of.Find(key)->number_or(0); }

// A node's columns but its operator, which comes last: it is as long as it likes. With a measurement
// behind it: the time, the least it could take, and how near to that it came.
std::vector<std::string> NodeRow(const Json& node) {
  std::vector<std::string> row = {node.Find("name")->string_or(""),
                                  node.Find("kernel")->string_or(""),
                                  absl::StrFormat("%.3f", Number(node, "flops") / 1e6),
                                  base::FormatBytes(node.Find("bytes")->int_or(0))};
  if (node.Find("us") == nullptr) return row;
  const double us = Number(node, "us");
  const double bound = Number(node, "bound_us");
  row.push_back(absl::StrFormat("%.1f", us));
  row.push_back(absl::StrFormat("%.1f", bound));
  row.push_back(us > 0 ? absl::StrFormat("%.0f%%", 100 * bound / us) : "-");
  return row;
}

std::string NodeTable(const Json& all) {
  std::vector<std::string> head = {"NODE", "KERNEL", "MFLOP", "BYTES"};
  if (all.Find("measured") != nullptr) head.insert(head.end(), {"US", "BOUND", "BOUND/US"});
  head.push_back("OPERATOR");
  std::vector<std::vector<std::string>> rows = {std::move(head)};
  for (const Json& node : all.Find("nodes")->array()) {
    std::vector<std::string> row = NodeRow(node);
    row.push_back(node.Find("op")->string_or(""));
    rows.push_back(std::move(row));
  }
  return FormatTable(std::move(rows));
}

// What was measured as a whole, and how.
std::string MeasuredText(const Json& all) {
  const Json* measured = all.Find("measured");
  if (measured == nullptr) return "";
  const double us = Number(*measured, "us");
  std::string text = absl::StrFormat(
      "measured, %s: %.1f us in all nodes, bound %.1f us (%.0f%%); a step takes %.1f us; medians of "
      "%d runs, %d thread\n",
      all.Find("listed")->string_or(""), us, Number(*measured, "bound_us"),
      100 * Number(*measured, "bound_us") / us, Number(*measured, "step_us"),
      measured->Find("runs")->int_or(0), measured->Find("threads")->int_or(0));
  absl::StrAppendFormat(&text,
                        "bounds, measured just now: %.1f GFLOP/s (the best product), bytes in blocks of ",
                        Number(*measured, "gflop_per_s"));
  const char* comma = "";
  for (const Json& block : measured->Find("bandwidth")->array()) {
    absl::StrAppendFormat(&text, "%s%s at %.1f GB/s", comma,
                          base::FormatBytes(block.Find("bytes")->int_or(0)),
                          Number(block, "gb_per_s"));
    comma = ", ";
  }
  return text + "\n";
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
  const int64_t nodes = all.Find("forward_nodes")->int_or(0);
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
  return text + MeasuredText(all);
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
  Question question;
  line.flags().Integer("batch", "N", "samples of a batch", 1, 1 << 20, &question.batch);
  line.flags().Choice("precision", {"fp32", "bf16"}, "type of what is computed, where it can be",
                      &question.precision);
  line.flags().Switch("training", "list the nodes of a step of training", &question.training);
  line.flags().Switch("measure", "run the listed nodes, and show the time of each beside its bound",
                      &question.measure);
  if (!line.Parse(words, 1, 1)) return line.exit_code();
  question.model = line.positional(0);
  const absl::StatusOr<Json> all = Describe(question);
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
