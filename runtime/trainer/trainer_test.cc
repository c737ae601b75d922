#include "runtime/trainer/trainer.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "base/memory_file_system.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

namespace pb = ::ringmaster::v1;

// A world with data in it, and what became of a training there.
struct World {
  base::MemoryFileSystem files;

  World() {
    WriteDigits(files, "/data/train", 96, 6);
    WriteDigits(files, "/data/test", 31, 6);  // shares differ by one
  }

  struct RankResult {
    absl::Status status;
    TrainResult result;
    RecordingObserver observer;
    int64_t first_step = 0;
  };

  // Trains `spec` on `ranks` ranks; `stop_at` (> 0) asks rank 0 to stop when it reports that step.
  std::vector<RankResult> Train(const pb::JobSpec& spec, int ranks, int64_t generation = 1) {
    std::vector<RankResult> results(static_cast<size_t>(ranks));
    RunGang(ranks, [&](comm::Communicator& communicator) {
      RankResult& own = results[static_cast<size_t>(communicator.rank())];
      const StopSignal stop;
      own.status = TrainOne(spec, communicator, stop, generation, own);
      if (!own.status.ok()) communicator.Abort(own.status);
    });
    return results;
  }

  absl::Status TrainOne(const pb::JobSpec& spec, comm::Communicator& communicator,
                        const StopSignal& stop, int64_t generation, RankResult& own) {
    const pb::RankStart start =
        StartOf(spec, communicator.rank(), communicator.world_size(), generation);
    auto trainer = Trainer::Create(start, files, communicator, own.observer, stop);
    if (!trainer.ok()) return trainer.status();
    own.first_step = (*trainer)->first_step();
    auto result = (*trainer)->Run();
    if (!result.ok()) return result.status();
    own.result = *std::move(result);
    return absl::OkStatus();
  }
};

std::vector<std::string> CheckpointNames(const World& world) {
  std::vector<std::string> names;
  const auto list = checkpoint::List(world.files, "/checkpoints", {});
  REQUIRE(list.ok());
  for (const auto& info : *list) names.push_back(info.name);
  return names;
}

TEST_CASE("a job trains to its end: it learns, evaluates each epoch, and leaves a whole checkpoint") {
  World world;
  const auto ranks = world.Train(SmallJob(), 2);
  for (const auto& rank : ranks) {
    REQUIRE(rank.status.ok());
    CHECK(rank.result.step == 32);
    CHECK_FALSE(rank.result.stopped);
    CHECK(rank.result.weights_sha256 == ranks[0].result.weights_sha256);
    CHECK(rank.result.metrics.at("validation/accuracy") > 0.95);
    CHECK(rank.result.metrics.at("validation/samples") == 31);
    CHECK(rank.result.metrics.at("train/loss") < 0.5);
    REQUIRE_FALSE(rank.observer.reports.empty());
    CHECK(rank.observer.reports.back().step() == 32);
    CHECK(rank.observer.reports.back().total_steps() == 32);
    CHECK(rank.observer.reports.back().epoch() == Approx(4));
    CHECK(rank.observer.evaluations.size() == 4);
  }
  CHECK(CheckpointNames(world) == std::vector<std::string>{"step-000000000032-g1"});
  const auto verified = checkpoint::Verify(world.files, "/checkpoints/step-000000000032-g1");
  REQUIRE(verified.ok());
  CHECK(verified->ok());
  CHECK(verified->weights_sha256 == ranks[0].result.weights_sha256);
  CHECK(verified->info.world_size == 2);
}

TEST_CASE("the world size is a placement detail: one, two and three ranks have the same loss curve") {
  pb::JobSpec spec = SmallJob();
  spec.mutable_train()->set_global_batch_size(13);  // unequal shares
  spec.mutable_train()->set_steps(20);
  std::vector<double> losses;
  std::vector<double> accuracies;
  for (const int count : {1, 2, 3}) {
    World world;
    const auto ranks = world.Train(spec, count);
    REQUIRE(ranks[0].status.ok());
    losses.push_back(ranks[0].result.metrics.at("train/loss"));
    accuracies.push_back(ranks[0].result.metrics.at("validation/loss"));
  }
  for (const double loss : losses) CHECK(loss == Approx(losses[0]).epsilon(1e-4));
  for (const double loss : accuracies) CHECK(loss == Approx(accuracies[0]).epsilon(1e-4));
}

