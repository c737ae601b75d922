// The code of a job on one rank: the same graph, replica and stepper. Only the batches come from
// files that name each input of the graph.
#include "tools/bench/oracle_bench.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file_system.h"
#include "base/flags.h"
#include "base/json.h"
#include "base/status.h"
#include "comm/collective/solo_communicator.h"
#include "kernels/kernels.h"
#include "proto/onnx.pb.h"
#include "runtime/graph/own_weights.h"
#include "runtime/graph/program.h"
#include "runtime/graph/training.h"
#include "runtime/model/export.h"
#include "runtime/model/model.h"
#include "runtime/onnx/import.h"
#include "runtime/onnx/model_file.h"
#include "runtime/tensorfile/npz.h"
#include "runtime/trainer/optimizer.h"
#include "runtime/trainer/replica.h"
#include "runtime/trainer/stepper.h"
#include "tools/bench/oracle_case.h"
#include "tools/bench/report.h"

namespace rm::bench {
namespace {

// Tensors by name, each with its shape.
struct Tensor {
  std::vector<int64_t> shape;
  std::vector<float> values;
};
using Tensors = std::map<std::string, Tensor>;
using ringmaster::onnx::ModelProto;

// |a − b| and |b| over any number of arrays.
class Distance {
 public:
  void Add(double a, double b) {
    difference_ += (a - b) * (a - b);
    reference_ += b * b;
  }
  [[nodiscard]] double relative() const {
    return reference_ > 0 ? std::sqrt(difference_ / reference_) : std::sqrt(difference_);
  }

 private:
  double difference_ = 0;
  double reference_ = 0;
};

// Every array of the reference must be there, in its size.
absl::StatusOr<double> Compare(const Tensors& ours, const tensorfile::NpzFile& reference,
                               absl::string_view what) {
  Distance distance;
  for (const auto& [name, array] : reference.arrays()) {
    const auto found = ours.find(name);
    if (found == ours.end()) {
      return absl::InvalidArgumentError(absl::StrCat(what, ": the model has no '", name, "'"));
    }
    RM_ASSIGN_OR_RETURN(const std::vector<float> expected, reference.ReadFloats(name));
    const std::vector<float>& got = found->second.values;
    if (got.size() != expected.size()) {
      return absl::InvalidArgumentError(absl::StrCat(what, ": '", name, "' has ", got.size(),
                                                     " elements, the case ", expected.size()));
    }
    for (size_t i = 0; i < got.size(); ++i) {
      distance.Add(static_cast<double>(got[i]), static_cast<double>(expected[i]));
    }
  }
  return distance.relative();
}

// The replica's own memory changes with the next step.
Tensors Copies(const std::vector<trainer::StateTensor>& tensors) {
  Tensors copies;
  for (const trainer::StateTensor& tensor : tensors) {
    copies[tensor.name] = {tensor.shape, {tensor.values.begin(), tensor.values.end()}};
  }
  return copies;
}

// A file of the dump.
absl::Status Dump(const Tensors& tensors, const std::string& path) {
  std::vector<tensorfile::NpzArray> arrays;
  for (const auto& [name, tensor] : tensors) {
    arrays.push_back({name, "F32", tensor.shape,
                      {reinterpret_cast<const char*>(tensor.values.data()),
                       tensor.values.size() * sizeof(float)}});
  }
  RM_ASSIGN_OR_RETURN(auto file, base::PosixFileSystem().Create(path));
  RM_RETURN_IF_ERROR(tensorfile::WriteNpz(arrays, *file));
  return file->Close();
}

// One case in training.
class Run {
 public:
  explicit Run(OracleCase oracle) : case_(std::move(oracle)) {}

