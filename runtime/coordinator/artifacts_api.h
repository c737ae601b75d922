// The Artifacts service of proto/api.proto without gRPC, and the artifacts that a job names.
#ifndef RM_RUNTIME_COORDINATOR_ARTIFACTS_API_H_
#define RM_RUNTIME_COORDINATOR_ARTIFACTS_API_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "proto/api.pb.h"
#include "runtime/coordinator/artifact_store.h"

namespace rm::coordinator {

// Which of the artifacts are not there, each once, in the order asked. InvalidArgument: one of them
// is no digest, or there are more than 1000. Thread-safe.
[[nodiscard]] absl::StatusOr<::ringmaster::v1::HasArtifactsReply> HasArtifacts(
    const ArtifactStore& store, const ::ringmaster::v1::HasArtifactsRequest& request);

// Puts the path of each artifact in the place of its name, "artifact:<64 hex digits>", in the
// fields of the spec that may name one (model.weights). InvalidArgument in the form of SpecError
// (spec_errors.h), with the place of the field where the request has it: no such artifact was
// uploaded, or the name is none. Looks at the storage. Thread-safe.
[[nodiscard]] absl::Status ResolveArtifacts(const ArtifactStore& store,
                                            ::ringmaster::v1::SubmitRequest* request);

// One call of Upload, message by message. Not thread-safe. Ended at any point without End, it
// leaves nothing behind.
class UploadCall {
 public:
  // What one message may hold: small enough for gRPC's limits anywhere, large enough that the
  // overhead of a message does not matter.
  static constexpr size_t kPieceBytesMax = 1 << 20;

  // Borrows the store.
  explicit UploadCall(ArtifactStore& store) : store_(store) {}

  // Takes the next message. True: the artifact is there already, and nothing more is needed: End
  // may be called at once. After an error the call is over.
  [[nodiscard]] absl::StatusOr<bool> Take(const ::ringmaster::v1::UploadArtifactRequest& message);
  // All messages were taken: the reply, when the file is durable. REQUIRES: no error before.
  [[nodiscard]] absl::StatusOr<::ringmaster::v1::UploadArtifactReply> End();

 private:
  ArtifactStore& store_;
  std::string present_path_;                // it was there already
  std::unique_ptr<ArtifactUpload> upload_;  // nullptr: no message was taken, or it was there
};

// One call of Download, message by message. Not thread-safe.
class ArtifactDownload {
 public:
  // InvalidArgument: no digest. NotFound: no such artifact.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ArtifactDownload>> Open(
      const ArtifactStore& store, const base::FileSystem& files, const std::string& sha256);

  // Fills the next message; false: the whole file was. Else the disk's error.
  [[nodiscard]] absl::StatusOr<bool> Next(::ringmaster::v1::DownloadArtifactReply* message);

 private:
  explicit ArtifactDownload(std::unique_ptr<base::RandomAccessFile> file)
      : file_(std::move(file)) {}

  const std::unique_ptr<base::RandomAccessFile> file_;
  uint64_t sent_ = 0;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_ARTIFACTS_API_H_
