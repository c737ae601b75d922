// What every FileSystem does, run on each of them: what a test saw in memory must hold on the
// machine's disk.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "base/temporary_folder.h"

namespace rm::base {
namespace {

class PosixDisk {
 public:
  FileSystem& files() { return PosixFileSystem(); }
  std::string At(const std::string& name) const { return JoinPath(folder_.path(), name); }

 private:
  TemporaryFolder folder_;
};

class MemoryDisk {
 public:
  MemoryDisk() { REQUIRE(files_.MakeFolders("/root").ok()); }
  FileSystem& files() { return files_; }
  std::string At(const std::string& name) const { return JoinPath("/root", name); }

 private:
  MemoryFileSystem files_;
};

void Write(FileSystem& files, const std::string& path, absl::string_view bytes) {
  absl::StatusOr<std::unique_ptr<WritableFile>> file = files.Create(path);
  INFO(file.status());
  REQUIRE(file.ok());
  REQUIRE((*file)->Append(bytes).ok());
  REQUIRE((*file)->Close().ok());
}

std::string Content(const FileSystem& files, const std::string& path) {
  const absl::StatusOr<std::string> content = files.ReadFile(path);
  return content.ok() ? *content : content.status().ToString();
}

using Names = std::vector<std::string>;

TEMPLATE_TEST_CASE("A file is read as it was written", "", PosixDisk, MemoryDisk) {
  TestType disk;
  FileSystem& files = disk.files();
  const std::string path = disk.At("file");
  const auto file = files.Create(path);
  REQUIRE(file.ok());
  CHECK((*file)->Append("hello ").ok());
  CHECK((*file)->Append("").ok());
  CHECK((*file)->Append(absl::string_view("w\0rld", 5)).ok());
  CHECK(Content(files, path) == std::string("hello w\0rld", 11));  // visible before Sync and Close
  CHECK((*file)->Sync().ok());
  CHECK((*file)->Close().ok());
  CHECK(Content(files, path) == std::string("hello w\0rld", 11));
}

TEMPLATE_TEST_CASE("A closed file takes nothing more", "", PosixDisk, MemoryDisk) {
  TestType disk;
  const auto file = disk.files().Create(disk.At("file"));
  REQUIRE(file.ok());
  REQUIRE((*file)->Close().ok());
  for (const absl::Status& status : {(*file)->Append("x"), (*file)->Sync(), (*file)->Close()}) {
    CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
    CHECK(status.message().find(disk.At("file") + ": the file is closed") != std::string::npos);
  }
}

TEMPLATE_TEST_CASE("Create empties a file, OpenForAppend goes on with it", "", PosixDisk,
                   MemoryDisk) {
  TestType disk;
  FileSystem& files = disk.files();
  const std::string path = disk.At("file");
  Write(files, path, "old");
  {
    const auto file = files.OpenForAppend(path);
    REQUIRE(file.ok());
    REQUIRE((*file)->Append("+more").ok());
  }  // never closed: the destructor does
  CHECK(Content(files, path) == "old+more");
  Write(files, path, "new");
  CHECK(Content(files, path) == "new");
  REQUIRE(files.OpenForAppend(disk.At("fresh")).ok());
  CHECK(Content(files, disk.At("fresh")) == "");
}

TEMPLATE_TEST_CASE("Any range of a file can be read, and nothing beyond its end", "", PosixDisk,
                   MemoryDisk) {
  TestType disk;
  Write(disk.files(), disk.At("file"), "0123456789");
  const auto file = disk.files().Open(disk.At("file"));
  REQUIRE(file.ok());
  CHECK((*file)->size() == 10);
  for (uint64_t offset = 0; offset <= 12; ++offset) {
    for (uint64_t size = 0; size <= 12; ++size) {
      std::string bytes(size, '?');
      const absl::Status status = (*file)->Read(offset, size, bytes.data());
      CAPTURE(offset, size, status.ToString());
      if (size == 0 && offset > 10) continue;  // nothing, from nowhere: either answer will do
      CHECK(status.code() ==
            (offset + size <= 10 ? absl::StatusCode::kOk : absl::StatusCode::kOutOfRange));
      if (status.ok()) CHECK(bytes == std::string("0123456789").substr(offset, size));
    }
  }
  const absl::Status beyond = (*file)->Read(8, 5, std::string(5, '?').data());
  CHECK(beyond.message() ==
        "read " + disk.At("file") + ": 5 bytes at 8 wanted, but nothing is left at 10");
}

TEMPLATE_TEST_CASE("What is not there is NotFound, with the call and the path", "", PosixDisk,
                   MemoryDisk) {
  TestType disk;
  FileSystem& files = disk.files();
  Write(files, disk.At("file"), "x");
  for (const char* name : {"missing", "missing/deeper", "file/below"}) {
    const std::string path = disk.At(name);
    CAPTURE(path);
    const absl::Status failures[] = {
        files.Open(path).status(),      files.ReadFile(path).status(),
        files.Stat(path).status(),      files.List(path).status(),
        files.RemoveFile(path),         files.SyncFolder(path),
        files.FreeBytes(path).status(), files.Rename(path, disk.At("other"))};
    for (const absl::Status& status : failures) {
      CHECK(status.code() == absl::StatusCode::kNotFound);
      CHECK(status.message().find(path) != std::string::npos);
    }
    CHECK_FALSE(files.Exists(path));
    CHECK(files.RemoveAll(path).ok());  // it is gone already
  }
  CHECK(absl::IsNotFound(files.Create(disk.At("missing/file")).status()));
  CHECK(absl::IsNotFound(files.OpenForAppend(disk.At("missing/file")).status()));
  CHECK(absl::IsNotFound(files.Create(disk.At("file/below")).status()));
  CHECK(files.Create(disk.At("missing/file")).status().message() ==
        "open " + disk.At("missing/file") + ": No such file or directory");
}

TEMPLATE_TEST_CASE("A folder is not a file", "", PosixDisk, MemoryDisk) {
  TestType disk;
  FileSystem& files = disk.files();
  const std::string folder = disk.At("folder");
  REQUIRE(files.MakeFolders(folder).ok());
  for (const absl::Status& status :
       {files.Create(folder).status(), files.OpenForAppend(folder).status(),
        files.Open(folder).status(), files.ReadFile(folder).status(), files.RemoveFile(folder)}) {
    CAPTURE(status.ToString());
    CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  }
  REQUIRE(files.Stat(folder).ok());
  CHECK(files.Stat(folder)->is_folder);
}

TEMPLATE_TEST_CASE("A file is not a folder", "", PosixDisk, MemoryDisk) {
  TestType disk;
  FileSystem& files = disk.files();
  Write(files, disk.At("file"), "x");
  CHECK(absl::IsNotFound(files.List(disk.At("file")).status()));
  CHECK(absl::IsNotFound(files.SyncFolder(disk.At("file"))));
  CHECK(absl::IsAlreadyExists(files.MakeFolders(disk.At("file"))));
  CHECK_FALSE(files.MakeFolders(disk.At("file/below")).ok());
  CHECK(Content(files, disk.At("file")) == "x");
}

TEMPLATE_TEST_CASE("Stat tells kind, size and time", "", PosixDisk, MemoryDisk) {
  TestType disk;
  FileSystem& files = disk.files();
  Write(files, disk.At("file"), "12345");
  const absl::StatusOr<FileInfo> file = files.Stat(disk.At("file"));
  REQUIRE(file.ok());
  CHECK_FALSE(file->is_folder);
  CHECK(file->bytes == 5);
  CHECK(file->modified > absl::UnixEpoch());
  const absl::StatusOr<FileInfo> folder = files.Stat(disk.At(""));
  REQUIRE(folder.ok());
  CHECK(folder->is_folder);
  CHECK(folder->bytes == 0);
}

TEMPLATE_TEST_CASE("Folders are made with their parents, again and again", "", PosixDisk,
                   MemoryDisk) {
  TestType disk;
  FileSystem& files = disk.files();
  CHECK(files.MakeFolders(disk.At("a/b/c")).ok());
  CHECK(files.MakeFolders(disk.At("a/b/c")).ok());
  CHECK(files.MakeFolders(disk.At("a/b/d/")).ok());
  CHECK(*files.List(disk.At("a/b")) == Names{"c", "d"});
}

TEMPLATE_TEST_CASE("A folder's names come sorted", "", PosixDisk, MemoryDisk) {
  TestType disk;
  FileSystem& files = disk.files();
  CHECK(*files.List(disk.At("")) == Names{});
  for (const char* name : {"b", "a", "c.txt", ".hidden", "B"}) Write(files, disk.At(name), "");
  REQUIRE(files.MakeFolders(disk.At("bb")).ok());
  CHECK(*files.List(disk.At("")) == Names{".hidden", "B", "a", "b", "bb", "c.txt"});
}

TEMPLATE_TEST_CASE("Rename replaces a file", "", PosixDisk, MemoryDisk) {
  TestType disk;
  FileSystem& files = disk.files();
  Write(files, disk.At("from"), "new");
  Write(files, disk.At("to"), "old");
  CHECK(files.Rename(disk.At("from"), disk.At("to")).ok());
  CHECK(Content(files, disk.At("to")) == "new");
  CHECK(*files.List(disk.At("")) == Names{"to"});
  CHECK(files.Rename(disk.At("to"), disk.At("to")).ok());
  CHECK(Content(files, disk.At("to")) == "new");
}

TEMPLATE_TEST_CASE("Rename moves a folder with all it holds, to a free name only", "", PosixDisk,
                   MemoryDisk) {
  TestType disk;
  FileSystem& files = disk.files();
  REQUIRE(files.MakeFolders(disk.At("from/deep")).ok());
  REQUIRE(files.MakeFolders(disk.At("empty")).ok());
  REQUIRE(files.MakeFolders(disk.At("elsewhere")).ok());
  Write(files, disk.At("from/deep/file"), "x");
  Write(files, disk.At("file"), "y");
  CHECK(absl::IsAlreadyExists(files.Rename(disk.At("from"), disk.At("empty"))));
  CHECK(absl::IsAlreadyExists(files.Rename(disk.At("from"), disk.At("file"))));
  CHECK_FALSE(files.Rename(disk.At("file"), disk.At("empty")).ok());
  CHECK_FALSE(files.Rename(disk.At("from"), disk.At("from/deep/inside")).ok());
  CHECK(files.Rename(disk.At("from"), disk.At("from")).ok());
  CHECK(files.Rename(disk.At("from"), disk.At("elsewhere/to")).ok());
  CHECK(Content(files, disk.At("elsewhere/to/deep/file")) == "x");
  CHECK_FALSE(files.Exists(disk.At("from")));
}

TEMPLATE_TEST_CASE("Removing takes a file, or a folder with all it holds", "", PosixDisk,
                   MemoryDisk) {
  TestType disk;
  FileSystem& files = disk.files();
  REQUIRE(files.MakeFolders(disk.At("a/b")).ok());
  for (const char* name : {"a/b/1", "a/2", "3", "4"}) Write(files, disk.At(name), "x");
  CHECK(files.RemoveFile(disk.At("3")).ok());
  CHECK(*files.List(disk.At("")) == Names{"4", "a"});
  CHECK(files.RemoveAll(disk.At("a")).ok());
  CHECK(files.RemoveAll(disk.At("a")).ok());
  CHECK(*files.List(disk.At("")) == Names{"4"});
  CHECK(files.RemoveAll(disk.At("4")).ok());
  CHECK(*files.List(disk.At("")) == Names{});
}

TEMPLATE_TEST_CASE("A file that is open outlives its name", "", PosixDisk, MemoryDisk) {
  TestType disk;
  FileSystem& files = disk.files();
  Write(files, disk.At("file"), "content");
  const auto file = files.Open(disk.At("file"));
  REQUIRE(file.ok());
  REQUIRE(files.RemoveFile(disk.At("file")).ok());
  std::string bytes(7, '?');
  CHECK((*file)->Read(0, 7, bytes.data()).ok());
  CHECK(bytes == "content");
}

TEMPLATE_TEST_CASE("Syncing a folder and asking for free space work where there is a folder", "",
                   PosixDisk, MemoryDisk) {
  TestType disk;
  CHECK(disk.files().SyncFolder(disk.At("")).ok());
  const absl::StatusOr<uint64_t> free = disk.files().FreeBytes(disk.At(""));
  REQUIRE(free.ok());
  CHECK(*free > 0);
}

TEMPLATE_TEST_CASE("WriteFileAtomically makes and replaces a file and leaves nothing beside it", "",
                   PosixDisk, MemoryDisk) {
  TestType disk;
  FileSystem& files = disk.files();
  CHECK(WriteFileAtomically(files, disk.At("file"), "one").ok());
  CHECK(WriteFileAtomically(files, disk.At("file"), "two, longer").ok());
  CHECK(Content(files, disk.At("file")) == "two, longer");
  CHECK(WriteFileAtomically(files, disk.At("file"), "").ok());
  CHECK(Content(files, disk.At("file")) == "");
  CHECK(*files.List(disk.At("")) == Names{"file"});
}

TEMPLATE_TEST_CASE("WriteFileAtomically that fails leaves nothing behind", "", PosixDisk,
                   MemoryDisk) {
  TestType disk;
  FileSystem& files = disk.files();
  CHECK(absl::IsNotFound(WriteFileAtomically(files, disk.At("missing/file"), "x")));
  REQUIRE(files.MakeFolders(disk.At("folder")).ok());
  CHECK_FALSE(WriteFileAtomically(files, disk.At("folder"), "x").ok());
  CHECK(*files.List(disk.At("")) == Names{"folder"});
}

// A random program over a small tree of names, run on one disk; everything that it is told goes
// into a record, so that two disks can be compared.
template <typename Disk>
class RandomProgram {
 public:
  explicit RandomProgram(uint64_t seed) : random_(seed, 0) {}

