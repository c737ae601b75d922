// What a step's settings do: micro-batches, clipping, dropout.
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "kernels/kernels.h"
#include "runtime/data/batch_reader.h"
#include "runtime/trainer/stepper.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

constexpr int64_t kGlobalBatch = 12;
constexpr int64_t kSide = 6;
constexpr int64_t kPixels = kSide * kSide;

struct Settings {
  int micro_batches = 1;
  double clip = 0;
  double dropout = 0;
  uint64_t dropout_seed = 1;
  double momentum = 0;
};

// A small convnet with its stepper on one rank of a gang. Row i of the global batch is the same wherever it lies.
class Fixture {
 public:
  Fixture(comm::Communicator& communicator, const Settings& settings)
      : share_(data::ShareOf(kGlobalBatch, communicator.rank(), communicator.world_size())),
        parts_(settings.micro_batches) {
    rows_ = (share_.count + parts_ - 1) / parts_;
    ReplicaOptions options;
    options.local_batch = rows_;
    options.micro_batches = parts_;
    options.kernels = kernels::CpuKernels();
    options.bucket_bytes_max = 4096;
    ringmaster::v1::OptimizerSpec spec;
    spec.set_type("SGD");
    (*spec.mutable_params())["momentum"] = settings.momentum;
    auto optimizer = MakeOptimizer(spec);
    RM_CHECK(optimizer.ok());
    auto built = Replica::Build(TrainingGraph(Model(settings), rows_), options,
                                *std::move(optimizer), communicator);
    RM_CHECK(built.ok(), built.status().ToString());
    replica = *std::move(built);
    StepperOptions stepper_options;
    stepper_options.gradient_clip = settings.clip;
    stepper_options.seed = settings.dropout_seed;
    stepper_options.first_rows.clear();
    for (int part = 0; part < parts_; ++part) {
      stepper_options.first_rows.push_back(share_.first + RowsOf(part).first);
    }
    auto made = Stepper::Create(*replica, communicator, static_cast<double>(kGlobalBatch),
                                stepper_options);
    RM_CHECK(made.ok(), made.status().ToString());
    stepper.emplace(*std::move(made));
    stepper->SetFill([this](int part) { Fill(part); });
  }

  StepOutcome Step(double rate = 0.05) {
    const auto outcome = stepper->Run(rate, Votes());
    RM_CHECK(outcome.ok(), outcome.status().ToString());
    return *outcome;
  }

  // All weights side by side.
  std::vector<float> Weights() const {
    std::vector<float> all;
    for (const StateTensor& tensor : replica->Weights()) {
      all.insert(all.end(), tensor.values.begin(), tensor.values.end());
    }
    return all;
  }

  std::unique_ptr<Replica> replica;
  std::optional<Stepper> stepper;

 private:
  static ringmaster::v1::ModelSpec Model(const Settings& settings) {
    ringmaster::v1::ModelSpec spec;
    spec.set_zoo("convnet");
    (*spec.mutable_params())["height"] = kSide;
    (*spec.mutable_params())["width"] = kSide;
    if (settings.dropout > 0) (*spec.mutable_params())["dropout"] = settings.dropout;
    return spec;
  }

  data::Share RowsOf(int part) const { return data::ShareOf(share_.count, part, parts_); }

  void Fill(int part) {
    const data::Share rows = RowsOf(part);
    for (int64_t row = 0; row < rows_; ++row) {
      const int64_t sample = share_.first + rows.first + row;
      base::RandomStream random(5, static_cast<uint64_t>(sample));
      for (int64_t i = 0; i < kPixels; ++i) {
        stepper->features()[row * kPixels + i] = random.NextUniform();
      }
      stepper->labels()[row] = sample % 10;
      stepper->weights()[row] = row < rows.count ? 1.0F : 0.0F;
    }
  }

  const data::Share share_;
  const int parts_;
  int64_t rows_ = 1;
};

// What `body` makes of a fixture on rank 0 of a gang.
template <typename Result>
Result OnGang(int ranks, const Settings& settings,
              const std::function<Result(Fixture&)>& body) {
  std::vector<Result> results(static_cast<size_t>(ranks));
  RunGang(ranks, [&](comm::Communicator& communicator) {
    Fixture fixture(communicator, settings);
    results[static_cast<size_t>(communicator.rank())] = body(fixture);
  });
  return results[0];
}

double Distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

TEST_CASE("micro-batches change nothing but rounding, at any number of ranks") {
  const std::function<std::vector<float>(Fixture&)> train = [](Fixture& fixture) {
    for (int step = 0; step < 3; ++step) fixture.Step();
    return fixture.Weights();
  };
  const std::vector<float> whole = OnGang(1, {1}, train);
  for (const int ranks : {1, 2}) {
    for (const int parts : {2, 3, 5}) {  // 5: parts of unequal size
      CAPTURE(ranks, parts);
      CHECK(Distance(OnGang(ranks, {parts}, train), whole) < 1e-5);
    }
  }
}

TEST_CASE("the loss of a step is that of all its micro-batches, and looking at it changes nothing") {
  const std::function<double(Fixture&)> look = [](Fixture& fixture) {
    const auto before = fixture.stepper->EvaluateLoss();
    RM_CHECK(before.ok());
    const double loss = fixture.Step().loss;
    RM_CHECK(std::abs(*before - loss) < 1e-6);
    return loss;
  };
  const double whole = OnGang(1, {1}, look);
  CHECK(OnGang(1, {4}, look) == Approx(whole).epsilon(1e-6));
  CHECK(OnGang(2, {3}, look) == Approx(whole).epsilon(1e-6));
}

TEST_CASE("a gradient above the bound is cut to it, one below is left alone") {
  struct Moved {
    double norm = 0;
    double distance = 0;
  };
  const std::function<Moved(Fixture&)> step = [](Fixture& fixture) {
    const std::vector<float> before = fixture.Weights();
    const StepOutcome outcome = fixture.Step(0.5);
    return Moved{outcome.gradient_norm, Distance(before, fixture.Weights())};
  };
  Settings free;
  free.clip = 1e6;
  const Moved whole = OnGang(2, free, step);
  CHECK(whole.norm > 0);
  CHECK(whole.distance == Approx(0.5 * whole.norm).epsilon(1e-4));
  Settings clipped;
  clipped.clip = whole.norm / 10;
  const Moved cut = OnGang(2, clipped, step);
  CHECK(cut.norm == Approx(whole.norm));  // the norm is told as it was
  CHECK(cut.distance == Approx(0.5 * clipped.clip).epsilon(1e-3));
  CHECK(OnGang(2, {}, step).norm == 0);  // nobody asked
}

TEST_CASE("dropout depends on seed, step and place in the batch, not on how the batch is shared out") {
  Settings settings;
  settings.dropout = 0.25;
  const std::function<std::vector<double>(Fixture&)> losses = [](Fixture& fixture) {
    // A rate of 0: only the masks change from step to step.
    return std::vector<double>{fixture.Step(0).loss, fixture.Step(0).loss, fixture.Step(0).loss};
  };
  const std::vector<double> alone = OnGang(1, settings, losses);
  CHECK(alone[0] != alone[1]);
  CHECK(alone[1] != alone[2]);
  for (const int ranks : {2, 3}) {
    const std::vector<double> shared = OnGang(ranks, settings, losses);
    for (size_t i = 0; i < alone.size(); ++i) CHECK(shared[i] == Approx(alone[i]).epsilon(1e-5));
  }
  settings.micro_batches = 3;
  CHECK(OnGang(2, settings, losses)[1] == Approx(alone[1]).epsilon(1e-5));
  settings.dropout_seed = 2;
  CHECK(OnGang(1, settings, losses)[0] != Approx(alone[0]).epsilon(1e-5));
  CHECK(OnGang(1, {}, losses)[0] != Approx(alone[0]).epsilon(1e-5));
}

TEST_CASE("a job that goes on at a step draws what it would have drawn there") {
  Settings settings;
  settings.dropout = 0.5;
  const std::function<double(Fixture&)> third = [](Fixture& fixture) {
    fixture.Step(0);
    fixture.Step(0);
    return fixture.Step(0).loss;
  };
  const std::function<double(Fixture&)> resumed = [](Fixture& fixture) {
    fixture.stepper->SetStep(2);
    return fixture.Step(0).loss;
  };
  CHECK(OnGang(1, settings, third) == OnGang(1, settings, resumed));
}

}  // namespace
}  // namespace rm::trainer
