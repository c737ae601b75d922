// The model's quality on a validation set, over all ranks: exact weighted averages.
//
//   loss                          validation/loss        validation/accuracy (0…1)
//   softmax_cross_entropy         mean over the labels   share of the labels that are the likeliest class
//   mse                           mean over the samples  –
//   sigmoid_binary_cross_entropy  mean over the samples  share of the numbers on the right side of ½
//
// A sample of a language model has a label for each of its tokens.
#ifndef RM_RUNTIME_TRAINER_EVALUATOR_H_
#define RM_RUNTIME_TRAINER_EVALUATOR_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "comm/collective/communicator.h"
#include "kernels/api/kernel.h"
#include "proto/job.pb.h"
#include "runtime/data/batch_reader.h"
#include "runtime/data/dataset.h"
#include "runtime/graph/graph.h"
#include "runtime/graph/program.h"
#include "runtime/trainer/batch_inputs.h"
#include "runtime/trainer/replica.h"

namespace rm::trainer {

// Thread-compatible. Everything passed to Create outlives it.
class Evaluator {
 public:
  // `model` is from model::BuildGraph(spec), `dataset` fits it; the weights read are the replica's. `rows`: of a batch at least,
  // what training found memory for.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Evaluator>> Create(
      const graph::Graph& model, const ringmaster::v1::ModelSpec& spec,
      const data::Dataset& dataset, const Replica& replica, int64_t rows,
      kernels::KernelTable kernels, const kernels::KernelOptions& kernel_options,
      comm::Communicator& communicator);

  // Collective: every sample once, each rank its share. Metrics: those above, and validation/samples.
  [[nodiscard]] absl::StatusOr<std::map<std::string, double>> Run();

 private:
  Evaluator(std::unique_ptr<graph::Program> program, const data::EvaluationReader& reader,
            comm::Communicator& communicator)
      : program_(std::move(program)), reader_(reader), communicator_(&communicator) {}
  absl::Status FindMemory(const graph::Graph& graph, bool is_share, int64_t rows);
  [[nodiscard]] double CountSides() const;

  std::unique_ptr<graph::Program> program_;
  data::EvaluationReader reader_;
  comm::Communicator* communicator_;
  BatchInputs batch_;
  const float* loss_ = nullptr;
  const float* correct_ = nullptr;  // null for a loss without classes
  const float* output_ = nullptr;   // of a loss of two sides; null for others
  int64_t rows_ = 0;
};

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_EVALUATOR_H_
