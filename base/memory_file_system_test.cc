// Power cuts and faults; file_system_contract_test has what every file system does.
#include "base/memory_file_system.h"

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "base/status.h"

namespace rm::base {
namespace {

using Fault = MemoryFileSystem::Fault;

// "absent" or the content.
std::string Content(const FileSystem& files, const std::string& path) {
  const absl::StatusOr<std::string> content = files.ReadFile(path);
  return content.ok() ? *content : "absent";
}

// Creates, writes, and syncs the file and its name as far as asked.
void Write(FileSystem& files, const std::string& path, absl::string_view bytes, bool sync_file,
           bool sync_name) {
  const auto file = files.Create(path);
  REQUIRE(file.ok());
  REQUIRE((*file)->Append(bytes).ok());
  if (sync_file) REQUIRE((*file)->Sync().ok());
  if (sync_name) REQUIRE(files.SyncFolder(ParentPath(path)).ok());
}

TEST_CASE("A file survives a power cut as far as it and its name were synced") {
  struct Case {
    bool sync_file, sync_name;
    std::string survivor;
  };
  const Case cases[] = {
      {true, true, "bytes"}, {false, true, ""}, {true, false, "absent"}, {false, false, "absent"}};
  for (const Case& c : cases) {
    MemoryFileSystem files;
    Write(files, "/file", "bytes", c.sync_file, c.sync_name);
    CHECK(Content(files, "/file") == "bytes");
    files.Crash();
    CAPTURE(c.sync_file, c.sync_name);
    CHECK(Content(files, "/file") == c.survivor);
  }
}

TEST_CASE("A rename survives a power cut only when its folder was synced") {
  for (const bool synced : {false, true}) {
    MemoryFileSystem files;
    Write(files, "/from", "new", true, true);
    Write(files, "/to", "old", true, true);
    REQUIRE(files.Rename("/from", "/to").ok());
    if (synced) REQUIRE(files.SyncFolder("/").ok());
    files.Crash();
    CHECK(Content(files, "/to") == (synced ? "new" : "old"));
    CHECK(Content(files, "/from") == (synced ? "absent" : "new"));
  }
}

TEST_CASE("A rename between folders needs both synced; with one, the file has two names or none") {
  struct Case {
    bool sync_source, sync_target;
    std::string at_source, at_target;
  };
  const Case cases[] = {{true, true, "absent", "x"},
                        {false, true, "x", "x"},
                        {true, false, "absent", "absent"},
                        {false, false, "x", "absent"}};
  for (const Case& c : cases) {
    MemoryFileSystem files;
    REQUIRE(files.MakeFolders("/a").ok());
    REQUIRE(files.MakeFolders("/b").ok());
    REQUIRE(files.SyncFolder("/").ok());
    Write(files, "/a/file", "x", true, true);
    REQUIRE(files.Rename("/a/file", "/b/file").ok());
    if (c.sync_source) REQUIRE(files.SyncFolder("/a").ok());
    if (c.sync_target) REQUIRE(files.SyncFolder("/b").ok());
    files.Crash();
    CAPTURE(c.sync_source, c.sync_target);
    CHECK(Content(files, "/a/file") == c.at_source);
    CHECK(Content(files, "/b/file") == c.at_target);
  }
}

TEST_CASE("A file overwritten in place is lost with a power cut before its sync") {
  MemoryFileSystem files;
  Write(files, "/file", "old", true, true);
  Write(files, "/file", "new", false, true);
  files.Crash();
  CHECK(Content(files, "/file") == "");
}

TEST_CASE("Appending to a synced file puts only the new bytes at risk") {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    MemoryFileSystem files;
    Write(files, "/log", "record one;", true, true);
    const auto log = files.OpenForAppend("/log");
    REQUIRE(log.ok());
    REQUIRE((*log)->Append("record two;").ok());
    files.Crash(seed);
    const std::string content = Content(files, "/log");
    CAPTURE(seed, content);
    CHECK(content == std::string("record one;record two;").substr(0, content.size()));
    CHECK(content.size() >= std::string("record one;").size());
    if (seed == 0) CHECK(content == "record one;");
  }
}

TEST_CASE("Made folders survive only when each parent was synced") {
  MemoryFileSystem files;
  REQUIRE(files.MakeFolders("/a/b").ok());
  REQUIRE(files.SyncFolder("/").ok());
  files.Crash();
  CHECK(files.Exists("/a"));
  CHECK_FALSE(files.Exists("/a/b"));
}

TEST_CASE("Files opened before a power cut are dead after it") {
  MemoryFileSystem files;
  Write(files, "/file", "x", true, true);
  const auto writer = files.OpenForAppend("/file");
  const auto reader = files.Open("/file");
  REQUIRE(writer.ok());
  REQUIRE(reader.ok());
  files.Crash();
  char byte = 0;
  for (const absl::Status& status : {(*writer)->Append("y"), (*writer)->Sync(), (*writer)->Close(),
                                     (*reader)->Read(0, 1, &byte)}) {
    CHECK(status == absl::UnavailableError("/file: the power was off since it was opened"));
  }
  CHECK(Content(files, "/file") == "x");
}

TEST_CASE("Every mutating call counts, whether it succeeds or not, and no other does") {
  MemoryFileSystem files;
  int64_t expected = 0;
  const auto counts = [&](const char* what, bool counted) {
    expected += counted;
    CAPTURE(what);
    CHECK(files.operations() == expected);
  };
  REQUIRE(files.MakeFolders("/a").ok());
  counts("MakeFolders", true);
  const auto file = files.Create("/a/file");
  counts("Create", true);
  REQUIRE((*file)->Append("x").ok());
  counts("Append", true);
  REQUIRE((*file)->Sync().ok());
  counts("Sync", true);
  REQUIRE((*file)->Close().ok());
  counts("Close", false);
  REQUIRE(files.OpenForAppend("/a/file").ok());
  counts("OpenForAppend", true);
  REQUIRE(files.Rename("/a/file", "/a/other").ok());
  counts("Rename", true);
  REQUIRE_FALSE(files.RemoveFile("/a/file").ok());
  counts("a RemoveFile that fails", true);
  REQUIRE(files.SyncFolder("/a").ok());
  counts("SyncFolder", true);
  REQUIRE(files.RemoveAll("/a").ok());
  counts("RemoveAll", true);
  static_cast<void>(files.ReadFile("/a/other"));
  static_cast<void>(files.Open("/a/other"));
  static_cast<void>(files.Stat("/a"));
  static_cast<void>(files.List("/"));
  static_cast<void>(files.FreeBytes("/"));
  counts("reading", false);
}

TEST_CASE("From a crash on every mutating call fails, until the power is back") {
  MemoryFileSystem files;
  Write(files, "/file", "x", true, true);
  const auto writer = files.OpenForAppend("/file");
  files.FailFrom(files.operations() + 2, Fault::kCrash);
  CHECK((*writer)->Append("y").ok());  // the one before
  CHECK(absl::IsUnavailable((*writer)->Append("z")));
  CHECK(absl::IsUnavailable((*writer)->Sync()));
  CHECK(absl::IsUnavailable(files.Create("/other").status()));
  CHECK(absl::IsUnavailable(files.MakeFolders("/folder")));
  CHECK(absl::IsUnavailable(files.Rename("/file", "/b")));
  CHECK(absl::IsUnavailable(files.RemoveFile("/file")));
  CHECK(absl::IsUnavailable(files.RemoveAll("/file")));
  CHECK(files.SyncFolder("/") == absl::UnavailableError("fsync /: the power is off"));
  CHECK(Content(files, "/file") == "xy");
  files.Crash();
  CHECK(Content(files, "/file") == "x");
  CHECK(files.Create("/other").ok());
}

TEST_CASE("On a full disk what needs space is ResourceExhausted and the rest works") {
  MemoryFileSystem files;
  Write(files, "/file", "x", true, true);
  const auto writer = files.OpenForAppend("/file");
  files.FailFrom(files.operations() + 1, Fault::kDiskFull);
  const absl::Status full = (*writer)->Append("more");
  CHECK(full.code() == absl::StatusCode::kResourceExhausted);
  CHECK(full.message() == "write /file: No space left on device");
  CHECK(absl::IsResourceExhausted(files.Create("/new").status()));
  CHECK(absl::IsResourceExhausted(files.OpenForAppend("/new").status()));
  CHECK(absl::IsResourceExhausted(files.MakeFolders("/folder")));
  CHECK(*files.FreeBytes("/") == 0);
  CHECK((*writer)->Sync().ok());
  CHECK(files.Rename("/file", "/b").ok());
  CHECK(files.SyncFolder("/").ok());
  CHECK(files.RemoveFile("/b").ok());
  files.FailFrom(0, Fault::kDiskFull);  // switched off
  CHECK(files.Create("/new").ok());
}

TEST_CASE("A disk takes as many bytes as it holds, and gives back those of removed files") {
  MemoryFileSystem files;
  files.SetCapacity(10);
  Write(files, "/a", "123456", true, true);
  CHECK(*files.FreeBytes("/") == 4);
  const auto file = files.Create("/b");
  REQUIRE(file.ok());
  CHECK((*file)->Append("78").ok());
  CHECK(absl::IsResourceExhausted((*file)->Append("90abc")));
  CHECK(Content(files, "/b") == "7890");  // what fitted is there
  CHECK(*files.FreeBytes("/") == 0);
  CHECK(files.RemoveFile("/a").ok());
  CHECK(*files.FreeBytes("/") == 6);
}

TEST_CASE("An I/O error hits one call and passes") {
  MemoryFileSystem files;
  Write(files, "/file", "x", true, true);
  files.FailFrom(files.operations() + 1, Fault::kIoError);
  CHECK(files.Rename("/file", "/b") ==
        absl::UnavailableError("rename /file to /b: Input/output error"));
  CHECK(Content(files, "/file") == "x");
  CHECK(files.Rename("/file", "/b").ok());
}

TEST_CASE("A failed sync loses the bytes, and a second one lies that all is well") {
  MemoryFileSystem files;
  const auto file = files.Create("/file");
  REQUIRE((*file)->Append("synced ").ok());
  REQUIRE((*file)->Sync().ok());
  REQUIRE((*file)->Append("and lost").ok());
  files.FailFrom(files.operations() + 1, Fault::kIoError);
  CHECK(absl::IsUnavailable((*file)->Sync()));
  CHECK((*file)->Sync().ok());
  CHECK(Content(files, "/file") == "synced ");
}

TEST_CASE("A bad disk flips one bit of a file, and flips it back") {
  MemoryFileSystem files;
  Write(files, "/file", "0123456789", true, true);
  for (uint64_t offset = 0; offset < 10; ++offset) {
    const std::string before = Content(files, "/file");
    REQUIRE(files.FlipBit("/file", offset).ok());
    const std::string after = Content(files, "/file");
    for (uint64_t i = 0; i < 10; ++i) {
      const int flipped = __builtin_popcount(static_cast<unsigned char>(before[i] ^ after[i]));
      CHECK(flipped == (i == offset ? 1 : 0));
    }
    REQUIRE(files.FlipBit("/file", offset).ok());
    CHECK(Content(files, "/file") == before);
  }
  CHECK(absl::IsOutOfRange(files.FlipBit("/file", 10)));
  CHECK(absl::IsNotFound(files.FlipBit("/missing", 0)));
}

TEST_CASE("Times follow the operations, so that every run has the same") {
  MemoryFileSystem files;
  Write(files, "/a", "x", true, true);
  Write(files, "/b", "x", true, true);
  CHECK(files.Stat("/a")->modified == absl::UnixEpoch() + absl::Seconds(2));  // its Append
  CHECK(files.Stat("/b")->modified > files.Stat("/a")->modified);
}

TEST_CASE("Paths may be written in any way that leads to the same place") {
  MemoryFileSystem files;
  REQUIRE(files.MakeFolders("/a/b").ok());
  Write(files, "/a/b/file", "x", false, false);
  for (const char* path : {"a/b/file", "//a///b/file", "/a/./b/file", "/a/b/../b/file"}) {
    CHECK(Content(files, path) == "x");
  }
}

// ---- Every crash point ----

// Runs `program` on a fresh disk prepared by `prepare`, with `fault` at each of its operations in
// turn, and for each of some seeds; then, the power being back, `verify` looks. Returns how many
// operations the program has.
int64_t ForEveryPoint(Fault fault, const std::function<void(MemoryFileSystem&)>& prepare,
                      const std::function<absl::Status(MemoryFileSystem&)>& program,
                      const std::function<void(MemoryFileSystem&, const absl::Status&)>& verify) {
  constexpr uint64_t kSeeds = 20;
  for (int64_t n = 1;; ++n) {
    for (uint64_t seed = 0; seed <= kSeeds; ++seed) {
      MemoryFileSystem files;
      prepare(files);
      const int64_t before = files.operations();
      files.FailFrom(before + n, fault);
      const absl::Status status = program(files);
      if (files.operations() - before < n) return n - 1;  // beyond its end
      files.Crash(seed);
      CAPTURE(n, seed, status.ToString());
      verify(files, status);
    }
  }
}

constexpr char kOld[] = "the old content";
constexpr char kNew[] = "the new content, which is a bit longer";

void PrepareOldFile(MemoryFileSystem& files) {
  REQUIRE(files.MakeFolders("/folder").ok());
  REQUIRE(files.SyncFolder("/").ok());
  Write(files, "/folder/file", kOld, true, true);
}

absl::Status ReplaceAtomically(MemoryFileSystem& files) {
  return WriteFileAtomically(files, "/folder/file", kNew);
}

TEST_CASE("WriteFileAtomically: after a power cut at any operation the file is old or new") {
  std::set<std::string> seen;
  const int64_t operations =
      ForEveryPoint(Fault::kCrash, PrepareOldFile, ReplaceAtomically,
                    [&](MemoryFileSystem& files, const absl::Status& status) {
                      CHECK_FALSE(status.ok());  // it cannot promise what it did not finish
                      const std::string content = Content(files, "/folder/file");
                      CHECK((content == kOld || content == kNew));
                      seen.insert(content);
                    });
  CHECK(operations == 5);   // create, append, sync, rename, sync of the folder
  CHECK(seen.size() == 2);  // the seeds bring out both
}

TEST_CASE("WriteFileAtomically: once it has said OK, a power cut takes nothing") {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    MemoryFileSystem files;
    PrepareOldFile(files);
    REQUIRE(ReplaceAtomically(files).ok());
    files.Crash(seed);
    CHECK(Content(files, "/folder/file") == kNew);
  }
}

