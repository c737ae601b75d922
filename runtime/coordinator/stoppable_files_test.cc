#include "runtime/coordinator/stoppable_files.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/memory_file_system.h"

namespace rm::coordinator {
namespace {

TEST_CASE("until it is told to stop, it is the file system below") {
  base::MemoryFileSystem below;
  StoppableFiles files(below);
  REQUIRE(files.MakeFolders("/a").ok());
  const std::string content(StoppableFiles::kPieceBytes + 5, 'x');  // more than one piece
  REQUIRE(base::WriteFileAtomically(files, "/a/x", content).ok());
  CHECK(files.ReadFile("/a/x").value() == content);
  CHECK(files.List("/a").value() == std::vector<std::string>{"x"});
  CHECK(files.Stat("/a/x").value().bytes == content.size());
  const auto file = files.Open("/a/x");
  REQUIRE(file.ok());
  CHECK((*file)->size() == content.size());
  std::string read(content.size(), ' ');
  REQUIRE((*file)->Read(0, read.size(), read.data()).ok());
  CHECK(read == content);
  REQUIRE((*file)->Read(3, 0, read.data()).ok());
  CHECK(absl::IsOutOfRange((*file)->Read(1, content.size(), read.data())));
  CHECK(absl::IsNotFound(files.Open("/a/y").status()));
}

TEST_CASE("after that whoever reads is told so, and whoever cleans up is not hindered") {
  base::MemoryFileSystem below;
  StoppableFiles files(below);
  REQUIRE(base::WriteFileAtomically(files, "/x", "content").ok());
  const auto file = files.Open("/x");
  CHECK(files.CheckGoesOn().ok());
  files.Stop();
  CHECK(absl::IsUnavailable(files.CheckGoesOn()));
  char byte = 0;
  CHECK(absl::IsUnavailable((*file)->Read(0, 1, &byte)));
  CHECK(absl::IsUnavailable(files.Open("/x").status()));
  CHECK(absl::IsUnavailable(files.ReadFile("/x").status()));
  CHECK(absl::IsUnavailable(files.List("/").status()));
  CHECK(files.RemoveFile("/x").ok());
}

}  // namespace
}  // namespace rm::coordinator
