// A rank of `bench train`: a job's replica and stepper over one batch that is drawn once, so that only the training
// step is measured. Model, batch, optimizer and loss are those that the peers are measured with.

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/status.h"
#include "comm/collective/shard_tree.h"
#include "kernels/kernels.h"
#include "proto/job.pb.h"
#include "runtime/data/batch_reader.h"
#include "runtime/graph/training.h"
#include "runtime/model/layout.h"
#include "runtime/model/model.h"
#include "runtime/tensorfile/safetensors.h"
#include "runtime/trainer/optimizer.h"
#include "runtime/trainer/replica.h"
#include "runtime/trainer/stepper.h"
#include "tools/bench/train_bench.h"

namespace rm::bench {
namespace pb = ::ringmaster::v1;
namespace {

constexpr int kWarmUpSteps = 6;
constexpr int kWindows = 6;

// Stream of the synthetic samples and of their labels.
constexpr uint64_t kFeatureStream = 1;
constexpr uint64_t kLabelStream = 2;

// Settings come as JSON; what is missing has its default here.
int64_t IntSetting(const base::Json& settings, const char* key, int64_t fallback) {
  const base::Json* value = settings.Find(key);
  return value == nullptr ? fallback : value->int_or(fallback);
}

double NumberSetting(const base::Json& settings, const char* key, double fallback) {
  const base::Json* value = settings.Find(key);
  return value == nullptr ? fallback : value->number_or(fallback);
}

std::string TextSetting(const base::Json& settings, const char* key) {
  const base::Json* value = settings.Find(key);
  return value == nullptr ? "" : value->string_or("");
}

// The model block of a job, so that the graph is built by the code that builds a job's.
pb::ModelSpec ModelOf(const base::Json& settings) {
  pb::ModelSpec spec;
  spec.set_zoo(TextSetting(settings, "zoo"));
  spec.set_onnx(TextSetting(settings, "onnx"));
  if (const base::Json* params = settings.Find("params")) {
    for (const auto& [name, value] : params->object()) {
      (*spec.mutable_params())[name] = value.number_or(0);
    }
  }
  return spec;
}

// SGD as the peers use it, or another with its own defaults, which are the peers' too.
pb::OptimizerSpec OptimizerSpecOf(const base::Json& settings) {
  pb::OptimizerSpec spec;
  spec.set_type(TextSetting(settings, "optimizer"));
  if (spec.type() == "SGD") (*spec.mutable_params())["momentum"] = 0.9;
  return spec;
}

// The rows that this rank computes, drawn once: standard normal features (or indices that the model's tables have) and
// uniform labels. Row i of the global batch depends on (seed, i) alone. Rows of any part are copied from here into the
// program's memory.
class SyntheticRows {
 public:
  // `layout`: what the model takes. `rows`: the rank's share of the global batch. A part has as many rows as the
  // program's inputs.
  absl::Status Draw(graph::Program& program, const data::SampleLayout& layout, const data::Share& rows, uint64_t seed) {
    classes_ = layout.classes;
    rows_ = rows.count;
    for (const data::SampleTensor& tensor : layout.inputs) {
      Input& input = inputs_.emplace_back();
      RM_ASSIGN_OR_RETURN(input.memory, program.InputMemory(tensor.name));
      input.tensor = tensor;
      input.values.resize(tensor.bytes() * static_cast<size_t>(rows_));
    }
    RM_ASSIGN_OR_RETURN(const kernels::TensorType weights, program.InputType(graph::kWeights));
    RM_ASSIGN_OR_RETURN(const kernels::TensorType labels, program.InputType(graph::kLabels));
    RM_ASSIGN_OR_RETURN(void* label_memory, program.InputMemory(graph::kLabels));
    RM_ASSIGN_OR_RETURN(void* weight_memory, program.InputMemory(graph::kWeights));
    label_memory_ = static_cast<int64_t*>(label_memory);
    weight_memory_ = static_cast<float*>(weight_memory);
    row_labels_ = layout.weights();
    part_rows_ = weights.elements() / row_labels_;
    if (labels.elements() != weights.elements()) {
      return absl::InternalError("bench train draws class indices only");
    }
    labels_.resize(static_cast<size_t>(row_labels_ * rows_));
    for (int64_t row = 0; row < rows_; ++row) DrawRow(row, rows.first + row, seed);
    return absl::OkStatus();
  }

  // Puts part `part` into the memory; what is left of it has no weight.
  void Fill(int part) {
    const int64_t first = part * part_rows_;
    const int64_t used = std::clamp<int64_t>(rows_ - first, 0, part_rows_);
    for (const Input& input : inputs_) {
      const size_t row = input.tensor.bytes();
      std::memset(input.memory, 0, row * static_cast<size_t>(part_rows_));
      std::memcpy(input.memory, input.values.data() + row * static_cast<size_t>(first), row * static_cast<size_t>(used));
    }
    std::fill_n(label_memory_, row_labels_ * part_rows_, 0);
    std::copy_n(labels_.data() + first * row_labels_, row_labels_ * used, label_memory_);
    std::fill_n(weight_memory_, row_labels_ * part_rows_, 0.0F);
    std::fill_n(weight_memory_, row_labels_ * used, 1.0F);
  }