TEST_CASE("WriteFileAtomically: with an I/O error at any operation the file is old or new") {
  ForEveryPoint(Fault::kIoError, PrepareOldFile, ReplaceAtomically,
                [&](MemoryFileSystem& files, const absl::Status& status) {
                  CHECK(absl::IsUnavailable(status));
                  const std::string content = Content(files, "/folder/file");
                  CHECK((content == kOld || content == kNew));
                });
}

TEST_CASE("WriteFileAtomically: on a full disk the old file stays, and nothing beside it") {
  for (int64_t n = 1; n <= 2; ++n) {  // the two operations that need space
    MemoryFileSystem files;
    PrepareOldFile(files);
    files.FailFrom(files.operations() + n, Fault::kDiskFull);
    CHECK(absl::IsResourceExhausted(ReplaceAtomically(files)));
    CHECK(Content(files, "/folder/file") == kOld);
    CHECK(files.List("/folder")->size() == 1);
  }
}

TEST_CASE("WriteFileAtomically: a file that was not there is absent or whole after a power cut") {
  std::set<std::string> seen;
  ForEveryPoint(
      Fault::kCrash, [](MemoryFileSystem&) {},
      [](MemoryFileSystem& files) { return WriteFileAtomically(files, "/file", kNew); },
      [&](MemoryFileSystem& files, const absl::Status&) {
        const std::string content = Content(files, "/file");
        CHECK((content == "absent" || content == kNew));
        seen.insert(content);
      });
  CHECK(seen.size() == 2);
}

