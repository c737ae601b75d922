// Paths, and what only the machine's file system does; file_system_contract_test has what all of
// them do.
#include "base/file_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "base/temporary_folder.h"

namespace rm::base {
namespace {

TEST_CASE("JoinPath puts one slash between two parts; an absolute second part wins") {
  struct Case {
    std::string folder, name, joined;
  };
  const Case cases[] = {
      {"a/b", "c", "a/b/c"}, {"a/b/", "c", "a/b/c"}, {"/", "c", "/c"},      {"", "c", "c"},
      {"a", "", "a"},        {"a", "/c", "/c"},      {"a", "b/c", "a/b/c"}, {"", "", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.folder, c.name);
    CHECK(JoinPath(c.folder, c.name) == c.joined);
  }
}

TEST_CASE("ParentPath and BaseName split a path at its last name") {
  struct Case {
    std::string path, parent, name;
  };
  const Case cases[] = {
      {"a/b/c", "a/b", "c"}, {"/a/b", "/a", "b"}, {"/c", "/", "c"}, {"c", ".", "c"},
      {"a/b/", "a", "b"},    {"a//b", "a", "b"},  {"/", "/", ""},   {"", ".", ""},
      {"//a", "/", "a"},     {"c/", ".", "c"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.path);
    CHECK(ParentPath(c.path) == c.parent);
    CHECK(BaseName(c.path) == c.name);
  }
}

TEST_CASE("AbsolutePath resolves dots against its base and never climbs above the root") {
  struct Case {
    std::string path, base, absolute;
  };
  const Case cases[] = {
      {"x", "/a/b", "/a/b/x"},   {"./x", "/a/b", "/a/b/x"},     {"../x", "/a/b", "/a/x"},
      {"/x/y", "/a/b", "/x/y"},  {"", "/a/b", "/a/b"},          {".", "/a/b", "/a/b"},
      {"x//y/", "/a", "/a/x/y"}, {"x/../../y", "/a/b", "/a/y"}, {"../../..", "/a/b", "/"},
      {"/../x", "/a", "/x"},     {"...", "/a", "/a/..."},       {"x", "/", "/x"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.path, c.base);
    CHECK(AbsolutePath(c.path, c.base) == c.absolute);
  }
}

TEST_CASE("Files whose size the kernel does not tell are read to their end") {
  const absl::StatusOr<std::string> status = PosixFileSystem().ReadFile("/proc/self/status");
  REQUIRE(status.ok());
  CHECK(absl::StrContains(*status, "Name:"));
}

TEST_CASE("A file larger than any buffer is read whole") {
  const TemporaryFolder scratch;
  std::string content;
  for (int i = 0; i < 300'000; ++i) content += std::to_string(i);
  REQUIRE(WriteFileAtomically(PosixFileSystem(), scratch.File("file"), content).ok());
  const absl::StatusOr<std::string> read = PosixFileSystem().ReadFile(scratch.File("file"));
  REQUIRE(read.ok());
  CHECK(*read == content);
}

TEST_CASE("A full disk is ResourceExhausted, and the file stays broken") {
  const auto file = PosixFileSystem().OpenForAppend("/dev/full");
  REQUIRE(file.ok());
  const absl::Status full = (*file)->Append("x");
  CHECK(full.code() == absl::StatusCode::kResourceExhausted);
  CHECK(full.message() == "write /dev/full: No space left on device");
  // Each later call tells the first error again, so that nobody takes a second fsync for success.
  CHECK((*file)->Append("") == full);
  CHECK((*file)->Sync() == full);
  CHECK((*file)->Close() == full);
  CHECK((*file)->Close() == full);
}

TEST_CASE("A failed sync is told again and never retried") {
  // A pipe cannot be synced: fsync answers EINVAL.
  const TemporaryFolder scratch;
  REQUIRE(mkfifo(scratch.File("pipe").c_str(), 0600) == 0);
  const int reader = open(scratch.File("pipe").c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  const auto file = PosixFileSystem().OpenForAppend(scratch.File("pipe"));
  REQUIRE(file.ok());
  const absl::Status failed = (*file)->Sync();
  CHECK(failed.message() == "fsync " + scratch.File("pipe") + ": Invalid argument");
  CHECK((*file)->Sync() == failed);
  CHECK((*file)->Append("x") == failed);
  close(reader);
}

TEST_CASE("The time of a change is the machine's") {
  const TemporaryFolder scratch;
  const absl::Time before = absl::Now();
  REQUIRE(WriteFileAtomically(PosixFileSystem(), scratch.File("file"), "x").ok());
  const absl::StatusOr<FileInfo> info = PosixFileSystem().Stat(scratch.File("file"));
  REQUIRE(info.ok());
  // Files carry the coarse clock of the kernel's tick.
  CHECK(info->modified > before - absl::Seconds(1));
  CHECK(info->modified < absl::Now() + absl::Seconds(1));
}

TEST_CASE("RemoveAll removes a link and not what it leads to") {
  const TemporaryFolder scratch;
  FileSystem& files = PosixFileSystem();
  REQUIRE(files.MakeFolders(scratch.File("kept")).ok());
  REQUIRE(files.MakeFolders(scratch.File("removed")).ok());
  REQUIRE(WriteFileAtomically(files, scratch.File("kept/file"), "x").ok());
  REQUIRE(symlink(scratch.File("kept").c_str(), scratch.File("removed/link").c_str()) == 0);
  CHECK(files.RemoveAll(scratch.File("removed")).ok());
  CHECK(files.Exists(scratch.File("kept/file")));
  CHECK_FALSE(files.Exists(scratch.File("removed")));
}

TEST_CASE("Threads that make the same folders at once all succeed") {
  const TemporaryFolder scratch;
  for (int round = 0; round < 20; ++round) {
    const std::string path = scratch.File(std::to_string(round) + "/a/b/c/d");
    std::atomic<int> failures{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] { failures += !PosixFileSystem().MakeFolders(path).ok(); });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(failures == 0);
    CHECK(PosixFileSystem().Exists(path));
  }
}

TEST_CASE("While writers replace a file, a reader always sees one whole content") {
  constexpr int kWriters = 3, kRounds = 60;
  constexpr size_t kSize = 100'000;
  const TemporaryFolder scratch;
  FileSystem& files = PosixFileSystem();
  const std::string path = scratch.File("file");
  REQUIRE(WriteFileAtomically(files, path, std::string(kSize, 'a')).ok());
  std::atomic<int> running{kWriters}, failures{0};
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      const std::string content(kSize, static_cast<char>('a' + i));
      for (int round = 0; round < kRounds; ++round) {
        failures += !WriteFileAtomically(files, path, content).ok();
      }
      --running;
    });
  }
  int torn = 0;
  while (running > 0) {
    const absl::StatusOr<std::string> content = files.ReadFile(path);
    torn += !content.ok() || *content != std::string(kSize, content->empty() ? '?' : (*content)[0]);
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(failures == 0);
  CHECK(torn == 0);
  CHECK(files.List(scratch.path())->size() == 1);
}

}  // namespace
}  // namespace rm::base
