#include "runtime/client/file_digest.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/memory_file_system.h"
#include "base/sha256.h"

namespace rm::client {
namespace {

TEST_CASE("a file is known by the digest of its content, whatever its size") {
  base::MemoryFileSystem files;
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{1} << 20, (size_t{5} << 19) + 3}) {
    CAPTURE(bytes);
    const std::string content(bytes, 'w');
    REQUIRE(base::WriteFileAtomically(files, "/w", content).ok());
    const FileDigest digest = DigestFile(files, "/w").value();
    CHECK(digest.bytes == bytes);
    CHECK(digest.sha256 == base::Sha256Hex(content));
  }
}

TEST_CASE("a file comes in pieces of at most a MiB, in order, until it is enough") {
  base::MemoryFileSystem files;
  const std::string content = std::string(1 << 20, 'a') + std::string(1 << 20, 'b') + "end";
  REQUIRE(base::WriteFileAtomically(files, "/w", content).ok());
  std::string read;
  std::vector<size_t> sizes;
  REQUIRE(ReadFileInPieces(files, "/w", [&](absl::string_view piece) {
            read += std::string(piece);
            sizes.push_back(piece.size());
            return true;
          }).ok());
  CHECK(read == content);
  CHECK(sizes == std::vector<size_t>{1 << 20, 1 << 20, 3});
  sizes.clear();
  REQUIRE(ReadFileInPieces(files, "/w", [&](absl::string_view piece) {
            sizes.push_back(piece.size());
            return false;
          }).ok());
  CHECK(sizes.size() == 1);
}

TEST_CASE("what cannot be read is said with its path") {
  base::MemoryFileSystem files;
  const absl::Status missing = DigestFile(files, "/none").status();
  CHECK(absl::IsNotFound(missing));
  CHECK(std::string(missing.message()).find("/none") != std::string::npos);
  REQUIRE(files.MakeFolders("/folder").ok());
  CHECK_FALSE(DigestFile(files, "/folder").ok());
}

}  // namespace
}  // namespace rm::client