// A folder of several files that appears whole or not at all, as checkpoints do: all of it is made
// durable under a temporary name, which is then renamed.
absl::Status CommitFolder(MemoryFileSystem& files) {
  RM_RETURN_IF_ERROR(files.MakeFolders("/store/.tmp"));
  for (const char* name : {"/store/.tmp/a", "/store/.tmp/b"}) {
    RM_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files.Create(name));
    RM_RETURN_IF_ERROR(file->Append(name));
    RM_RETURN_IF_ERROR(file->Sync());
    RM_RETURN_IF_ERROR(file->Close());
  }
  RM_RETURN_IF_ERROR(files.SyncFolder("/store/.tmp"));
  RM_RETURN_IF_ERROR(files.Rename("/store/.tmp", "/store/done"));
  return files.SyncFolder("/store");
}

TEST_CASE("A folder that is committed by a rename is whole or absent after a power cut anywhere") {
  std::set<bool> seen;
  const int64_t operations = ForEveryPoint(
      Fault::kCrash,
      [](MemoryFileSystem& files) {
        REQUIRE(files.MakeFolders("/store").ok());
        REQUIRE(files.SyncFolder("/").ok());
      },
      CommitFolder,
      [&](MemoryFileSystem& files, const absl::Status&) {
        const bool done = files.Exists("/store/done");
        seen.insert(done);
        if (!done) return;
        CHECK(Content(files, "/store/done/a") == "/store/.tmp/a");
        CHECK(Content(files, "/store/done/b") == "/store/.tmp/b");
        CHECK_FALSE(files.Exists("/store/.tmp"));
      });
  CHECK(operations == 10);
  CHECK(seen == std::set<bool>{false, true});
}

