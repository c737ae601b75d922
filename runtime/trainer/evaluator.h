// The model's quality on a validation set: loss and accuracy over all ranks, exact weighted averages.
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
#include "runtime/trainer/replica.h"

namespace rm::trainer {

// Thread-compatible. Everything passed to Create outlives it.
class Evaluator {
 public:
  // `model` is from model::BuildGraph(spec); the weights read are the replica's.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Evaluator>> Create(
      const graph::Graph& model, const ringmaster::v1::ModelSpec& spec,
      const data::Dataset& dataset, const Replica& replica,
      kernels::KernelTable kernels, const kernels::KernelOptions& kernel_options,
      comm::Communicator& communicator);

  // Collective: every sample once, each rank its share. Metrics: validation/loss, validation/accuracy (0…1), validation/samples.
  [[nodiscard]] absl::StatusOr<std::map<std::string, double>> Run();

 private:
  Evaluator(std::unique_ptr<graph::Program> program, const data::EvaluationReader& reader,
            comm::Communicator& communicator)
      : program_(std::move(program)), reader_(reader), communicator_(&communicator) {}

  std::unique_ptr<graph::Program> program_;
  data::EvaluationReader reader_;
  comm::Communicator* communicator_;
};

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_EVALUATOR_H_
