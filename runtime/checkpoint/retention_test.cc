#include "runtime/checkpoint/retention.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "base/memory_file_system.h"
#include "runtime/checkpoint/names.h"
#include "runtime/checkpoint/testing.h"

namespace rm::checkpoint {
namespace {

using base::MemoryFileSystem;

Info Of(int64_t step, int64_t generation, bool counts = true) {
  Info info;
  info.step = step;
  info.generation = generation;
  info.counts = counts;
  return info;
}

std::vector<int64_t> Steps(const std::vector<Info>& infos) {
  std::vector<int64_t> steps;
  for (const Info& info : infos) steps.push_back(info.step);
  return steps;
}

TEST_CASE("what is older than the last that are kept is superseded") {
  using Steps64 = std::vector<int64_t>;
  const struct {
    const char* why;
    std::vector<Info> infos;
    int keep_last;
    Steps64 superseded;
  } cases[] = {
      {"fewer than are kept", {Of(40, 2)}, 2, {}},
      {"as many as are kept", {Of(40, 2), Of(30, 2)}, 2, {}},
      {"one more", {Of(40, 2), Of(30, 2), Of(20, 1)}, 2, {20}},
      {"many more", {Of(40, 2), Of(30, 2), Of(20, 1), Of(10, 1)}, 1, {30, 20, 10}},
      {"those that do not count do not fill the quota",
       {Of(40, 2), Of(30, 2, false), Of(20, 1)}, 2, {}},
      {"those that do not count go once they are old",
       {Of(40, 2), Of(30, 2), Of(20, 1, false), Of(10, 1)}, 2, {20, 10}},
      {"an abandoned branch ahead of us stays", {Of(50, 1, false), Of(40, 2), Of(30, 2)}, 1, {30}},
      {"a later generation's stay", {Of(40, 2), Of(30, 3), Of(20, 1)}, 1, {20}},
      {"none counts", {Of(40, 2, false), Of(30, 2, false)}, 1, {}},
  };
  for (const auto& test : cases) {
    CAPTURE(test.why);
    CHECK(Steps(Superseded(test.infos, {40, 2, ""}, test.keep_last)) == test.superseded);
  }
}

TEST_CASE("the one just committed is never superseded") {
  // Its manifest might not even be readable; then that is not the moment to remove anything of it.
  CHECK(Superseded({Of(60, 1), Of(50, 1), Of(40, 2)}, {40, 2, ""}, 1).size() == 1);
}

TEST_CASE("saves keep the last checkpoints, and the folder does not grow") {
  for (const int keep_last : {1, 2, 3}) {
    MemoryFileSystem files;
    for (int64_t step = 10; step <= 80; step += 10) {
      TestSave save{step};
      save.keep_last = keep_last;
      REQUIRE(Save(files, save).ok());
      const size_t expected = static_cast<size_t>(std::min<int64_t>(step / 10, keep_last));
      CHECK(NamesIn(files).size() == expected);
      CHECK(base::JoinPath(kJobFolder, NamesIn(files).back()) ==
            CheckpointFolder(kJobFolder, step, 1));
    }
  }
}

TEST_CASE("the steps of an abandoned branch do not push out those of the new one") {
  MemoryFileSystem files;
  for (const int64_t step : {10, 20, 30}) {
    TestSave save{step};
    save.keep_last = 5;
    REQUIRE(Save(files, save).ok());
  }
  // Generation 2 went on from step 10; its own entry is not in the lineage it was told.
  TestSave save{15, 2};
  save.lineage = {{1, 0}};
  save.keep_last = 1;
  REQUIRE(Save(files, save).ok());
  CHECK(NamesIn(files) == std::vector<std::string>{"step-000000000015-g2", "step-000000000020-g1",
                                                   "step-000000000030-g1"});
  save.step = 40;
  REQUIRE(Save(files, save).ok());
  CHECK(NamesIn(files) == std::vector<std::string>{"step-000000000040-g2"});
}

TEST_CASE("a checkpoint that cannot be removed is a warning, not a failure") {
  MemoryFileSystem files;
  REQUIRE(Save(files, {10}).ok());
  TestSave save{20};
  save.keep_last = 1;
  MemoryFileSystem probe;  // the same saves, to count the operations up to the removal
  REQUIRE(Save(probe, {10}).ok());
  REQUIRE(Save(probe, save).ok());
  files.FailFrom(probe.operations(), MemoryFileSystem::Fault::kIoError);
  const auto result = Save(files, save);
  REQUIRE(result.ok());
  REQUIRE(result->warnings.size() == 1);
  CHECK_THAT(result->warnings[0], Catch::Contains(".removed-000000000010-g1-"));
  // The next save clears it.
  save.step = 30;
  CHECK(Save(files, save)->warnings.empty());
  CHECK(NamesIn(files) == std::vector<std::string>{"step-000000000030-g1"});
}

TEST_CASE("files beside the checkpoints are left alone") {
  MemoryFileSystem files;
  REQUIRE(files.MakeFolders(absl::StrCat(kJobFolder, "/notes")).ok());
  REQUIRE(files.Create(absl::StrCat(kJobFolder, "/metrics.jsonl")).ok());
  for (const int64_t step : {10, 20, 30}) REQUIRE(Save(files, {step}).ok());
  CHECK(NamesIn(files) == std::vector<std::string>{"metrics.jsonl", "notes", "step-000000000020-g1",
                                                   "step-000000000030-g1"});
}

}  // namespace
}  // namespace rm::checkpoint
