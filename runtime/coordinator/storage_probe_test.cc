#include "runtime/coordinator/storage_probe.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/memory_file_system.h"

namespace rm::coordinator {
namespace {

// Counts up: each draw is another one.
struct Counter {
  uint64_t value = 0xabc;
  uint64_t operator()() { return value++; }
};

TEST_CASE("a state folder keeps its id for its life") {
  base::MemoryFileSystem files;
  REQUIRE(files.MakeFolders("/state").ok());
  REQUIRE(files.SyncFolder("/").ok());
  Counter random;
  const std::string id = StateId(files, "/state", std::ref(random)).value();
  CHECK(id == "0000000000000abc");
  CHECK(StateId(files, "/state", std::ref(random)).value() == id);
  files.Crash();
  CHECK(StateId(files, "/state", std::ref(random)).value() == id);
}

TEST_CASE("an id that is none is drawn anew, so that it cannot lead out of the storage") {
  for (const std::string bad : {"", "short", "../../../../etc/", "ABCDEF0123456789"}) {
    base::MemoryFileSystem files;
    REQUIRE(files.MakeFolders("/state").ok());
    REQUIRE(base::WriteFileAtomically(files, "/state/id", bad).ok());
    CHECK(StateId(files, "/state", Counter{}).value() == "0000000000000abc");
  }
}

TEST_CASE("the probe has a new content at each start, and one file for all lives") {
  base::MemoryFileSystem files;
  REQUIRE(files.MakeFolders("/storage").ok());
  Counter random;
  const StorageProbeFile first =
      WriteStorageProbe(files, "/storage", "0000000000000001", std::ref(random)).value();
  CHECK(first.path == "/storage/.ringmaster-probe-0000000000000001");
  CHECK(files.ReadFile(first.path).value() == first.content);
  const StorageProbeFile second =
      WriteStorageProbe(files, "/storage", "0000000000000001", std::ref(random)).value();
  CHECK(second.path == first.path);
  CHECK(second.content != first.content);
  CHECK(files.ReadFile(second.path).value() == second.content);
  CHECK(files.List("/storage").value().size() == 1);
}

TEST_CASE("a storage that cannot be written is an error that names the file") {
  base::MemoryFileSystem files;
  const auto probe = WriteStorageProbe(files, "/none", "0000000000000001", Counter{});
  CHECK_FALSE(probe.ok());
  CHECK(std::string(probe.status().message()).find("/none/") != std::string::npos);
}

}  // namespace
}  // namespace rm::coordinator
