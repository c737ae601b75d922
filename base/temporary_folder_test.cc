#include "base/temporary_folder.h"

#include <optional>

#include <catch2/catch.hpp>

#include "base/file_system.h"

namespace rm::base {
namespace {

TEST_CASE("each temporary folder is its own, and goes with all it holds") {
  std::optional<TemporaryFolder> first(std::in_place);
  const TemporaryFolder second;
  CHECK(first->path() != second.path());
  CHECK(first->path().front() == '/');

  FileSystem& files = PosixFileSystem();
  REQUIRE(files.MakeFolders(first->File("a/b")).ok());
  REQUIRE(WriteFileAtomically(files, first->File("a/b/c"), "text").ok());
  const std::string path = first->path();
  first.reset();
  CHECK_FALSE(files.Exists(path));
  CHECK(files.Exists(second.path()));
}

}  // namespace
}  // namespace rm::base
