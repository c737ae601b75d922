#include "runtime/trainer/stepper.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <future>
#include <limits>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "kernels/kernels.h"
#include "runtime/data/batch_reader.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

constexpr int64_t kGlobalBatch = 6;
constexpr int64_t kPixels = 28 * 28;

// A replica with its stepper on one rank of a gang.
struct Fixture {
  std::unique_ptr<Replica> replica;
  std::optional<Stepper> stepper;
  data::Share share;

  explicit Fixture(comm::Communicator& communicator) {
    share = data::ShareOf(kGlobalBatch, communicator.rank(), communicator.world_size());
    ReplicaOptions options;
    options.local_batch = (kGlobalBatch + communicator.world_size() - 1) / communicator.world_size();
    options.kernels = kernels::CpuKernels();
    options.bucket_bytes_max = 4096;
    auto optimizer = MakeOptimizer(SmallJob().train().optimizer());
    RM_CHECK(optimizer.ok());
    auto built = Replica::Build(TrainingGraph(SmallJob().model(), options.local_batch), options,
                                *std::move(optimizer), communicator);
    RM_CHECK(built.ok());
    replica = *std::move(built);
    auto made = Stepper::Create(*replica, communicator, static_cast<double>(kGlobalBatch));
    RM_CHECK(made.ok());
    stepper.emplace(*std::move(made));
    Fill(options.local_batch);
  }

  // Row i of the global batch is the same on whatever rank it lies.
  void Fill(int64_t rows) {
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t sample = share.first + row;
      base::RandomStream random(5, static_cast<uint64_t>(sample));
      for (int64_t i = 0; i < kPixels; ++i) {
        stepper->features()[row * kPixels + i] = random.NextUniform();
      }
      stepper->labels()[row] = sample % 10;
      stepper->weights()[row] = row < share.count ? 1.0F : 0.0F;
    }
  }
};

// What every rank of a gang got out of `body`.
std::vector<StepOutcome> OnGang(int ranks,
                                const std::function<StepOutcome(Fixture&, int rank)>& body) {
  std::vector<StepOutcome> outcomes(static_cast<size_t>(ranks));
  RunGang(ranks, [&](comm::Communicator& communicator) {
    Fixture fixture(communicator);
    outcomes[static_cast<size_t>(communicator.rank())] = body(fixture, communicator.rank());
  });
  return outcomes;
}

StepOutcome Step(Fixture& fixture, const Votes& votes) {
  const auto outcome = fixture.stepper->Run(0.05, votes);
  RM_CHECK(outcome.ok(), outcome.status().ToString());
  return *outcome;
}

TEST_CASE("votes of all ranks are counted, and every rank sees the same counts") {
  const auto outcomes = OnGang(3, [](Fixture& fixture, int rank) {
    Votes votes;
    votes.stop = rank != 1;
    votes.stop_checkpoint = rank == 2;
    votes.shard_written = true;
    votes.save_due = rank == 0;
    return Step(fixture, votes);
  });
  for (const StepOutcome& outcome : outcomes) {
    CHECK(outcome.stop == 2);
    CHECK(outcome.stop_checkpoint == 1);
    CHECK(outcome.shard_written == 3);
    CHECK(outcome.save_due == 1);
    CHECK(outcome.saving == 0);
    CHECK(outcome.loss == outcomes[0].loss);
  }
}

TEST_CASE("votes do not linger: a step without any counts none") {
  const auto outcomes = OnGang(2, [](Fixture& fixture, int) {
    Votes all;
    all.stop = all.stop_checkpoint = all.shard_written = all.save_due = all.saving = true;
    Step(fixture, all);
    return Step(fixture, Votes());
  });
  for (const StepOutcome& outcome : outcomes) {
    CHECK(outcome.stop + outcome.stop_checkpoint + outcome.shard_written + outcome.save_due +
              outcome.saving ==
          0);
  }
}

TEST_CASE("the loss is the mean over the global batch, however it is shared out") {
  std::vector<double> losses;
  for (const int ranks : {1, 2, 3, 4}) {  // four ranks: unequal shares
    const auto outcomes =
        OnGang(ranks, [](Fixture& fixture, int) { return Step(fixture, Votes()); });
    losses.push_back(outcomes[0].loss);
    CHECK(outcomes[0].correct >= 0);
    CHECK(outcomes[0].correct <= static_cast<double>(kGlobalBatch));
  }
  CHECK(losses[0] == Approx(std::log(10.0)).epsilon(0.1));  // fresh weights know nothing
  for (const double loss : losses) CHECK(loss == Approx(losses[0]).epsilon(1e-5));
}

TEST_CASE("steps bring the loss down, looking at it does not") {
  const auto outcomes = OnGang(2, [](Fixture& fixture, int) {
    const auto before = fixture.stepper->EvaluateLoss();
    const auto again = fixture.stepper->EvaluateLoss();
    RM_CHECK(before.ok() && again.ok());
    RM_CHECK(*before == *again);
    StepOutcome last;
    for (int step = 0; step < 30; ++step) last = Step(fixture, Votes());
    const auto after = fixture.stepper->EvaluateLoss();
    RM_CHECK(after.ok());
    RM_CHECK(*after < *before / 2);
    return last;
  });
  CHECK(outcomes[0].loss == outcomes[1].loss);
}

