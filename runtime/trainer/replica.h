// One rank's copy of a model in training: weights, gradients and optimizer state in flat buckets, and the program
// that computes over them.
//
// Buckets are planned in the order in which the backward pass finishes gradients (comm/bucket/bucket_plan.h). Gradient
// memory belongs to the communicator, which may share or register it; weights and optimizer state lie in arrays of
// the same plan, so that one offset finds a parameter in all of them and the optimizer is one pass a bucket.
//
// The last gradient bucket carries more floats: what buffers follow (running_statistics.h; none for a model without such),
// and kReportFloats for whatever ranks must agree on once a step (loss, votes). They are summed with the gradients and cost no
// message of their own.
#ifndef RM_RUNTIME_TRAINER_REPLICA_H_
#define RM_RUNTIME_TRAINER_REPLICA_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "comm/bucket/bucket_plan.h"
#include "comm/collective/communicator.h"
#include "comm/collective/shard_tree.h"
#include "kernels/api/kernel.h"
#include "runtime/graph/graph.h"
#include "runtime/graph/program.h"
#include "runtime/trainer/gradient_sum.h"
#include "runtime/trainer/optimizer.h"
#include "runtime/trainer/running_statistics.h"

namespace rm::trainer {

// Extra floats at the end of the last gradient bucket; a multiple of 16 keeps the alignment.
inline constexpr int64_t kReportFloats = 16;

struct ReplicaOptions {
  int64_t local_batch = 1;                // rows of a micro-batch on this rank
  int micro_batches = 1;                  // parts that a rank's share of a step is computed in
  // Exact mode: the batch is cut into so many virtual shards of local_batch rows, and this rank's
  // (comm::ShardsOf) are its micro-batches, whatever is said above. 0: fast mode.
  int virtual_shards = 0;
  int64_t bucket_bytes_max = 8 << 20;
  graph::Precision precision = graph::Precision::kFloat32;  // weights and gradients are float32 in both
  kernels::KernelTable kernels;
  kernels::KernelOptions kernel_options;
  uint64_t seed = 1;                      // first values of the parameters
  std::vector<std::string> no_decay;      // patterns of parameters without weight decay (base/name_pattern.h)
};

// A named piece of the replica's state, plain row-major.
struct StateTensor {
  std::string name;
  std::vector<int64_t> shape;
  absl::Span<float> values;
};

// Thread-compatible. Invariant: every rank that was built from the same graph, options and checkpoint holds the same
// bits after the same steps.
class Replica {
 public:
  // Compiles `training_graph`, allocates the buckets through `communicator` (which must outlive the replica), binds
  // the parameters and gives them their first values. `optimizer` says which state each parameter has.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Replica>> Build(
      const graph::Graph& training_graph, const ReplicaOptions& options,
      std::unique_ptr<Optimizer> optimizer, comm::Communicator& communicator);

  [[nodiscard]] graph::Program& program() { return *program_; }
  // The model's own inputs, in the graph's order: without those of the loss and of dropout.
  [[nodiscard]] const std::vector<std::string>& inputs() const { return inputs_; }
  [[nodiscard]] Optimizer& optimizer() { return *optimizer_; }
  [[nodiscard]] int bucket_count() const { return static_cast<int>(plan_.bucket_elements.size()); }
  // Bucket of each parameter, and how many gradients each bucket waits for.
  [[nodiscard]] const std::vector<int>& bucket_of() const { return bucket_of_; }
  [[nodiscard]] const std::vector<int>& gradients_in_bucket() const { return in_bucket_; }

