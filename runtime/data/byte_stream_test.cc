#include "runtime/data/byte_stream.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "runtime/data/testing.h"

namespace rm::data {
namespace {

using base::MemoryFileSystem;

std::string RandomBytes(size_t size) {
  base::RandomStream random(size, 0);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.NextBelow(20));  // compressible
  return bytes;
}

// The whole stream, read `piece` bytes at a time.
absl::StatusOr<std::string> ReadAll(ByteStream& stream, uint64_t piece) {
  std::string all;
  while (true) {
    std::string buffer(static_cast<size_t>(piece), '\0');
    const auto found = stream.Read(piece, buffer.data());
    if (!found.ok()) return found.status();
    all.append(buffer, 0, static_cast<size_t>(*found));
    if (*found < piece) return all;
  }
}

absl::StatusOr<std::string> ReadGzip(const std::string& bytes, uint64_t piece = 1000) {
  MemoryFileSystem files;
  WriteFile(files, "/f.gz", bytes);
  auto stream = OpenPlainOrGzip(files, "/f");
  REQUIRE(stream.ok());
  return ReadAll(**stream, piece);
}

TEST_CASE("a plain and a compressed file read the same, in pieces of any size") {
  for (const size_t size : {0U, 1U, 999U, 65536U, 300000U}) {
    const std::string bytes = RandomBytes(size);
    for (const uint64_t piece : {1000U, 65536U, 1000000U}) {
      CAPTURE(size, piece);
      MemoryFileSystem files;
      WriteFile(files, "/plain", bytes);
      auto plain = OpenPlainOrGzip(files, "/plain");
      REQUIRE(plain.ok());
      CHECK(*ReadAll(**plain, piece) == bytes);
      const auto inflated = ReadGzip(Gzip(bytes), piece);
      REQUIRE(inflated.ok());
      CHECK(*inflated == bytes);
    }
  }
}

TEST_CASE("the plain file is taken where both are there") {
  MemoryFileSystem files;
  WriteFile(files, "/f", "plain");
  WriteFile(files, "/f.gz", Gzip("compressed"));
  auto stream = OpenPlainOrGzip(files, "/f");
  REQUIRE(stream.ok());
  CHECK((*stream)->path() == "/f");
  CHECK(*ReadAll(**stream, 100) == "plain");
}

TEST_CASE("a missing file is told by both names") {
  MemoryFileSystem files;
  const auto stream = OpenPlainOrGzip(files, "/data/train");
  REQUIRE(absl::IsNotFound(stream.status()));
  CHECK(stream.status().message() == "there is neither /data/train nor /data/train.gz");
}

TEST_CASE("gzip members in a row are one stream") {
  CHECK(*ReadGzip(absl::StrCat(Gzip("one "), Gzip(""), Gzip("two"))) == "one two");
}

TEST_CASE("damage in a gzip file is told with its offset") {
  const std::string whole = Gzip(RandomBytes(5000));
  std::string wrong_sum = whole;
  wrong_sum[whole.size() - 6] ^= 1;  // in the CRC at the end
  const struct {
    std::string bytes;
    const char* message;
  } cases[] = {
      {"", "/f.gz: damaged gzip file at offset 0: it ends in the middle"},
      {"not gzip at all", "/f.gz: damaged gzip file at offset 2: incorrect header check"},
      {whole.substr(0, 100), "/f.gz: damaged gzip file at offset 100: it ends in the middle"},
      {wrong_sum, "incorrect data check"},
      {whole + "tail", "incorrect header check"},
  };
  for (const auto& test : cases) {
    const auto result = ReadGzip(test.bytes);
    REQUIRE(absl::IsDataLoss(result.status()));
    CHECK_THAT(std::string(result.status().message()), Catch::Contains(test.message));
  }
}

TEST_CASE("no flipped bit of a gzip file goes unseen or does harm") {
  const std::string bytes = RandomBytes(2000);
  const std::string whole = Gzip(bytes);
  for (size_t bit = 0; bit < whole.size() * 8; bit += 7) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto result = ReadGzip(damaged);
    // The time stamp and the like in gzip's header are not part of the data.
    if (result.ok()) CHECK(*result == bytes);
  }
}

TEST_CASE("the bound on a stream's bytes holds") {
  const std::string zeros(1000000, '\0');
  MemoryFileSystem files;
  WriteFile(files, "/plain", zeros);
  WriteFile(files, "/packed.gz", Gzip(zeros));
  CHECK((*OpenPlainOrGzip(files, "/plain"))->bytes_max() == zeros.size());
  CHECK((*OpenPlainOrGzip(files, "/packed"))->bytes_max() >= zeros.size());
  CHECK((*OpenPlainOrGzip(files, "/packed"))->bytes_max() < 2 * zeros.size());
}

}  // namespace
}  // namespace rm::data