  absl::Status Build() {
    RM_ASSIGN_OR_RETURN(model_, model::BuildGraph(case_.model));
    RM_ASSIGN_OR_RETURN(const graph::Graph training,
                        model::ForBatch(model_, case_.model, case_.batch,
                                        model::Purpose::kTraining));
    trainer::ReplicaOptions options;
    options.local_batch = case_.batch;
    options.micro_batches = static_cast<int>(case_.accumulate);
    options.kernels = kernels::CpuKernels();
    RM_ASSIGN_OR_RETURN(auto optimizer, trainer::MakeOptimizer(case_.optimizer));
    RM_ASSIGN_OR_RETURN(replica_, trainer::Replica::Build(training, options, std::move(optimizer),
                                                          *communicator_));
    trainer::StepperOptions stepping;
    stepping.gradient_clip = case_.clip;
    stepping.first_rows.assign(static_cast<size_t>(case_.accumulate), 0);
    RM_ASSIGN_OR_RETURN(const kernels::TensorType weights,
                        replica_->program().InputType(graph::kWeights));
    weight_ = static_cast<double>(weights.elements());
    RM_ASSIGN_OR_RETURN(trainer::Stepper stepper,
                        trainer::Stepper::Create(*replica_, *communicator_,
                                                 weight_ * static_cast<double>(case_.accumulate),
                                                 std::move(stepping)));
    stepper_.emplace(std::move(stepper));
    return absl::OkStatus();
  }

  // The gradients of micro-batch 0, of a loss that is its own mean.
  absl::StatusOr<Tensors> Gradients() {
    graph::Program& program = replica_->program();
    stepper_->SetGlobalWeight(weight_);
    RM_RETURN_IF_ERROR(Fill(program, 0));
    RM_RETURN_IF_ERROR(program.Forward());
    RM_RETURN_IF_ERROR(program.Backward([](int) {}));
    stepper_->SetGlobalWeight(weight_ * static_cast<double>(case_.accumulate));
    return Copies(replica_->Gradients());
  }

  absl::StatusOr<std::vector<double>> Train() {
    absl::Status filled;
    int64_t step = 0;
    stepper_->SetFill([&](int micro_batch) {
      filled.Update(Fill(replica_->program(), step * case_.accumulate + micro_batch));
    });
    std::vector<double> losses;
    for (; step < case_.steps; ++step) {
      RM_ASSIGN_OR_RETURN(const trainer::StepOutcome outcome,
                          stepper_->Run(case_.learning_rate, trainer::Votes()));
      RM_RETURN_IF_ERROR(filled);
      losses.push_back(outcome.loss);
    }
    return losses;
  }

  [[nodiscard]] Tensors Weights() const { return Copies(replica_->Weights()); }

  // What the model says of micro-batch 0 when it is used, not trained.
  absl::StatusOr<Tensor> Logits() const {
    RM_ASSIGN_OR_RETURN(const InUse in_use, Use(model_));
    replica_->BindWeights(*in_use.program);
    return Output(*in_use.program);
  }

  // The model as it is now, for other runtimes.
  absl::StatusOr<ModelProto> Export() const {
    const std::vector<trainer::StateTensor> tensors = replica_->Weights();
    onnx::Weights weights;
    for (const trainer::StateTensor& tensor : tensors) weights[tensor.name] = tensor.values;
    return model::ToOnnx(case_.model, base::PosixFileSystem(), weights);
  }

  // The same as Logits() of an exported model, which is all that this needs.
  absl::StatusOr<Tensor> LogitsOf(const ModelProto& exported) const {
    RM_ASSIGN_OR_RETURN(const onnx::ImportedModel imported,
                        onnx::ImportModel(exported, onnx::ExternalFiles()));
    RM_ASSIGN_OR_RETURN(const InUse in_use, Use(imported.graph));
    RM_ASSIGN_OR_RETURN(const graph::OwnWeights weights,
                        graph::OwnWeights::Bind(in_use.graph, 0, in_use.program.get()));
    return Output(*in_use.program);
  }

