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

// Saves a checkpoint of what one rank holds.
void SaveShard(base::FileSystem& files, int64_t step, int64_t generation,
               const checkpoint::ShardSpec& shard) {
  const checkpoint::SaveId id{step, generation, checkpoint::NewNonce()};
  REQUIRE(checkpoint::Prepare(files, kPlace.folder, id, 100).ok());
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

// Saves a checkpoint of one small tensor.
void Save(base::FileSystem& files, int64_t step, int64_t generation = 1) {
  const std::vector<float> values = {1, 2, static_cast<float>(step)};
  checkpoint::ShardSpec shard;
  shard.weights.push_back({"weight", "F32", {3}, values.data(), 12});
  SaveShard(files, step, generation, shard);
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

// All messages of a download of the weights, and how it ended.
struct Downloaded {
  absl::Status status;
  pb::WeightsHead head;
  std::vector<std::string> pieces;
};

Downloaded Download(const base::FileSystem& files, int64_t step) {
  Downloaded result;
  const auto download = WeightsDownload::Open(files, kPlace, step);
  result.status = download.status();
  if (!download.ok()) return result;
  for (;;) {
    pb::DownloadReply message;
    const absl::StatusOr<bool> more = (*download)->Next(&message);
    result.status = more.status();
    if (!more.ok() || !*more) return result;
    if (message.has_head()) {
      result.head = message.head();
    } else {
      result.pieces.push_back(message.data());
    }
  }
}

TEST_CASE("the weights of the newest, or of a step, come with a head that says what they are") {
  base::MemoryFileSystem files;
  Save(files, 10);
  Save(files, 20);
  const Downloaded newest = Download(files, 0);
  REQUIRE(newest.status.ok());
  CHECK(newest.head.checkpoint().step() == 20);
  REQUIRE(newest.head.tensors_size() == 1);
  CHECK(newest.head.tensors(0).name() == "weight");
  CHECK(newest.head.tensors(0).dtype() == "F32");
  CHECK(newest.head.tensors(0).shape(0) == 3);
  CHECK(newest.head.tensors(0).bytes() == 12);
  CHECK(newest.head.weights_sha256() == VerifyCheckpoint(files, kPlace, 20)->weights_sha256());
  const float values[] = {1, 2, 20};
  REQUIRE(newest.pieces.size() == 1);
  CHECK(newest.pieces[0] == std::string(reinterpret_cast<const char*>(values), sizeof(values)));
  CHECK(Download(files, 10).head.checkpoint().step() == 10);
}

TEST_CASE("a large tensor comes in pieces, an empty one in none") {
  base::MemoryFileSystem files;
  const std::vector<float> many(WeightsDownload::kPieceBytesMax / sizeof(float) + 1, 0.5F);
  checkpoint::ShardSpec shard;
  shard.weights.push_back({"a.empty", "F32", {0}, many.data(), 0});
  shard.weights.push_back({"large", "F32", {static_cast<int64_t>(many.size())}, many.data(),
                           many.size() * sizeof(float)});
  SaveShard(files, 10, 1, shard);
  const Downloaded downloaded = Download(files, 0);
  REQUIRE(downloaded.status.ok());
  CHECK(downloaded.head.tensors_size() == 2);
  REQUIRE(downloaded.pieces.size() == 2);
  CHECK(downloaded.pieces[0].size() == WeightsDownload::kPieceBytesMax);
  CHECK(downloaded.pieces[1].size() == sizeof(float));
}

TEST_CASE("nothing of a damaged checkpoint passes for its weights") {
  base::MemoryFileSystem files;
  CHECK(absl::IsNotFound(Download(files, 0).status));
  Save(files, 10);
  CHECK(absl::IsNotFound(Download(files, 11).status));
  const std::string folder = "/storage/job/step-000000000010-g1/";
  const std::string name = "weights-00000-of-00001.safetensors";
  REQUIRE(files.FlipBit(folder + name, files.Stat(folder + name)->bytes - 1).ok());
  const Downloaded flipped = Download(files, 10);
  CHECK(absl::IsDataLoss(flipped.status));
  CHECK(absl::StrContains(flipped.status.message(), name));
  REQUIRE(files.RemoveFile(folder + name).ok());
  CHECK(Download(files, 0).status ==
        absl::DataLossError("checkpoint /storage/job/step-000000000010-g1: " + name +
                            ": 0: the file is missing"));
}

}  // namespace
}  // namespace rm::coordinator
