#include "runtime/checkpoint/folder.h"

#include <catch2/catch.hpp>
#include <set>

#include "base/memory_file_system.h"

namespace rm::checkpoint {
namespace {

using base::MemoryFileSystem;

constexpr char kFolder[] = "/storage/job";

void Make(MemoryFileSystem& files, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    REQUIRE(files.MakeFolders(base::JoinPath(kFolder, name)).ok());
  }
}

TEST_CASE("nonces are 16 hexadecimal digits and do not repeat") {
  std::set<std::string> nonces;
  for (int i = 0; i < 100; ++i) nonces.insert(NewNonce());
  CHECK(nonces.size() == 100);
  for (const std::string& nonce : nonces) {
    CHECK(nonce.size() == 16);
    CHECK(nonce.find_first_not_of("0123456789abcdef") == std::string::npos);
  }
}

TEST_CASE("a folder lists its checkpoints and saves, and nothing else") {
  MemoryFileSystem files;
  CHECK(ListNames(files, kFolder)->empty());
  Make(files, {"step-000000000010-g1", ".tmp-000000000020-g1-a", "logs", "step-old"});
  const auto names = ListNames(files, kFolder);
  REQUIRE(names.ok());
  REQUIRE(names->size() == 2);
  CHECK((*names)[0].kind == FolderName::Kind::kTemporary);
  CHECK((*names)[1].step == 10);
}

TEST_CASE("a generation that has been overtaken is told so") {
  for (const char* const newer : {"step-000000000010-g3", ".tmp-000000000010-g3-a"}) {
    MemoryFileSystem files;
    Make(files, {"step-000000000010-g2", newer});
    CHECK(CheckNoNewerGeneration(files, kFolder, 3).ok());
    CHECK(CheckNoNewerGeneration(files, kFolder, 2) ==
          absl::AbortedError("generation 3 has taken over /storage/job; generation 2 saves nothing "
                             "more there"));
  }
  MemoryFileSystem files;
  CHECK(CheckNoNewerGeneration(files, "/nowhere", 1).ok());
}

TEST_CASE("leftovers go; checkpoints, the running save and newer generations stay") {
  MemoryFileSystem files;
  Make(files, {".removed-000000000010-g1-a", ".removed-000000000010-g3-a",
               ".tmp-000000000010-g2-a", ".tmp-000000000030-g2-mine", ".tmp-000000000030-g2-other",
               ".tmp-000000000040-g2-ahead", ".tmp-000000000050-g1-old", ".tmp-000000000050-g3-new",
               "logs", "step-000000000010-g1"});
  CHECK(RemoveLeftovers(files, kFolder, {30, 2, "mine"}).empty());
  CHECK(*files.List(kFolder) ==
        std::vector<std::string>{".removed-000000000010-g3-a", ".tmp-000000000030-g2-mine",
                                 ".tmp-000000000040-g2-ahead", ".tmp-000000000050-g3-new", "logs",
                                 "step-000000000010-g1"});
}

TEST_CASE("leftovers that cannot be removed are named") {
  MemoryFileSystem files;
  Make(files, {".tmp-000000000010-g1-a"});
  files.FailFrom(files.operations() + 1, MemoryFileSystem::Fault::kIoError);
  const auto warnings = RemoveLeftovers(files, kFolder, {30, 2, "mine"});
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], Catch::Contains(".tmp-000000000010-g1-a"));
}

TEST_CASE("folders made durably survive a power cut, at any depth and whoever made them") {
  for (const bool made_before : {false, true}) {
    MemoryFileSystem files;
    if (made_before) REQUIRE(files.MakeFolders("/storage/job").ok());
    if (made_before) REQUIRE(files.SyncFolder("/").ok());
    REQUIRE(MakeDurableFolders(files, "/storage/job").ok());
    files.Crash();
    CHECK(files.Exists("/storage/job"));
  }
  MemoryFileSystem files;
  REQUIRE(MakeDurableFolders(files, "/a/b/c/d").ok());
  files.Crash();
  CHECK(files.Exists("/a/b/c/d"));
}

}  // namespace
}  // namespace rm::checkpoint
