#include "tests/graph/training_run.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "base/random.h"
#include "base/status.h"
#include "runtime/graph/training.h"
#include "runtime/graph/types.h"

namespace rm::graph {
namespace {

constexpr size_t kAlignment = 64;

float* Aligned(std::vector<float>* memory, size_t elements) {
  memory->assign(elements + kAlignment / sizeof(float), 0.0F);
  void* data = memory->data();
  size_t space = memory->size() * sizeof(float);
  return static_cast<float*>(std::align(kAlignment, elements * sizeof(float), data, space));
}

template <typename T>
absl::Status Fill(const std::vector<T>& from, absl::string_view name, Program* program) {
  RM_ASSIGN_OR_RETURN(void* memory, program->InputMemory(name));
  std::memcpy(memory, from.data(), from.size() * sizeof(T));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<float>> Read(absl::string_view name, const Program& program) {
  RM_ASSIGN_OR_RETURN(const void* memory, program.OutputMemory(name));
  RM_ASSIGN_OR_RETURN(const kernels::TensorType type, program.OutputType(name));
  const float* data = static_cast<const float*>(memory);
  return std::vector<float>(data, data + type.elements());
}

bool SameBytes(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

StepData RandomStep(const Graph& graph, int64_t batch, uint64_t seed) {
  const auto types = InferTypes(graph, batch);
  const auto type = [&](ValueId id) { return (*types)[static_cast<size_t>(id)]; };
  base::RandomStream random(seed, 5);
  StepData data;
  data.input.resize(static_cast<size_t>(type(graph.inputs()[0]).elements()));
  for (float& x : data.input) x = random.NextNormal();
  const kernels::Shape output = type(graph.FindOutput(kModelOutput)).shape;
  for (int64_t b = 0; b < output[0]; ++b) {
    data.labels.push_back(static_cast<int64_t>(random.NextBelow(static_cast<uint64_t>(output[1]))));
    data.weights.push_back(b > 0 && random.NextBelow(4) == 0 ? 0.0F : 0.5F + random.NextUniform());
  }
  data.scale = 1 / std::accumulate(data.weights.begin(), data.weights.end(), 0.0F);
  return data;
}

absl::StatusOr<TrainingRun> TrainingRun::Make(const Graph& graph, const CompileOptions& options,
                                              uint64_t seed) {
  TrainingRun run;
  RM_ASSIGN_OR_RETURN(run.program_, Program::Compile(graph, options));
  const std::vector<ValueId> parameters = graph.parameters();
  run.value_memory_.resize(parameters.size());
  run.gradient_memory_.resize(parameters.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    const size_t elements = static_cast<size_t>(run.program_->parameters()[i].elements);
    float* value = Aligned(&run.value_memory_[i], elements);
    InitializeParameter(graph.value(parameters[i]), seed, absl::MakeSpan(value, elements));
    run.values_.emplace_back(value, value + elements);
    run.gradients_.push_back(Aligned(&run.gradient_memory_[i], elements));
    run.program_->BindParameter(static_cast<int>(i), value, run.gradients_[i]);
  }
  return run;
}

absl::Status TrainingRun::Forward(const StepData& data) {
  RM_RETURN_IF_ERROR(Fill(data.input, "input", program_.get()));
  RM_RETURN_IF_ERROR(Fill(data.labels, kLabels, program_.get()));
  RM_RETURN_IF_ERROR(Fill(data.weights, kWeights, program_.get()));
  RM_RETURN_IF_ERROR(Fill(std::vector<float>{data.scale}, kScale, program_.get()));
  return program_->Forward();
}

absl::Status TrainingRun::ReadOutputs(StepResult* result) const {
  RM_ASSIGN_OR_RETURN(result->output, Read(kModelOutput, *program_));
  RM_ASSIGN_OR_RETURN(const std::vector<float> loss, Read(kLossSum, *program_));
  RM_ASSIGN_OR_RETURN(const std::vector<float> correct, Read(kCorrect, *program_));
  result->loss_sum = loss[0];
  result->correct = correct[0];
  return absl::OkStatus();
}

absl::StatusOr<StepResult> TrainingRun::Step(const StepData& data) {
  StepResult result;
  result.gradients.resize(gradients_.size());
  RM_RETURN_IF_ERROR(Forward(data));
  RM_RETURN_IF_ERROR(program_->Backward([&](int parameter) {
    const size_t i = static_cast<size_t>(parameter);
    float* gradient = gradients_[i];
    result.gradients[i].assign(gradient, gradient + program_->parameters()[i].elements);
    std::fill_n(gradient, result.gradients[i].size(), std::numeric_limits<float>::quiet_NaN());
  }));
  RM_RETURN_IF_ERROR(ReadOutputs(&result));
  return result;
}

absl::StatusOr<StepResult> TrainingRun::Infer(const StepData& data) {
  StepResult result;
  RM_RETURN_IF_ERROR(Forward(data));
  RM_RETURN_IF_ERROR(ReadOutputs(&result));
  return result;
}

double LargestDifference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    if (std::isnan(x) || std::isnan(y)) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, std::abs(x - y));
  }
  return difference;
}

double LargestMagnitude(const std::vector<float>& a) {
  double largest = 0;
  for (float x : a) largest = std::max(largest, std::abs(static_cast<double>(x)));
  return largest;
}

bool SameBits(const StepResult& a, const StepResult& b) {
  if (a.gradients.size() != b.gradients.size()) return false;
  for (size_t i = 0; i < a.gradients.size(); ++i) {
    if (!SameBytes(a.gradients[i], b.gradients[i])) return false;
  }
  return SameBytes(a.output, b.output) &&
         SameBytes({a.loss_sum, a.correct}, {b.loss_sum, b.correct});
}

}  // namespace rm::graph
