// Flat buckets: planned once, in the order of the gradients; a parameter has the same offset in weights, gradients
// and optimizer state.

#include "runtime/trainer/replica.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/alignment.h"
#include "base/check.h"
#include "base/name_pattern.h"
#include "base/sha256.h"
#include "base/status.h"
#include "runtime/trainer/batch_inputs.h"

namespace rm::trainer {
namespace {

// Virtual shards are parts of one micro-batch: the buffers move once, by the mean over all of them.
int StatisticsParts(const ReplicaOptions& options) {
  return options.virtual_shards > 0 ? 1 : options.micro_batches;
}

}  // namespace

// Compiles first: only the program knows in which order gradients become final, and that order is the layout.
absl::StatusOr<std::unique_ptr<Replica>> Replica::Build(const graph::Graph& training_graph,
                                                        const ReplicaOptions& options,
                                                        std::unique_ptr<Optimizer> optimizer,
                                                        comm::Communicator& communicator) {
  graph::CompileOptions compile;
  compile.batch = options.local_batch;
  compile.kernels = options.kernels;
  compile.kernel_options = options.kernel_options;
  compile.precision = options.precision;
  RM_ASSIGN_OR_RETURN(auto program, graph::Program::Compile(training_graph, compile));
  auto replica =
      std::unique_ptr<Replica>(new Replica(std::move(program), std::move(optimizer)));
  replica->inputs_ = ModelInputs(training_graph);
  RM_RETURN_IF_ERROR(replica->AllocateBuckets(options, communicator));
  RM_RETURN_IF_ERROR(replica->BindOptimizer(options));
  replica->BindParameters(replica->gradients_);
  RM_RETURN_IF_ERROR(replica->AllocateBuffers(options));
  const std::vector<StateTensor> weights = replica->Weights();
  std::vector<graph::ValueId> values = training_graph.parameters();
  for (const graph::ValueId buffer : training_graph.buffers()) values.push_back(buffer);
  for (size_t i = 0; i < weights.size(); ++i) {
    graph::InitializeParameter(training_graph.value(values[i]), options.seed, weights[i].values);
  }
  return replica;
}

// Plans the buckets in gradient order, allocates gradients through the communicator and weights beside them.
absl::Status Replica::AllocateBuckets(const ReplicaOptions& options,
                                      comm::Communicator& communicator) {
  const auto parameters = program_->parameters();
  const auto order = program_->gradient_order();
  RM_CHECK(order.size() == parameters.size(), "a parameter has no gradient");
  std::vector<int64_t> elements;
  for (const int parameter : order) {
    elements.push_back(parameters[static_cast<size_t>(parameter)].elements);
  }
  comm::BucketOptions bucket_options;
  bucket_options.bucket_bytes_max = options.bucket_bytes_max;
  bucket_options.first_bucket_bytes_max =
      std::min(bucket_options.first_bucket_bytes_max, options.bucket_bytes_max);
  plan_ = comm::PlanBuckets(elements, bucket_options);
  if (plan_.bucket_elements.empty()) {
    return absl::InvalidArgumentError("the model has no trainable parameter");
  }
  // The plan is in gradient order; everything else here is by parameter index.
  slice_of_.resize(order.size());
  bucket_of_.resize(order.size());
  in_bucket_.assign(plan_.bucket_elements.size(), 0);
  for (size_t i = 0; i < order.size(); ++i) {
    const auto parameter = static_cast<size_t>(order[i]);
    slice_of_[parameter] = plan_.slices[i];
    bucket_of_[parameter] = plan_.slices[i].bucket;
    ++in_bucket_[static_cast<size_t>(plan_.slices[i].bucket)];
  }
  std::vector<int64_t> on_wire = plan_.bucket_elements;
  // Only the last bucket on the wire is longer: the optimizer never sees statistics and report.
  const int64_t statistics =
      RunningStatistics::WireFloats(program_->buffers(), StatisticsParts(options));
  on_wire.back() += statistics + kReportFloats;
  RM_RETURN_IF_ERROR(AllocateGradients(on_wire, options, communicator));
  const auto tail = static_cast<size_t>(plan_.bucket_elements.back());
  statistics_wire_ = gradients_.back().subspan(tail, static_cast<size_t>(statistics));
  report_ = gradients_.back().subspan(tail + statistics_wire_.size());
  gradients_.back() = gradients_.back().first(tail);
  for (const int64_t count : plan_.bucket_elements) weights_.push_back(AddFlatArray(count));
  return absl::OkStatus();
}

// In exact mode the last shard's gradient is formed where the rank's last sum will stand, and the result of the gang.
absl::Status Replica::AllocateGradients(absl::Span<const int64_t> on_wire,
                                        const ReplicaOptions& options,
                                        comm::Communicator& communicator) {
  micro_batches_ = options.micro_batches;
  if (options.virtual_shards == 0) {
    RM_ASSIGN_OR_RETURN(gradients_, communicator.AllocateBuckets(on_wire));
    return absl::OkStatus();
  }
  RM_ASSIGN_OR_RETURN(const auto sums,
                      communicator.AllocateShardBuckets(on_wire, options.virtual_shards));
  const comm::ShardRun run =
      comm::ShardsOf(options.virtual_shards, communicator.world_size(), communicator.rank());
  micro_batches_ = run.count;
  for (const auto& bucket : sums) {
    shard_sums_.emplace_back(run, bucket);
    gradients_.push_back(bucket.back());
  }
  formed_in_ = gradients_;
  return absl::OkStatus();
}

// All buckets of a shard lie alike, so the first one tells for all. Binding costs microseconds; a copy of the gradients would
// cost as much as their optimizer.
void Replica::BeginMicroBatch() {
  if (!is_exact() || shard_sums_[0].work().data() == formed_in_[0].data()) return;
  for (size_t b = 0; b < formed_in_.size(); ++b) formed_in_[b] = shard_sums_[b].work();
  BindParameters(formed_in_);
}

// Statistics and report are always written behind the last sum, and few.
absl::Status Replica::Take(int bucket, int micro_batch) {
  if (!is_exact()) return gradient_sum_.Take(bucket, micro_batch);
  if (bucket + 1 == bucket_count()) {
    const auto tail = static_cast<std::ptrdiff_t>(plan_.bucket_elements.back());
    const absl::Span<float> to = formed_in_.back();
    const absl::Span<const float> from(gradients_.back().data(), to.size());
    if (to.data() != from.data()) std::copy(from.begin() + tail, from.end(), to.begin() + tail);
  }
  shard_sums_[static_cast<size_t>(bucket)].Commit();
  return absl::OkStatus();
}

// Parameters with the same rule that lie side by side are one run; padding belongs to what stands before it.
std::vector<BucketRun> Replica::RunsOf(int bucket, const ReplicaOptions& options) const {
  std::vector<std::pair<size_t, bool>> starts;  // where a parameter begins, and whether it decays
  for (size_t i = 0; i < slice_of_.size(); ++i) {
    if (slice_of_[i].bucket != bucket) continue;
    const std::string& name = program_->parameters()[i].name;
    const bool exempt = std::any_of(
        options.no_decay.begin(), options.no_decay.end(),
        [&](const std::string& pattern) { return base::MatchesPattern(pattern, name); });
    starts.emplace_back(static_cast<size_t>(slice_of_[i].offset), !exempt);
  }
  std::sort(starts.begin(), starts.end());
  std::vector<BucketRun> runs;
  for (const auto& [first, decays] : starts) {
    if (!runs.empty() && runs.back().decays == decays) continue;
    if (!runs.empty()) runs.back().count = first - runs.back().first;
    runs.push_back({first, 0, decays});
  }
  const auto end = static_cast<size_t>(plan_.bucket_elements[static_cast<size_t>(bucket)]);
  runs.back().count = end - runs.back().first;
  return runs;
}

// One more array of the plan's shape for each state tensor of the optimizer.
absl::Status Replica::BindOptimizer(const ReplicaOptions& options) {
  for (size_t s = 0; s < optimizer_->state_names().size(); ++s) {
    std::vector<absl::Span<float>>& buckets = state_.emplace_back();
    for (const int64_t count : plan_.bucket_elements) buckets.push_back(AddFlatArray(count));
  }
  std::vector<BucketMemory> memory;
  for (size_t b = 0; b < weights_.size(); ++b) {
    BucketMemory& bucket = memory.emplace_back();
    bucket.weights = weights_[b];
    bucket.gradients = gradients_[b];
    for (const auto& buckets : state_) bucket.state.push_back(buckets[b]);
    bucket.runs = RunsOf(static_cast<int>(b), options);
  }
  RM_RETURN_IF_ERROR(optimizer_->Bind(memory, options.kernels, options.kernel_options));
  if (is_exact()) return absl::OkStatus();
  std::vector<absl::Span<float>> sums;
  if (options.micro_batches > 1) {
    for (const int64_t count : plan_.bucket_elements) sums.push_back(AddFlatArray(count));
  }
  RM_ASSIGN_OR_RETURN(gradient_sum_,
                      GradientSum::Create(gradients_, std::move(sums), options.micro_batches,
                                          options.kernels, options.kernel_options));
  return absl::OkStatus();
}

// Buffers are no gradient's, so no bucket plan says where they lie: each has an array of its own.
absl::Status Replica::AllocateBuffers(const ReplicaOptions& options) {
  const auto buffers = program_->buffers();
  for (size_t i = 0; i < buffers.size(); ++i) {
    buffers_.push_back(AddFlatArray(buffers[i].elements));
    program_->BindBuffer(static_cast<int>(i), buffers_[i].data());
  }
  RM_ASSIGN_OR_RETURN(statistics_,
                      RunningStatistics::Create(*program_, buffers_, StatisticsParts(options),
                                                statistics_wire_));
  return absl::OkStatus();
}

// Tells the program where each parameter and its gradient live; kernels then write gradients into the buckets directly.
void Replica::BindParameters(const std::vector<absl::Span<float>>& gradients) {
  for (size_t i = 0; i < slice_of_.size(); ++i) {
    program_->BindParameter(static_cast<int>(i), SliceOf(i, weights_).data(),
                            SliceOf(i, gradients).data());
  }
}

// By name: the other program may order its parameters differently, but has no others.
void Replica::BindWeights(graph::Program& other) const {
  std::map<std::string, const float*> by_name;
  for (const StateTensor& tensor : Weights()) by_name[tensor.name] = tensor.values.data();
  const auto parameters = other.parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto found = by_name.find(parameters[i].name);
    RM_CHECK(found != by_name.end(), parameters[i].name, " is not a parameter of this replica");
    other.BindParameter(static_cast<int>(i), found->second, nullptr);
  }
  const auto buffers = other.buffers();
  for (size_t i = 0; i < buffers.size(); ++i) {
    const auto found = by_name.find(buffers[i].name);
    RM_CHECK(found != by_name.end(), buffers[i].name, " is not a buffer of this replica");
    other.BindBuffer(static_cast<int>(i), found->second);
  }
}

