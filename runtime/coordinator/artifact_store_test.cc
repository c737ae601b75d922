#include "runtime/coordinator/artifact_store.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "base/memory_file_system.h"

namespace rm::coordinator {
namespace {

using Fault = base::MemoryFileSystem::Fault;

const std::string kContent = std::string(300'000, 'w') + "the end";
const std::string kDigest = base::Sha256Hex(kContent);

struct World {
  base::MemoryFileSystem files;
  ArtifactStore store{"/storage/artifacts", "00000000000000aa", files};

  World() { REQUIRE(files.MakeFolders("/storage").ok()); }
  [[nodiscard]] std::vector<std::string> Names() const {
    return files.List("/storage/artifacts").value_or(std::vector<std::string>());
  }
};

// Uploads `content` in pieces, as it was announced; the path, or the first error.
absl::StatusOr<std::string> Upload(ArtifactStore& store, const std::string& content,
                                   const std::string& digest, int64_t bytes) {
  auto upload = store.Begin(digest, bytes);
  if (!upload.ok()) return upload.status();
  for (size_t at = 0; at < content.size(); at += 100'000) {
    const absl::Status added = (*upload)->Append(content.substr(at, 100'000));
    if (!added.ok()) return added;
  }
  return (*upload)->Finish();
}

absl::StatusOr<std::string> Upload(ArtifactStore& store, const std::string& content) {
  return Upload(store, content, base::Sha256Hex(content), static_cast<int64_t>(content.size()));
}

TEST_CASE("a file is kept by the digest of its content, and only that is left") {
  World world;
  CHECK_FALSE(world.store.Has(kDigest));
  CHECK(Upload(world.store, kContent).value() == "/storage/artifacts/" + kDigest);
  CHECK(world.store.Has(kDigest));
  CHECK(world.files.ReadFile(world.store.Path(kDigest)).value() == kContent);
  CHECK(world.Names() == std::vector<std::string>{kDigest});
  CHECK(Upload(world.store, kContent).ok());  // once more is fine
  CHECK(Upload(world.store, "").ok());        // and so is nothing
}

TEST_CASE("what was announced must come, and nothing else") {
  struct Case {
    std::string digest;
    int64_t bytes;
    std::string message;
  };
  const auto size = static_cast<int64_t>(kContent.size());
  const Case cases[] = {
      {base::Sha256Hex("other"), size, "the content has the SHA-256"},
      {kDigest, size + 1, "of the 300008 bytes that were announced came"},
      {kDigest, size - 1, "more than the 300006 bytes"},
      {kDigest, 0, "more than the 0 bytes"},
      {kDigest, -1, "an artifact has at most"},
      {kDigest, ArtifactStore::kBytesMax + 1, "an artifact has at most 2 GiB"},
      {kDigest.substr(1), size, "named by the 64 hex digits"},
      {"../" + kDigest.substr(3), size, "named by the 64 hex digits"},
      {"", size, "named by the 64 hex digits"},
  };
  for (const Case& c : cases) {
    World world;
    const absl::Status status = Upload(world.store, kContent, c.digest, c.bytes).status();
    INFO(status);
    CHECK(absl::IsInvalidArgument(status));
    CHECK(absl::StrContains(status.message(), c.message));
    CHECK(world.Names().empty());
  }
}

TEST_CASE("uploads of the same content do not disturb each other") {
  World world;
  auto first = world.store.Begin(kDigest, static_cast<int64_t>(kContent.size()));
  auto second = world.store.Begin(kDigest, static_cast<int64_t>(kContent.size()));
  REQUIRE((*first)->Append(kContent).ok());
  REQUIRE((*second)->Append(kContent.substr(0, 10)).ok());
  CHECK((*first)->Finish().ok());
  second->reset();  // its client went away
  CHECK(world.store.Has(kDigest));
  CHECK(world.Names() == std::vector<std::string>{kDigest});
}

TEST_CASE("what a kill leaves is removed at the next start, and nothing of another cluster") {
  World world;
  auto broken = world.store.Begin(kDigest, 10);
  REQUIRE(broken.ok());
  ArtifactStore other("/storage/artifacts", "00000000000000bb", world.files);
  auto running = other.Begin(kDigest, 5);
  REQUIRE(Upload(world.store, "whole").ok());
  // Never ended, as after a kill: it lives longer than the store that begins next.

  ArtifactStore next("/storage/artifacts", "00000000000000aa", world.files);
  CHECK(next.RemoveBroken() == 1);
  CHECK(next.Has(base::Sha256Hex("whole")));
  CHECK((*running)->Append("12345").ok());
  CHECK(world.Names().size() == 2);
}

TEST_CASE("a store without a folder has nothing to remove") {
  base::MemoryFileSystem files;
  CHECK(ArtifactStore("/none/artifacts", "00000000000000aa", files).RemoveBroken() == 0);
}

TEST_CASE("storage that is too small is said before anything is written") {
  World world;
  world.files.SetCapacity(1000);
  const auto upload = world.store.Begin(kDigest, 300'007);
  CHECK(absl::IsResourceExhausted(upload.status()));
  CHECK(absl::StrContains(upload.status().message(), "/storage/artifacts has room for"));
  CHECK(world.Names().empty());
}

TEST_CASE("a power cut at any operation leaves the whole file or none of that name") {
  for (int64_t n = 1;; ++n) {
    CAPTURE(n);
    base::MemoryFileSystem files;
    REQUIRE(files.MakeFolders("/storage").ok());
    REQUIRE(files.SyncFolder("/").ok());
    const int64_t before = files.operations();
    files.FailFrom(before + n, Fault::kCrash);
    ArtifactStore store("/storage/artifacts", "00000000000000aa", files);
    const auto path = Upload(store, kContent);
    const bool all_tried = files.operations() < before + n;
    files.Crash(static_cast<uint64_t>(n));
    if (path.ok()) CHECK(store.Has(kDigest));
    if (store.Has(kDigest)) CHECK(files.ReadFile(store.Path(kDigest)).value() == kContent);
    (void)store.RemoveBroken();
    const auto names = files.List("/storage/artifacts");
    for (const std::string& name : names.value_or(std::vector<std::string>())) {
      CHECK(name == kDigest);
    }
    if (all_tried) break;
  }
}

TEST_CASE("an I/O error or a full disk at any operation is an error, and leaves no half file") {
  for (const Fault fault : {Fault::kIoError, Fault::kDiskFull}) {
    for (int64_t n = 1;; ++n) {
      CAPTURE(n);
      World world;
      const int64_t before = world.files.operations();
      world.files.FailFrom(before + n, fault);
      const auto path = Upload(world.store, kContent);
      const bool all_tried = world.files.operations() < before + n;
      world.files.FailFrom(0, fault);
      if (world.store.Has(kDigest)) {
        CHECK(world.files.ReadFile(world.store.Path(kDigest)).value() == kContent);
      }
      CHECK((path.ok() || !path.status().message().empty()));
      if (all_tried) break;
    }
  }
}

}  // namespace
}  // namespace rm::coordinator