  Names Run(int steps) {
    for (int i = 0; i < steps; ++i) Step();
    Walk("");
    return record_;
  }

 private:
  // "a", "b/a", "c/b/a" …: three letters, up to three deep, so that files and folders collide.
  std::string Path() {
    std::string path(1, Letter());
    while (path.size() < 5 && random_.NextBelow(2) == 0) path = path + "/" + Letter();
    return path;
  }
  char Letter() { return static_cast<char>('a' + random_.NextBelow(3)); }

  void Step() {
    FileSystem& files = disk_.files();
    const std::string name = Path();
    const std::string path = disk_.At(name);
    const std::string other = Path();
    switch (random_.NextBelow(9)) {
      case 0:
      case 1: return Note("create " + name, Append(files.Create(path)));
      case 2: return Note("append " + name, Append(files.OpenForAppend(path)));
      case 3: return Note("mkdir " + name, files.MakeFolders(path));
      case 4:
      case 5: return Note("rename " + name + " " + other, files.Rename(path, disk_.At(other)));
      case 6: return Note("remove " + name, files.RemoveFile(path));
      case 7: return Note("remove all " + name, files.RemoveAll(path));
      default: return Note("sync " + name, files.SyncFolder(path));
    }
  }

  absl::Status Append(absl::StatusOr<std::unique_ptr<WritableFile>> file) {
    if (!file.ok()) return file.status();
    return (*file)->Append(std::string(random_.NextBelow(5), Letter()));
  }

