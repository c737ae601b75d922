// The same on a real disk, with ranks that write at the same time.
#include <catch2/catch.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/sha256.h"
#include "base/temporary_folder.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/names.h"
#include "runtime/checkpoint/testing.h"

namespace rm::checkpoint {
namespace {

constexpr size_t kFloats = 600'000;  // more than a block, so that a thread sums up

// All ranks write their shards at once; rank 0 commits.
absl::StatusOr<CommitResult> SaveTogether(const std::string& folder, const SaveId& id,
                                          int world_size, const TestModel& model) {
  base::FileSystem& files = base::PosixFileSystem();
  const absl::Status prepared = Prepare(files, folder, id, kFloats * sizeof(float));
  if (!prepared.ok()) return prepared;
  std::vector<absl::StatusOr<std::vector<ShardReport>>> written(static_cast<size_t>(world_size));
  std::vector<std::thread> ranks;
  for (int rank = 0; rank < world_size; ++rank) {
    ranks.emplace_back([&, rank] {
      written[static_cast<size_t>(rank)] =
          WriteShard(files, folder, id, model.ShardOf(rank, world_size));
    });
  }
  for (std::thread& rank : ranks) rank.join();
  CommitSpec commit;
  commit.id = id;
  commit.world_size = world_size;
  for (const auto& reports : written) {
    if (!reports.ok()) return reports.status();
    commit.reports.insert(commit.reports.end(), reports->begin(), reports->end());
  }
  commit.trainer_state.Set("step", id.step);
  commit.weights_sha256 = WeightsSha256(model.weights());
  commit.created = absl::Now();
  return Commit(files, folder, commit);
}

TEST_CASE("ranks that write at the same time make one checkpoint") {
  const base::TemporaryFolder temporary;
  const std::string folder = temporary.File("storage/job");
  const TestModel model(10, kFloats);
  const auto result = SaveTogether(folder, {10, 1, NewNonce()}, 4, model);
  REQUIRE(result.ok());
  CHECK(CheckHolds(base::PosixFileSystem(), result->path, 10, kFloats).ok());
}

TEST_CASE("the sums in the manifest are those of the files on disk") {
  const base::TemporaryFolder temporary;
  const TestModel model(10, kFloats);
  const auto result = SaveTogether(temporary.File("job"), {10, 1, NewNonce()}, 2, model);
  REQUIRE(result.ok());
  const base::FileSystem& files = base::PosixFileSystem();
  const std::string manifest = *files.ReadFile(base::JoinPath(result->path, kManifestFile));
  for (const std::string& name : ShardFiles(2)) {
    const std::string bytes = *files.ReadFile(base::JoinPath(result->path, name));
    CHECK_THAT(manifest, Catch::Contains(base::Sha256Hex(bytes)));
  }
}

TEST_CASE("a series of saves keeps the last two, and each is found in its time") {
  const base::TemporaryFolder temporary;
  const std::string folder = temporary.File("job");
  base::FileSystem& files = base::PosixFileSystem();
  for (int64_t step = 1; step <= 5; ++step) {
    const TestModel model(step);
    REQUIRE(SaveTogether(folder, {step, 1, NewNonce()}, 2, model).ok());
    std::vector<std::string> warnings;
    const auto newest = FindNewest(files, folder, {}, &warnings);
    REQUIRE(newest.ok());
    CHECK(newest->step == step);
    CHECK(warnings.empty());
    CHECK(CheckHolds(files, newest->path, step).ok());
  }
  CHECK(files.List(folder)->size() == 2);
}

TEST_CASE("damage on disk is found with file and offset, and the one before is used") {
  const base::TemporaryFolder temporary;
  const std::string folder = temporary.File("job");
  base::FileSystem& files = base::PosixFileSystem();
  for (const int64_t step : {1, 2}) {
    REQUIRE(SaveTogether(folder, {step, 1, NewNonce()}, 1, TestModel(step, kFloats)).ok());
  }
  const std::string weights =
      base::JoinPath(CheckpointFolder(folder, 2, 1), WeightsFile(0, 1));
  std::string bytes = *files.ReadFile(weights);
  bytes[1'500'000] = static_cast<char>(bytes[1'500'000] ^ 0x10);
  auto file = files.Create(weights);
  REQUIRE((*file)->Append(bytes).ok());
  REQUIRE((*file)->Close().ok());
  std::vector<std::string> warnings;
  CHECK(FindNewest(files, folder, {}, &warnings)->step == 1);
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], Catch::Contains("weights-00000-of-00001.safetensors: 1048576: "));
}

TEST_CASE("a folder that cannot be made is told with its path") {
  const base::TemporaryFolder temporary;
  base::FileSystem& files = base::PosixFileSystem();
  const std::string file = temporary.File("not-a-folder");
  REQUIRE((*files.Create(file))->Close().ok());
  const absl::Status status = Prepare(files, base::JoinPath(file, "job"), {1, 1, "n"}, 1);
  REQUIRE_FALSE(status.ok());
  CHECK_THAT(std::string(status.message()), Catch::Contains("not-a-folder"));
}

}  // namespace
}  // namespace rm::checkpoint