 private:
  // A model compiled for use.
  struct InUse {
    graph::Graph graph;
    std::unique_ptr<graph::Program> program;
  };
  absl::StatusOr<InUse> Use(const graph::Graph& model) const {
    InUse in_use;
    RM_ASSIGN_OR_RETURN(in_use.graph, model::ForBatch(model, case_.model, case_.batch,
                                                      model::Purpose::kInference));
    graph::CompileOptions options;
    options.batch = case_.batch;
    options.kernels = kernels::CpuKernels();
    options.training = false;
    RM_ASSIGN_OR_RETURN(in_use.program, graph::Program::Compile(in_use.graph, options));
    return in_use;
  }

  // The logits of micro-batch 0. REQUIRES: the weights are bound.
  absl::StatusOr<Tensor> Output(graph::Program& program) const {
    RM_RETURN_IF_ERROR(Fill(program, 0));
    RM_RETURN_IF_ERROR(program.Forward());
    RM_ASSIGN_OR_RETURN(const kernels::TensorType type, program.OutputType(graph::kModelOutput));
    RM_ASSIGN_OR_RETURN(const void* memory, program.OutputMemory(graph::kModelOutput));
    const auto* values = static_cast<const float*>(memory);
    return Tensor{{type.shape.begin(), type.shape.end()}, {values, values + type.elements()}};
  }

  // Puts a micro-batch into the memory of a program: its inputs, its targets, and weights of 1.
  absl::Status Fill(graph::Program& program, int64_t micro_batch) const {
    for (const auto& [name, array] : case_.inputs) {
      RM_RETURN_IF_ERROR(FillOne(program, name, *array, micro_batch));
    }
    RM_RETURN_IF_ERROR(FillOne(program, graph::kLabels, *case_.target, micro_batch));
    RM_ASSIGN_OR_RETURN(const kernels::TensorType type, program.InputType(graph::kWeights));
    RM_ASSIGN_OR_RETURN(void* weights, program.InputMemory(graph::kWeights));
    std::fill_n(static_cast<float*>(weights), type.elements(), 1.0F);
    return absl::OkStatus();
  }
  static absl::Status FillOne(graph::Program& program, absl::string_view name,
                              const tensorfile::NpyFile& array, int64_t micro_batch) {
    RM_ASSIGN_OR_RETURN(const kernels::TensorType type, program.InputType(name));
    RM_ASSIGN_OR_RETURN(void* memory, program.InputMemory(name));
    return CopyMicroBatch(array, micro_batch, type.bytes(), memory);
  }