  void Note(const std::string& what, const absl::Status& status) {
    record_.push_back(what + ": " + absl::StatusCodeToString(status.code()));
  }

  // The tree that is left.
  void Walk(const std::string& folder) {
    const absl::StatusOr<Names> names = disk_.files().List(disk_.At(folder));
    REQUIRE(names.ok());
    for (const std::string& name : *names) {
      const std::string path = JoinPath(folder, name);
      const absl::StatusOr<FileInfo> info = disk_.files().Stat(disk_.At(path));
      REQUIRE(info.ok());
      record_.push_back(path + (info->is_folder ? "/" : " " + std::to_string(info->bytes)));
      if (info->is_folder) {
        Walk(path);
      } else {
        record_.push_back(Content(disk_.files(), disk_.At(path)));
      }
    }
  }

  Disk disk_;
  RandomStream random_;
  Names record_;
};

TEST_CASE("The disk in memory answers every program as the machine's disk does") {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    const int steps = 1 + static_cast<int>(seed % 50);
    CAPTURE(seed);
    const Names memory = RandomProgram<MemoryDisk>(seed).Run(steps);
    const Names posix = RandomProgram<PosixDisk>(seed).Run(steps);
    for (size_t i = 0; i < std::min(memory.size(), posix.size()); ++i)
      REQUIRE(memory[i] == posix[i]);
    CHECK(memory.size() == posix.size());
  }
}

}  // namespace
}  // namespace rm::base