  // Labels, and so losses, of one row: 1, or the tokens of a sequence.
  [[nodiscard]] int64_t row_labels() const { return row_labels_; }

 private:
  struct Input {
    data::SampleTensor tensor;  // of one row
    void* memory = nullptr;     // of the program
    std::vector<char> values;   // of all rows
  };

  // Below what the model can look up; where it looks up nothing, small numbers.
  [[nodiscard]] int64_t Index(const data::SampleTensor& tensor, base::RandomStream& stream) const {
    const int64_t limit = tensor.limit > 0 ? tensor.limit : std::min<int64_t>(classes_, tensor.largest());
    return static_cast<int64_t>(stream.NextBelow(static_cast<uint64_t>(limit)));
  }

  // One number. Truths are masks, as a rule, and a mask that hides all would make NaN of a softmax: so nothing is hidden.
  void DrawNumber(const data::SampleTensor& tensor, base::RandomStream& stream, char* out) const {
    switch (tensor.dtype) {
      case kernels::DType::kFloat32: return Store(stream.NextNormal(), out);
      case kernels::DType::kInt64: return Store(Index(tensor, stream), out);
      case kernels::DType::kInt32: return Store(static_cast<int32_t>(Index(tensor, stream)), out);
      case kernels::DType::kUInt8: return Store(static_cast<uint8_t>(Index(tensor, stream)), out);
      case kernels::DType::kBool: return Store(true, out);
      case kernels::DType::kBfloat16: return;  // no input of a model is of it
    }
  }

  template <typename T>
  static void Store(T value, char* out) {
    std::memcpy(out, &value, sizeof(value));
  }

  // A stream of its own for each input, and one for the labels.
  void DrawRow(int64_t row, int64_t sample, uint64_t seed) {
    const auto key = static_cast<uint64_t>(sample) << 8;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      Input& input = inputs_[i];
      base::RandomStream stream(seed, key + (i == 0 ? kFeatureStream : kLabelStream + i));
      const size_t size = kernels::ByteSize(input.tensor.dtype);
      char* out = input.values.data() + input.tensor.bytes() * static_cast<size_t>(row);
      for (int64_t n = input.tensor.elements(); n > 0; --n, out += size) DrawNumber(input.tensor, stream, out);
    }
    base::RandomStream labels(seed, key + kLabelStream);
    std::generate_n(labels_.data() + row * row_labels_, row_labels_, [&] {
      return static_cast<int64_t>(labels.NextBelow(static_cast<uint64_t>(classes_)));
    });
  }

  std::vector<Input> inputs_;
  int64_t* label_memory_ = nullptr;
  float* weight_memory_ = nullptr;
  int64_t classes_ = 1;
  int64_t part_rows_ = 1;
  int64_t row_labels_ = 1;
  int64_t rows_ = 0;
  std::vector<int64_t> labels_;
};

// The high-water mark of this process's resident memory; the kernel counts it in KiB.
int64_t PeakRssBytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<int64_t>(usage.ru_maxrss) * 1024;
}

