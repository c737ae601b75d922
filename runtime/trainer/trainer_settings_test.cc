// Settings of a job that reach into every part of the training: optimizer state and step count in checkpoints, micro-batches,
// frozen weights, dropout, precision.
#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/check.h"
#include "base/memory_file_system.h"
#include "kernels/kernels.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

namespace pb = ::ringmaster::v1;

// Twelve steps with everything switched on.
pb::JobSpec FullSettings() {
  pb::JobSpec spec = SmallJob();
  spec.mutable_model()->add_freeze("fc1.*");
  pb::TrainSpec& train = *spec.mutable_train();
  train.clear_epochs();
  train.set_steps(12);
  train.set_gradient_accumulation(2);
  train.set_gradient_clipping(0.5);
  train.mutable_optimizer()->set_type("AdamW");
  train.mutable_optimizer()->clear_params();
  (*train.mutable_optimizer()->mutable_params())["lr"] = 0.01;
  (*train.mutable_optimizer()->mutable_params())["weight_decay"] = 0.1;
  train.mutable_optimizer()->add_no_decay("*.bias");
  train.mutable_scheduler()->set_type("WarmupCosineLR");
  (*train.mutable_scheduler()->mutable_params())["warmup_steps"] = 3;
  (*train.mutable_scheduler()->mutable_params())["total_steps"] = 12;
  return spec;
}

// The result on rank 0 of `ranks`; all ranks must agree on the weights.
TrainResult Train(base::MemoryFileSystem& files, const pb::JobSpec& spec, int ranks,
                  int64_t generation = 1) {
  std::vector<TrainResult> results(static_cast<size_t>(ranks));
  RunGang(ranks, [&](comm::Communicator& communicator) {
    const StopSignal stop;
    RecordingObserver observer;
    const pb::RankStart start =
        StartOf(spec, communicator.rank(), communicator.world_size(), generation);
    auto trainer = Trainer::Create(start, files, communicator, observer, stop);
    RM_CHECK(trainer.ok(), trainer.status().ToString());
    auto result = (*trainer)->Run();
    RM_CHECK(result.ok(), result.status().ToString());
    results[static_cast<size_t>(communicator.rank())] = *std::move(result);
  });
  for (const TrainResult& result : results) {
    CHECK(result.weights_sha256 == results[0].weights_sha256);
  }
  return results[0];
}

void WriteData(base::MemoryFileSystem& files) {
  WriteDigits(files, "/data/train", 96, 6);
  WriteDigits(files, "/data/test", 31, 6);
}

std::vector<float> ReadTensor(base::MemoryFileSystem& files, const std::string& checkpoint,
                              const std::string& name, size_t elements, bool optimizer) {
  const auto loaded = checkpoint::Checkpoint::Load(files, checkpoint);
  REQUIRE(loaded.ok());
  std::vector<float> values(elements);
  const size_t bytes = elements * sizeof(float);
  const absl::Status read = optimizer ? (*loaded)->ReadOptimizer(name, values.data(), bytes)
                                      : (*loaded)->ReadWeights(name, values.data(), bytes);
  INFO(read);
  REQUIRE(read.ok());
  return values;
}

TEST_CASE("a job that goes on from a checkpoint ends with the same bits, whatever its settings") {
  const std::function<void(pb::JobSpec&)> variants[] = {
      [](pb::JobSpec&) {},
      [](pb::JobSpec& spec) { spec.mutable_train()->mutable_optimizer()->set_type("Adam"); },
      [](pb::JobSpec& spec) {
        spec.mutable_model()->clear_params();
        spec.mutable_model()->clear_freeze();
        spec.mutable_model()->set_zoo("convnet");
        (*spec.mutable_model()->mutable_params())["dropout"] = 0.25;
        spec.mutable_train()->set_steps(4);
        spec.mutable_train()->set_global_batch_size(4);
      },
  };
  for (const auto& change : variants) {
    pb::JobSpec spec = FullSettings();
    change(spec);
    base::MemoryFileSystem undisturbed;
    WriteData(undisturbed);
    const std::string hash = Train(undisturbed, spec, 2).weights_sha256;
    base::MemoryFileSystem files;
    WriteData(files);
    pb::JobSpec half = spec;
    half.mutable_train()->set_steps(spec.train().steps() / 2);
    const TrainResult stopped = Train(files, half, 2);
    CHECK(stopped.weights_sha256 != hash);
    CHECK(Train(files, spec, 2, /*generation=*/2).weights_sha256 == hash);
  }
}

