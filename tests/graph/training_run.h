// One step of a training graph on data drawn from a seed, and all that it computed.
#ifndef RM_TESTS_GRAPH_TRAINING_RUN_H_
#define RM_TESTS_GRAPH_TRAINING_RUN_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/graph/program.h"

namespace rm::graph {

// Inputs, labels and sample weights of one step: plain row-major.
struct StepData {
  std::vector<float> input;
  std::vector<int64_t> labels;
  std::vector<float> weights;
  float scale = 1;
};

// Normal pixels, labels of all classes, weights of which some are 0, scale one over their sum.
[[nodiscard]] StepData RandomStep(const Graph& graph, int64_t batch, uint64_t seed);

// What a step computed.
struct StepResult {
  std::vector<float> output;
  float loss_sum = 0;
  float correct = 0;
  std::vector<std::vector<float>> gradients;  // by parameter
};

// A compiled graph with its own memory for parameters, initialised from a seed, and gradients.
class TrainingRun {
 public:
  [[nodiscard]] static absl::StatusOr<TrainingRun> Make(const Graph& graph,
                                                        const CompileOptions& options,
                                                        uint64_t seed);

  // Runs Forward and Backward. Gradients are collected as they are reported, and overwritten at
  // once, as a caller may do.
  [[nodiscard]] absl::StatusOr<StepResult> Step(const StepData& data);

  // Runs Forward alone; no gradients.
  [[nodiscard]] absl::StatusOr<StepResult> Infer(const StepData& data);

  [[nodiscard]] Program& program() { return *program_; }
  [[nodiscard]] const std::vector<float>& weights(size_t parameter) const {
    return values_[parameter];
  }

 private:
  [[nodiscard]] absl::Status Forward(const StepData& data);
  [[nodiscard]] absl::Status ReadOutputs(StepResult* result) const;

  std::unique_ptr<Program> program_;
  // Memory by parameter, 64 bytes longer than needed, for alignment.
  std::vector<std::vector<float>> value_memory_, gradient_memory_;
  std::vector<float*> gradients_;
  std::vector<std::vector<float>> values_;
};

// The largest difference of two vectors. Infinite where the sizes differ or a NaN is met.
[[nodiscard]] double LargestDifference(const std::vector<float>& a, const std::vector<float>& b);
// The largest magnitude of an element; 0 for none.
[[nodiscard]] double LargestMagnitude(const std::vector<float>& a);

// Every bit equal.
[[nodiscard]] bool SameBits(const StepResult& a, const StepResult& b);

}  // namespace rm::graph

#endif  // RM_TESTS_GRAPH_TRAINING_RUN_H_
