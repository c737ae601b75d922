#include "runtime/checkpoint/shard_report.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace rm::checkpoint {
namespace {

ShardReport Example() {
  ShardReport report;
  report.save = ".tmp-000000001000-g1-9f3c";
  report.file = "weights-00000-of-00001.safetensors";
  report.bytes = kBlockBytes + 5;
  report.sha256 = std::string(64, 'a');
  report.crc32c = {0x1, 0xdeadbeef};
  return report;
}

void CheckEqual(const ShardReport& a, const ShardReport& b) {
  CHECK(a.save == b.save);
  CHECK(a.file == b.file);
  CHECK(a.bytes == b.bytes);
  CHECK(a.sha256 == b.sha256);
  CHECK(a.block_bytes == b.block_bytes);
  CHECK(a.crc32c == b.crc32c);
}

TEST_CASE("reports come back as they were sent") {
  ShardReport empty = Example();
  empty.file = "optimizer-00000-of-00001.safetensors";
  empty.bytes = 0;
  empty.crc32c.clear();
  const auto parsed = ParseReports(SerializeReports({Example(), empty}));
  REQUIRE(parsed.ok());
  REQUIRE(parsed->size() == 2);
  CheckEqual((*parsed)[0], Example());
  CheckEqual((*parsed)[1], empty);
}

TEST_CASE("reports are one line, and no reports are an empty list") {
  const ShardReport report = Example();
  CHECK(SerializeReports({report}).find('\n') == std::string::npos);
  CHECK(SerializeReports({}) == "[]");
  CHECK(ParseReports("[]")->empty());
}

TEST_CASE("a manifest's entry is written as the format says") {
  CHECK(FileEntry(Example()).Dump() ==
        absl::StrCat(R"({"file":"weights-00000-of-00001.safetensors","bytes":1048581,"sha256":")",
                     std::string(64, 'a'),
                     R"(","block_bytes":1048576,"crc32c":"00000001deadbeef"})"));
}

TEST_CASE("what Serialize does not make is refused") {
  const std::string good = SerializeReports({Example()});
  const struct {
    const char* from;
    const char* to;
    const char* message;
  } cases[] = {
      {"weights-00000", "../weights", "file is no plain name"},
      {"weights-00000", "/etc/weights", "file is no plain name"},
      {"weights-00000-of-00001.safetensors", "", "file is no plain name"},
      {"weights-00000", ".weights", "file is no plain name"},
      {"\"file\"", "\"name\"", "file is no string"},
      {"1048581", "-1", "bytes is no whole number"},
      {"1048581", "1.5", "bytes is no whole number"},
      {"1048581", "1048576", "crc32c has 2 sums for 1 blocks"},
      {"1048581", "9223372036854775807", "crc32c has 2 sums for 8796093022208 blocks"},
      {"aaaa\"", "aaa\"", "sha256 is malformed"},
      {"aaaa\"", "aaaA\"", "sha256 is malformed"},
      {"1048576", "0", "block_bytes is not in 1…67108864"},
      {"1048576", "67108865", "block_bytes is not in 1…67108864"},
      {"deadbeef", "deadbee", "crc32c is malformed"},
      {"deadbeef", "deadbeeg", "crc32c is malformed"},
      {"deadbeef", "0xadbeef", "crc32c is malformed"},
      {"\"save\"", "\"saved\"", "save is no string"},
      {"[{", "{", ""},
  };
  for (const auto& test : cases) {
    CAPTURE(test.from, test.to);
    const std::string bad = absl::StrReplaceAll(good, {{test.from, test.to}});
    REQUIRE(bad != good);
    const auto parsed = ParseReports(bad);
    REQUIRE_FALSE(parsed.ok());
    CHECK_THAT(std::string(parsed.status().message()), Catch::Contains(test.message));
  }
  CHECK_FALSE(ParseReports("{}").ok());
  CHECK_FALSE(ParseReports("[3]").ok());
  CHECK_FALSE(ParseReports("").ok());
}

}  // namespace
}  // namespace rm::checkpoint
