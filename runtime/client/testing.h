// A coordinator's public API in the process of a test, answering as the test says.
#ifndef RM_RUNTIME_CLIENT_TESTING_H_
#define RM_RUNTIME_CLIENT_TESTING_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "proto/api.grpc.pb.h"

namespace rm::client {

namespace pb = ::ringmaster::v1;

// One function a method, called on threads of gRPC; one that is not set answers Unimplemented. Set
// them before the first call.
struct FakeMethods {
  template <typename Request, typename Reply>
  using Call = std::function<grpc::Status(const Request&, Reply*)>;
  template <typename Request, typename Message>
  using Stream = std::function<grpc::Status(grpc::ServerContext*, const Request&,
                                            grpc::ServerWriter<Message>*)>;

  Call<pb::SubmitRequest, pb::SubmitReply> submit;
  Call<pb::GetJobRequest, pb::Job> get, pause, resume;
  Call<pb::CancelRequest, pb::Job> cancel, kill;
  Call<pb::ListJobsRequest, pb::ListJobsReply> list;
  Call<pb::GetJobRequest, pb::Explanation> explain;
  Call<pb::NodesRequest, pb::NodesReply> nodes;
  Call<pb::StatusRequest, pb::StatusReply> status;
  Call<pb::GetJobRequest, pb::ListCheckpointsReply> list_checkpoints;
  Call<pb::VerifyRequest, pb::VerifyReply> verify;
  Call<pb::HasArtifactsRequest, pb::HasArtifactsReply> has_artifacts;
  std::function<grpc::Status(grpc::ServerReader<pb::UploadArtifactRequest>*,
                             pb::UploadArtifactReply*)>
      upload_artifact;
  Stream<pb::DownloadRequest, pb::DownloadReply> download;
  Stream<pb::DownloadArtifactRequest, pb::DownloadArtifactReply> download_artifact;
  Stream<pb::GetJobRequest, pb::Job> watch;
  Stream<pb::LogsRequest, pb::LogLines> logs;
  Stream<pb::EventsRequest, pb::JobEvent> events;
};

// A stream method that sends these messages and ends with `status`.
template <typename Request, typename Message>
FakeMethods::Stream<Request, Message> Sends(std::vector<Message> messages,
                                            grpc::Status status = grpc::Status::OK) {
  return [messages, status](grpc::ServerContext*, const Request&,
                            grpc::ServerWriter<Message>* writer) {
    for (const Message& message : messages) writer->Write(message);
    return status;
  };
}

// Serves `methods` on a port of loopback for its lifetime.
class FakeCoordinator {
 public:
  FakeMethods methods;

  // `port` 0: any free one. `set_up` sets methods before anybody can call them, for a coordinator that
  // comes back where clients wait for it.
  explicit FakeCoordinator(int port = 0,
                           const std::function<void(FakeMethods&)>& set_up = nullptr) {
    if (set_up) set_up(methods);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(&jobs_);
    builder.RegisterService(&cluster_);
    builder.RegisterService(&checkpoints_);
    builder.RegisterService(&artifacts_);
    server_ = builder.BuildAndStart();
    RM_CHECK(server_ != nullptr, "cannot listen");
  }
  ~FakeCoordinator() { Stop(); }

  // Cuts off what is under way. Handlers that wait for the test must be let go before.
  void Stop() { server_->Shutdown(std::chrono::system_clock::now()); }

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  using Context = grpc::ServerContext;
  using Status = grpc::Status;

  template <typename Function, typename... Arguments>
  static Status Run(const Function& function, Arguments&&... arguments) {
    if (!function) return {grpc::StatusCode::UNIMPLEMENTED, "the test has no such method"};
    return function(std::forward<Arguments>(arguments)...);
  }

