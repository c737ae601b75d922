// A rank of `bench train`: a job's replica and stepper over one batch that is drawn once, so that only the training
// step is measured. Model, batch, optimizer and loss are those that the peers are measured with.

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
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
#include "kernels/kernels.h"
#include "proto/job.pb.h"
#include "runtime/data/batch_reader.h"
#include "runtime/graph/training.h"
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
  spec.set_zoo(TextSetting(settings, "model"));
  if (const base::Json* params = settings.Find("params")) {
    for (const auto& [name, value] : params->object()) {
      (*spec.mutable_params())[name] = value.number_or(0);
    }
  }
  return spec;
}

// SGD as the peers use it for these models.
pb::OptimizerSpec OptimizerSpecOf() {
  pb::OptimizerSpec spec;
  spec.set_type("SGD");
  (*spec.mutable_params())["momentum"] = 0.9;
  return spec;
}

// Standard normal features and uniform labels; sample i of the global batch depends on (seed, i) alone.
absl::Status FillBatch(trainer::Replica& replica, trainer::Stepper& stepper,
                       const data::Share& share, uint64_t seed, int64_t classes) {
  RM_ASSIGN_OR_RETURN(const kernels::TensorType input,
                      replica.program().InputType(model::kInput));
  const int64_t rows = input.shape[0];
  const int64_t elements = input.elements() / rows;
  for (int64_t row = 0; row < rows; ++row) {
    const bool used = row < share.count;
    const auto sample = static_cast<uint64_t>(share.first + row);
    base::RandomStream features(seed, (sample << 8) + kFeatureStream);
    base::RandomStream labels(seed, (sample << 8) + kLabelStream);
    float* out = stepper.features() + row * elements;
    for (int64_t i = 0; i < elements; ++i) out[i] = used ? features.NextNormal() : 0.0F;
    stepper.labels()[row] =
        used ? static_cast<int64_t>(labels.NextBelow(static_cast<uint64_t>(classes))) : 0;
    stepper.weights()[row] = used ? 1.0F : 0.0F;
  }
  return absl::OkStatus();
}

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
        learning_rate_(NumberSetting(settings, "lr", 0.05)) {}

  // As a job's trainer does it, but for the data, which is drawn and not read.
  absl::Status Build() {
    const pb::ModelSpec spec = ModelOf(settings_);
    RM_ASSIGN_OR_RETURN(const graph::Graph model, model::BuildGraph(spec));
    const data::Share share =
        data::ShareOf(global_batch_, communicator_.rank(), communicator_.world_size());
    const auto seed = static_cast<uint64_t>(IntSetting(settings_, "seed", 1));
    trainer::ReplicaOptions options;
    options.local_batch =
        (global_batch_ + communicator_.world_size() - 1) / communicator_.world_size();
    RM_ASSIGN_OR_RETURN(
        const graph::Graph graph,
        model::ForBatch(model, spec, options.local_batch, model::Purpose::kTraining));
    options.kernels = kernels::CpuKernels();
    options.kernel_options.threads = static_cast<int>(IntSetting(settings_, "threads", 1));
    options.seed = seed;
    RM_ASSIGN_OR_RETURN(auto optimizer, trainer::MakeOptimizer(OptimizerSpecOf()));
    RM_ASSIGN_OR_RETURN(replica_, trainer::Replica::Build(graph, options, std::move(optimizer),
                                                          communicator_));
    RM_ASSIGN_OR_RETURN(trainer::Stepper stepper,
                        trainer::Stepper::Create(*replica_, communicator_,
                                                 static_cast<double>(global_batch_)));
    stepper_.emplace(std::move(stepper));
    RM_ASSIGN_OR_RETURN(const int64_t classes, model::ClassCount(model));
    return FillBatch(*replica_, *stepper_, share, seed, classes);
  }

  // Loss before, warm-up, windows between barriers, loss after. The losses need no gradients, so they change nothing.
  absl::StatusOr<base::Json> Measure() {
    RM_ASSIGN_OR_RETURN(const double first_loss, stepper_->EvaluateLoss());
    RM_RETURN_IF_ERROR(Steps(kWarmUpSteps));
    const int64_t window = std::max<int64_t>(1, IntSetting(settings_, "steps", 60) / kWindows);
    const absl::Duration waited_before = stepper_->times().allreduce_wait;
    const absl::Time start = absl::Now();
    base::Json rates;
    for (int w = 0; w < kWindows; ++w) {
      RM_RETURN_IF_ERROR(communicator_.Barrier());
      const absl::Time begin = absl::Now();
      RM_RETURN_IF_ERROR(Steps(window));
      RM_RETURN_IF_ERROR(communicator_.Barrier());
      rates.Add(static_cast<double>(global_batch_ * window) /
                absl::ToDoubleSeconds(absl::Now() - begin));
    }
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
  const double learning_rate_;
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
