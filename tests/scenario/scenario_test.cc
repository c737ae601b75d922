// Replays every script of this folder and compares what the scheduler decides with what the script
// says.
//
// After a wanted change: run this program in the root of the tree with
// RM_UPDATE_GOLDEN=tests/scenario in the environment; it writes the scripts anew, and their diff is
// what to review.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "scheduler/state/job_state.h"
#include "scheduler/state/worker_state.h"
#include "tests/scenario/script.h"

namespace rm::scenario {
namespace {

namespace fs = std::filesystem;

constexpr char kFolder[] = "tests/scenario";

std::vector<std::string> Scripts() {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string ReadScript(const std::string& name) {
  std::ifstream file(fs::path(kFolder) / name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<Block> Parsed(const std::string& name) {
  absl::StatusOr<std::vector<Block>> blocks = ParseScript(ReadScript(name));
  INFO(name << ": " << blocks.status());
  REQUIRE(blocks.ok());
  return *blocks;
}

std::vector<Block> Played(const std::string& name, Coverage& coverage) {
  absl::StatusOr<std::vector<Block>> blocks = Replay(Parsed(name), coverage);
  INFO(name << ": " << blocks.status());
  REQUIRE(blocks.ok());
  return *blocks;
}

TEST_CASE("every script gives the decisions that it says") {
  const char* update = std::getenv("RM_UPDATE_GOLDEN");
  for (const std::string& name : Scripts()) {
    Coverage coverage;
    const std::vector<Block> expected = Parsed(name);
    const std::vector<Block> actual = Played(name, coverage);
    if (update != nullptr) {
      std::ofstream(fs::path(update) / name) << PrintScript(actual);
      continue;
    }
    DYNAMIC_SECTION(name) {
      for (size_t i = 0; i < expected.size(); ++i) {
        INFO(name << ":" << expected[i].line);
        CHECK(actual[i].output == expected[i].output);
      }
    }
  }
}

TEST_CASE("the scripts take every legal arrow and meet every refusal") {
  Coverage coverage;
  for (const std::string& name : Scripts()) Played(name, coverage);
  for (const scheduler::Arrow& arrow : scheduler::Arrows()) {
    INFO(scheduler::StateName(arrow.from)
         << " -> " << scheduler::StateName(arrow.to) << ": " << arrow.when);
    CHECK(coverage.arrows.count({arrow.from, arrow.to}) == 1);
  }
  for (const scheduler::WorkerArrow& arrow : scheduler::WorkerArrows()) {
    INFO(scheduler::WorkerStateName(arrow.from)
         << " -> " << scheduler::WorkerStateName(arrow.to) << ": " << arrow.when);
    CHECK(coverage.worker_arrows.count({arrow.from, arrow.to}) == 1);
  }
  for (const absl::string_view code : scheduler::RefusalCodes()) {
    INFO(code);
    CHECK(coverage.refusals.count(std::string(code)) == 1);
  }
}

TEST_CASE("a script reads as it was printed") {
  const std::string text =
      "# why\nat 0s\nattach w1 slots=2\n----\nworker w1\nwake never\n\nexplain a\n----\n";
  const absl::StatusOr<std::vector<Block>> blocks = ParseScript(text);
  REQUIRE(blocks.ok());
  CHECK(PrintScript(*blocks) == text);
}

TEST_CASE("a wrong script is refused with its line") {
  Coverage coverage;
  const auto error = [&](const std::string& text) {
    const absl::StatusOr<std::vector<Block>> blocks = ParseScript(text);
    return blocks.ok() ? Replay(*blocks, coverage).status() : blocks.status();
  };
  CHECK(absl::StrContains(error("at 0s\n").message(), "line 1: a block is"));
  CHECK(absl::StrContains(error("\n# x\njump\n----\n").message(), "line 3: a block begins with"));
  CHECK(absl::StrContains(error("at 0s\nfly w1\n----\n").message(), "there is no word 'fly'"));
  CHECK(absl::StrContains(error("at 0s\njoin a/1\n----\n").message(), "'a/1' is not"));
  CHECK(absl::StrContains(error("at 0s\nlost w1 cause=\"x\n----\n").message(), "quote"));
  CHECK(absl::StrContains(error("at 0s\nattach w1 slots=x\n----\n").message(), "not a number"));
}

}  // namespace
}  // namespace rm::scenario