  struct Jobs final : pb::Jobs::Service {
    explicit Jobs(const FakeMethods& methods) : m(methods) {}
    Status Submit(Context*, const pb::SubmitRequest* request, pb::SubmitReply* reply) override {
      return Run(m.submit, *request, reply);
    }
    Status Get(Context*, const pb::GetJobRequest* request, pb::Job* job) override {
      return Run(m.get, *request, job);
    }
    Status List(Context*, const pb::ListJobsRequest* request, pb::ListJobsReply* reply) override {
      return Run(m.list, *request, reply);
    }
    Status Cancel(Context*, const pb::CancelRequest* request, pb::Job* job) override {
      return Run(m.cancel, *request, job);
    }
    Status Kill(Context*, const pb::CancelRequest* request, pb::Job* job) override {
      return Run(m.kill, *request, job);
    }
    Status Pause(Context*, const pb::GetJobRequest* request, pb::Job* job) override {
      return Run(m.pause, *request, job);
    }
    Status Resume(Context*, const pb::GetJobRequest* request, pb::Job* job) override {
      return Run(m.resume, *request, job);
    }
    Status Explain(Context*, const pb::GetJobRequest* request,
                   pb::Explanation* explanation) override {
      return Run(m.explain, *request, explanation);
    }
    Status Watch(Context* context, const pb::GetJobRequest* request,
                 grpc::ServerWriter<pb::Job>* writer) override {
      return Run(m.watch, context, *request, writer);
    }
    Status Logs(Context* context, const pb::LogsRequest* request,
                grpc::ServerWriter<pb::LogLines>* writer) override {
      return Run(m.logs, context, *request, writer);
    }
    Status Events(Context* context, const pb::EventsRequest* request,
                  grpc::ServerWriter<pb::JobEvent>* writer) override {
      return Run(m.events, context, *request, writer);
    }
    const FakeMethods& m;
  };

  struct Cluster final : pb::Cluster::Service {
    explicit Cluster(const FakeMethods& methods) : m(methods) {}
    grpc::Status Nodes(Context*, const pb::NodesRequest* request, pb::NodesReply* reply) override {
      return Run(m.nodes, *request, reply);
    }
    grpc::Status Status(Context*, const pb::StatusRequest* request,
                        pb::StatusReply* reply) override {
      return Run(m.status, *request, reply);
    }
    const FakeMethods& m;
  };

  struct Checkpoints final : pb::Checkpoints::Service {
    explicit Checkpoints(const FakeMethods& methods) : m(methods) {}
    Status List(Context*, const pb::GetJobRequest* request,
                pb::ListCheckpointsReply* reply) override {
      return Run(m.list_checkpoints, *request, reply);
    }
    Status Verify(Context*, const pb::VerifyRequest* request, pb::VerifyReply* reply) override {
      return Run(m.verify, *request, reply);
    }
    Status Download(Context* context, const pb::DownloadRequest* request,
                    grpc::ServerWriter<pb::DownloadReply>* writer) override {
      return Run(m.download, context, *request, writer);
    }
    const FakeMethods& m;
  };

  struct Artifacts final : pb::Artifacts::Service {
    explicit Artifacts(const FakeMethods& methods) : m(methods) {}
    Status Has(Context*, const pb::HasArtifactsRequest* request,
               pb::HasArtifactsReply* reply) override {
      return Run(m.has_artifacts, *request, reply);
    }
    Status Upload(Context*, grpc::ServerReader<pb::UploadArtifactRequest>* reader,
                  pb::UploadArtifactReply* reply) override {
      return Run(m.upload_artifact, reader, reply);
    }
    Status Download(Context* context, const pb::DownloadArtifactRequest* request,
                    grpc::ServerWriter<pb::DownloadArtifactReply>* writer) override {
      return Run(m.download_artifact, context, *request, writer);
    }
    const FakeMethods& m;
  };

  Jobs jobs_{methods};
  Cluster cluster_{methods};
  Checkpoints checkpoints_{methods};
  Artifacts artifacts_{methods};
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace rm::client

#endif  // RM_RUNTIME_CLIENT_TESTING_H_
