// A file system whose reads can be told to end: a checkpoint is verified for minutes, and a
// coordinator that is asked to stop does not wait for it.
#ifndef RM_RUNTIME_COORDINATOR_STOPPABLE_FILES_H_
#define RM_RUNTIME_COORDINATOR_STOPPABLE_FILES_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace rm::coordinator {

// Thread-safe. Everything is handed on to the file system below until Stop; from then on opening,
// listing and every piece of a read that is under way fail with Unavailable. What changes files is
// not stopped. Files opened from it must not outlive it.
class StoppableFiles final : public base::FileSystem {
 public:
  // A long read looks this often whether it should end.
  static constexpr uint64_t kPieceBytes = 16 << 20;

  // Borrows `files`, which outlives it and all files that it opens.
  explicit StoppableFiles(base::FileSystem& files) : files_(files) {}

  void Stop() { is_stopped_.store(true); }
  // Unavailable once it was told to stop: what was read since then proves nothing.
  [[nodiscard]] absl::Status CheckGoesOn() const;

  // ---- as FileSystem has them
  absl::StatusOr<std::unique_ptr<base::WritableFile>> Create(const std::string& path) override {
    return files_.Create(path);
  }
  absl::StatusOr<std::unique_ptr<base::WritableFile>> OpenForAppend(
      const std::string& path) override {
    return files_.OpenForAppend(path);
  }
  absl::StatusOr<std::unique_ptr<base::RandomAccessFile>> Open(
      const std::string& path) const override;
  absl::StatusOr<std::string> ReadFile(const std::string& path) const override;
  absl::StatusOr<base::FileInfo> Stat(const std::string& path) const override {
    return files_.Stat(path);
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) const override;
  absl::Status MakeFolders(const std::string& path) override { return files_.MakeFolders(path); }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    return files_.Rename(from, to);
  }
  absl::Status RemoveFile(const std::string& path) override { return files_.RemoveFile(path); }
  absl::Status RemoveAll(const std::string& path) override { return files_.RemoveAll(path); }
  absl::Status SyncFolder(const std::string& path) override { return files_.SyncFolder(path); }
  absl::StatusOr<uint64_t> FreeBytes(const std::string& path) const override {
    return files_.FreeBytes(path);
  }

 private:
  class Reader;

  base::FileSystem& files_;
  // Set by the thread that stops, read by those that read: nothing else is told by it.
  std::atomic<bool> is_stopped_{false};
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_STOPPABLE_FILES_H_
