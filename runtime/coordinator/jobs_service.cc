// Nothing happens on gRPC's threads but copying a request and posting a task (and the validation of
// a job spec, which needs no state). gRPC keeps request and reply of a unary call alive until
// Finish, and we always call it: answered, refused, or released when the coordinator closes.
#include "runtime/coordinator/jobs_service.h"

#include <string>
#include <utility>

#include "proto/api.grpc.pb.h"
#include "runtime/coordinator/artifacts_api.h"
#include "runtime/coordinator/request_limits.h"
#include "runtime/coordinator/rpc_glue.h"
#include "runtime/coordinator/spec_errors.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;
using Context = grpc::CallbackServerContext;
using Unary = grpc::ServerUnaryReactor;
template <typename T>
using Writer = grpc::ServerWriteReactor<T>;

class JobsService final : public pb::Jobs::CallbackService {
 public:
  JobsService(TaskThread& engine, Coordinator& coordinator, JobsApi& api, LogService& logs,
              const ArtifactStore& artifacts)
      : engine_(engine),
        coordinator_(coordinator),
        api_(api),
        logs_(logs),
        artifacts_(artifacts) {}

  Unary* Submit(Context* context, const pb::SubmitRequest* request,
                pb::SubmitReply* reply) override {
    Unary* const reactor = context->DefaultReactor();
    auto checked = std::make_shared<pb::SubmitRequest>(*request);
    // Here, because it takes time, and no state: artifacts first, so that what is checked, and
    // kept, has their paths.
    absl::Status valid = CheckLimits(*checked);
    if (valid.ok()) valid = ResolveArtifacts(artifacts_, checked.get());
    if (valid.ok()) valid = CheckSubmission(checked.get());
    if (!valid.ok()) {
      reactor->Finish(ToGrpc(valid));
      return reactor;
    }
    engine_.Post([this, reactor, reply, checked = std::move(checked)] {
      api_.Submit(*checked, ReplyLater(reactor, reply));
    });
    return reactor;
  }

  Unary* Get(Context* context, const pb::GetJobRequest* request, pb::Job* reply) override {
    return Read(context, reply, [this, request] { return api_.Get(request->job_id()); });
  }
  Unary* List(Context* context, const pb::ListJobsRequest* request,
              pb::ListJobsReply* reply) override {
    return Read(context, reply, [this, request] { return api_.List(*request); });
  }
  Unary* Explain(Context* context, const pb::GetJobRequest* request,
                 pb::Explanation* reply) override {
    return Read(context, reply, [this, request] { return api_.Explain(request->job_id()); });
  }

  Unary* Cancel(Context* context, const pb::CancelRequest* request, pb::Job* reply) override {
    return Change(context, &JobsApi::Cancel, request->job_id(), reply);
  }
  Unary* Kill(Context* context, const pb::CancelRequest* request, pb::Job* reply) override {
    return Change(context, &JobsApi::Kill, request->job_id(), reply);
  }
  Unary* Pause(Context* context, const pb::GetJobRequest* request, pb::Job* reply) override {
    return Change(context, &JobsApi::Pause, request->job_id(), reply);
  }
  Unary* Resume(Context* context, const pb::GetJobRequest* request, pb::Job* reply) override {
    return Change(context, &JobsApi::Resume, request->job_id(), reply);
  }

  Writer<pb::Job>* Watch(Context* /*context*/, const pb::GetJobRequest* request) override {
    return Stream<pb::Job>([this, id = request->job_id()] { return api_.Watch(id); });
  }
  Writer<pb::JobEvent>* Events(Context* /*context*/, const pb::EventsRequest* request) override {
    return Stream<pb::JobEvent>([this, copy = *request] { return api_.Events(copy); });
  }
  Writer<pb::LogLines>* Logs(Context* /*context*/, const pb::LogsRequest* request) override {
    // Found on the coordinator's thread, streamed on that of the logs: so is the error.
    auto* const reactor = new FeedReactor<pb::LogLines>(logs_.thread());  // deletes itself
    engine_.Post([this, call = reactor->call(), copy = *request] {
      const absl::StatusOr<LogFeedOptions> options = api_.Logs(copy);
      if (options.ok()) return logs_.Open(*options, call);
      logs_.thread().Post([call, status = options.status()] { call->Close(status); });
    });
    return reactor;
  }

 private:
  // Answers with what `read` gives on the coordinator's thread. The request lives until then.
  template <typename R, typename ReadFn>
  Unary* Read(Context* context, R* reply, ReadFn read) {
    Unary* const reactor = context->DefaultReactor();
    engine_.Post(
        [reactor, reply, read = std::move(read)] { FinishCall<R>(reactor, reply, read()); });
    return reactor;
  }

  using ChangeMethod = void (JobsApi::*)(const std::string& id, Answer<pb::Job> answer);
  Unary* Change(Context* context, ChangeMethod method, const std::string& id, pb::Job* reply) {
    Unary* const reactor = context->DefaultReactor();
    // Through a reference: GCC 12's undefined-behaviour checks lose `this` in a call through a
    // pointer to a member here.
    engine_.Post([&api = api_, reactor, method, id, reply] {
      (api.*method)(id, ReplyLater(reactor, reply));
    });
    return reactor;
  }

  // A stream over the feed that `open` gives on the coordinator's thread.
  template <typename T, typename OpenFn>
  Writer<T>* Stream(OpenFn open) {
    auto* const reactor = new FeedReactor<T>(engine_);  // deletes itself at the end of the call
    engine_.Post([this, call = reactor->call(), open = std::move(open)] {
      absl::StatusOr<std::unique_ptr<Feed<T>>> feed = open();
      if (!feed.ok()) return call->Close(feed.status());
      call->Begin(*std::move(feed));
      coordinator_.feeds().Add(call);
    });
    return reactor;
  }

  TaskThread& engine_;
  Coordinator& coordinator_;
  JobsApi& api_;
  LogService& logs_;
  const ArtifactStore& artifacts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeJobsService(TaskThread& engine, Coordinator& coordinator,
                                               JobsApi& api, LogService& logs,
                                               const ArtifactStore& artifacts) {
  return std::make_unique<JobsService>(engine, coordinator, api, logs, artifacts);
}

}  // namespace rm::coordinator