// A zeroed array with room to align it; the storage keeps the memory, the span is the aligned part.
absl::Span<float> Replica::AddFlatArray(int64_t elements) {
  const auto count = static_cast<size_t>(elements);
  std::vector<float>& array = storage_.emplace_back(count + base::kCacheLineFloats, 0.0F);
  return absl::MakeSpan(base::AlignToCacheLine(array.data()), count);
}

// The place of a parameter in arrays of the plan's shape.
absl::Span<float> Replica::SliceOf(size_t parameter,
                                   const std::vector<absl::Span<float>>& buckets) const {
  const comm::BucketSlice& slice = slice_of_[parameter];
  return buckets[static_cast<size_t>(slice.bucket)].subspan(static_cast<size_t>(slice.offset),
                                                            static_cast<size_t>(slice.elements));
}

StateTensor Replica::TensorOf(size_t parameter, const std::string& prefix,
                              const std::vector<absl::Span<float>>& buckets) const {
  const graph::ParameterInfo& info = program_->parameters()[parameter];
  return {prefix + info.name,
          std::vector<int64_t>(info.shape.begin(), info.shape.end()),
          SliceOf(parameter, buckets)};
}

std::vector<StateTensor> Replica::Weights() const {
  std::vector<StateTensor> tensors;
  for (size_t i = 0; i < slice_of_.size(); ++i) tensors.push_back(TensorOf(i, "", weights_));
  for (size_t i = 0; i < buffers_.size(); ++i) {
    const graph::BufferInfo& info = program_->buffers()[i];
    tensors.push_back(
        {info.name, std::vector<int64_t>(info.shape.begin(), info.shape.end()), buffers_[i]});
  }
  return tensors;
}

