// All file I/O goes through FileSystem, so that tests can swap the disk.
//
// Implementations: PosixFileSystem() (the machine's) and MemoryFileSystem
// (base/memory_file_system.h: in memory, with crash points and injected faults). What both do is
// written once as a test, file_system_contract_test.
//
// Durability follows POSIX and no kinder file system: bytes are durable after Sync() of the file,
// a name (create, rename, remove) after SyncFolder() of the folder that holds it. Until then a
// power cut may undo them, one without the other, and an overwritten file may be gone at once. To
// replace a file safely, use WriteFileAtomically.
#ifndef RM_BASE_FILE_SYSTEM_H_
#define RM_BASE_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rm::base {

// A file being written. Not thread-safe. A failed Append or Sync leaves the file's content unknown:
// give it up, a failed fsync is never retried on the same file (the kernel may have dropped the
// pages, and a second fsync answers OK). The destructor closes without syncing.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  // Adds to the end of the file. Seen by readers at once, durable after Sync.
  [[nodiscard]] virtual absl::Status Append(absl::string_view bytes) = 0;
  // Makes everything appended so far durable (fsync).
  [[nodiscard]] virtual absl::Status Sync() = 0;
  // Closes without syncing; further calls are FailedPrecondition.
  [[nodiscard]] virtual absl::Status Close() = 0;
};

// A file being read at any offset. Thread-safe. Goes on reading the same file when its name is
// removed or taken by another.
class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;
  // Reads exactly `size` bytes at `offset` into `destination`; OutOfRange when the file ends before
  // that (what is in `destination` is then unspecified).
  [[nodiscard]] virtual absl::Status Read(uint64_t offset, uint64_t size,
                                          char* destination) const = 0;
  // The size when it was opened.
  [[nodiscard]] virtual uint64_t size() const = 0;
};

struct FileInfo {
  bool is_folder = false;
  uint64_t bytes = 0;   // 0 for a folder
  absl::Time modified;  // of the content
};

// Thread-safe. Paths are UTF-8, '/' separated, absolute or relative to the working folder. Errors
// name the operation and the path and carry the code that ErrnoStatus (base/status.h) gives:
//   NotFound            the path, or a folder on the way to it, is not there
//   AlreadyExists       a name that should be free is taken
//   FailedPrecondition  a folder where a file was meant
//   PermissionDenied, ResourceExhausted (disk full), Unavailable (I/O error)
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Creates or truncates. The folder must be there.
  [[nodiscard]] virtual absl::StatusOr<std::unique_ptr<WritableFile>> Create(
      const std::string& path) = 0;
  // Opens for append, creating it if missing.
  [[nodiscard]] virtual absl::StatusOr<std::unique_ptr<WritableFile>> OpenForAppend(
      const std::string& path) = 0;
  // Opens for reading.
  [[nodiscard]] virtual absl::StatusOr<std::unique_ptr<RandomAccessFile>> Open(
      const std::string& path) const = 0;
  // The whole content, read to the end (also where the kernel tells no size, as below /proc).
  [[nodiscard]] virtual absl::StatusOr<std::string> ReadFile(const std::string& path) const = 0;

  // Of what the path leads to (symbolic links are followed).
  [[nodiscard]] virtual absl::StatusOr<FileInfo> Stat(const std::string& path) const = 0;
  // The names in a folder, sorted, without "." and "..".
  [[nodiscard]] virtual absl::StatusOr<std::vector<std::string>> List(
      const std::string& path) const = 0;
  // Makes the folder and its parents; an existing folder is fine. Not durable before SyncFolder of
  // the parent of each folder that was made.
  [[nodiscard]] virtual absl::Status MakeFolders(const std::string& path) = 0;
  // Atomically moves a file to `to`, replacing the file there if any, or moves a folder to a name
  // that does not exist (AlreadyExists otherwise, an empty folder included).
  [[nodiscard]] virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  [[nodiscard]] virtual absl::Status RemoveFile(const std::string& path) = 0;
  // Removes a folder with all it holds, or a file; a missing one is fine. Symbolic links are
  // removed, not followed.
  [[nodiscard]] virtual absl::Status RemoveAll(const std::string& path) = 0;
  // Makes creations, renames and removals in this folder durable (fsync of the folder).
  [[nodiscard]] virtual absl::Status SyncFolder(const std::string& path) = 0;
  // Bytes free for this user on the file system that holds `path` (which must exist).
  [[nodiscard]] virtual absl::StatusOr<uint64_t> FreeBytes(const std::string& path) const = 0;

  // True when something is there.
  [[nodiscard]] bool Exists(const std::string& path) const { return Stat(path).ok(); }
};

// The machine's file system. Lives for ever.
[[nodiscard]] FileSystem& PosixFileSystem();

// Writes `bytes` to `path` so that a reader sees the old content or the new one, never a part,
// whatever happens at whatever moment: temporary file beside it, sync, rename, sync of the folder.
// After OK the new content is durable; after an error it is the old or the new. Any number of
// threads, processes and machines may write the same path. A power cut may leave the temporary
// file, ".<name>.tmp-<unique>".
[[nodiscard]] absl::Status WriteFileAtomically(FileSystem& files, const std::string& path,
                                               absl::string_view bytes);

// "a/b" + "c" → "a/b/c"; an absolute second part wins.
[[nodiscard]] std::string JoinPath(absl::string_view folder, absl::string_view name);
// "a/b/c" → "a/b"; "c" → "."; "/c" → "/".
[[nodiscard]] std::string ParentPath(absl::string_view path);
// "a/b/c" → "c".
[[nodiscard]] std::string BaseName(absl::string_view path);
// Absolute, without "." and ".." parts (lexically), relative to `base` (itself absolute).
[[nodiscard]] std::string AbsolutePath(absl::string_view path, absl::string_view base);

}  // namespace rm::base

#endif  // RM_BASE_FILE_SYSTEM_H_
