#include "runtime/data/tokens.h"

#include <catch2/catch.hpp>
#include <vector>

#include "base/memory_file_system.h"
#include "runtime/data/testing.h"

namespace rm::data {
namespace {

using base::MemoryFileSystem;
using Tokens = std::vector<int64_t>;

absl::StatusOr<std::unique_ptr<TokenDataset>> OpenBytes(const std::string& path,
                                                        const std::string& bytes, int64_t window) {
  MemoryFileSystem files;
  WriteFile(files, path, bytes);
  return TokenDataset::Open(path, window, files);
}

std::string Bytes(const Tokens& tokens, int width) {
  std::string bytes;
  for (const int64_t token : tokens) {
    for (int i = 0; i < width; ++i) bytes += static_cast<char>(token >> (8 * i) & 0xFF);
  }
  return bytes;
}

TEST_CASE("windows follow each other, and targets are shifted by one") {
  const Tokens tokens = {10, 11, 12, 13, 14, 15, 16, 300};
  for (const char* const path : {"/t.u16", "/t.bin", "/t.u32"}) {
    const int width = std::string(path) == "/t.u32" ? 4 : 2;
    const auto dataset = OpenBytes(path, Bytes(tokens, width), 3);
    REQUIRE(dataset.ok());
    CHECK((*dataset)->tokens() == 8);
    CHECK((*dataset)->size() == 2);  // the eighth token is a target of none
    CHECK((*dataset)->vocabulary() == 301);
    Tokens window(3), targets(3);
    (*dataset)->Read(0, window.data(), targets.data());
    CHECK(window == Tokens{10, 11, 12});
    CHECK(targets == Tokens{11, 12, 13});
    (*dataset)->Read(1, window.data(), targets.data());
    CHECK(window == Tokens{13, 14, 15});
    CHECK(targets == Tokens{14, 15, 16});
  }
}

TEST_CASE("the last window needs the token behind it") {
  CHECK((*OpenBytes("/t.u16", Bytes({1, 2, 3, 4}, 2), 3))->size() == 1);
  CHECK(OpenBytes("/t.u16", Bytes({1, 2, 3}, 2), 3).status() ==
        absl::InvalidArgumentError(
            "/t.u16: 3 tokens do not fill one window of 3 and the token behind it"));
  CHECK((*OpenBytes("/t.u16", Bytes({1, 2, 3, 4, 5, 6, 7}, 2), 3))->size() == 2);
}

TEST_CASE("tokens of 32 bits are not negative") {
  const auto dataset = OpenBytes("/t.u32", Bytes({4294967295, 2147483648}, 4), 1);
  REQUIRE(dataset.ok());
  int64_t token = 0, target = 0;
  (*dataset)->Read(0, &token, &target);
  CHECK(token == 4294967295);
  CHECK(target == 2147483648);
  CHECK((*dataset)->vocabulary() == 4294967296);
}

TEST_CASE("a token beyond the vocabulary is told with its offset") {
  const auto dataset = OpenBytes("/t.u16", Bytes({1, 2, 50257, 3}, 2), 1);
  REQUIRE(dataset.ok());
  CHECK((*dataset)->CheckVocabulary(50258).ok());
  CHECK((*dataset)->CheckVocabulary(50257) ==
        absl::InvalidArgumentError("/t.u16 at offset 4: token 50257 is out of range: the vocabulary "
                                   "has 50257 tokens, 0 to 50256"));
}

TEST_CASE("files that are no tokens are refused") {
  CHECK(OpenBytes("/t.txt", "abcd", 1).status() ==
        absl::InvalidArgumentError("/t.txt: the name does not say how wide a token is; it must end "
                                   "in .u16 or .bin (uint16) or .u32 (uint32)"));
  CHECK(OpenBytes("/t.u32", "abcde", 1).status() ==
        absl::InvalidArgumentError("/t.u32: 5 bytes are no whole number of 4-byte tokens"));
  CHECK(absl::IsInvalidArgument(OpenBytes("/t.u16", "", 1).status()));
  const MemoryFileSystem files;
  CHECK(absl::IsNotFound(TokenDataset::Open("/none.u16", 1, files).status()));
}

}  // namespace
}  // namespace rm::data
