// Two hops for each call: the coordinator's thread knows where the checkpoints lie, the reader's
// thread has time to read them.
#include "runtime/coordinator/checkpoints_service.h"

#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "proto/api.grpc.pb.h"
#include "runtime/coordinator/checkpoints_api.h"
#include "runtime/coordinator/request_limits.h"
#include "runtime/coordinator/rpc_glue.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;
using Context = grpc::CallbackServerContext;
using Unary = grpc::ServerUnaryReactor;

class CheckpointsService final : public pb::Checkpoints::CallbackService {
 public:
  CheckpointsService(TaskThread& engine, TaskThread& reader, const Coordinator& coordinator,
                     const StoppableFiles& files)
      : engine_(engine), reader_(reader), coordinator_(coordinator), files_(files) {}

  Unary* List(Context* context, const pb::GetJobRequest* request,
              pb::ListCheckpointsReply* reply) override {
    return FindAndRead(context, request->job_id(), reply, [this](const CheckpointPlace& place) {
      return ListCheckpoints(files_, place);
    });
  }

  Unary* Verify(Context* context, const pb::VerifyRequest* request,
                pb::VerifyReply* reply) override {
    const absl::Status limits = CheckLimits(*request);
    if (!limits.ok()) {
      Unary* const reactor = context->DefaultReactor();
      reactor->Finish(ToGrpc(limits));
      return reactor;
    }
    return FindAndRead(context, request->job_id(), reply,
                       [this, step = request->step()](const CheckpointPlace& place) {
                         return VerifyCheckpoint(files_, place, step);
                       });
  }

  // A tensor is read at a time, between which others have their turn on the reader's thread.
  grpc::ServerWriteReactor<pb::DownloadReply>* Download(
      Context* /*context*/, const pb::DownloadRequest* request) override {
    auto* const reactor = new PullReactor<pb::DownloadReply>(reader_);
    const absl::Status limits = CheckLimits(*request);
    // Of the request only copies go on: it is gRPC's.
    engine_.Post([this, reactor, limits, id = request->job_id(), step = request->step()] {
      if (!limits.ok()) return reactor->Begin(limits);
      absl::StatusOr<CheckpointPlace> place = FindCheckpoints(coordinator_, id);
      if (!place.ok()) return reactor->Begin(place.status());
      reader_.Post([this, reactor, place = *std::move(place), step] {
        reactor->Begin(OpenDownload(place, step));
      });
    });
    return reactor;
  }

 private:
  absl::StatusOr<PullReactor<pb::DownloadReply>::Next> OpenDownload(const CheckpointPlace& place,
                                                                    int64_t step) const {
    RM_ASSIGN_OR_RETURN(auto opened, WeightsDownload::Open(files_, place, step));
    // std::function wants to be copied; there is one user of it all the same.
    const std::shared_ptr<WeightsDownload> download = std::move(opened);
    return [this, download](pb::DownloadReply* message) -> absl::StatusOr<bool> {
      absl::StatusOr<bool> more = download->Next(message);
      const absl::Status goes_on = files_.CheckGoesOn();
      return goes_on.ok() ? more : absl::StatusOr<bool>(goes_on);
    };
  }

  // Finds the job's checkpoints on the engine's thread, then runs `read` on the reader's.
  template <typename R, typename ReadFn>
  Unary* FindAndRead(Context* context, const std::string& id, R* reply, ReadFn read) {
    Unary* const reactor = context->DefaultReactor();
    engine_.Post([this, reactor, id, reply, read = std::move(read)] {
      const absl::StatusOr<CheckpointPlace> place = FindCheckpoints(coordinator_, id);
      if (!place.ok()) return FinishCall<R>(reactor, reply, place.status());
      reader_.Post([this, reactor, reply, place = *place, read] {
        absl::StatusOr<R> result = read(place);
        // Cut off in the middle, it must not say that a checkpoint is damaged.
        const absl::Status goes_on = files_.CheckGoesOn();
        FinishCall<R>(reactor, reply, goes_on.ok() ? std::move(result) : goes_on);
      });
    });
    return reactor;
  }

  TaskThread& engine_;
  TaskThread& reader_;
  const Coordinator& coordinator_;
  const StoppableFiles& files_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCheckpointsService(TaskThread& engine, TaskThread& reader,
                                                      const Coordinator& coordinator,
                                                      const StoppableFiles& files) {
  return std::make_unique<CheckpointsService>(engine, reader, coordinator, files);
}

}  // namespace rm::coordinator
