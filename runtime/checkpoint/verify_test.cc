// Listing, verifying and finding.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "base/memory_file_system.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/names.h"
#include "runtime/checkpoint/testing.h"

namespace rm::checkpoint {
namespace {

using base::MemoryFileSystem;

std::string PathOf(int64_t step, int64_t generation = 1) {
  return CheckpointFolder(kJobFolder, step, generation);
}

// "<step> <generation> <counts or problem>" for each checkpoint, the newest first.
std::vector<std::string> Listed(const MemoryFileSystem& files, const Lineage& lineage) {
  std::vector<std::string> lines;
  const auto infos = List(files, kJobFolder, lineage);
  REQUIRE(infos.ok());
  for (const Info& info : *infos) {
    CHECK(info.counts == info.problem.empty());
    lines.push_back(absl::StrCat(info.name, " ", info.counts ? "counts" : info.problem));
  }
  return lines;
}

TestSave At(int64_t step, int64_t generation = 1) {
  TestSave save{step, generation};
  save.keep_last = 100;
  return save;
}

TEST_CASE("a whole checkpoint verifies, every byte of it read") {
  MemoryFileSystem files;
  const auto saved = Save(files, At(10));
  REQUIRE(saved.ok());
  const auto verification = Verify(files, saved->path);
  REQUIRE(verification.ok());
  CHECK(verification->ok());
  CHECK(verification->files == 6);
  CHECK(verification->bytes == saved->bytes);
  CHECK(verification->weights_sha256 == WeightsSha256(TestModel(10).weights()));
  CHECK(verification->info.name == "step-000000000010-g1");
  CHECK(verification->info.step == 10);
  CHECK(verification->info.counts);
  CHECK(verification->info.created == absl::FromUnixSeconds(1'800'000'000));
}

TEST_CASE("every flipped bit of every file is found, with file and offset") {
  MemoryFileSystem files;
  const std::string path = Save(files, At(10))->path;
  const std::vector<std::string> names = *files.List(path);
  REQUIRE(names.size() == 6);
  for (const std::string& name : names) {
    const std::string file = base::JoinPath(path, name);
    const uint64_t size = files.Stat(file)->bytes;
    for (uint64_t offset = 0; offset < size; ++offset) {
      REQUIRE(files.FlipBit(file, offset).ok());
      const auto verification = Verify(files, path);
      REQUIRE(verification.ok());
      REQUIRE(verification->problems.size() == 1);
      REQUIRE_THAT(verification->problems[0], Catch::StartsWith(name + ": 0: "));
      REQUIRE(verification->weights_sha256.empty());
      REQUIRE_FALSE(verification->info.counts);
      REQUIRE(files.FlipBit(file, offset).ok());  // and back
    }
  }
  CHECK(Verify(files, path)->ok());
}

TEST_CASE("damage in a large file is placed in its block") {
  MemoryFileSystem files;
  TestSave save = At(10);
  save.floats_max = 900'000;
  const std::string path = Save(files, save)->path;
  const std::string name = WeightsFile(0, 2);
  REQUIRE(files.FlipBit(base::JoinPath(path, name), 2'500'000).ok());
  const auto verification = Verify(files, path);
  REQUIRE(verification->problems.size() == 1);
  CHECK_THAT(verification->problems[0],
             Catch::StartsWith(name + ": 2097152: the block of 1048576 bytes has CRC32C "));
}

TEST_CASE("every damaged file is named, not the first only") {
  MemoryFileSystem files;
  const std::string path = Save(files, At(10))->path;
  REQUIRE(files.RemoveFile(base::JoinPath(path, WeightsFile(1, 2))).ok());
  REQUIRE(files.FlipBit(base::JoinPath(path, kTrainerFile), 3).ok());
  auto longer = files.OpenForAppend(base::JoinPath(path, OptimizerFile(0, 2)));
  REQUIRE((*longer)->Append("x").ok());
  const auto verification = Verify(files, path);
  REQUIRE(verification->problems.size() == 3);
  CHECK_THAT(verification->problems[0], Catch::Contains(": the file has "));
  CHECK(verification->problems[1] == "weights-00001-of-00002.safetensors: 0: the file is missing");
  CHECK_THAT(verification->problems[2], Catch::StartsWith("trainer.json: 0: "));
}

TEST_CASE("a checkpoint without a manifest is none, and no checkpoint at all is NotFound") {
  MemoryFileSystem files;
  const std::string path = Save(files, At(10))->path;
  REQUIRE(files.RemoveFile(base::JoinPath(path, kManifestFile)).ok());
  CHECK(Verify(files, path)->problems ==
        std::vector<std::string>{"manifest.json: 0: the file is missing"});
  CHECK(absl::IsNotFound(Verify(files, PathOf(11)).status()));
}

TEST_CASE("a copy under another name verifies; under the name of another step it does not") {
  MemoryFileSystem files;
  const std::string path = Save(files, At(10))->path;
  REQUIRE(files.Rename(path, "/storage/copy").ok());
  CHECK(Verify(files, "/storage/copy")->ok());
  REQUIRE(files.Rename("/storage/copy", PathOf(11)).ok());
  CHECK(Verify(files, PathOf(11))->problems ==
        std::vector<std::string>{"manifest.json: 0: it is of step 10 of generation 1, "
                                 "the folder is step-000000000011-g1"});
}

TEST_CASE("checkpoints are listed, the newest first, with what speaks against them") {
  MemoryFileSystem files;
  CHECK(Listed(files, {}).empty());
  REQUIRE(Save(files, At(10)).ok());
  REQUIRE(Save(files, At(20)).ok());
  REQUIRE(Save(files, At(20, 2)).ok());
  REQUIRE(Save(files, At(30, 2)).ok());
  REQUIRE(files.RemoveFile(base::JoinPath(PathOf(10), kTrainerFile)).ok());
  REQUIRE(files.FlipBit(base::JoinPath(PathOf(30, 2), kManifestFile), 20).ok());
  CHECK(Listed(files, {}) ==
        std::vector<std::string>{
            "step-000000000030-g2 manifest.json: 0: it does not match its own checksum",
            "step-000000000020-g2 counts", "step-000000000020-g1 counts",
            "step-000000000010-g1 trainer.json: 0: the file is missing"});
}

TEST_CASE("a checkpoint counts only within the job's lineage") {
  MemoryFileSystem files;
  for (const int64_t step : {10, 20, 30}) REQUIRE(Save(files, At(step)).ok());
  REQUIRE(Save(files, At(25, 3)).ok());
  const std::string given_up =
      "step-000000000030-g1 generation 3 went on from step 20, so step 30 of generation 1 was "
      "given up";
  const struct {
    Lineage lineage;
    std::vector<std::string> listed;
  } cases[] = {
      {{{1, 0}, {3, 20}},
       {given_up, "step-000000000025-g3 counts", "step-000000000020-g1 counts",
        "step-000000000010-g1 counts"}},
      {{{1, 0}},
       {"step-000000000030-g1 counts",
        "step-000000000025-g3 generation 3 is not part of the job's lineage",
        "step-000000000020-g1 counts", "step-000000000010-g1 counts"}},
  };
  for (const auto& test : cases) CHECK(Listed(files, test.lineage) == test.listed);
}

TEST_CASE("the newest whole checkpoint of the lineage is found, and what was passed over is said") {
  MemoryFileSystem files;
  for (const int64_t step : {10, 20, 30}) REQUIRE(Save(files, At(step)).ok());
  REQUIRE(Save(files, At(25, 2)).ok());
  REQUIRE(files.FlipBit(base::JoinPath(PathOf(25, 2), WeightsFile(0, 2)), 200).ok());
  std::vector<std::string> warnings;
  const auto newest = FindNewest(files, kJobFolder, {{1, 0}, {2, 20}}, &warnings);
  REQUIRE(newest.ok());
  CHECK(newest->path == PathOf(20));
  REQUIRE(warnings.size() == 2);
  CHECK_THAT(warnings[0], Catch::StartsWith(absl::StrCat("checkpoint ", PathOf(30),
                                                         " is not used: generation 2 went on")));
  CHECK_THAT(warnings[1],
             Catch::StartsWith(absl::StrCat("checkpoint ", PathOf(25, 2), " is not used: ",
                                            WeightsFile(0, 2), ": 0: the block of ")));
}

TEST_CASE("where no checkpoint is usable, that is said, with each reason") {
  MemoryFileSystem files;
  std::vector<std::string> warnings;
  CHECK(FindNewest(files, kJobFolder, {}, &warnings).status() ==
        absl::NotFoundError("there is no usable checkpoint in /storage/mnist-abc123"));
  CHECK(warnings.empty());
  REQUIRE(Save(files, At(10)).ok());
  REQUIRE(files.FlipBit(base::JoinPath(PathOf(10), kTrainerFile), 0).ok());
  CHECK(absl::IsNotFound(FindNewest(files, kJobFolder, {}, &warnings).status()));
  CHECK(warnings.size() == 1);
}

TEST_CASE("nothing damaged is handed out, even when it was not verified before") {
  MemoryFileSystem files;
  const std::string path = Save(files, At(10))->path;
  const std::string weights = base::JoinPath(path, WeightsFile(0, 2));
  REQUIRE(files.FlipBit(weights, files.Stat(weights)->bytes - 1).ok());
  const auto loaded = Checkpoint::Load(files, path);
  // The block of the header is the block of the damage here; the message names the place.
  REQUIRE(absl::IsDataLoss(loaded.status()));
  CHECK_THAT(std::string(loaded.status().message()), Catch::Contains(WeightsFile(0, 2) + ": 0: "));
}

TEST_CASE("damage beyond the header shows when the tensor is read") {
  MemoryFileSystem files;
  TestSave save = At(10);
  save.floats_max = 900'000;
  const std::string path = Save(files, save)->path;
  REQUIRE(files.FlipBit(base::JoinPath(path, WeightsFile(0, 2)), 2'500'000).ok());
  const auto loaded = Checkpoint::Load(files, path);
  REQUIRE(loaded.ok());
  std::vector<float> values(900'000);
  const absl::Status status =
      (*loaded)->ReadWeights("fc1.weight", values.data(), values.size() * sizeof(float));
  CHECK(absl::IsDataLoss(status));
  CHECK_THAT(std::string(status.message()), Catch::Contains(": 2097152: "));
}

}  // namespace
}  // namespace rm::checkpoint