// The loop must be able to find what is wrong: each of these forgets one thing that
// WriteFileAtomically does.
absl::Status WithoutSync(MemoryFileSystem& files) {
  RM_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files.Create("/folder/temporary"));
  RM_RETURN_IF_ERROR(file->Append(kNew));
  RM_RETURN_IF_ERROR(files.Rename("/folder/temporary", "/folder/file"));
  return files.SyncFolder("/folder");
}

absl::Status InPlace(MemoryFileSystem& files) {
  RM_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files.Create("/folder/file"));
  RM_RETURN_IF_ERROR(file->Append(kNew));
  return file->Sync();
}

TEST_CASE("The loop over crash points finds a missing sync and a file overwritten in place") {
  for (const auto& program : {&WithoutSync, &InPlace}) {
    int torn = 0;
    ForEveryPoint(Fault::kCrash, PrepareOldFile, program,
                  [&](MemoryFileSystem& files, const absl::Status&) {
                    const std::string content = Content(files, "/folder/file");
                    torn += content != kOld && content != kNew;
                  });
    CHECK(torn > 0);
  }
}

// ---- Against a model ----

// A random program over a few files in one folder, with a plain map of what must be durable beside
// it.
class Model {
 public:
  explicit Model(uint64_t seed) : random_(seed, 0) {}

