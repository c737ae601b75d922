// A file system in memory that can lose power and run out of space.
//
// Model of durability, as hard as POSIX allows:
//   1. An Append is volatile until the file's Sync.
//   2. A create, rename or removal is volatile until the SyncFolder of the folder that holds the
//      name; a rename between folders needs both, and with one of them the file has two names or
//      none.
//   3. Truncation (Create of an existing file) is durable at once: overwriting in place loses the
//      old content.
//   4. A Sync that fails loses the unsynced bytes, and the next one says OK.
// Crash() drops everything volatile, as a power cut would; with a seed, it keeps some of it.
//
// Every mutating call (Append and Sync of files, and all methods that are not const) is numbered
// from 1, so that a test can stop the world at each of them in turn:
//
//   for (int64_t n = 1;; ++n) {
//     MemoryFileSystem files;
//     files.FailFrom(n, MemoryFileSystem::Fault::kCrash);
//     Run(files);
//     if (files.operations() < n) break;  // the program has fewer operations: all were tried
//     files.Crash();
//     Verify(files);
//   }
//
// The root "/" exists; the working folder is the root. Times of change are one second an operation
// from 1970 on, so that every run has the same.
#ifndef RM_BASE_MEMORY_FILE_SYSTEM_H_
#define RM_BASE_MEMORY_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace rm::base {

// Thread-safe. Files opened from it must not outlive it. The overridden methods are as FileSystem
// has them.
class MemoryFileSystem final : public FileSystem {
 public:
  enum class Fault {
    kCrash,     // this and every later mutating call fails: the machine is gone until Crash()
    kDiskFull,  // from this call on, Append and new names are ResourceExhausted
    kIoError,   // this one call fails with Unavailable (EIO)
  };

  MemoryFileSystem();
  ~MemoryFileSystem() override;

  // From mutating call number `operation` on, counted as operations() does, `fault` happens:
  // FailFrom(operations() + 1, …) hits the next one. 0 switches faults off. An Append that fails
  // for want of space or with an I/O error may leave a part of its bytes behind.
  void FailFrom(int64_t operation, Fault fault);
  // Mutating calls seen so far, failed ones included; power cuts do not reset it.
  [[nodiscard]] int64_t operations() const;
  // Drops what is not durable and clears the fault: the machine is back after a power cut, and
  // files opened before are dead (Unavailable). With torn_seed ≠ 0 a pseudo-random prefix of each
  // file's unsynced bytes and of each folder's unsynced names survives.
  void Crash(uint64_t torn_seed = 0);
  // Total bytes that may be held (without it: no limit). An Append beyond it writes what fits and
  // fails with ResourceExhausted.
  void SetCapacity(uint64_t bytes);
  // Flips one bit of the byte at `offset` of a stored file, as a bad disk would; the same call
  // flips it back. OutOfRange when the offset is beyond the end. Not counted as an operation.
  [[nodiscard]] absl::Status FlipBit(const std::string& path, uint64_t offset);

  [[nodiscard]] absl::StatusOr<std::unique_ptr<WritableFile>> Create(
      const std::string& path) override;
  [[nodiscard]] absl::StatusOr<std::unique_ptr<WritableFile>> OpenForAppend(
      const std::string& path) override;
  [[nodiscard]] absl::StatusOr<std::unique_ptr<RandomAccessFile>> Open(
      const std::string& path) const override;
  [[nodiscard]] absl::StatusOr<std::string> ReadFile(const std::string& path) const override;
  [[nodiscard]] absl::StatusOr<FileInfo> Stat(const std::string& path) const override;
  [[nodiscard]] absl::StatusOr<std::vector<std::string>> List(
      const std::string& path) const override;
  [[nodiscard]] absl::Status MakeFolders(const std::string& path) override;
  [[nodiscard]] absl::Status Rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] absl::Status RemoveFile(const std::string& path) override;
  [[nodiscard]] absl::Status RemoveAll(const std::string& path) override;
  [[nodiscard]] absl::Status SyncFolder(const std::string& path) override;
  [[nodiscard]] absl::StatusOr<uint64_t> FreeBytes(const std::string& path) const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rm::base

#endif  // RM_BASE_MEMORY_FILE_SYSTEM_H_