  const OracleCase case_;
  graph::Graph model_;
  std::unique_ptr<comm::Communicator> communicator_ = comm::MakeSoloCommunicator();
  double weight_ = 1;  // of a micro-batch
  std::unique_ptr<trainer::Replica> replica_;
  std::optional<trainer::Stepper> stepper_;
};

// What a case comes to.
struct Outcome {
  Tensors gradients;
  Tensors final_values;
  Tensor logits;
  std::vector<double> losses;
  ModelProto exported;
};

// How far the exported model's output is from the engine's own.
absl::StatusOr<double> ExportError(const Tensor& engine, const Tensor& exported) {
  if (engine.shape != exported.shape) {
    return absl::InternalError("model.onnx has an output of another shape than the model");
  }
  Distance distance;
  for (size_t i = 0; i < engine.values.size(); ++i) {
    distance.Add(static_cast<double>(exported.values[i]), static_cast<double>(engine.values[i]));
  }
  return distance.relative();
}

// In the format of the case itself, so that the script which judges reads both alike.
absl::Status DumpAll(const Outcome& outcome, const std::string& folder) {
  base::FileSystem& files = base::PosixFileSystem();
  RM_RETURN_IF_ERROR(files.MakeFolders(folder));
  RM_RETURN_IF_ERROR(Dump(outcome.gradients, base::JoinPath(folder, "grads.npz")));
  RM_RETURN_IF_ERROR(Dump(outcome.final_values, base::JoinPath(folder, "final.npz")));
  RM_RETURN_IF_ERROR(
      onnx::WriteModel(outcome.exported, base::JoinPath(folder, "model.onnx"), files));
  base::Json losses{base::Json::Array()};
  for (const double loss : outcome.losses) losses.Add(loss);
  RM_RETURN_IF_ERROR(base::WriteFileAtomically(files, base::JoinPath(folder, "losses.json"),
                                               losses.Dump() + "\n"));
  const std::vector<float>& logits = outcome.logits.values;
  RM_ASSIGN_OR_RETURN(
      const std::string npy,
      tensorfile::EncodeNpy("F32", outcome.logits.shape,
                            {reinterpret_cast<const char*>(logits.data()),
                             logits.size() * sizeof(float)}));
  return base::WriteFileAtomically(files, base::JoinPath(folder, "logits.npy"), npy);
}

// Gradients first: they are those of the first weights.
absl::Status RunCase(const std::string& folder, const std::string& dump, bool json) {
  RM_ASSIGN_OR_RETURN(OracleCase oracle, ReadOracleCase(folder));
  base::Json line;
  line.Set("bench", "oracle").Set("case", oracle.name);
  const auto expected_gradients = std::move(oracle.gradients);
  const auto expected_values = std::move(oracle.final_values);
  const std::vector<double> expected_losses = oracle.losses;
  Run run(std::move(oracle));
  RM_RETURN_IF_ERROR(run.Build());
  Outcome outcome;
  RM_ASSIGN_OR_RETURN(outcome.gradients, run.Gradients());
  RM_ASSIGN_OR_RETURN(outcome.losses, run.Train());
  outcome.final_values = run.Weights();
  RM_ASSIGN_OR_RETURN(outcome.logits, run.Logits());
  RM_ASSIGN_OR_RETURN(outcome.exported, run.Export());
  RM_ASSIGN_OR_RETURN(const Tensor exported_logits, run.LogitsOf(outcome.exported));
  RM_ASSIGN_OR_RETURN(const double gradients,
                      Compare(outcome.gradients, *expected_gradients, "grads.npz"));
  RM_ASSIGN_OR_RETURN(const double values,
                      Compare(outcome.final_values, *expected_values, "final.npz"));
  Distance losses;
  for (size_t i = 0; i < outcome.losses.size() && i < expected_losses.size(); ++i) {
    losses.Add(outcome.losses[i], expected_losses[i]);
  }
  RM_ASSIGN_OR_RETURN(const double exported, ExportError(outcome.logits, exported_logits));
  line.Set("grads_err", gradients).Set("loss_err", losses.relative()).Set("final_err", values);
  line.Set("export_err", exported);
  if (!dump.empty()) RM_RETURN_IF_ERROR(DumpAll(outcome, dump));
  AddCircumstances(line);
  PrintLine(line, json);
  return absl::OkStatus();
}

}  // namespace

int OracleBenchCommand(int argc, char** argv) {
  std::string dump, output = "table";
  base::FlagSet flags("trainctl bench oracle CASE_DIR",
                      "Trains a reference case of another framework and says how far we are from it.");
  flags.Text("dump", "DIR", "write gradients, final values, logits, losses and the model here",
             &dump);
  flags.Choice("output", {"table", "json"}, "form of the line", &output);
  flags.Letter('o', "output");
  absl::Status status = flags.Parse(argc, argv);
  if (status.ok() && flags.help_asked()) {
    std::fputs(flags.Help().c_str(), stdout);
    return 0;
  }
  if (status.ok() && flags.positionals().size() != 1) {
    status = absl::InvalidArgumentError("give the folder of one case");
  }
  if (status.ok()) status = RunCase(flags.positionals()[0], dump, output == "json");
  if (status.ok()) return 0;
  std::fprintf(stderr, "trainctl bench oracle: %s\n", std::string(status.message()).c_str());
  return absl::IsInvalidArgument(status) ? 2 : 1;
}

}  // namespace rm::bench