TEST_CASE("two equal runs give the same bits, another seed gives others") {
  World one;
  World two;
  World other;
  pb::JobSpec other_seed = SmallJob();
  other_seed.mutable_train()->set_seed(4);
  const std::string hash = one.Train(SmallJob(), 2)[0].result.weights_sha256;
  CHECK(hash.size() == 64);
  CHECK(two.Train(SmallJob(), 2)[0].result.weights_sha256 == hash);
  CHECK(other.Train(other_seed, 2)[0].result.weights_sha256 != hash);
}

TEST_CASE("a job that goes on from a checkpoint ends with the bits of one that was never stopped") {
  World undisturbed;
  const std::string hash = undisturbed.Train(SmallJob(), 2)[0].result.weights_sha256;
  World world;
  pb::JobSpec half = SmallJob();
  half.mutable_train()->set_steps(13);
  REQUIRE(world.Train(half, 2)[0].status.ok());
  const auto ranks = world.Train(SmallJob(), 2, /*generation=*/2);
  for (const auto& rank : ranks) {
    REQUIRE(rank.status.ok());
    CHECK(rank.first_step == 13);
    CHECK(rank.result.weights_sha256 == hash);
  }
}

TEST_CASE("a checkpoint of two ranks goes on with one and with three") {
  for (const int count : {1, 3}) {
    World world;
    pb::JobSpec half = SmallJob();
    half.mutable_train()->set_steps(16);
    REQUIRE(world.Train(half, 2)[0].status.ok());
    const auto ranks = world.Train(SmallJob(), count, /*generation=*/2);
    REQUIRE(ranks[0].status.ok());
    CHECK(ranks[0].first_step == 16);
    CHECK(ranks[0].result.metrics.at("validation/accuracy") > 0.95);
  }
}

TEST_CASE("a job that is done already ends at once, with its metrics") {
  World world;
  const auto first = world.Train(SmallJob(), 2);
  const auto again = world.Train(SmallJob(), 2, /*generation=*/2);
  REQUIRE(again[0].status.ok());
  CHECK(again[0].first_step == 32);
  CHECK(again[0].result.weights_sha256 == first[0].result.weights_sha256);
  CHECK(again[0].result.metrics.at("validation/accuracy") ==
        first[0].result.metrics.at("validation/accuracy"));
}

TEST_CASE("checkpoints are written as often as asked, and only so many are kept") {
  World world;
  pb::JobSpec spec = SmallJob();
  spec.mutable_checkpoint()->mutable_every()->set_steps(5);
  spec.mutable_checkpoint()->set_keep_last(3);
  const auto ranks = world.Train(spec, 2);
  REQUIRE(ranks[0].status.ok());
  const auto& saves = ranks[0].observer.saves;
  REQUIRE(saves.size() >= 2);
  for (const SaveOutcome& save : saves) {
    CHECK(save.status.ok());
    CHECK((save.step % 5 == 0 || save.step == 32));
  }
  CHECK(saves.back().step == 32);
  const auto names = CheckpointNames(world);
  CHECK(names.size() <= 3);
  CHECK(names.front() == "step-000000000032-g1");
}

TEST_CASE("saving beside the training does not change a bit of it") {
  World without;
  const std::string hash = without.Train(SmallJob(), 2)[0].result.weights_sha256;
  World world;
  pb::JobSpec spec = SmallJob();
  spec.mutable_checkpoint()->mutable_every()->set_steps(1);
  const auto ranks = world.Train(spec, 2);
  REQUIRE(ranks[0].status.ok());
  CHECK(ranks[0].result.weights_sha256 == hash);
}

TEST_CASE("a stop leaves at a step that all ranks agree on, with a checkpoint if asked") {
  for (const bool with_checkpoint : {true, false}) {
    World world;
    pb::JobSpec endless = SmallJob();
    endless.mutable_train()->set_steps(int64_t{1} << 40);
    std::vector<World::RankResult> results(2);
    RunGang(2, [&](comm::Communicator& communicator) {
      World::RankResult& own = results[static_cast<size_t>(communicator.rank())];
      StopSignal stop;
      stop.checkpoint = with_checkpoint;
      stop.stop = communicator.rank() == 1;  // one rank is told; both leave
      if (communicator.rank() == 0) stop.checkpoint = false;
      own.status = world.TrainOne(endless, communicator, stop, 1, own);
    });
    for (const auto& rank : results) {
      REQUIRE(rank.status.ok());
      CHECK(rank.result.stopped);
      CHECK(rank.result.step == 1);
    }
    CHECK(CheckpointNames(world).size() == (with_checkpoint ? 1 : 0));
  }
}