TEST_CASE("replicas stay equal, bit for bit") {
  std::vector<std::string> hashes(3);
  RunGang(3, [&](comm::Communicator& communicator) {
    Fixture fixture(communicator);
    for (int step = 0; step < 5; ++step) Step(fixture, Votes());
    hashes[static_cast<size_t>(communicator.rank())] = fixture.replica->WeightsSha256();
  });
  CHECK(hashes[1] == hashes[0]);
  CHECK(hashes[2] == hashes[0]);
}

TEST_CASE("a loss that is no number is found at the rank where it is born, before any weight changes") {
  RunGang(1, [](comm::Communicator& communicator) {
    Fixture fixture(communicator);
    const std::string before = fixture.replica->WeightsSha256();
    fixture.stepper->features()[3] = std::numeric_limits<float>::infinity();
    const auto outcome = fixture.stepper->Run(0.05, Votes());
    RM_CHECK(absl::IsDataLoss(outcome.status()));
    const std::string message(outcome.status().message());
    RM_CHECK(message.find("NonFiniteLoss: the loss of rank 0 is ") == 0, message);
    RM_CHECK(fixture.replica->WeightsSha256() == before);
  });
}

TEST_CASE("a gang that breaks ends the step with the weights of the step before") {
  // An abort may overtake the last frames of a step that its sender has finished; that step is not what is tested.
  std::promise<void> has_stepped;
  RunGang(2, [&](comm::Communicator& communicator) {
    Fixture fixture(communicator);
    Step(fixture, Votes());
    const std::string before = fixture.replica->WeightsSha256();
    if (communicator.rank() == 0) has_stepped.set_value();
    if (communicator.rank() == 1) {
      has_stepped.get_future().wait();
      communicator.Abort(absl::AbortedError("gone"));
    } else {
      const auto outcome = fixture.stepper->Run(0.05, Votes());
      RM_CHECK(!outcome.ok());
      RM_CHECK(fixture.replica->WeightsSha256() == before);
    }
  });
}

TEST_CASE("rows without weight count for nothing: the rest alone makes the step") {
  // Rows 1 and 4 of the global batch have no weight; the reference has the other four, and only those.
  const auto with_holes = [](int ranks) {
    std::vector<double> losses(static_cast<size_t>(ranks));
    RunGang(ranks, [&](comm::Communicator& communicator) {
      Fixture fixture(communicator);
      for (int64_t row = 0; row < fixture.share.count; ++row) {
        const int64_t sample = fixture.share.first + row;
        if (sample == 1 || sample == 4) fixture.stepper->weights()[row] = 0;
      }
      fixture.stepper->SetGlobalWeight(4);
      losses[static_cast<size_t>(communicator.rank())] = Step(fixture, Votes()).loss;
    });
    return losses;
  };
  std::vector<double> alone;
  RunGang(1, [&](comm::Communicator& communicator) {
    Fixture fixture(communicator);
    double sum = 0;
    for (const int64_t sample : {0, 2, 3, 5}) {
      for (int64_t row = 0; row < kGlobalBatch; ++row) {
        fixture.stepper->weights()[row] = row == sample ? 1.0F : 0.0F;
      }
      fixture.stepper->SetGlobalWeight(1);
      const auto loss = fixture.stepper->EvaluateLoss();
      RM_CHECK(loss.ok());
      sum += *loss;
    }
    alone.push_back(sum / 4);
  });
  for (const int ranks : {1, 2, 3}) {
    for (const double loss : with_holes(ranks)) CHECK(loss == Approx(alone[0]).epsilon(1e-6));
  }
}

TEST_CASE("a batch without any weight changes nothing, whatever the momentum, and divides nothing") {
  RunGang(2, [](comm::Communicator& communicator) {
    Fixture fixture(communicator);
    RM_CHECK(Step(fixture, Votes()).updated);
    const std::string before = fixture.replica->WeightsSha256();
    std::fill(fixture.stepper->weights(), fixture.stepper->weights() + fixture.share.count, 0.0F);
    fixture.stepper->SetGlobalWeight(0);
    Votes votes;
    votes.save_due = true;
    const StepOutcome empty = Step(fixture, votes);
    RM_CHECK(!empty.updated);
    RM_CHECK(empty.loss == 0);
    RM_CHECK(empty.save_due == 2);  // votes travel all the same
    RM_CHECK(fixture.replica->WeightsSha256() == before);
  });
}

TEST_CASE("time is accounted to the phases") {
  RunGang(1, [](comm::Communicator& communicator) {
    Fixture fixture(communicator);
    Step(fixture, Votes());
    const PhaseTimes& times = fixture.stepper->times();
    for (const absl::Duration phase : {times.forward, times.backward, times.optimizer}) {
      RM_CHECK(phase > absl::ZeroDuration());
    }
    RM_CHECK(times.allreduce_wait >= absl::ZeroDuration());
  });
}

}  // namespace
}  // namespace rm::trainer
