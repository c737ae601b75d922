#include "runtime/checkpoint/names.h"

#include <catch2/catch.hpp>

namespace rm::checkpoint {
namespace {

using Kind = FolderName::Kind;

TEST_CASE("folder names are written and read back") {
  const struct {
    FolderName name;
    const char* text;
  } cases[] = {
      {{Kind::kCheckpoint, 1000, 1, ""}, "step-000000001000-g1"},
      {{Kind::kCheckpoint, 0, 12, ""}, "step-000000000000-g12"},
      {{Kind::kCheckpoint, 1234567890123, 1, ""}, "step-1234567890123-g1"},
      {{Kind::kTemporary, 7, 2, "9f3c"}, ".tmp-000000000007-g2-9f3c"},
      {{Kind::kRemoved, 7, 2, "00ff"}, ".removed-000000000007-g2-00ff"},
  };
  for (const auto& test : cases) {
    CHECK(FormatFolderName(test.name) == test.text);
    const auto parsed = ParseFolderName(test.text);
    REQUIRE(parsed.has_value());
    CHECK(parsed->kind == test.name.kind);
    CHECK(parsed->step == test.name.step);
    CHECK(parsed->generation == test.name.generation);
    CHECK(parsed->nonce == test.name.nonce);
  }
}

TEST_CASE("names that are not exactly ours are none of our business") {
  for (const char* const text :
       {"", "steps.log", "step-", "step-1-g1", "step-000000001000", "step-000000001000-g0",
        "step-000000001000-g01", "step-000000001000-1", "step-000000001000-gx",
        "step--00000001000-g1", "step-+00000001000-g1", "step-000000001000-g1-", "tmp-1-g1-a",
        "step-000000001000-g1-abc", "step-000000001000-g1.old", ".tmp-000000000007-g2",
        ".tmp-000000000007-g2-", ".tmp-000000000007-g2-a/b", ".tmp-000000000007-g2-a-b",
        " step-000000001000-g1", "step-99999999999999999999-g1", "metrics.jsonl"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseFolderName(text).has_value());
  }
}

TEST_CASE("each rank has two files") {
  CHECK(WeightsFile(0, 2) == "weights-00000-of-00002.safetensors");
  CHECK(OptimizerFile(11, 12) == "optimizer-00011-of-00012.safetensors");
  CHECK(ShardFiles(2) == std::vector<std::string>{"weights-00000-of-00002.safetensors",
                                                  "optimizer-00000-of-00002.safetensors",
                                                  "weights-00001-of-00002.safetensors",
                                                  "optimizer-00001-of-00002.safetensors"});
}

}  // namespace
}  // namespace rm::checkpoint
