// The lines that other people's scripts read.

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/temporary_folder.h"
#include "tests/integration/test_cluster.h"

namespace rm::integration {
namespace {

// `trainctl bench <arguments>`; no cluster is needed.
Outcome Bench(const std::string& arguments) {
  const base::TemporaryFolder folder;
  return RunShell("tools/ringmaster/ringmaster trainctl bench " + arguments, folder.path());
}

std::vector<base::Json> Lines(const Outcome& outcome) {
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  std::vector<base::Json> lines;
  for (const absl::string_view line : absl::StrSplit(outcome.out, '\n', absl::SkipEmpty())) {
    const auto parsed = base::Json::Parse(line);
    REQUIRE(parsed.ok());
    lines.push_back(*parsed);
  }
  return lines;
}

double Value(const base::Json& line, const std::string& key) {
  const base::Json* value = line.Find(key);
  CAPTURE(key);
  REQUIRE(value != nullptr);
  return value->number_or(-1);
}

TEST_CASE("bench train prints every field, and the same weights for the same run") {
  const std::string flags = "train --model mlp --ranks 2 --global-batch 10 --steps 6 -o json";
  const std::vector<base::Json> first = Lines(Bench(flags));
  REQUIRE(first.size() == 1);
  const base::Json& line = first[0];
  for (const char* key : {"bench", "model", "transport", "weights_sha256", "machine", "date", "version"}) {
    CHECK(!Text(line, key).empty());
  }
  for (const char* key : {"ranks", "threads", "batch", "steps", "parameters", "samples_per_s", "first_loss",
                          "last_loss", "peak_rss_bytes"}) {
    CHECK(Value(line, key) > 0);
  }
  CHECK(Value(line, "parameters") == 535818);
  CHECK(Value(line, "batch") == 10);
  CHECK(Value(line, "last_loss") < Value(line, "first_loss"));
  CHECK(Value(line, "allreduce_wait_share") >= 0);
  CHECK(Value(line, "samples_per_s_min") <= Value(line, "samples_per_s"));
  CHECK(Text(Lines(Bench(flags))[0], "weights_sha256") == Text(line, "weights_sha256"));
}

TEST_CASE("the global batch decides the loss, not the number of ranks") {
  std::vector<base::Json> lines;
  for (const int ranks : {1, 2, 3}) {
    lines.push_back(Lines(Bench(absl::StrCat("train --model mlp --global-batch 11 --steps 6 -o json --ranks ",
                                             ranks)))[0]);
  }
  for (const base::Json& line : lines) {
    CHECK(Value(line, "first_loss") == Approx(Value(lines[0], "first_loss")).epsilon(1e-6));
    CHECK(Value(line, "last_loss") == Approx(Value(lines[0], "last_loss")).epsilon(1e-3));
  }
}

TEST_CASE("weights that are saved are those of the hash") {
  const base::TemporaryFolder folder;
  const std::string path = folder.File("weights.safetensors");
  Lines(Bench("train --model mlp --ranks 2 --batch 4 --steps 6 -o json --save-weights " + path));
  const auto text = base::PosixFileSystem().ReadFile(path);
  REQUIRE(text.ok());
  CHECK(text->size() > 535818 * 4);
  CHECK(absl::StrContains(*text, "\"fc1.weight\""));
}

TEST_CASE("bench allreduce prints a line a size") {
  const std::vector<base::Json> lines =
      Lines(Bench("allreduce --ranks 3 --sizes 4,1024,262144 -o json"));
  REQUIRE(lines.size() == 3);
  const double sizes[] = {4, 1024, 262144};
  for (size_t i = 0; i < 3; ++i) {
    CHECK(Value(lines[i], "bytes") == sizes[i]);
    CHECK(Value(lines[i], "ranks") == 3);
    CHECK(Value(lines[i], "us") > 0);
    CHECK(Value(lines[i], "busbw_GBps") > 0);
    CHECK(Value(lines[i], "repeats") >= 5);
    CHECK(Text(lines[i], "bench") == "allreduce");
  }
}

TEST_CASE("bad flags are one clear line and exit code 2") {
  const struct {
    std::string arguments;
    std::string part;
  } cases[] = {
      {"", "which benchmark?"},
      {"trian", "did you mean 'train'?"},
      {"train --model mpl", "did you mean 'mlp'?"},
      {"train --batch 3 --global-batch 6", "not both"},
      {"train --ranks 4 --global-batch 3", "without a row"},
      {"train --param classes", "is not NAME=NUMBER"},
      {"train --param clases=3 --batch 2", "clases"},
      {"train --precision bf16", "must be one of fp32"},
      {"allreduce --sizes 1023", "multiple of 4"},
      {"allreduce --sizes ,", "no size given"},
      {"allreduce --ranks 1", "from 2"},
  };
  for (const auto& c : cases) {
    const Outcome outcome = Bench(c.arguments);
    CAPTURE(c.arguments, outcome.err);
    CHECK(outcome.code == 2);
    CHECK(absl::StrContains(outcome.err, c.part));
  }
}

}  // namespace
}  // namespace rm::integration