  void Run(int operations) {
    for (int i = 0; i < operations; ++i) Step();
  }

  // With nothing torn the disk is exactly what was synced.
  void CrashAndCompare() {
    files_.Crash();
    std::map<std::string, std::string> found;
    const absl::StatusOr<std::vector<std::string>> names = files_.List("/");
    REQUIRE(names.ok());
    for (const std::string& name : *names) found[name] = Content(files_, "/" + name);
    std::map<std::string, std::string> expected;
    for (const auto& [name, id] : durable_names_) {
      expected[name] = bytes_[id].substr(0, synced_[id]);
    }
    CHECK(found == expected);
  }

 private:
  void Step() {
    const std::string name(1, static_cast<char>('a' + random_.NextBelow(4)));
    switch (random_.NextBelow(6)) {
      case 0: return Create(name);
      case 1: return Append(name);
      case 2: return Sync(name);
      case 3: return Rename(name);
      case 4: CHECK(files_.RemoveFile("/" + name).ok() == (names_.erase(name) == 1)); return;
      default:
        CHECK(files_.SyncFolder("/").ok());
        durable_names_ = names_;
        return;
    }
  }

  void Create(const std::string& name) {
    CHECK(files_.Create("/" + name).ok());
    if (names_.count(name) == 0) names_[name] = next_id_++;
    bytes_[names_[name]] = "";
    synced_[names_[name]] = 0;
  }

  void Append(const std::string& name) {
    if (names_.count(name) == 0) return;
    const auto file = files_.OpenForAppend("/" + name);
    const std::string bytes = absl::StrCat(random_.NextBelow(1000), ";");
    CHECK((*file)->Append(bytes).ok());
    bytes_[names_[name]] += bytes;
  }

  void Sync(const std::string& name) {
    if (names_.count(name) == 0) return;
    CHECK((*files_.OpenForAppend("/" + name))->Sync().ok());
    synced_[names_[name]] = bytes_[names_[name]].size();
  }

  void Rename(const std::string& from) {
    const std::string to(1, static_cast<char>('a' + random_.NextBelow(4)));
    const bool known = names_.count(from) == 1;
    CHECK(files_.Rename("/" + from, "/" + to).ok() == known);
    if (!known || from == to) return;
    names_[to] = names_[from];
    names_.erase(from);
  }

  RandomStream random_;
  MemoryFileSystem files_;
  int next_id_ = 0;
  std::map<std::string, int> names_, durable_names_;  // name → file
  std::map<int, std::string> bytes_;
  std::map<int, size_t> synced_;
};

TEST_CASE("After any program and a power cut the disk holds what was synced, no more and no less") {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    Model model(seed);
    model.Run(1 + static_cast<int>(seed % 60));
    model.CrashAndCompare();
  }
}

TEST_CASE("Threads may use one disk together") {
  MemoryFileSystem files;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&files, i] {
      const std::string folder = absl::StrCat("/", i);
      if (!files.MakeFolders(folder).ok()) return;
      for (int k = 0; k < 100; ++k) {
        const std::string path = absl::StrCat(folder, "/", k);
        WriteFileAtomically(files, path, absl::StrCat(i, " ", k)).IgnoreError();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 4; ++i) {
    CHECK(files.List(absl::StrCat("/", i))->size() == 100);
    CHECK(Content(files, absl::StrCat("/", i, "/99")) == absl::StrCat(i, " 99"));
  }
}

}  // namespace
}  // namespace rm::base