// Parameters under their own names, so that the hash can be computed again from the file.
absl::Status SaveWeights(const trainer::Replica& replica, const std::string& path) {
  std::vector<tensorfile::TensorData> tensors;
  for (const trainer::StateTensor& tensor : replica.Weights()) {
    tensors.push_back({tensor.name, "F32", tensor.shape, tensor.values.data(),
                       tensor.values.size() * sizeof(float)});
  }
  RM_ASSIGN_OR_RETURN(auto file, base::PosixFileSystem().Create(path));
  RM_RETURN_IF_ERROR(tensorfile::WriteSafetensors(tensors, {}, *file));
  RM_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

// The replica in training and what is measured of it.
class Run {
 public:
  Run(const base::Json& settings, comm::Communicator& communicator)
      : settings_(settings),
        communicator_(communicator),
        global_batch_(IntSetting(settings, "global_batch", 1)),
        shards_(IntSetting(settings, "virtual_shards", 0)),
        learning_rate_(NumberSetting(settings, "lr", 0.05)) {}

  // As a job's trainer does it, but for the data, which is drawn and not read.
  absl::Status Build() {
    const pb::ModelSpec spec = ModelOf(settings_);
    RM_ASSIGN_OR_RETURN(const graph::Graph model, model::BuildGraph(spec));
    const auto seed = static_cast<uint64_t>(IntSetting(settings_, "seed", 1));
    const data::Share rows = OwnRows();
    trainer::ReplicaOptions options;
    options.virtual_shards = static_cast<int>(shards_);
    options.local_batch = shards_ > 0 ? global_batch_ / shards_
                                      : (global_batch_ + communicator_.world_size() - 1) /
                                            communicator_.world_size();
    RM_ASSIGN_OR_RETURN(
        const graph::Graph graph,
        model::ForBatch(model, spec, options.local_batch, model::Purpose::kTraining));
    options.kernels = kernels::CpuKernels();
    options.kernel_options.threads = static_cast<int>(IntSetting(settings_, "threads", 1));
    RM_ASSIGN_OR_RETURN(options.precision,
                        graph::FindPrecision(TextSetting(settings_, "precision")));
    options.seed = seed;
    RM_ASSIGN_OR_RETURN(auto optimizer, trainer::MakeOptimizer(OptimizerSpecOf(settings_)));
    RM_ASSIGN_OR_RETURN(replica_, trainer::Replica::Build(graph, options, std::move(optimizer),
                                                          communicator_));
    RM_ASSIGN_OR_RETURN(const data::SampleLayout layout, model::LayoutOf(model, spec));
    RM_RETURN_IF_ERROR(rows_.Draw(replica_->program(), layout, rows, seed));
    trainer::StepperOptions stepping;
    stepping.seed = seed;
    stepping.first_rows.clear();
    for (int part = 0; part < replica_->micro_batches(); ++part) {
      stepping.first_rows.push_back(rows.first + part * options.local_batch);
    }
    RM_ASSIGN_OR_RETURN(
        trainer::Stepper stepper,
        trainer::Stepper::Create(*replica_, communicator_,
                                 static_cast<double>(global_batch_ * rows_.row_labels()),
                                 std::move(stepping)));
    stepper_.emplace(std::move(stepper));
    rows_.Fill(0);
    // With one part the batch stays where it is; shards take turns.
    if (replica_->micro_batches() > 1) stepper_->SetFill([this](int part) { rows_.Fill(part); });
    return absl::OkStatus();
  }

  // Loss before, warm-up, windows between barriers, loss after. The losses need no gradients, so they change nothing.
  absl::StatusOr<base::Json> Measure() {
    RM_ASSIGN_OR_RETURN(const double first_loss, stepper_->EvaluateLoss());
    const int64_t steps = IntSetting(settings_, "steps", 60);
    const int64_t window = std::max<int64_t>(1, steps / kWindows);
    // In exact mode people compare weights after so many steps, and not one more.
    const int windows = static_cast<int>(std::min<int64_t>(kWindows, steps));
    if (shards_ == 0) RM_RETURN_IF_ERROR(Steps(kWarmUpSteps));
    const absl::Duration waited_before = stepper_->times().allreduce_wait;
    const absl::Time start = absl::Now();
    base::Json rates;
    for (int w = 0; w < windows; ++w) {
      RM_RETURN_IF_ERROR(communicator_.Barrier());
      const absl::Time begin = absl::Now();
      RM_RETURN_IF_ERROR(Steps(window));
      RM_RETURN_IF_ERROR(communicator_.Barrier());
      rates.Add(static_cast<double>(global_batch_ * window) /
                absl::ToDoubleSeconds(absl::Now() - begin));
    }
    if (shards_ > 0) RM_RETURN_IF_ERROR(Steps(steps - window * windows));
    const absl::Duration waited = stepper_->times().allreduce_wait - waited_before;
    const double wait_share = absl::FDivDuration(waited, absl::Now() - start);
    RM_ASSIGN_OR_RETURN(const double last_loss, stepper_->EvaluateLoss());
    const std::string path = TextSetting(settings_, "save_weights");
    if (!path.empty() && communicator_.rank() == 0) {
      RM_RETURN_IF_ERROR(SaveWeights(*replica_, path));
    }
    base::Json result;
    result.Set("parameters", replica_->parameter_count())
        .Set("first_loss", first_loss)
        .Set("last_loss", last_loss)
        .Set("windows", rates)
        .Set("allreduce_wait_share", wait_share)
        .Set("peak_rss_bytes", PeakRssBytes())
        .Set("transport", TextSetting(settings_, "transport"))
        .Set("weights_sha256", replica_->WeightsSha256());
    return result;
  }

 private:
  // The rows of the global batch that this rank computes.
  [[nodiscard]] data::Share OwnRows() const {
    const int rank = communicator_.rank(), ranks = communicator_.world_size();
    if (shards_ == 0) return data::ShareOf(global_batch_, rank, ranks);
    const comm::ShardRun run = comm::ShardsOf(static_cast<int>(shards_), ranks, rank);
    const int64_t rows = global_batch_ / shards_;
    return {run.first * rows, run.count * rows};
  }

  // The step of a job: same code, same communicator.
  absl::Status Steps(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      RM_RETURN_IF_ERROR(stepper_->Run(learning_rate_, trainer::Votes()).status());
    }
    return absl::OkStatus();
  }

  const base::Json& settings_;
  comm::Communicator& communicator_;
  const int64_t global_batch_;
  const int64_t shards_;  // exact mode; 0: fast
  const double learning_rate_;
  SyntheticRows rows_;
  std::unique_ptr<trainer::Replica> replica_;
  std::optional<trainer::Stepper> stepper_;
};

}  // namespace

absl::StatusOr<base::Json> TrainBenchRank(const base::Json& settings,
                                          comm::Communicator& communicator) {
  Run run(settings, communicator);
  RM_RETURN_IF_ERROR(run.Build());
  return run.Measure();
}

}  // namespace rm::bench
