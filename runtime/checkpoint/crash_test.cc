// The promise of this folder: either the previous checkpoint or the new one, whatever happens and
// whenever it happens.
#include <algorithm>
#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/memory_file_system.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/testing.h"

namespace rm::checkpoint {
namespace {

using base::MemoryFileSystem;
using Fault = MemoryFileSystem::Fault;

// What was there before the save that is disturbed.
struct Before {
  const char* name;
  std::vector<TestSave> saves;
  TestSave disturbed;
};

TestSave KeepingOne(TestSave save) {
  save.keep_last = 1;
  return save;
}

// Nothing; one checkpoint; as many as are kept, so that the save removes some; the leftovers of an
// older generation.
std::vector<Before> Situations() {
  TestSave next_generation{30, 2};
  next_generation.lineage = {{1, 0}, {2, 20}};
  return {
      {"the first save", {}, {10}},
      {"a save after one", {{10}}, {20}},
      {"a save that removes the oldest of three", {{10}, {20}}, {30}},
      {"a save that removes the only other one", {{10}}, KeepingOne({20})},
      {"a save of the next generation", {{10}, {20}}, next_generation},
      {"a save of one rank", {{10, 1, 1}}, {20, 1, 1}},
  };
}

void Run(MemoryFileSystem& files, const std::vector<TestSave>& saves) {
  for (const TestSave& save : saves) REQUIRE(Save(files, save).ok());
}

int64_t LastStep(const Before& before) {
  return before.saves.empty() ? -1 : before.saves.back().step;
}

// Every name that stands for a checkpoint stands for a whole one: neither a save nor a removal that
// was cut short leaves half of one, the newest or any other.
void CheckNoHalfCheckpoint(const MemoryFileSystem& files) {
  const auto infos = List(files, kJobFolder, {});
  REQUIRE(infos.ok());
  for (const Info& info : *infos) {
    INFO(info.problem);
    REQUIRE(info.counts);
    REQUIRE(CheckHolds(files, info.path, info.step).ok());
  }
}

// The step of the newest checkpoint, or −1; it must hold what was saved at that step, to the bit.
int64_t NewestStep(const MemoryFileSystem& files, const Lineage& lineage) {
  CheckNoHalfCheckpoint(files);
  std::vector<std::string> warnings;
  const auto newest = FindNewest(files, kJobFolder, lineage, &warnings);
  if (!newest.ok()) {
    REQUIRE(absl::IsNotFound(newest.status()));
    return -1;
  }
  const absl::Status holds = CheckHolds(files, newest->path, newest->step);
  INFO(holds);
  REQUIRE(holds.ok());
  // No half checkpoint lies in front of it either: what was never whole never got a name that
  // counts.
  for (const std::string& warning : warnings) FAIL(warning);
  return newest->step;
}

bool HasLeftovers(const MemoryFileSystem& files) {
  const std::vector<std::string> names = NamesIn(files);
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return absl::StartsWith(name, "."); });
}

// Runs the save with `fault` at each of its mutating calls in turn, and hands each outcome to
// `check`.
template <typename Check>
void AtEveryOperation(const Before& before, Fault fault, const Check& check) {
  for (int64_t n = 1;; ++n) {
    MemoryFileSystem files;
    Run(files, before.saves);
    const int64_t start = files.operations();
    files.FailFrom(start + n, fault);
    const bool saved = Save(files, before.disturbed).ok();
    const bool disturbed = files.operations() - start >= n;
    CAPTURE(before.name, n);
    check(files, saved);
    if (disturbed) continue;
    CHECK(saved);
    CHECK(n > 10);  // the loop has been through a whole save
    return;
  }
}

