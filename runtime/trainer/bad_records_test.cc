// Trainings over data with bad records: the same as over the good ones alone, at every world size.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "runtime/trainer/trainer.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

namespace pb = ::ringmaster::v1;

// Two clouds of points, two classes.
std::string PointsCsv(int count, uint64_t seed, const std::vector<int>& bad = {}) {
  std::string text = "x1,x2,kind\n";
  base::RandomStream random(seed, 1);
  for (int i = 0; i < count; ++i) {
    const int kind = i % 2;
    const float x1 = random.NextUniform() + (kind == 1 ? 0.8F : 0.0F);
    const float x2 = random.NextUniform() - (kind == 1 ? 0.8F : 0.0F);
    const bool is_bad = std::find(bad.begin(), bad.end(), i) != bad.end();
    absl::StrAppend(&text, is_bad ? "spoiled" : absl::StrCat(x1), ",", x2, ",",
                    kind == 1 ? "up" : "down", "\n");
  }
  return text;
}

struct World {
  base::MemoryFileSystem files;
  pb::JobSpec spec = SmallJob();

  World(const std::string& training, const std::string& validation) {
    REQUIRE(files.MakeFolders("/data").ok());
    REQUIRE(base::WriteFileAtomically(files, "/data/train.csv", training).ok());
    REQUIRE(base::WriteFileAtomically(files, "/data/test.csv", validation).ok());
    auto& params = *spec.mutable_model()->mutable_params();
    params["height"] = 1;
    params["width"] = 2;
    params["classes"] = 2;
    for (auto* source :
         {spec.mutable_data()->mutable_train(), spec.mutable_data()->mutable_validation()}) {
      source->set_format("csv");
    }
    spec.mutable_data()->mutable_train()->set_path("/data/train.csv");
    spec.mutable_data()->mutable_validation()->set_path("/data/test.csv");
    spec.mutable_data()->mutable_schema()->set_label("kind");
    (*spec.mutable_data()->mutable_schema()->mutable_types())["kind"] = "category";
    spec.mutable_data()->set_on_bad_record("skip");
  }

  struct RankResult {
    absl::Status status;
    TrainResult result;
    RecordingObserver observer;
  };
  std::vector<RankResult> Train(int ranks, int64_t generation = 1) {
    std::vector<RankResult> results(static_cast<size_t>(ranks));
    RunGang(ranks, [&](comm::Communicator& communicator) {
      RankResult& own = results[static_cast<size_t>(communicator.rank())];
      const StopSignal stop;
      const pb::RankStart start = StartOf(spec, communicator.rank(), ranks, generation);
      auto trainer = Trainer::Create(start, files, communicator, own.observer, stop);
      own.status = trainer.status();
      if (trainer.ok()) {
        auto result = (*trainer)->Run();
        own.status = result.status();
        if (result.ok()) own.result = *std::move(result);
      }
      if (!own.status.ok()) communicator.Abort(own.status);
    });
    for (const RankResult& rank : results) CHECK(rank.status.message() == "");
    return results;
  }
};

// One step over the whole file: bad records in it, or a file that never had them. With the batch as
// large as the file, order and positions cannot matter, so the losses and the weights must agree.
TEST_CASE("a step with bad records is the step of the good ones alone") {
  const std::vector<int> bad = {0, 3, 4, 11};
  std::string good_alone;
  int line = 0;
  for (const absl::string_view row : absl::StrSplit(PointsCsv(16, 9), '\n')) {
    const bool is_bad = std::find(bad.begin(), bad.end(), line - 1) != bad.end();
    if (!is_bad) absl::StrAppend(&good_alone, row, "\n");
    ++line;
  }
  const std::string validation = PointsCsv(9, 4);
  World reference(good_alone, validation);
  reference.spec.mutable_train()->set_global_batch_size(12);
  reference.spec.mutable_train()->set_steps(5);
  const auto wanted = reference.Train(1)[0].result.metrics;
  for (const int ranks : {1, 2, 3}) {
    World world(PointsCsv(16, 9, bad), validation);
    world.spec.mutable_train()->set_global_batch_size(16);
    world.spec.mutable_train()->set_steps(5);
    const auto found = world.Train(ranks);
    CAPTURE(ranks);
    for (const auto& rank : found) {
      CHECK(rank.result.metrics.at("train/loss") == Approx(wanted.at("train/loss")).epsilon(1e-4));
      CHECK(rank.result.metrics.at("validation/loss") ==
            Approx(wanted.at("validation/loss")).epsilon(1e-4));
      CHECK(rank.result.weights_sha256 == found[0].result.weights_sha256);
    }
  }
}