  // The extra floats of the last bucket.
  [[nodiscard]] absl::Span<float> report() { return report_; }
  // Gradients of each bucket, without what lies behind them on the wire.
  [[nodiscard]] absl::Span<const absl::Span<float>> gradients() const { return gradients_; }
  // Sums the gradients of micro-batches.
  // Parts that this rank's share is computed in, and whether they are virtual shards, which are added along a fixed tree.
  [[nodiscard]] int micro_batches() const { return micro_batches_; }
  [[nodiscard]] bool is_exact() const { return !shard_sums_.empty(); }
  // Before each micro-batch: its gradients may have a place of their own.
  void BeginMicroBatch();
  // Bucket `bucket` holds all that micro-batch `micro_batch` has to say; after the last one it holds the sum of all.
  [[nodiscard]] absl::Status Take(int bucket, int micro_batch);
  // What moves the buffers; its sums are final when the last bucket is.
  [[nodiscard]] RunningStatistics& statistics() { return statistics_; }

  // Parameters in the graph's order, then buffers in theirs: what a checkpoint calls the weights. Optimizer state as "<state>/<parameter>", grouped by state.
  [[nodiscard]] std::vector<StateTensor> Weights() const;
  [[nodiscard]] std::vector<StateTensor> OptimizerState() const;
  // Of each parameter: after a backward pass what it found, after a step the sum over the ranks.
  [[nodiscard]] std::vector<StateTensor> Gradients() const;

  // Parameters of this model in all.
  [[nodiscard]] int64_t parameter_count() const;
  // SHA-256 over the parameters and buffers in name order, raw little-endian bytes.
  [[nodiscard]] std::string WeightsSha256() const;

  // Lets another program over the same parameters (evaluation) read these weights.
  void BindWeights(graph::Program& other) const;

 private:
  using FlatBuckets = std::vector<std::vector<float>>;  // one array a bucket, over-allocated for alignment

  Replica(std::unique_ptr<graph::Program> program, std::unique_ptr<Optimizer> optimizer)
      : program_(std::move(program)), optimizer_(std::move(optimizer)) {}

  absl::Status AllocateBuckets(const ReplicaOptions& options, comm::Communicator& communicator);
  // Buckets of these sizes on the wire, in the mode that is asked for.
  absl::Status AllocateGradients(absl::Span<const int64_t> on_wire, const ReplicaOptions& options,
                                 comm::Communicator& communicator);
  absl::Status BindOptimizer(const ReplicaOptions& options);
  [[nodiscard]] std::vector<BucketRun> RunsOf(int bucket, const ReplicaOptions& options) const;
  absl::Status AllocateBuffers(const ReplicaOptions& options);
  void BindParameters(const std::vector<absl::Span<float>>& gradients);
  absl::Span<float> AddFlatArray(int64_t elements);
  [[nodiscard]] absl::Span<float> SliceOf(size_t parameter,
                                          const std::vector<absl::Span<float>>& buckets) const;
  [[nodiscard]] StateTensor TensorOf(size_t parameter, const std::string& prefix,
                                     const std::vector<absl::Span<float>>& buckets) const;

  std::unique_ptr<graph::Program> program_;
  std::vector<std::string> inputs_;
  std::unique_ptr<Optimizer> optimizer_;
  comm::BucketPlan plan_;
  std::vector<comm::BucketSlice> slice_of_;  // by parameter index
  std::vector<int> bucket_of_;
  std::vector<int> in_bucket_;
  FlatBuckets storage_;                            // owns weights and state
  std::vector<absl::Span<float>> weights_;         // by bucket
  std::vector<absl::Span<float>> gradients_;       // by bucket, without the report
  std::vector<std::vector<absl::Span<float>>> state_;  // by state, then bucket
  int micro_batches_ = 1;
  GradientSum gradient_sum_;                         // fast mode
  std::vector<comm::ShardAccumulator> shard_sums_;  // exact mode: one a bucket
  std::vector<absl::Span<float>> formed_in_;         // exact mode: where the present shard's buckets are
  std::vector<absl::Span<float>> buffers_;             // by buffer
  absl::Span<float> statistics_wire_;                  // between the last bucket's gradients and the report
  RunningStatistics statistics_;
  absl::Span<float> report_;
};

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_REPLICA_H_