TEST_CASE("a full disk during a save is said, and the training goes on") {
  World world;
  pb::JobSpec spec = SmallJob();
  spec.mutable_train()->set_steps(6);
  REQUIRE(world.Train(spec, 2)[0].status.ok());  // one checkpoint is there
  spec.mutable_train()->set_steps(30);
  spec.mutable_checkpoint()->mutable_every()->set_steps(4);
  world.files.FailFrom(world.files.operations() + 1, base::MemoryFileSystem::Fault::kDiskFull);
  const auto ranks = world.Train(spec, 2, /*generation=*/2);
  // The last checkpoint cannot be written: that is the end of the job, but only there.
  REQUIRE_FALSE(ranks[0].status.ok());
  CHECK(std::string(ranks[0].status.message()).find("CheckpointFailed") == 0);
  CHECK(ranks[0].observer.reports.back().step() == 30);
  REQUIRE(ranks[0].observer.saves.size() > 1);
  for (const SaveOutcome& save : ranks[0].observer.saves) CHECK_FALSE(save.status.ok());
  world.files.FailFrom(0, base::MemoryFileSystem::Fault::kDiskFull);
  CHECK(CheckpointNames(world) == std::vector<std::string>{"step-000000000006-g1"});
  CHECK(checkpoint::Verify(world.files, "/checkpoints/step-000000000006-g1")->ok());
}

TEST_CASE("with on_error: fail the first failed save ends the job") {
  World world;
  pb::JobSpec spec = SmallJob();
  spec.mutable_checkpoint()->mutable_every()->set_steps(4);
  spec.mutable_checkpoint()->set_on_error("fail");
  world.files.FailFrom(world.files.operations() + 1, base::MemoryFileSystem::Fault::kDiskFull);
  const auto ranks = world.Train(spec, 2);
  // The rank that notices first ends the gang: the other may learn it from its peer.
  CHECK(ranks[0].observer.saves.size() + ranks[1].observer.saves.size() >= 1);
  for (const auto& rank : ranks) {
    CHECK(std::string(rank.status.message()).find("CheckpointFailed") != std::string::npos);
    CHECK(rank.observer.saves.size() <= 1);
  }
}

TEST_CASE("a damaged checkpoint gives way to the one before it") {
  World world;
  pb::JobSpec spec = SmallJob();
  spec.mutable_train()->set_steps(8);
  REQUIRE(world.Train(spec, 2)[0].status.ok());
  spec.mutable_train()->set_steps(16);
  REQUIRE(world.Train(spec, 2)[0].status.ok());
  const std::string damaged = "/checkpoints/step-000000000016-g1";
  const auto names = world.files.List(damaged);
  REQUIRE(names.ok());
  for (const std::string& name : *names) {
    if (name.rfind("weights-", 0) == 0) {
      REQUIRE(world.files.FlipBit(damaged + "/" + name, 900).ok());
    }
  }
  const auto ranks = world.Train(SmallJob(), 2, /*generation=*/2);
  REQUIRE(ranks[0].status.ok());
  CHECK(ranks[0].first_step == 8);
}

TEST_CASE("a loss that is no number ends the job and says so") {
  World world;
  pb::JobSpec spec = SmallJob();
  (*spec.mutable_train()->mutable_optimizer()->mutable_params())["lr"] = 1e30;
  const auto ranks = world.Train(spec, 2);
  bool said = false;
  for (const auto& rank : ranks) {
    CHECK_FALSE(rank.status.ok());
    said |= std::string(rank.status.message()).find("NonFiniteLoss") != std::string::npos;
  }
  CHECK(said);
}

TEST_CASE("what the user's spec or data cause is InvalidArgument or NotFound") {
  World world;
  WriteDigits(world.files, "/data/many", 60, 12);
  pb::JobSpec missing = SmallJob();
  missing.mutable_data()->mutable_train()->set_path("/data/nothing");
  pb::JobSpec classes = SmallJob();
  classes.mutable_data()->mutable_train()->set_path("/data/many");
  pb::JobSpec optimizer = SmallJob();
  optimizer.mutable_train()->mutable_optimizer()->set_type("Lion");
  const struct {
    pb::JobSpec spec;
    std::string part;
  } cases[] = {{missing, "/data/nothing"},
               {classes, "labels up to 11"},
               {optimizer, "unknown optimizer 'Lion'"}};
  for (const auto& c : cases) {
    const auto ranks = world.Train(c.spec, 1);
    CAPTURE(ranks[0].status.message());
    CHECK((absl::IsInvalidArgument(ranks[0].status) || absl::IsNotFound(ranks[0].status)));
    CHECK(std::string(ranks[0].status.message()).find(c.part) != std::string::npos);
  }
}

}  // namespace
}  // namespace rm::trainer
