#include "runtime/trainer/trainer.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/memory_file_system.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

namespace pb = ::ringmaster::v1;

// A world with data in it, and what became of a training there.
struct World {
  base::MemoryFileSystem files;
  std::vector<pb::LineageEntry> lineage;  // what the coordinator knows of the generations before

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
    pb::RankStart start =
        StartOf(spec, communicator.rank(), communicator.world_size(), generation);
    start.mutable_lineage()->Assign(lineage.begin(), lineage.end());
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
  // Each failed save is told once, with what the system said and where.
  const std::vector<pb::Reason>& notices = ranks[0].observer.notices;
  REQUIRE(notices.size() > 1);
  for (const pb::Reason& notice : notices) {
    CHECK(notice.code() == "CheckpointFailed");
    CHECK_THAT(notice.sentence(), Catch::StartsWith("the checkpoint of step ") &&
                                      Catch::Contains("/checkpoints has 0 B free"));
  }
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

TEST_CASE("an I/O error at any one write of a save leaves the checkpoint before it, and the next comes") {
  // How many writes the second save makes is found by trying: the fault that hits nothing is the last.
  pb::JobSpec spec = SmallJob();
  spec.mutable_train()->set_steps(3);
  World prepared;
  REQUIRE(prepared.Train(spec, 1)[0].status.ok());
  const int64_t before = prepared.files.operations();
  spec.mutable_checkpoint()->mutable_every()->set_steps(1);
  int failed = 0;
  for (int64_t n = 1; n < 200; n += 3) {
    INFO("write " << n);
    World world;
    spec.mutable_train()->set_steps(3);
    REQUIRE(world.Train(spec, 1)[0].status.ok());
    spec.mutable_train()->set_steps(12);
    const int64_t start = world.files.operations();
    world.files.FailFrom(start + n, base::MemoryFileSystem::Fault::kIoError);
    const auto ranks = world.Train(spec, 1);
    if (world.files.operations() < start + n) break;
    CHECK(ranks[0].first_step == 3);
    // A fault after the rename may cost the save its good name, never the training its course; in the last save it is the end.
    if (ranks[0].status.ok()) CHECK(CheckpointNames(world).front() == "step-000000000012-g1");
    for (const pb::Reason& notice : ranks[0].observer.notices) {
      ++failed;
      CHECK(notice.code() == "CheckpointFailed");
      // Which file it was depends on which saves were passed over meanwhile: the folder's parent is written, too.
      CHECK_THAT(notice.sentence(),
                 Catch::Contains(" was not written: ") && Catch::Contains("nput/output error"));
    }
    for (const std::string& name : CheckpointNames(world)) {
      CHECK(checkpoint::Verify(world.files, "/checkpoints/" + name)->ok());
    }
    CHECK_FALSE(CheckpointNames(world).empty());
  }
  CHECK(before > 0);
  CHECK(failed > 0);
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

// Ways to damage a file; `offset` is where it is seen.
using Damage = std::function<void(base::MemoryFileSystem&, const std::string& path)>;

void Truncate(base::MemoryFileSystem& files, const std::string& path) {
  const std::string text = *files.ReadFile(path);
  REQUIRE(base::WriteFileAtomically(files, path, text.substr(0, text.size() / 2)).ok());
}

// A world with checkpoints of steps 8 and 16, written by two ranks.
void TrainTwice(World& world) {
  pb::JobSpec spec = SmallJob();
  spec.mutable_train()->set_steps(8);
  REQUIRE(world.Train(spec, 2)[0].status.ok());
  spec.mutable_train()->set_steps(16);
  REQUIRE(world.Train(spec, 2)[0].status.ok());
}

TEST_CASE("whichever file of the newest checkpoint is damaged, and however, the one before it is used") {
  const std::pair<const char*, Damage> damages[] = {
      {"a flipped bit",
       [](auto& files, const std::string& path) {
         REQUIRE(files.FlipBit(path, files.ReadFile(path)->size() / 2).ok());
       }},
      {"a flipped bit in its first byte",
       [](auto& files, const std::string& path) { REQUIRE(files.FlipBit(path, 0).ok()); }},
      {"cut off", &Truncate},
      {"missing",
       [](auto& files, const std::string& path) { REQUIRE(files.RemoveFile(path).ok()); }},
      {"empty",
       [](auto& files, const std::string& path) {
         REQUIRE(base::WriteFileAtomically(files, path, "").ok());
       }},
  };
  const std::string newest = "/checkpoints/step-000000000016-g1";
  World pattern;
  TrainTwice(pattern);
  const std::vector<std::string> names = *pattern.files.List(newest);
  CHECK(names.size() == 6);  // two ranks' weights and optimizer, trainer.json, manifest.json
  pb::JobSpec next = SmallJob();
  next.mutable_train()->set_steps(17);
  for (const std::string& name : names) {
    for (const auto& [description, damage] : damages) {
      INFO(name << ": " << description);
      World world;
      TrainTwice(world);
      damage(world.files, newest + "/" + name);
      const auto ranks = world.Train(next, 2, /*generation=*/2);
      REQUIRE(ranks[0].status.ok());
      CHECK(ranks[0].first_step == 8);
      REQUIRE(ranks[0].observer.notices.size() == 1);
      const pb::Reason& notice = ranks[0].observer.notices[0];
      CHECK(notice.code() == "CheckpointDamaged");
      // File and offset: "… is damaged (weights-00000-of-00002.safetensors: 512: …".
      CHECK_THAT(notice.sentence(), Catch::StartsWith("checkpoint " + newest + " is damaged (" + name));
      CHECK_THAT(notice.sentence(), Catch::Matches(".*: [0-9]+: .*"));
      CHECK_THAT(notice.sentence(), Catch::EndsWith("; step-000000000008-g1 is used instead"));
      CHECK(ranks[1].observer.notices.empty());
    }
  }
}

TEST_CASE("when damage has left no checkpoint the job fails and touches nothing") {
  World world;
  TrainTwice(world);
  for (const char* name : {"step-000000000008-g1", "step-000000000016-g1"}) {
    Truncate(world.files, std::string("/checkpoints/") + name + "/manifest.json");
  }
  const auto names = world.files.List("/checkpoints");
  const auto ranks = world.Train(SmallJob(), 2, /*generation=*/2);
  CHECK_THAT(std::string(ranks[0].status.message()),
             Catch::StartsWith("CheckpointDamaged: of the checkpoints in /checkpoints (2) none is "
                               "whole (the newest, step-000000000016-g1: manifest.json: "));
  CHECK_FALSE(ranks[1].status.ok());
  CHECK(*world.files.List("/checkpoints") == *names);
}

TEST_CASE("a checkpoint that was given up is no damage, whole or not") {
  World world;
  TrainTwice(world);
  // Generation 2 went on from step 8: step 16 of generation 1 is nobody's any more.
  Truncate(world.files, "/checkpoints/step-000000000016-g1/manifest.json");
  pb::LineageEntry first;
  first.set_generation(1);
  pb::LineageEntry second;
  second.set_generation(2);
  second.set_first_step(8);
  world.lineage = {first, second};
  const auto ranks = world.Train(SmallJob(), 2, /*generation=*/3);
  REQUIRE(ranks[0].status.ok());
  CHECK(ranks[0].first_step == 8);
  CHECK(ranks[0].observer.notices.empty());
}

TEST_CASE("a checkpoint carries the lineage, its own generation included") {
  const auto lineage_of = [](const World& world, const std::string& name) {
    const auto text = world.files.ReadFile("/checkpoints/" + name + "/manifest.json");
    REQUIRE(text.ok());
    return base::Json::Parse(*text)->Find("lineage")->Dump();
  };
  World world;
  pb::JobSpec spec = SmallJob();
  spec.mutable_train()->set_steps(8);
  REQUIRE(world.Train(spec, 2)[0].status.ok());
  CHECK(lineage_of(world, "step-000000000008-g1") == "[[1,0]]");
  spec.mutable_train()->set_steps(16);
  pb::LineageEntry first;
  first.set_generation(1);
  SECTION("as the coordinator knows it") {
    world.lineage = {first};
    REQUIRE(world.Train(spec, 2, /*generation=*/2)[0].status.ok());
    CHECK(lineage_of(world, "step-000000000016-g2") == "[[1,0],[2,8]]");
  }
  SECTION("as the coordinator knows it, with this generation already") {
    pb::LineageEntry second;
    second.set_generation(2);
    second.set_first_step(8);
    world.lineage = {first, second};
    REQUIRE(world.Train(spec, 2, /*generation=*/2)[0].status.ok());
    CHECK(lineage_of(world, "step-000000000016-g2") == "[[1,0],[2,8]]");
  }
  SECTION("where it knows nothing, nothing is disowned") {
    REQUIRE(world.Train(spec, 2, /*generation=*/2)[0].status.ok());
    CHECK(lineage_of(world, "step-000000000016-g2") == "[]");
    CHECK(CheckpointNames(world).size() == 2);
  }
}

TEST_CASE("a rank says what it is doing, in the order in which it does it") {
  World world;
  pb::JobSpec spec = SmallJob();
  spec.mutable_train()->set_steps(16);  // two epochs
  const auto ranks = world.Train(spec, 2);
  REQUIRE(ranks[0].status.ok());
  const std::vector<std::pair<std::string, int64_t>> wanted = {
      {"loading", 0}, {"compiling", 0},  {"loading", 0}, {"first step", 0},  {"step", 1},
      {"evaluation", 8}, {"step", 8}, {"evaluation", 16}, {"checkpoint", 16}};
  CHECK(ranks[0].observer.doings == wanted);
  CHECK(ranks[1].observer.doings == wanted);
}

TEST_CASE("model.weights gives the first values; a checkpoint comes before it") {
  World world;
  pb::JobSpec spec = SmallJob();
  spec.mutable_train()->set_steps(8);
  const auto first = world.Train(spec, 1);
  REQUIRE(first[0].status.ok());
  const std::string trained = "/checkpoints/step-000000000008-g1/weights-00000-of-00001.safetensors";
  REQUIRE(base::WriteFileAtomically(world.files, "/base.safetensors", *world.files.ReadFile(trained)).ok());
  spec.mutable_model()->set_weights("/base.safetensors");
  (*spec.mutable_train()->mutable_optimizer()->mutable_params())["lr"] = 1e-44;  // changes nothing
  SECTION("they are what the job begins with, on every rank") {
    REQUIRE(world.files.RemoveAll("/checkpoints").ok());
    const auto ranks = world.Train(spec, 2);
    for (const auto& rank : ranks) {
      REQUIRE(rank.status.ok());
      CHECK(rank.first_step == 0);
      CHECK(rank.result.weights_sha256 == first[0].result.weights_sha256);
    }
  }
  SECTION("a checkpoint of the job itself is newer") {
    const auto ranks = world.Train(spec, 2, /*generation=*/2);
    REQUIRE(ranks[0].status.ok());
    CHECK(ranks[0].first_step == 8);
  }
  SECTION("a file that does not fit is said with the key") {
    (*spec.mutable_model()->mutable_params())["hidden2"] = 11;
    REQUIRE(world.files.RemoveAll("/checkpoints").ok());
    const auto ranks = world.Train(spec, 1);
    CHECK(absl::IsInvalidArgument(ranks[0].status));
    CHECK_THAT(std::string(ranks[0].status.message()),
               Catch::StartsWith("model.weights: /base.safetensors does not fit the model: "));
  }
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
               {classes, "BadRecords: /data/many-labels-idx1-ubyte at offset 18, sample 10: field 'label': '10' is out"},
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