std::vector<StateTensor> Replica::Gradients() const {
  std::vector<StateTensor> tensors;
  for (size_t i = 0; i < slice_of_.size(); ++i) tensors.push_back(TensorOf(i, "", gradients_));
  return tensors;
}

std::vector<StateTensor> Replica::OptimizerState() const {
  std::vector<StateTensor> tensors;
  const std::vector<std::string> names = optimizer_->state_names();
  for (size_t s = 0; s < names.size(); ++s) {
    for (size_t i = 0; i < slice_of_.size(); ++i) {
      tensors.push_back(TensorOf(i, names[s] + "/", state_[s]));
    }
  }
  return tensors;
}

int64_t Replica::parameter_count() const {
  int64_t count = 0;
  for (const graph::ParameterInfo& info : program_->parameters()) count += info.elements;
  return count;
}

// By name, so that the hash does not depend on the order of the buckets; `weights_sha256` of a checkpoint is the same sum.
std::string Replica::WeightsSha256() const {
  std::vector<StateTensor> tensors = Weights();
  std::sort(tensors.begin(), tensors.end(),
            [](const StateTensor& a, const StateTensor& b) { return a.name < b.name; });
  base::Sha256 sum;
  for (const StateTensor& tensor : tensors) {
    sum.Update(tensor.values.data(), tensor.values.size() * sizeof(float));
  }
  return sum.HexDigest();
}

}  // namespace rm::trainer
