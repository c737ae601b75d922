#include "runtime/checkpoint/manifest.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/sha256.h"

namespace rm::checkpoint {
namespace {

ShardReport File(const std::string& name, uint64_t bytes) {
  ShardReport report;
  report.file = name;
  report.bytes = bytes;
  report.sha256 = std::string(64, '0');
  report.crc32c = {0x0a0b0c0d};
  return report;
}

Manifest Example() {
  Manifest manifest;
  manifest.step = 1000;
  manifest.generation = 2;
  manifest.world_size = 1;
  manifest.nonce = "9f3c5a7b00112233";
  manifest.created = absl::FromUnixNanos(1'800'000'000'123'456'789);
  manifest.lineage = {{1, 0}, {2, 500}};
  manifest.metrics = {{"train/loss", 0.25}, {"validation/accuracy", 1}};
  manifest.weights_sha256 = std::string(64, 'b');
  manifest.files = {File("weights-00000-of-00001.safetensors", 100),
                    File("optimizer-00000-of-00001.safetensors", 16), File("trainer.json", 50)};
  return manifest;
}

// The text with `from` replaced by `to`, and its checksum made right again: a lie, not damage.
std::string Forged(const std::string& text, const std::string& from, const std::string& to) {
  const std::string forged = absl::StrReplaceAll(text, {{from, to}});
  REQUIRE(forged != text);
  const std::string body = forged.substr(0, forged.rfind(",\n \"manifest_sha256\""));
  return absl::StrCat(body, ",\n \"manifest_sha256\": \"", base::Sha256Hex(body), "\"\n}\n");
}

TEST_CASE("a manifest comes back as it was written") {
  const Manifest written = Example();
  const auto read = ParseManifest(FormatManifest(written));
  REQUIRE(read.ok());
  CHECK(read->step == 1000);
  CHECK(read->generation == 2);
  CHECK(read->world_size == 1);
  CHECK(read->nonce == written.nonce);
  CHECK(read->created == written.created);
  REQUIRE(read->lineage.size() == 2);
  CHECK(read->lineage[1].generation == 2);
  CHECK(read->lineage[1].first_step == 500);
  CHECK(read->metrics == written.metrics);
  CHECK(read->weights_sha256 == written.weights_sha256);
  REQUIRE(read->files.size() == 3);
  CHECK(read->files[0].bytes == 100);
  CHECK(read->file_bytes() == 166);
}

TEST_CASE("a manifest without lineage and metrics is fine, and a metric may be NaN") {
  Manifest manifest = Example();
  manifest.lineage.clear();
  manifest.metrics.clear();
  CHECK(ParseManifest(FormatManifest(manifest))->metrics.empty());
  manifest.metrics["train/loss"] = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(ParseManifest(FormatManifest(manifest))->metrics.at("train/loss")));
}

TEST_CASE("the text is as docs/checkpoint_format.md shows it") {
  const std::string text = FormatManifest(Example());
  CHECK_THAT(text, Catch::StartsWith("{\n \"format\": \"ringmaster-checkpoint\",\n"
                                     " \"version\": 1,\n \"step\": 1000,\n \"generation\": 2,\n"));
  CHECK_THAT(text, Catch::EndsWith("\"\n}\n"));
  const size_t tail = text.rfind(",\n \"manifest_sha256\": \"");
  REQUIRE(tail != std::string::npos);
  CHECK(text.substr(tail + 23, 64) == base::Sha256Hex(text.substr(0, tail)));
}

TEST_CASE("every flipped bit and every truncation of a manifest is found") {
  const std::string whole = FormatManifest(Example());
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    REQUIRE(absl::IsDataLoss(ParseManifest(damaged).status()));
  }
  for (size_t size = 0; size < whole.size(); ++size) {
    REQUIRE(absl::IsDataLoss(ParseManifest(whole.substr(0, size)).status()));
  }
  CHECK(absl::IsDataLoss(ParseManifest(whole + "\n").status()));
}

TEST_CASE("a manifest that was made wrong is refused with the reason") {
  const std::string good = FormatManifest(Example());
  const struct {
    const char* from;
    const char* to;
    const char* message;
  } cases[] = {
      {"ringmaster-checkpoint", "other", "format is 'other'"},
      {"\"step\": 1000", "\"step\": -1", "member 'step' is missing or of a wrong kind"},
      {"\"step\": 1000", "\"step\": 1.5", "member 'step'"},
      {"\"step\": 1000", "\"steps\": 1000", "member 'step'"},
      {"\"generation\": 2", "\"generation\": 0", "member 'generation'"},
      {"\"world_size\": 1", "\"world_size\": 0", "member 'world_size'"},
      {"\"world_size\": 1", "\"world_size\": 2", "3 files, but 2 rank(s) make 5"},
      {"\"world_size\": 1", "\"world_size\": 2147483647", "rank(s) make 4294967295"},
      {"\"nonce\": \"9f3c5a7b00112233\"", "\"nonce\": 3", "member 'nonce'"},
      {"optimizer-00000", "optimizer-00001", "no report of optimizer-00000-of-00001"},
      {"trainer.json", "../trainer.json", "file is no plain name"},
      {"\"bytes\": 100", "\"bytes\": 0", "crc32c has 1 sums for 0 blocks"},
      {"0a0b0c0d", "0a0b0c0", "crc32c is malformed"},
      {"500", "-500", "lineage is malformed"},
  };
  for (const auto& test : cases) {
    CAPTURE(test.from, test.to);
    const auto manifest = ParseManifest(Forged(good, test.from, test.to));
    REQUIRE(absl::IsDataLoss(manifest.status()));
    CHECK_THAT(std::string(manifest.status().message()),
               Catch::StartsWith("0: ") && Catch::Contains(test.message));
  }
}

TEST_CASE("a later version of the format is said to be one, not called damaged") {
  const auto manifest =
      ParseManifest(Forged(FormatManifest(Example()), "\"version\": 1", "\"version\": 2"));
  CHECK(manifest.status() ==
        absl::UnimplementedError("0: version 2 of the format; this program reads version 1"));
}

TEST_CASE("members that this version does not know are passed over") {
  const std::string newer =
      Forged(FormatManifest(Example()), "\"nonce\"", "\"more\": [], \"nonce\"");
  CHECK(ParseManifest(newer).ok());
}

}  // namespace
}  // namespace rm::checkpoint
