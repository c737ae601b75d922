#include "runtime/trainer/evaluator.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/status.h"
#include "runtime/graph/training.h"
#include "runtime/model/model.h"

namespace rm::trainer {
namespace {

// Rows a batch at most: enough to keep the kernels busy, little enough for any memory.
constexpr int64_t kEvaluationBatchMax = 128;

}  // namespace

// The batch is as large as the share, up to the bound; rows without a sample have weight 0 and count for nothing.
absl::StatusOr<std::unique_ptr<Evaluator>> Evaluator::Create(
    const graph::Graph& model, const ringmaster::v1::ModelSpec& spec, const data::Dataset& dataset, const Replica& replica,
    kernels::KernelTable kernels, const kernels::KernelOptions& kernel_options,
    comm::Communicator& communicator) {
  const int64_t ranks = communicator.world_size();
  data::EvaluationReader::Options reader;
  reader.batch_size = std::min(kEvaluationBatchMax, (dataset.size() + ranks - 1) / ranks);
  reader.rank = communicator.rank();
  reader.world_size = communicator.world_size();
  RM_ASSIGN_OR_RETURN(
      const graph::Graph graph,
      model::ForBatch(model, spec, reader.batch_size, model::Purpose::kInference));
  graph::CompileOptions compile;
  compile.batch = reader.batch_size;
  compile.kernels = kernels;
  compile.kernel_options = kernel_options;
  compile.training = false;
  RM_ASSIGN_OR_RETURN(auto program, graph::Program::Compile(graph, compile));
  replica.BindWeights(*program);
  return std::unique_ptr<Evaluator>(new Evaluator(
      std::move(program), data::EvaluationReader(dataset, reader), communicator));
}

// Sums first, one division at the end: shares of different size weigh as they should.
absl::StatusOr<std::map<std::string, double>> Evaluator::Run() {
  RM_ASSIGN_OR_RETURN(void* features, program_->InputMemory(model::kInput));
  RM_ASSIGN_OR_RETURN(void* labels, program_->InputMemory(graph::kLabels));
  RM_ASSIGN_OR_RETURN(void* weights, program_->InputMemory(graph::kWeights));
  std::array<double, 3> sums = {0, 0, 0};  // loss, right answers, samples
  for (int64_t batch = 0; batch < reader_.batches(); ++batch) {
    const int64_t samples =
        reader_.Fill(batch, static_cast<float*>(features), static_cast<int64_t*>(labels),
                     static_cast<float*>(weights));
    if (samples == 0) continue;
    RM_RETURN_IF_ERROR(program_->Forward());
    RM_ASSIGN_OR_RETURN(const void* loss, program_->OutputMemory(graph::kLossSum));
    RM_ASSIGN_OR_RETURN(const void* correct, program_->OutputMemory(graph::kCorrect));
    sums[0] += static_cast<double>(*static_cast<const float*>(loss));
    sums[1] += static_cast<double>(*static_cast<const float*>(correct));
    sums[2] += static_cast<double>(samples);
  }
  RM_RETURN_IF_ERROR(communicator_->SumInPlace(absl::MakeSpan(sums)));
  return std::map<std::string, double>{{"validation/loss", sums[0] / sums[2]},
                                       {"validation/accuracy", sums[1] / sums[2]},
                                       {"validation/samples", sums[2]}};
}

}  // namespace rm::trainer
