// A file system in memory that can lose power and run out of space.
//
// Model of durability: an Append is volatile until the file's Sync; a create, rename or removal is volatile until the
// SyncFolder of the folder that holds the name. Crash() drops everything volatile (optionally keeping a torn prefix
// of unsynced bytes, chosen by a seed) as a power cut would. Every mutating call is numbered from 1, so a test can
// stop the world at each of them in turn: the classic "for every crash point" loop is
//
//   for (int64_t n = 1; ; ++n) { MemoryFileSystem fs; fs.FailFrom(n, kCrash); Run(fs); if (fs.operations() < n) break; fs.Crash(); Verify(fs); }
#ifndef RM_BASE_MEMORY_FILE_SYSTEM_H_
#define RM_BASE_MEMORY_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace rm::base {

// Thread-safe. Files opened from it must not outlive it.
class MemoryFileSystem final : public FileSystem {
 public:
  enum class Fault {
    kCrash,     // this and every later mutating call fails (the machine is gone)
    kDiskFull,  // ResourceExhausted, from this call on, for calls that need space
    kIoError,   // this one call fails with Unavailable (EIO); a failed Sync drops the unsynced bytes
  };

  MemoryFileSystem();
  ~MemoryFileSystem() override;

  // From mutating call number `operation` (1-based) on, `fault` happens. 0 switches faults off.
  void FailFrom(int64_t operation, Fault fault);
  // Mutating calls seen so far.
  [[nodiscard]] int64_t operations() const;
  // Drops what is not durable and clears the fault: the machine is back after a power cut. With torn_seed ≠ 0 a
  // pseudo-random prefix of each file's unsynced bytes survives.
  void Crash(uint64_t torn_seed = 0);
  // Total bytes that may be held; further Appends fail with ResourceExhausted.
  void SetCapacity(uint64_t bytes);
  // Flips one bit of a stored file, as a bad disk would. Fails when the offset is beyond the end.
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
