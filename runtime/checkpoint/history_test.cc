// Whole lives of jobs, by seed: saves, power cuts, lost generations, damaged disks. After each
// event the newest usable checkpoint must be one that a simple model of the job's history allows,
// and hold what was saved.
#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/names.h"
#include "runtime/checkpoint/testing.h"

namespace rm::checkpoint {
namespace {

using base::MemoryFileSystem;
using Fault = MemoryFileSystem::Fault;

class Life {
 public:
  explicit Life(uint64_t seed) : random_(seed, 77) {}

  // One thing that happens to the job.
  void Live() {
    switch (random_.NextBelow(8)) {
      case 0:
        return Restart();
      case 1:
        return SaveWithFault(Fault::kCrash);
      case 2:
        return SaveWithFault(Fault::kIoError);
      case 3:
        return SaveWithFault(Fault::kDiskFull);
      case 4:
        return DamageNewest();
      default:
        return SaveOnce();
    }
  }

  // What a new generation would find now is right.
  void CheckNewest() {
    const auto newest = Newest();
    INFO("expected at least step " << promised_ << " of " << log_);
    if (!newest.has_value()) {
      REQUIRE(promised_ < 0);
      return;
    }
    const absl::Status holds = CheckHolds(files_, newest->path, newest->step);
    INFO(holds);
    REQUIRE(holds.ok());
    REQUIRE(newest->step >= promised_);
    REQUIRE(attempted_.count(newest->step) == 1);
  }

 private:
  std::optional<Info> Newest() {
    std::vector<std::string> warnings;
    const auto newest = FindNewest(files_, kJobFolder, lineage_, &warnings);
    return newest.ok() ? std::optional<Info>(*newest) : std::nullopt;
  }

  TestSave NextSave() {
    step_ += static_cast<int64_t>(1 + random_.NextBelow(5));
    TestSave save(step_, generation_, static_cast<int>(1 + random_.NextBelow(3)));
    save.lineage = lineage_;
    save.keep_last = static_cast<int>(1 + random_.NextBelow(3));
    save.nonce = absl::StrCat("n", ++saves_);
    attempted_.insert(step_);
    return save;
  }

  void SaveOnce() {
    const TestSave save = NextSave();
    absl::StrAppend(&log_, " save ", save.step);
    REQUIRE(Save(files_, save).ok());
    promised_ = save.step;
  }

  // A save that is disturbed somewhere; what it reports as committed is promised, all else is not.
  void SaveWithFault(Fault fault) {
    const TestSave save = NextSave();
    const int64_t at = files_.operations() + 1 + static_cast<int64_t>(random_.NextBelow(40));
    files_.FailFrom(at, fault);
    const bool saved = Save(files_, save).ok();
    files_.FailFrom(0, fault);
    absl::StrAppend(&log_, " fault ", static_cast<int>(fault), " at save ", save.step,
                    saved ? " (ok)" : "");
    if (saved) promised_ = save.step;
    if (fault != Fault::kCrash) return;
    files_.Crash(random_.NextBits());
    Restart();
  }

  // The next generation goes on from what it finds. Steps beyond it were lost, and may come again.
  void Restart() {
    const auto newest = Newest();
    step_ = newest.has_value() ? newest->step : 0;
    lineage_.push_back({++generation_, step_});
    absl::StrAppend(&log_, " generation ", generation_, " from ", step_);
    promised_ = newest.has_value() ? newest->step : -1;
  }

  // A bit of the newest checkpoint turns over; with it, what was promised falls back to the one
  // before, if any.
  void DamageNewest() {
    const auto newest = Newest();
    if (!newest.has_value()) return;
    const auto names = files_.List(newest->path);
    const std::string file =
        base::JoinPath(newest->path, (*names)[random_.NextBelow(names->size())]);
    const uint64_t size = files_.Stat(file)->bytes;
    REQUIRE(files_.FlipBit(file, random_.NextBelow(size)).ok());
    absl::StrAppend(&log_, " damage ", newest->name);
    const auto before = Newest();
    REQUIRE((!before.has_value() || before->step <= newest->step));
    REQUIRE((!before.has_value() || before->path != newest->path));
    promised_ = before.has_value() ? before->step : -1;
  }

  MemoryFileSystem files_;
  base::RandomStream random_;
  std::string log_;
  int64_t step_ = 0;
  int64_t generation_ = 1;
  int64_t saves_ = 0;
  int64_t promised_ = -1;  // the newest step that must be found; −1: none need be
  Lineage lineage_ = {{1, 0}};
  std::set<int64_t> attempted_;
};

TEST_CASE("whatever happens to a job, its newest checkpoint is whole and no older than promised") {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    Life life(seed);
    for (int event = 0; event < 25; ++event) {
      life.Live();
      life.CheckNewest();
    }
  }
}

}  // namespace
}  // namespace rm::checkpoint