TEST_CASE("with bad records the world size is a placement detail all the same") {
  const std::vector<int> bad = {1, 2, 3, 20, 33};
  std::vector<std::map<std::string, double>> metrics;
  for (const int ranks : {1, 2, 3}) {
    World world(PointsCsv(40, 2, bad), PointsCsv(23, 6, {0, 7, 8, 22}));
    world.spec.mutable_train()->set_global_batch_size(7);
    world.spec.mutable_train()->set_steps(30);
    metrics.push_back(world.Train(ranks)[0].result.metrics);
  }
  for (const auto& found : metrics) {
    CHECK(found.at("train/loss") == Approx(metrics[0].at("train/loss")).epsilon(1e-3));
    CHECK(found.at("validation/loss") == Approx(metrics[0].at("validation/loss")).epsilon(1e-3));
    CHECK(found.at("validation/samples") == 19);  // the good ones
    // Exact counts: a whole number of right answers over 19.
    const double right = found.at("validation/accuracy") * 19;
    CHECK(right == Approx(std::round(right)).margin(1e-9));
  }
}

TEST_CASE("rank 0 tells of bad records once a start, the others are silent") {
  World world(PointsCsv(40, 2, {5}), PointsCsv(10, 6));
  world.spec.mutable_train()->set_steps(4);
  for (const int64_t generation : {1, 2}) {
    world.spec.mutable_train()->set_steps(4 * generation);
    const auto ranks = world.Train(2, generation);
    REQUIRE(ranks[0].observer.notices.size() == 1);
    CHECK(ranks[0].observer.notices[0].code() == "BadRecords");
    CHECK(ranks[0].observer.notices[0].sentence() ==
          "1 of 40 records are bad and have no weight; the first: /data/train.csv:7:1: field 'x1': "
          "'spoiled' is not a float");
    CHECK(ranks[1].observer.notices.empty());
  }
}

TEST_CASE("with quarantine the list lies beside the checkpoints") {
  World world(PointsCsv(40, 2, {5, 6}), PointsCsv(10, 6));
  world.spec.mutable_data()->set_on_bad_record("quarantine");
  world.spec.mutable_train()->set_steps(2);
  world.Train(2);
  const std::string text = *world.files.ReadFile("/checkpoints/quarantine/train.jsonl");
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
}

TEST_CASE("batches of bad records alone make no update, no NaN, and one notice") {
  // Half of the records are bad, and a batch is one record.
  std::vector<int> bad;
  for (int i = 0; i < 20; ++i) bad.push_back(2 * i + (i % 2));
  World world(PointsCsv(40, 2, bad), PointsCsv(10, 6));
  world.spec.mutable_train()->set_global_batch_size(2);
  world.spec.mutable_train()->set_steps(40);
  const auto ranks = world.Train(2);
  for (const auto& rank : ranks) {
    CHECK(rank.result.step == 40);
    CHECK(std::isfinite(rank.result.metrics.at("train/loss")));
    CHECK(rank.result.weights_sha256 == ranks[0].result.weights_sha256);
  }
  const auto& notices = ranks[0].observer.notices;
  REQUIRE(notices.size() == 2);
  CHECK(notices[1].code() == "EmptyBatch");
  CHECK_THAT(notices[1].sentence(), Catch::Contains("all 2 records of the batch of step "));
}

TEST_CASE("a job with bad records goes on from a checkpoint with the same bits") {
  const std::string training = PointsCsv(40, 2, {1, 9, 30});
  World undisturbed(training, PointsCsv(10, 6));
  undisturbed.spec.mutable_train()->set_steps(14);
  const std::string hash = undisturbed.Train(2)[0].result.weights_sha256;
  World world(training, PointsCsv(10, 6));
  world.spec.mutable_train()->set_steps(6);
  world.Train(2);
  world.spec.mutable_train()->set_steps(14);
  CHECK(world.Train(2, /*generation=*/2)[0].result.weights_sha256 == hash);
}

}  // namespace
}  // namespace rm::trainer
