// Files that jobs bring along, on the shared storage, by the SHA-256 of their content.
//
//   <storage>/artifacts/<64 hex digits>                       a whole file, never changed
//   <storage>/artifacts/.upload-<state id>-<n>-<64 digits>    one that is being written
//
// A file has its name only when its content has that digest and is durable, so whoever finds the
// name may use it. Any number of uploads of the same content may run at once, from any number of
// coordinators: each writes a file of its own, and the renames put the same bytes there.
//
// Nothing is removed by itself: a job may be restarted from its artifact at any time.
#ifndef RM_RUNTIME_COORDINATOR_ARTIFACT_STORE_H_
#define RM_RUNTIME_COORDINATOR_ARTIFACT_STORE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/file_system.h"
#include "base/sha256.h"

namespace rm::coordinator {

// One file on its way in. Not thread-safe. Ended without Finish, it removes what it has written.
class ArtifactUpload {
 public:
  ~ArtifactUpload();
  ArtifactUpload(const ArtifactUpload&) = delete;
  ArtifactUpload& operator=(const ArtifactUpload&) = delete;

  // Adds bytes. InvalidArgument: more than was announced; else the disk's error. After an error the
  // upload is of no more use.
  [[nodiscard]] absl::Status Append(absl::string_view data);
  // Makes the file durable under its name, which is returned. InvalidArgument: fewer bytes than
  // were announced, or another digest. REQUIRES: the first call.
  [[nodiscard]] absl::StatusOr<std::string> Finish();

 private:
  friend class ArtifactStore;
  ArtifactUpload(base::FileSystem& files, std::string temporary, std::string path, int64_t bytes,
                 std::unique_ptr<base::WritableFile> file);

  base::FileSystem& files_;
  const std::string temporary_;  // where it is written
  const std::string path_;       // what it becomes; its last part is the digest
  const int64_t bytes_;          // announced
  std::unique_ptr<base::WritableFile> file_;
  int64_t written_ = 0;
  base::Sha256 sha256_;
  bool is_in_place_ = false;  // renamed: nothing is left to remove
};

// Thread-safe. Errors name the file and what to do.
class ArtifactStore {
 public:
  static constexpr int64_t kBytesMax = int64_t{2} << 30;  // 2 GiB: what a job may bring along

  // `folder` is <storage>/artifacts, made at the first upload; `state_id` is StateId's. Borrows
  // `files`.
  ArtifactStore(std::string folder, std::string state_id, base::FileSystem& files);

  // Where the artifact lies, or will. REQUIRES: base::IsSha256Hex(sha256).
  [[nodiscard]] std::string Path(absl::string_view sha256) const;
  // Whether it is there, whole. REQUIRES: as Path.
  [[nodiscard]] bool Has(absl::string_view sha256) const;

  // Begins an upload. InvalidArgument: not a digest, or not a size of 0 to kBytesMax.
  // ResourceExhausted: the storage has not that much room.
  [[nodiscard]] absl::StatusOr<std::unique_ptr<ArtifactUpload>> Begin(const std::string& sha256,
                                                                      int64_t bytes);

  // Removes what uploads of former lives of this coordinator have left; returns how many files.
  // REQUIRES: no upload has begun.
  int64_t RemoveBroken();

 private:
  const std::string folder_;
  const std::string temporary_prefix_;  // of the names of our files that are being written
  base::FileSystem& files_;
  std::atomic<int64_t> uploads_{0};
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_ARTIFACT_STORE_H_
