// Saves that go well, and saves that are refused.
#include <catch2/catch.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/memory_file_system.h"
#include "base/sha256.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/names.h"
#include "runtime/checkpoint/testing.h"

namespace rm::checkpoint {
namespace {

using base::MemoryFileSystem;

TEST_CASE("what is saved at one world size is loaded at any other") {
  for (const int world_size : {1, 2, 3, 4, 7}) {  // 7: more ranks than tensors
    CAPTURE(world_size);
    MemoryFileSystem files;
    TestSave save;
    save.step = 10;
    save.world_size = world_size;
    const auto result = Save(files, save);
    REQUIRE(result.ok());
    CHECK(result->path == "/storage/mnist-abc123/step-000000000010-g1");
    CHECK(result->warnings.empty());
    CHECK(CheckHolds(files, result->path, 10).ok());
    const auto loaded = Checkpoint::Load(files, result->path);
    REQUIRE(loaded.ok());
    CHECK((*loaded)->info().world_size == world_size);
    CHECK((*loaded)->info().bytes == result->bytes);
    CHECK((*loaded)->info().metrics.at("train/loss") == 0.25);
  }
}

TEST_CASE("a checkpoint holds the files that the format names, and no others") {
  MemoryFileSystem files;
  const auto result = Save(files, {10});
  REQUIRE(result.ok());
  CHECK(*files.List(result->path) ==
        std::vector<std::string>{"manifest.json", "optimizer-00000-of-00002.safetensors",
                                 "optimizer-00001-of-00002.safetensors", "trainer.json",
                                 "weights-00000-of-00002.safetensors",
                                 "weights-00001-of-00002.safetensors"});
  CHECK(NamesIn(files) == std::vector<std::string>{"step-000000000010-g1"});
}

TEST_CASE("a committed checkpoint survives a power cut") {
  MemoryFileSystem files;
  const auto result = Save(files, {10});
  REQUIRE(result.ok());
  files.Crash();
  CHECK(CheckHolds(files, result->path, 10).ok());
}

TEST_CASE("large shards, summed up by a thread of their own, are right as well") {
  constexpr size_t kFloats = 900'000;  // 3.4 MiB: four blocks
  MemoryFileSystem files;
  TestSave save;
  save.step = 5;
  save.floats_max = kFloats;
  const auto result = Save(files, save);
  REQUIRE(result.ok());
  CHECK(CheckHolds(files, result->path, 5, kFloats).ok());
}

TEST_CASE("reading back one tensor checks its name and its size") {
  MemoryFileSystem files;
  const auto loaded = Checkpoint::Load(files, Save(files, {10})->path);
  REQUIRE(loaded.ok());
  float values[12];
  CHECK((*loaded)->ReadWeights("fc1.weight", values, sizeof(values)).ok());
  CHECK(values[1] == 10.0F + 1 / 1024.0F);
  CHECK((*loaded)->ReadWeights("fc2.weight", values, 48) ==
        absl::NotFoundError("the checkpoint has no tensor 'fc2.weight'"));
  CHECK((*loaded)->ReadWeights("fc1.weight", values, 44) ==
        absl::InvalidArgumentError("tensor 'fc1.weight' is F32 [4, 3] in the checkpoint: 48 bytes, "
                                   "wanted are 44"));
  // Weights and optimizer state are apart.
  CHECK(absl::IsNotFound((*loaded)->ReadOptimizer("fc1.weight", values, 48)));
  CHECK((*loaded)->ReadOptimizer("fc1.weight.momentum", values, 48).ok());
}

TEST_CASE("several threads may load from one checkpoint") {
  MemoryFileSystem files;
  const auto loaded = Checkpoint::Load(files, Save(files, {10})->path);
  REQUIRE(loaded.ok());
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        float bias[3] = {};
        if ((*loaded)->ReadWeights("fc1.bias", bias, sizeof(bias)).ok() && bias[0] == 10.0F) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 400);
}

TEST_CASE("the fingerprint of weights is over their bytes in the order of names") {
  const float a[] = {1, 2}, b[] = {3};
  const TensorData tensor_a{"a", "F32", {2}, a, 8}, tensor_b{"b", "F32", {1}, b, 4};
  const std::string bytes = std::string("\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40", 12);
  CHECK(WeightsSha256({tensor_a, tensor_b}) == base::Sha256Hex(bytes));
  CHECK(WeightsSha256({tensor_b, tensor_a}) == base::Sha256Hex(bytes));
  CHECK(WeightsSha256({}) == base::Sha256Hex(""));
}

TEST_CASE("a save that does not fit is refused before it begins") {
  MemoryFileSystem files;
  files.SetCapacity(3 << 20);
  const SaveId id{10, 1, "n"};
  CHECK(Prepare(files, kJobFolder, id, 1 << 20).ok());
  const absl::Status status = Prepare(files, kJobFolder, id, 2 << 20);
  CHECK(status == absl::ResourceExhaustedError(
                      "no space for the checkpoint of step 10: it needs 3.01 MiB, "
                      "/storage/mnist-abc123 has 3 MiB free"));
}

TEST_CASE("saves that were given up make room for the next one") {
  MemoryFileSystem files;
  const SaveId old{10, 1, "old"};
  REQUIRE(Prepare(files, kJobFolder, old, 1000).ok());
  REQUIRE(WriteShard(files, kJobFolder, old, TestModel(10, 600'000).ShardOf(0, 1)).ok());
  files.SetCapacity(5 << 20);  // 4.6 MiB of it are taken by the save that never came to its end
  CHECK(Prepare(files, kJobFolder, {20, 2, "new"}, 2 << 20).ok());
  CHECK(NamesIn(files) == std::vector<std::string>{".tmp-000000000020-g2-new"});
}

// A save of one rank up to its commit, for the cases below to spoil.
struct HalfDone {
  MemoryFileSystem files;
  TestModel model{10};
  CommitSpec commit;

  HalfDone() {
    commit.id = {10, 1, "n"};
    REQUIRE(Prepare(files, kJobFolder, commit.id, 1000).ok());
    commit.reports = *WriteShard(files, kJobFolder, commit.id, model.ShardOf(0, 1));
    commit.trainer_state.Set("step", 10);
    commit.weights_sha256 = WeightsSha256(model.weights());
  }
  // The commit fails, and leaves nothing.
  std::string Failure() {
    const auto result = Commit(files, kJobFolder, commit);
    REQUIRE(absl::IsInvalidArgument(result.status()));
    CHECK(NamesIn(files).empty());
    return std::string(result.status().message());
  }
};

TEST_CASE("a commit without every report is refused") {
  HalfDone missing;
  missing.commit.reports.pop_back();
  CHECK_THAT(missing.Failure(), Catch::Contains("2 files, but 1 rank(s) make 3"));
  HalfDone twice;
  twice.commit.reports[1] = twice.commit.reports[0];
  CHECK_THAT(twice.Failure(),
             Catch::Contains("there is no report of optimizer-00000-of-00001.safetensors"));
  HalfDone more_ranks;
  more_ranks.commit.world_size = 2;
  CHECK_THAT(more_ranks.Failure(), Catch::Contains("3 files, but 2 rank(s) make 5"));
}

TEST_CASE("a report of another save is refused") {
  HalfDone save;
  save.commit.reports[0].save = ".tmp-000000000010-g1-other";
  CHECK_THAT(save.Failure(),
             Catch::Contains("is of save .tmp-000000000010-g1-other, not .tmp-000000000010-g1-n"));
}

TEST_CASE("a report that does not fit its file is refused") {
  HalfDone save;
  save.commit.reports[0].bytes += 1;
  CHECK_THAT(save.Failure(), Catch::Contains("its report says"));
}

TEST_CASE("trainer state that is no object is refused") {
  HalfDone save;
  save.commit.trainer_state = base::Json(3);
  CHECK_THAT(save.Failure(), Catch::Contains("no JSON object"));
}

TEST_CASE("a rank of an older generation saves nothing more once a newer one has") {
  MemoryFileSystem files;
  REQUIRE(Save(files, {20, 2}).ok());
  CHECK(absl::IsAborted(Save(files, {30, 1}).status()));
  // It may have been half-way when the newer generation came.
  HalfDone save;
  REQUIRE(Save(save.files, {20, 2}).ok());
  CHECK(absl::IsAborted(Commit(save.files, kJobFolder, save.commit).status()));
  CHECK(NamesIn(save.files) == std::vector<std::string>{"step-000000000020-g2"});
}

TEST_CASE("a step that is committed already is left as it is") {
  MemoryFileSystem files;
  REQUIRE(Save(files, {10}).ok());
  TestSave again{10};
  again.nonce = "again";
  const auto result = Save(files, again);
  REQUIRE(result.ok());
  CHECK(CheckHolds(files, result->path, 10).ok());
  CHECK_THAT(*files.ReadFile(base::JoinPath(result->path, kManifestFile)),
             Catch::Contains("n10x1"));
  CHECK(NamesIn(files) == std::vector<std::string>{"step-000000000010-g1"});
}

TEST_CASE("a step that is there but damaged is replaced") {
  MemoryFileSystem files;
  const auto first = Save(files, {10});
  REQUIRE(files.FlipBit(base::JoinPath(first->path, kTrainerFile), 1).ok());
  TestSave again{10};
  again.nonce = "again";
  const auto result = Save(files, again);
  REQUIRE(result.ok());
  CHECK(CheckHolds(files, result->path, 10).ok());
  CHECK(NamesIn(files) == std::vector<std::string>{"step-000000000010-g1"});
}

TEST_CASE("tensors that cannot be written leave nothing behind") {
  MemoryFileSystem files;
  ShardSpec shard = TestModel(10).ShardOf(0, 1);
  shard.weights[0].bytes -= 4;
  CHECK(absl::IsInvalidArgument(WriteShard(files, kJobFolder, {10, 1, "n"}, shard).status()));
  CHECK(NamesIn(files).empty());
}

}  // namespace
}  // namespace rm::checkpoint
