// All calls wait for the storage, so all run on a thread that nobody else waits for.
#include "runtime/coordinator/artifacts_service.h"

#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "proto/api.grpc.pb.h"
#include "runtime/coordinator/artifacts_api.h"
#include "runtime/coordinator/rpc_glue.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;
using Context = grpc::CallbackServerContext;

// One upload. It does one thing at a time: read a message, or take it on the disk's thread. So a
// task may hold the bare reactor: OnDone comes after Finish, which only a task calls, as the last
// thing it does. A client that is gone ends the read, and with it the call. Deletes itself.
class UploadReactor final : public grpc::ServerReadReactor<pb::UploadArtifactRequest> {
 public:
  UploadReactor(TaskThread& disk, ArtifactStore& store, pb::UploadArtifactReply* reply)
      : disk_(disk), call_(std::make_unique<UploadCall>(store)), reply_(reply) {
    StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    disk_.Post([this, ok] { ok ? Take() : End(); });
  }
  void OnDone() override { delete this; }

 private:
  // The next message is asked for only when this one is on the disk: a slow disk slows the client
  // down (HTTP/2 flow control), instead of filling our memory.
  void Take() {
    const absl::StatusOr<bool> is_enough = call_->Take(message_);
    if (!is_enough.ok()) return Leave(is_enough.status());
    if (*is_enough) return End();
    StartRead(&message_);
  }
  // Enough was sent, the client has ended, or it is gone: UploadCall knows from what it has whether
  // that is an artifact.
  void End() {
    absl::StatusOr<pb::UploadArtifactReply> reply = call_->End();
    if (reply.ok()) *reply_ = *std::move(reply);
    Leave(reply.status());
  }
  void Leave(const absl::Status& status) {
    call_.reset();  // here, not in OnDone: what it removes waits for the storage
    Finish(ToGrpc(status));
  }

  TaskThread& disk_;
  std::unique_ptr<UploadCall> call_;
  pb::UploadArtifactReply* const reply_;  // gRPC's, which lives until Finish
  pb::UploadArtifactRequest message_;
};

class ArtifactsService final : public pb::Artifacts::CallbackService {
 public:
  ArtifactsService(TaskThread& disk, ArtifactStore& store, const base::FileSystem& files)
      : disk_(disk), store_(store), files_(files) {}

  // gRPC keeps request and reply alive until Finish, which FinishCall calls.
  grpc::ServerUnaryReactor* Has(Context* context, const pb::HasArtifactsRequest* request,
                                pb::HasArtifactsReply* reply) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    disk_.Post([this, reactor, request, reply] {
      FinishCall<pb::HasArtifactsReply>(reactor, reply, HasArtifacts(store_, *request));
    });
    return reactor;
  }

  grpc::ServerReadReactor<pb::UploadArtifactRequest>* Upload(
      Context* /*context*/, pb::UploadArtifactReply* reply) override {
    return new UploadReactor(disk_, store_, reply);
  }

  // Uploads and downloads take turns on the one thread, a piece each.
  grpc::ServerWriteReactor<pb::DownloadArtifactReply>* Download(
      Context* /*context*/, const pb::DownloadArtifactRequest* request) override {
    auto* const reactor = new PullReactor<pb::DownloadArtifactReply>(disk_);
    disk_.Post([this, reactor, sha256 = request->sha256()] { reactor->Begin(Open(sha256)); });
    return reactor;
  }

 private:
  absl::StatusOr<PullReactor<pb::DownloadArtifactReply>::Next> Open(
      const std::string& sha256) const {
    RM_ASSIGN_OR_RETURN(auto opened, ArtifactDownload::Open(store_, files_, sha256));
    const std::shared_ptr<ArtifactDownload> download = std::move(opened);
    return [download](pb::DownloadArtifactReply* message) { return download->Next(message); };
  }

  TaskThread& disk_;
  ArtifactStore& store_;
  const base::FileSystem& files_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeArtifactsService(TaskThread& disk, ArtifactStore& store,
                                                    const base::FileSystem& files) {
  return std::make_unique<ArtifactsService>(disk, store, files);
}

}  // namespace rm::coordinator