// Two ranks, in either mode: a convnet on digits, in float32 and in bfloat16.
TEST_CASE("in bf16 a job learns as in fp32, and its checkpoints are float32") {
  if (!kernels::CpuMultipliesBfloat16()) {
    WARN("skipped: " << kernels::CheckBfloat16().message());
    return;
  }
  pb::JobSpec spec = SmallJob();
  spec.mutable_model()->clear_params();
  spec.mutable_model()->set_zoo("convnet");
  spec.mutable_train()->clear_epochs();
  spec.mutable_train()->set_steps(8);
  spec.mutable_train()->set_global_batch_size(16);
  for (const char* const mode : {"fast", "exact"}) {
    INFO(mode);
    spec.mutable_train()->set_determinism(mode);
    spec.mutable_train()->set_virtual_shards(std::string(mode) == "exact" ? 2 : 0);
    std::vector<double> losses;
    std::vector<std::string> hashes;
    for (const char* const precision : {"fp32", "bf16", "bf16"}) {
      base::MemoryFileSystem files;
      WriteData(files);
      spec.mutable_train()->set_precision(precision);
      const TrainResult result = Train(files, spec, 2);
      losses.push_back(result.metrics.at("train/loss"));
      hashes.push_back(result.weights_sha256);
      // As many bytes as float32 has, or it could not be read.
      ReadTensor(files, "/checkpoints/step-000000000008-g1", "conv1.bias", 32, false);
    }
    CHECK(losses[1] == Approx(losses[0]).epsilon(0.05).margin(0.02));
    CHECK(hashes[0] != hashes[1]);
    CHECK(hashes[1] == hashes[2]);
  }
}

TEST_CASE("bf16 is refused at the start of a rank whose CPU lacks it") {
  if (kernels::CpuMultipliesBfloat16()) {
    WARN("skipped: this CPU has it; the test without AVX-512 refuses");
    return;
  }
  pb::JobSpec spec = SmallJob();
  spec.mutable_train()->set_precision("bf16");
  base::MemoryFileSystem files;
  WriteData(files);
  RunGang(1, [&](comm::Communicator& communicator) {
    const StopSignal stop;
    RecordingObserver observer;
    const auto trainer =
        Trainer::Create(StartOf(spec, 0, 1, 1), files, communicator, observer, stop);
    const std::string message(trainer.status().message());
    RM_CHECK(absl::StrContains(message, "train.precision: bf16 needs a CPU that multiplies"),
             message);
  });
}

TEST_CASE("the loss curve is the same on one rank and on two, with everything switched on") {
  std::vector<double> losses;
  for (const int ranks : {1, 2}) {
    base::MemoryFileSystem files;
    WriteData(files);
    losses.push_back(Train(files, FullSettings(), ranks).metrics.at("train/loss"));
  }
  CHECK(losses[1] == Approx(losses[0]).epsilon(1e-4));
}

TEST_CASE("frozen weights stay what they were, have no optimizer state, and are in the checkpoint") {
  base::MemoryFileSystem files;
  WriteData(files);
  pb::JobSpec spec = FullSettings();
  Train(files, spec, 1);
  const std::string path = "/checkpoints/step-000000000012-g1";
  const std::vector<float> frozen = ReadTensor(files, path, "fc1.bias", 16, false);
  const std::vector<float> trained = ReadTensor(files, path, "fc2.bias", 12, false);

  base::MemoryFileSystem one_step;
  WriteData(one_step);
  spec.mutable_train()->set_steps(1);
  Train(one_step, spec, 1);
  const std::string first = "/checkpoints/step-000000000001-g1";
  CHECK(ReadTensor(one_step, first, "fc1.bias", 16, false) == frozen);
  CHECK(ReadTensor(one_step, first, "fc2.bias", 12, false) != trained);

  const auto loaded = checkpoint::Checkpoint::Load(files, path);
  REQUIRE(loaded.ok());
  float value = 0;
  CHECK_FALSE((*loaded)->ReadOptimizer("exp_avg/fc1.bias", &value, sizeof(value)).ok());
  CHECK(ReadTensor(files, path, "exp_avg_sq/fc2.bias", 12, true) != std::vector<float>(12, 0.0F));
}

}  // namespace
}  // namespace rm::trainer
