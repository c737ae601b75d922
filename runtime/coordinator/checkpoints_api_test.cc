#include "runtime/coordinator/checkpoints_api.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/memory_file_system.h"
#include "runtime/coordinator/test_world.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

const CheckpointPlace kPlace{"job", "/storage/job", {{1, 0}}};

// Saves a checkpoint of one small tensor.
void Save(base::FileSystem& files, int64_t step, int64_t generation = 1) {
  const checkpoint::SaveId id{step, generation, checkpoint::NewNonce()};
  REQUIRE(checkpoint::Prepare(files, kPlace.folder, id, 100).ok());
  const std::vector<float> values = {1, 2, static_cast<float>(step)};
  checkpoint::ShardSpec shard;
  shard.weights.push_back({"weight", "F32", {3}, values.data(), 12});
  const auto reports = checkpoint::WriteShard(files, kPlace.folder, id, shard);
  INFO(reports.status());
  REQUIRE(reports.ok());
  checkpoint::CommitSpec commit;
  commit.id = id;
  commit.reports = *reports;
  commit.lineage = {{1, 0}};
  if (generation > 1) commit.lineage.push_back({generation, step});
  commit.trainer_state = base::Json(base::Json::Object());
  commit.metrics = {{"train/loss", 0.5}};
  commit.weights_sha256 = checkpoint::WeightsSha256(shard.weights);
  commit.created = absl::FromUnixSeconds(1000 + step);
  commit.keep_last = 5;
  const auto committed = checkpoint::Commit(files, kPlace.folder, commit);
  INFO(committed.status());
  REQUIRE(committed.ok());
}

TEST_CASE("a job's checkpoints are found in its folder, with its lineage") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  const std::string job = RunJob(world, w1, "mnist", 1);
  const auto place = FindCheckpoints(world.coordinator(), "mnist");
  REQUIRE(place.ok());
  CHECK(place->job_id == job);
  CHECK(place->folder == absl::StrCat(world.coordinator().config().folders.storage, "/", job));
  REQUIRE(place->lineage.size() == 1);
  CHECK(place->lineage[0].generation == 1);
  CHECK(absl::IsNotFound(FindCheckpoints(world.coordinator(), "x").status()));
}

TEST_CASE("of a job that saved nothing the list is empty, and there is nothing to verify") {
  base::MemoryFileSystem files;
  CHECK(ListCheckpoints(files, kPlace)->checkpoints().empty());
  CHECK(VerifyCheckpoint(files, kPlace, 0).status() ==
        absl::NotFoundError("job job has no checkpoint in /storage/job"));
}

TEST_CASE("checkpoints are listed newest first") {
  base::MemoryFileSystem files;
  Save(files, 10);
  Save(files, 20);
  const auto reply = ListCheckpoints(files, kPlace);
  REQUIRE(reply.ok());
  REQUIRE(reply->checkpoints_size() == 2);
  const pb::CheckpointInfo& newest = reply->checkpoints(0);
  CHECK(newest.name() == "step-000000000020-g1");
  CHECK(newest.path() == "/storage/job/step-000000000020-g1");
  CHECK(newest.step() == 20);
  CHECK(newest.counts());
  CHECK(newest.bytes() > 0);
  CHECK(newest.created_ns() == 1020'000'000'000);
  CHECK(newest.metrics().at("train/loss") == 0.5);
}

TEST_CASE("the newest is verified, or the one of a step") {
  base::MemoryFileSystem files;
  Save(files, 10);
  Save(files, 20);
  const auto newest = VerifyCheckpoint(files, kPlace, 0);
  REQUIRE(newest.ok());
  CHECK(newest->ok());
  CHECK(newest->checkpoint().step() == 20);
  CHECK(newest->files() >= 2);
  CHECK(newest->weights_sha256().size() == 64);
  CHECK(VerifyCheckpoint(files, kPlace, 10)->checkpoint().step() == 10);
  CHECK(VerifyCheckpoint(files, kPlace, 15).status() ==
        absl::NotFoundError("job job has no checkpoint of step 15"));
}

TEST_CASE("damage is an answer, with the file") {
  base::MemoryFileSystem files;
  Save(files, 10);
  const std::string folder = "/storage/job/step-000000000010-g1/";
  const std::vector<std::string> names = files.List(folder).value();
  for (const std::string& name : names) {
    if (!absl::StartsWith(name, "weights")) continue;
    const uint64_t last = files.Stat(folder + name)->bytes - 1;
    REQUIRE(files.FlipBit(folder + name, last).ok());
  }
  const auto reply = VerifyCheckpoint(files, kPlace, 10);
  REQUIRE(reply.ok());
  CHECK_FALSE(reply->ok());
  REQUIRE(reply->problems_size() > 0);
  CHECK(absl::StrContains(reply->problems(0), "weights"));
}

}  // namespace
}  // namespace rm::coordinator
