// The memory of a program in which a batch stands: found by name once, and then filled in every step.
#ifndef RM_RUNTIME_TRAINER_BATCH_INPUTS_H_
#define RM_RUNTIME_TRAINER_BATCH_INPUTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/data/sample_layout.h"
#include "runtime/graph/graph.h"
#include "runtime/graph/program.h"

namespace rm::trainer {

// The inputs of a training or inference graph that are the model's own, in the graph's order: not
// those of the loss (targets, weights, scale), and not the counters of dropout.
[[nodiscard]] std::vector<std::string> ModelInputs(const graph::Graph& graph);

// Thread-compatible. The program outlives it.
class BatchInputs {
 public:
  BatchInputs() = default;
  // `inputs`: from ModelInputs. NotFound, ResourceExhausted: the program's.
  [[nodiscard]] static absl::StatusOr<BatchInputs> Find(graph::Program& program,
                                                        const std::vector<std::string>& inputs);

  // Valid as long as this object and the program. Allocates nothing.
  [[nodiscard]] data::BatchMemory memory() const;
  [[nodiscard]] int64_t weight_count() const { return weight_count_; }

  // Whether `rows` samples of `layout` are what the program's inputs hold, byte for byte. An internal
  // error names the input: a model whose shapes do not follow the batch.
  [[nodiscard]] absl::Status Check(const data::SampleLayout& layout, int64_t rows) const;

 private:
  // One input of the program.
  struct Place {
    std::string name;
    void* memory = nullptr;
    size_t bytes = 0;
  };
  static absl::StatusOr<Place> FindOne(graph::Program& program, const std::string& name);

  std::vector<Place> places_;
  std::vector<void*> inputs_;  // of places_
  Place target_;
  float* weights_ = nullptr;
  int64_t weight_count_ = 0;
};

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_BATCH_INPUTS_H_