TEST_CASE("a power cut at any operation of a save leaves the previous checkpoint or the new one") {
  for (const Before& before : Situations()) {
    for (const uint64_t torn_seed : {0U, 1U, 2U, 3U}) {
      AtEveryOperation(before, Fault::kCrash, [&](MemoryFileSystem& files, bool saved) {
        files.Crash(torn_seed);
        const int64_t newest = NewestStep(files, before.disturbed.lineage);
        const int64_t step = before.disturbed.step;
        CHECK((newest == LastStep(before) || newest == step));
        if (saved) CHECK(newest == step);  // what was reported as saved is durable
      });
    }
  }
}

TEST_CASE("after a power cut the next generation saves and clears what was left over") {
  for (const Before& before : Situations()) {
    AtEveryOperation(before, Fault::kCrash, [&](MemoryFileSystem& files, bool) {
      files.Crash(7);
      TestSave next{100, before.disturbed.generation + 1};
      REQUIRE(Save(files, next).ok());
      CHECK(NewestStep(files, {}) == 100);
      CHECK_FALSE(HasLeftovers(files));
      CHECK(NamesIn(files).size() <= 2);
    });
  }
}

TEST_CASE("a disk that is full at any operation leaves the previous checkpoint and nothing else") {
  for (const Before& before : Situations()) {
    AtEveryOperation(before, Fault::kDiskFull, [&](MemoryFileSystem& files, bool saved) {
      CHECK(NewestStep(files, before.disturbed.lineage) ==
            (saved ? before.disturbed.step : LastStep(before)));
      CHECK_FALSE(HasLeftovers(files));
    });
  }
}

TEST_CASE("a full disk is told as one, with the path") {
  MemoryFileSystem files;
  REQUIRE(Save(files, {10}).ok());
  files.FailFrom(files.operations() + 8, Fault::kDiskFull);
  const auto result = Save(files, {20});
  REQUIRE(absl::IsResourceExhausted(result.status()));
  CHECK_THAT(std::string(result.status().message()),
             Catch::Contains("/storage/mnist-abc123/.tmp-000000000020-g1-n20x1/"));
}

TEST_CASE("an I/O error at any operation leaves the previous checkpoint or the new one") {
  for (const Before& before : Situations()) {
    AtEveryOperation(before, Fault::kIoError, [&](MemoryFileSystem& files, bool saved) {
      const int64_t newest = NewestStep(files, before.disturbed.lineage);
      CHECK((newest == LastStep(before) || newest == before.disturbed.step));
      if (saved) CHECK(newest == before.disturbed.step);
      // The machine did not stop, but it may now: what was reported as saved must still be there.
      files.Crash();
      if (saved) CHECK(NewestStep(files, before.disturbed.lineage) == before.disturbed.step);
    });
  }
}

TEST_CASE("a checkpoint that comes back damaged costs none of the older ones") {
  MemoryFileSystem files;
  REQUIRE(Save(files, {10}).ok());
  const SaveId id{20, 1, "n"};
  const TestModel model(20);
  REQUIRE(Prepare(files, kJobFolder, id, 1000).ok());
  CommitSpec commit;
  commit.id = id;
  commit.reports = *WriteShard(files, kJobFolder, id, model.ShardOf(0, 1));
  commit.trainer_state.Set("step", 20);
  commit.weights_sha256 = WeightsSha256(model.weights());
  commit.keep_last = 1;
  // The disk changes a bit between the write and the commit.
  const std::string temporary = absl::StrCat(kJobFolder, "/.tmp-000000000020-g1-n/");
  REQUIRE(files.FlipBit(temporary + commit.reports[0].file, 100).ok());
  const auto result = Commit(files, kJobFolder, commit);
  REQUIRE(absl::IsDataLoss(result.status()));
  CHECK_THAT(std::string(result.status().message()), Catch::Contains("older checkpoints are kept"));
  std::vector<std::string> warnings;
  CHECK(FindNewest(files, kJobFolder, {}, &warnings)->step == 10);
  CHECK(warnings.size() == 1);
}

}  // namespace
}  // namespace rm::checkpoint
