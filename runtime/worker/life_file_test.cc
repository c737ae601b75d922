#include "runtime/worker/life_file.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/memory_file_system.h"
#include "runtime/worker/testing.h"

namespace rm::worker {
namespace {

namespace pb = ::ringmaster::v1;
using Texts = std::vector<std::string>;

constexpr char kPath[] = "/worker/lives";

// What a worker that starts now in this folder inherits.
Texts Inherited(base::FileSystem& files) {
  Texts texts;
  const LifeFile file(files, kPath);
  for (const pb::WorkerMessage& end : file.inherited()) texts.push_back(TextOf(end));
  return texts;
}

struct Folder {
  Folder() { REQUIRE(files.MakeFolders("/worker").ok()); }
  base::MemoryFileSystem files;
};

TEST_CASE("a worker's first start inherits nothing") {
  Folder folder;
  CHECK(Inherited(folder.files).empty());
}

TEST_CASE("ends are inherited with all they say, and a rank without one died with its worker") {
  Folder folder;
  {
    LifeFile file(folder.files, kPath);
    for (int rank = 0; rank < 3; ++rank) file.NoteStarted(Ref("a", 1, rank));
    pb::WorkerMessage end = ExitOf(Ref("a", 1, 1), 3);
    end.mutable_exited()->set_last_log_lines("alas\n");
    file.NoteEnded(end);
  }
  LifeFile next(folder.files, kPath);
  REQUIRE(next.inherited().size() == 3);
  CHECK(TextOf(next.inherited()[0]) == "a/1/1 exit 3");
  CHECK(next.inherited()[0].exited().last_log_lines() == "alas\n");
  CHECK(TextOf(next.inherited()[1]) == "a/1/0 exit 0 WorkerDied");
  CHECK(next.inherited()[1].exited().signal() == 9);
  CHECK(TextOf(next.inherited()[2]) == "a/1/2 exit 0 WorkerDied");
  SECTION("and by the start after that as well, until they are pushed out") {
    CHECK(Inherited(folder.files) ==
          Texts{"a/1/1 exit 3", "a/1/0 exit 0 WorkerDied", "a/1/2 exit 0 WorkerDied"});
  }
}

TEST_CASE("a rank that could not be started is no rank that died") {
  Folder folder;
  {
    LifeFile file(folder.files, kPath);
    file.NoteStarted(Ref("a"));
    pb::WorkerMessage refused;
    *refused.mutable_refused()->mutable_rank() = Ref("a");
    file.NoteEnded(refused);
  }
  CHECK(Inherited(folder.files) == Texts{"a/1/0 refused"});
}

TEST_CASE("a file cut off at any byte gives what was whole before the cut") {
  Folder folder;
  std::vector<size_t> whole;  // length of the file after each record
  {
    LifeFile file(folder.files, kPath);
    for (int rank = 0; rank < 3; ++rank) {
      file.NoteEnded(ExitOf(Ref("a", 1, rank), rank));
      whole.push_back(folder.files.ReadFile(kPath)->size());
    }
  }
  const std::string text = *folder.files.ReadFile(kPath);
  for (size_t size = 0; size <= text.size(); ++size) {
    INFO("cut at byte " << size);
    REQUIRE(base::WriteFileAtomically(folder.files, kPath, text.substr(0, size)).ok());
    size_t records = 0;
    while (records < whole.size() && whole[records] <= size) ++records;
    CHECK(Inherited(folder.files).size() == records);
  }
}

TEST_CASE("a flipped bit ends the list before it, whichever bit it is") {
  Folder folder;
  size_t first_bytes = 0;
  {
    LifeFile file(folder.files, kPath);
    file.NoteEnded(ExitOf(Ref("a", 1, 0), 1));
    first_bytes = folder.files.ReadFile(kPath)->size();
    file.NoteEnded(ExitOf(Ref("a", 1, 1), 1));
  }
  const std::string text = *folder.files.ReadFile(kPath);
  for (size_t byte = 0; byte < text.size(); ++byte) {
    INFO("byte " << byte);
    REQUIRE(base::WriteFileAtomically(folder.files, kPath, text).ok());
    REQUIRE(folder.files.FlipBit(kPath, byte).ok());
    CHECK(Inherited(folder.files).size() == (byte < first_bytes ? 0 : 1));
  }
}

TEST_CASE("the file stays bounded, and keeps the newest ends and all that run") {
  Folder folder;
  {
    LifeFile file(folder.files, kPath);
    file.NoteStarted(Ref("runs"));
    pb::WorkerMessage end = ExitOf(Ref("a"), 1);
    end.mutable_exited()->set_last_log_lines(std::string(20000, 'x'));
    for (int rank = 0; rank < 600; ++rank) {
      end.mutable_exited()->mutable_rank()->set_rank(rank);
      file.NoteEnded(end);
      CHECK(folder.files.Stat(kPath)->bytes <=
            LifeFile::kBytesMin + 2 * LifeFile::kEndsMax * 21000);
    }
  }
  const Texts ends = Inherited(folder.files);
  CHECK(ends.size() == LifeFile::kEndsMax + 1);
  CHECK(ends[ends.size() - 2] == "a/1/599 exit 1");
  CHECK(ends.back() == "runs/1/0 exit 0 WorkerDied");
}

TEST_CASE("a disk that is full costs the memory of ends, nothing else") {
  Folder folder;
  LifeFile file(folder.files, kPath);
  file.NoteStarted(Ref("a"));
  folder.files.FailFrom(folder.files.operations() + 1, base::MemoryFileSystem::Fault::kDiskFull);
  file.NoteEnded(ExitOf(Ref("a"), 0));
  folder.files.FailFrom(0, base::MemoryFileSystem::Fault::kDiskFull);
  file.NoteStarted(Ref("b"));
  CHECK(Inherited(folder.files) == Texts{"a/1/0 exit 0 WorkerDied"});
}

}  // namespace
}  // namespace rm::worker
