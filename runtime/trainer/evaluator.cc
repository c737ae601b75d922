#include "runtime/trainer/evaluator.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/status.h"
#include "runtime/graph/training.h"
#include "runtime/model/model.h"

namespace rm::trainer {
namespace {

// Labels a batch at most, unless training has more rows: enough to keep the kernels busy, little enough for any memory.
constexpr int64_t kEvaluationBatchMax = 128;

}  // namespace

// The batch is as large as the share, up to the bound; rows without a sample have weight 0 and count for nothing.
absl::StatusOr<std::unique_ptr<Evaluator>> Evaluator::Create(
    const graph::Graph& model, const ringmaster::v1::ModelSpec& spec, const data::Dataset& dataset, const Replica& replica,
    int64_t rows, kernels::KernelTable kernels, const kernels::KernelOptions& kernel_options,
    comm::Communicator& communicator) {
  const int64_t ranks = communicator.world_size();
  const int64_t most = std::max(rows, kEvaluationBatchMax / dataset.layout().weights());
  data::EvaluationReader::Options reader;
  reader.batch_size = std::min({most, kEvaluationBatchMax, (dataset.size() + ranks - 1) / ranks});
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
  std::unique_ptr<Evaluator> evaluator(new Evaluator(
      std::move(program), data::EvaluationReader(dataset, reader), communicator));
  const bool is_share = spec.loss() == "sigmoid_binary_cross_entropy";
  RM_RETURN_IF_ERROR(evaluator->FindMemory(graph, is_share, reader.batch_size));
  return evaluator;
}

absl::Status Evaluator::FindMemory(const graph::Graph& graph, bool is_share, int64_t rows) {
  rows_ = rows;
  RM_ASSIGN_OR_RETURN(batch_, BatchInputs::Find(*program_, ModelInputs(graph)));
  RM_RETURN_IF_ERROR(batch_.Check(reader_.layout(), rows));
  RM_ASSIGN_OR_RETURN(const void* loss, program_->OutputMemory(graph::kLossSum));
  loss_ = static_cast<const float*>(loss);
  const auto correct = program_->OutputMemory(graph::kCorrect);
  if (correct.ok()) correct_ = static_cast<const float*>(*correct);
  if (!is_share) return absl::OkStatus();
  RM_ASSIGN_OR_RETURN(const void* output, program_->OutputMemory(graph::kModelOutput));
  output_ = static_cast<const float*>(output);
  return absl::OkStatus();
}

// The logit says 1 where it is above 0. Each row counts as the share of its numbers that are right.
double Evaluator::CountSides() const {
  const data::BatchMemory memory = batch_.memory();
  const int64_t numbers = reader_.layout().target.elements();
  const auto* const targets = static_cast<const float*>(memory.target);
  double rows_right = 0;
  for (int64_t row = 0; row < rows_; ++row) {
    if (memory.weights[row] == 0) continue;
    int64_t right = 0;
    for (int64_t i = row * numbers; i < (row + 1) * numbers; ++i) {
      right += (output_[i] > 0) == (targets[i] > 0.5F) ? 1 : 0;
    }
    rows_right += static_cast<double>(right) / static_cast<double>(numbers);
  }
  return rows_right;
}

// Sums first, one division at the end: shares of different size weigh as they should.
absl::StatusOr<std::map<std::string, double>> Evaluator::Run() {
  std::array<double, 3> sums = {0, 0, 0};  // loss, right answers, samples
  for (int64_t batch = 0; batch < reader_.batches(); ++batch) {
    const int64_t samples = reader_.Fill(batch, batch_.memory());
    if (samples == 0) continue;
    RM_RETURN_IF_ERROR(program_->Forward());
    sums[0] += static_cast<double>(*loss_);
    if (correct_ != nullptr) sums[1] += static_cast<double>(*correct_);
    if (output_ != nullptr) sums[1] += CountSides();
    sums[2] += static_cast<double>(samples);
  }
  RM_RETURN_IF_ERROR(communicator_->SumInPlace(absl::MakeSpan(sums)));
  const double weight = sums[2] * static_cast<double>(reader_.layout().weights());
  std::map<std::string, double> metrics = {{"validation/loss", sums[0] / weight},
                                           {"validation/samples", sums[2]}};
  if (correct_ != nullptr || output_ != nullptr) metrics["validation/accuracy"] = sums[1] / weight;
  return metrics;
}

}  // namespace rm::trainer
