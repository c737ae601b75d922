#include "runtime/checkpoint/sums.h"

#include <catch2/catch.hpp>

#include "base/crc32c.h"
#include "base/random.h"

namespace rm::checkpoint {
namespace {

std::string RandomBytes(size_t size) {
  base::RandomStream random(size, 1);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.NextBits());
  return bytes;
}

TEST_CASE("the sums are those of the whole and of each block, in whatever pieces it comes") {
  for (const size_t size : {size_t{0}, size_t{1}, kBlockBytes - 1, kBlockBytes, kBlockBytes + 1,
                            2 * kBlockBytes + 12345}) {
    const std::string bytes = RandomBytes(size);
    for (const size_t piece : {size_t{1000}, size_t{kBlockBytes}, size_t{3} << 20}) {
      CAPTURE(size, piece);
      Sums sums;
      for (size_t at = 0; at < size; at += piece) {
        sums.Update(absl::string_view(bytes).substr(at, piece));
      }
      const ShardReport report = sums.Finish("save", "file");
      CHECK(report.save == "save");
      CHECK(report.file == "file");
      CHECK(report.bytes == size);
      CHECK(report.sha256 == base::Sha256Hex(bytes));
      REQUIRE(report.crc32c.size() == (size + kBlockBytes - 1) / kBlockBytes);
      for (size_t block = 0; block < report.crc32c.size(); ++block) {
        const auto part = absl::string_view(bytes).substr(block * kBlockBytes, kBlockBytes);
        CHECK(report.crc32c[block] == base::Crc32c(part));
      }
    }
  }
}

}  // namespace
}  // namespace rm::checkpoint
