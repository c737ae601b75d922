// Exact mode: the same bits for every number of ranks.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/random.h"
#include "comm/collective/shard_tree.h"
#include "kernels/kernels.h"
#include "runtime/model/model.h"
#include "runtime/trainer/stepper.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

constexpr int64_t kGlobalBatch = 16;
constexpr int64_t kSide = 6;
constexpr int64_t kPixels = kSide * kSide;

struct Settings {
  int shards = 8;
  uint64_t seed = 1;
  std::string optimizer = "AdamW";
  int steps = 3;
  graph::Precision precision = graph::Precision::kFloat32;
};

// What a run comes to.
struct Result {
  std::string weights;  // sha256
  double loss = 0;      // of the last step
};

// A convnet with dropout, trained on rows that depend on their place in the global batch alone.
class ExactRun {
 public:
  ExactRun(comm::Communicator& communicator, const Settings& settings)
      : run_(comm::ShardsOf(settings.shards, communicator.world_size(), communicator.rank())),
        rows_(kGlobalBatch / settings.shards) {
    ringmaster::v1::ModelSpec model;
    model.set_zoo("convnet");
    auto& params = *model.mutable_params();
    params["height"] = params["width"] = kSide;
    params["dropout"] = 0.25;
    ringmaster::v1::OptimizerSpec spec;
    spec.set_type(settings.optimizer);
    ReplicaOptions options;
    options.local_batch = rows_;
    options.virtual_shards = settings.shards;
    options.kernels = kernels::CpuKernels();
    options.precision = settings.precision;
    options.bucket_bytes_max = 4096;
    options.seed = settings.seed;
    auto optimizer = MakeOptimizer(spec);
    RM_CHECK(optimizer.ok());
    const auto graph = model::BuildGraph(model);
    RM_CHECK(graph.ok());
    const auto training = model::ForBatch(*graph, model, rows_, model::Purpose::kTraining);
    RM_CHECK(training.ok(), training.status().ToString());
    auto replica = Replica::Build(*training, options, *std::move(optimizer), communicator);
    RM_CHECK(replica.ok(), replica.status().ToString());
    replica_ = *std::move(replica);
    StepperOptions stepping;
    stepping.gradient_clip = 0.5;
    stepping.seed = settings.seed;
    stepping.first_rows.clear();
    for (int part = 0; part < run_.count; ++part) stepping.first_rows.push_back(FirstRow(part));
    auto stepper = Stepper::Create(*replica_, communicator, static_cast<double>(kGlobalBatch),
                                   std::move(stepping));
    RM_CHECK(stepper.ok());
    stepper_ = std::make_unique<Stepper>(*std::move(stepper));
    stepper_->SetFill([this](int part) { Fill(part); });
  }

  Result Train(int steps) {
    Result result;
    for (int step = 0; step < steps; ++step) {
      Votes votes;
      votes.save_due = true;
      const auto outcome = stepper_->Run(0.01, votes);
      RM_CHECK(outcome.ok(), outcome.status().ToString());
      result.loss = outcome->loss;
      save_votes = outcome->save_due;
    }
    result.weights = replica_->WeightsSha256();
    return result;
  }

  int save_votes = 0;  // of the last step: one a rank, not one a shard

 private:
  [[nodiscard]] int64_t FirstRow(int part) const { return (run_.first + part) * rows_; }

  void Fill(int part) {
    for (int64_t row = 0; row < rows_; ++row) {
      const int64_t sample = FirstRow(part) + row;
      base::RandomStream random(5, static_cast<uint64_t>(sample));
      for (int64_t i = 0; i < kPixels; ++i) {
        stepper_->features()[row * kPixels + i] = random.NextUniform();
      }
      stepper_->labels()[row] = sample % 10;
      stepper_->weights()[row] = 1;
    }
  }

  const comm::ShardRun run_;
  const int64_t rows_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<Stepper> stepper_;
};

// Every rank of a gang must come to the same; what it is.
Result OnGang(int ranks, const Settings& settings) {
  std::vector<Result> results(static_cast<size_t>(ranks));
  RunGang(ranks, [&](comm::Communicator& communicator) {
    ExactRun run(communicator, settings);
    results[static_cast<size_t>(communicator.rank())] = run.Train(settings.steps);
    RM_CHECK(run.save_votes == ranks, run.save_votes, " votes of ", ranks, " ranks");
  });
  for (const Result& result : results) {
    CHECK(result.weights == results[0].weights);
    CHECK(result.loss == results[0].loss);
  }
  return results[0];
}

// Its sums are float32 and formed for each shard at its fixed size: nothing in them knows of ranks.
TEST_CASE("in bfloat16 too, and they are others than in float32") {
  Settings settings;
  const std::string wide = OnGang(1, settings).weights;
  settings.precision = graph::Precision::kBfloat16;
  const Result alone = OnGang(1, settings);
  CHECK(alone.weights != wide);
  for (const int ranks : {2, 3, 5, 8}) {
    INFO(ranks << " ranks");
    const Result result = OnGang(ranks, settings);
    CHECK(result.weights == alone.weights);
    CHECK(result.loss == alone.loss);
  }
}

TEST_CASE("weights and loss have the same bits for every number of ranks") {
  for (const int shards : {8, 16}) {
    for (const std::string optimizer : {"SGD", "AdamW"}) {
      const Settings settings{shards, 1, optimizer, 3};
      const Result alone = OnGang(1, settings);
      for (const int ranks : {2, 3, 5, 8}) {
        INFO(ranks << " ranks, " << shards << " shards, " << optimizer);
        const Result result = OnGang(ranks, settings);
        CHECK(result.weights == alone.weights);
        CHECK(result.loss == alone.loss);
      }
    }
  }
}

TEST_CASE("another seed, and another number of shards, are another training") {
  const Result one = OnGang(2, {});
  CHECK(OnGang(2, {8, 2, "AdamW", 3}).weights != one.weights);
  CHECK(OnGang(2, {16, 1, "AdamW", 3}).weights != one.weights);
}

}  // namespace
}  // namespace rm::trainer
