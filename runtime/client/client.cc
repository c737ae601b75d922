// One place for deadlines, contexts and error codes; the calls themselves are a line each.

#include "runtime/client/client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "base/sha256.h"
#include "base/status.h"
#include "proto/api.grpc.pb.h"
#include "proto/error_details.pb.h"
#include "runtime/client/file_digest.h"

namespace rm::client {
namespace {

constexpr absl::Duration kVerifyTimeout = absl::Hours(1);
constexpr absl::Duration kSecondsAMiB = absl::Seconds(1);  // a slow line is no error
constexpr int kMessageBytesMax = 64 << 20;
// A coordinator that comes back is found again within this time (gRPC's own would be minutes).
constexpr int kRedialMaxMilliseconds = 1000;
// A coordinator whose machine or network is gone counts as unavailable after one and a half of these.
constexpr int kPingMilliseconds = 20'000;

// Where the violations of a status are kept: a serialised BadRequest.
constexpr char kBadRequestUrl[] = "type.googleapis.com/google.rpc.BadRequest";

// The BadRequest among the details of a gRPC error, serialised; "" when there is none.
std::string BadRequestOf(const grpc::Status& status) {
  pb::RpcStatus details;
  if (!details.ParseFromString(status.error_details())) return "";
  for (const auto& detail : details.details()) {
    if (detail.type_url() == kBadRequestUrl) return detail.value();
  }
  return "";
}

// Codes are the same numbers in both worlds. An unreachable coordinator gets a sentence that says what to do.
absl::Status FromGrpc(const grpc::Status& status, const std::string& address, bool interrupted) {
  if (status.ok()) return absl::OkStatus();
  auto code = static_cast<absl::StatusCode>(status.error_code());
  // A call that we did not cancel was cut off by a coordinator that ended.
  if (code == absl::StatusCode::kCancelled && !interrupted) code = absl::StatusCode::kUnavailable;
  if (code == absl::StatusCode::kUnavailable) {
    return absl::UnavailableError(absl::StrCat(
        "the coordinator at ", address, " is not available (", status.error_message(),
        "): 'trainctl cluster up' starts one on this machine, -c HOST:PORT names another"));
  }
  if (code == absl::StatusCode::kDeadlineExceeded) {
    return absl::DeadlineExceededError(
        absl::StrCat("the coordinator at ", address, " does not answer in time (",
                     status.error_message(), ")"));
  }
  absl::Status result(code, status.error_message());
  const std::string violations = BadRequestOf(status);
  if (!violations.empty()) result.SetPayload(kBadRequestUrl, absl::Cord(violations));
  return result;
}

// The request that most calls take.
pb::GetJobRequest JobRequest(const std::string& job_id) {
  pb::GetJobRequest request;
  request.set_job_id(job_id);
  return request;
}

pb::CancelRequest CancelRequestOf(const std::string& job_id) {
  pb::CancelRequest request;
  request.set_job_id(job_id);
  return request;
}

// What a head announces; −1 when it cannot be.
int64_t BytesOf(const pb::WeightsHead& head) {
  int64_t bytes = 0;
  for (const pb::WeightsTensor& tensor : head.tensors()) {
    if (tensor.bytes() < 0 || __builtin_add_overflow(bytes, tensor.bytes(), &bytes)) return -1;
  }
  return bytes;
}

}  // namespace

std::vector<Violation> ViolationsOf(const absl::Status& status) {
  std::vector<Violation> violations;
  const auto payload = status.GetPayload(kBadRequestUrl);
  pb::BadRequest bad;
  if (!payload.has_value() || !bad.ParseFromString(std::string(*payload))) return violations;
  for (const auto& violation : bad.field_violations()) {
    violations.push_back({violation.field(), violation.description()});
  }
  return violations;
}

// Channel, stubs, and the calls that are under way.
struct Client::Core {
  std::unique_ptr<pb::Jobs::Stub> jobs;
  std::unique_ptr<pb::Cluster::Stub> cluster;
  std::unique_ptr<pb::Checkpoints::Stub> checkpoints;
  std::unique_ptr<pb::Artifacts::Stub> artifacts;
  base::Mutex mutex;
  std::set<grpc::ClientContext*> running ABSL_GUARDED_BY(mutex);
  bool interrupted ABSL_GUARDED_BY(mutex) = false;

  // A context that Interrupt can reach.
  class Call {
   public:
    Call(Core& core, absl::Duration timeout) : core_(core) {
      if (timeout < absl::InfiniteDuration()) {
        context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
      }
      base::MutexLock lock(core_.mutex);
      core_.running.insert(&context);
      if (core_.interrupted) context.TryCancel();
    }
    // The end of the call as a status of ours.
    [[nodiscard]] absl::Status End(const grpc::Status& status, const std::string& address) {
      base::MutexLock lock(core_.mutex);
      return FromGrpc(status, address, core_.interrupted);
    }
    ~Call() {
      base::MutexLock lock(core_.mutex);
      core_.running.erase(&context);
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    grpc::ClientContext context;

   private:
    Core& core_;
  };

  // One unary call: `method` of `stub`.
  template <typename Reply, typename Stub, typename Request>
  absl::StatusOr<Reply> Unary(const std::string& address, Stub& stub,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                           Reply*),
                              const Request& request, absl::Duration timeout) {
    Call call(*this, timeout);
    Reply reply;
    const absl::Status status =
        call.End((stub.*method)(&call.context, request, &reply), address);
    if (!status.ok()) return status;
    return reply;
  }

  // Reads a stream until `each` has enough.
  template <typename Message>
  static absl::Status ReadAll(Call& call, grpc::ClientReader<Message>& reader,
                              absl::FunctionRef<bool(const Message&)> each,
                              const std::string& address) {
    Message message;
    bool enough = false;
    while (!enough && reader.Read(&message)) enough = !each(message);
    if (enough) call.context.TryCancel();
    const grpc::Status status = reader.Finish();
    return enough ? absl::OkStatus() : call.End(status, address);
  }
};

Client::Client(const std::string& address, absl::Duration call_timeout)
    : address_(address), call_timeout_(call_timeout), core_(std::make_unique<Core>()) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kRedialMaxMilliseconds / 10);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kRedialMaxMilliseconds);
  // A machine that vanishes sends nothing: a stream is asked whether it still stands.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kPingMilliseconds);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingMilliseconds / 2);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // any number
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // a cluster is not reached through the web's
  const auto channel =
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  core_->jobs = pb::Jobs::NewStub(channel);
  core_->cluster = pb::Cluster::NewStub(channel);
  core_->checkpoints = pb::Checkpoints::NewStub(channel);
  core_->artifacts = pb::Artifacts::NewStub(channel);
}

Client::~Client() = default;

// From a signal's thread: calls that run are cancelled, and calls that begin later end at once.
void Client::Interrupt() {
  base::MutexLock lock(core_->mutex);
  core_->interrupted = true;
  for (grpc::ClientContext* context : core_->running) context->TryCancel();
}

// The coordinator may take the whole wait for the preflight before it answers.
absl::StatusOr<pb::SubmitReply> Client::Submit(const pb::SubmitRequest& request) {
  const double wait = request.preflight_wait_seconds();
  return core_->Unary<pb::SubmitReply>(
      address_, *core_->jobs, &pb::Jobs::Stub::Submit, request,
      call_timeout_ + (wait > 0 ? absl::Seconds(wait) : absl::ZeroDuration()));
}

absl::StatusOr<pb::Job> Client::Get(const std::string& job_id) {
  return core_->Unary<pb::Job>(address_, *core_->jobs, &pb::Jobs::Stub::Get, JobRequest(job_id),
                               call_timeout_);
}

absl::StatusOr<pb::ListJobsReply> Client::List(const pb::ListJobsRequest& request) {
  return core_->Unary<pb::ListJobsReply>(address_, *core_->jobs, &pb::Jobs::Stub::List, request,
                                         call_timeout_);
}

absl::StatusOr<pb::Job> Client::Cancel(const std::string& job_id) {
  return core_->Unary<pb::Job>(address_, *core_->jobs, &pb::Jobs::Stub::Cancel,
                               CancelRequestOf(job_id), call_timeout_);
}

absl::StatusOr<pb::Job> Client::Kill(const std::string& job_id) {
  return core_->Unary<pb::Job>(address_, *core_->jobs, &pb::Jobs::Stub::Kill,
                               CancelRequestOf(job_id), call_timeout_);
}

absl::StatusOr<pb::Job> Client::Pause(const std::string& job_id) {
  return core_->Unary<pb::Job>(address_, *core_->jobs, &pb::Jobs::Stub::Pause, JobRequest(job_id),
                               call_timeout_);
}

absl::StatusOr<pb::Job> Client::Resume(const std::string& job_id) {
  return core_->Unary<pb::Job>(address_, *core_->jobs, &pb::Jobs::Stub::Resume, JobRequest(job_id),
                               call_timeout_);
}

absl::StatusOr<pb::Explanation> Client::Explain(const std::string& job_id) {
  return core_->Unary<pb::Explanation>(address_, *core_->jobs, &pb::Jobs::Stub::Explain,
                                       JobRequest(job_id), call_timeout_);
}

absl::StatusOr<pb::NodesReply> Client::Nodes() {
  return core_->Unary<pb::NodesReply>(address_, *core_->cluster, &pb::Cluster::Stub::Nodes,
                                      pb::NodesRequest(), call_timeout_);
}

absl::StatusOr<pb::StatusReply> Client::Status() {
  return core_->Unary<pb::StatusReply>(address_, *core_->cluster, &pb::Cluster::Stub::Status,
                                       pb::StatusRequest(), call_timeout_);
}

absl::StatusOr<pb::ListCheckpointsReply> Client::ListCheckpoints(const std::string& job_id) {
  return core_->Unary<pb::ListCheckpointsReply>(address_, *core_->checkpoints,
                                                &pb::Checkpoints::Stub::List, JobRequest(job_id),
                                                call_timeout_);
}

// Every byte of a checkpoint is read over there, which takes longer than any other call.
absl::StatusOr<pb::VerifyReply> Client::Verify(const std::string& job_id, int64_t step) {
  pb::VerifyRequest request;
  request.set_job_id(job_id);
  request.set_step(step);
  return core_->Unary<pb::VerifyReply>(address_, *core_->checkpoints,
                                       &pb::Checkpoints::Stub::Verify, request,
                                       std::max(call_timeout_, kVerifyTimeout));
}

// A stream that ends early ends with an error; the head comes first, once, or not at all.
absl::Status Client::DownloadWeights(const std::string& job_id, int64_t step,
                                     absl::FunctionRef<void(const pb::WeightsHead&)> head,
                                     absl::FunctionRef<void(absl::string_view)> data) {
  pb::DownloadRequest request;
  request.set_job_id(job_id);
  request.set_step(step);
  Core::Call call(*core_, absl::InfiniteDuration());
  const auto reader = core_->checkpoints->Download(&call.context, request);
  int64_t missing = -1;  // bytes that were announced; −1: no head yet
  const auto take = [&](const pb::DownloadReply& message) {
    if (message.has_head()) {
      const bool again = missing >= 0;
      missing = again ? -1 : BytesOf(message.head());
      if (missing >= 0) head(message.head());
    } else {
      missing -= static_cast<int64_t>(message.data().size());
      if (missing >= 0) data(message.data());
    }
    return missing >= 0;
  };
  RM_RETURN_IF_ERROR(Core::ReadAll<pb::DownloadReply>(call, *reader, take, address_));
  if (missing == 0) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("the coordinator at ", address_, " sent other weights than it announced"));
}

// An artifact has at most 2 GiB, and whoever asks wants all of it at once.
absl::StatusOr<std::string> Client::DownloadArtifact(const std::string& sha256) {
  pb::DownloadArtifactRequest request;
  request.set_sha256(sha256);
  Core::Call call(*core_, absl::InfiniteDuration());
  const auto reader = core_->artifacts->Download(&call.context, request);
  std::string content;
  const auto take = [&content](const pb::DownloadArtifactReply& message) {
    if (content.size() + message.data().size() > kArtifactBytesMax) return false;
    content.append(message.data());
    return true;
  };
  RM_RETURN_IF_ERROR(Core::ReadAll<pb::DownloadArtifactReply>(call, *reader, take, address_));
  if (base::Sha256Hex(content) == sha256) return content;
  return absl::DataLossError(absl::StrCat("artifact ", sha256, " came with another content"));
}

// What the cluster has already is not sent again: files are known by their content.
absl::StatusOr<std::string> Client::UploadArtifact(const std::string& path) {
  RM_ASSIGN_OR_RETURN(const FileDigest file, DigestFile(base::PosixFileSystem(), path));
  pb::HasArtifactsRequest request;
  request.add_sha256(file.sha256);
  RM_ASSIGN_OR_RETURN(const pb::HasArtifactsReply reply,
                      core_->Unary<pb::HasArtifactsReply>(address_, *core_->artifacts,
                                                          &pb::Artifacts::Stub::Has, request,
                                                          call_timeout_));
  if (reply.missing_size() > 0) RM_RETURN_IF_ERROR(Send(path, file.sha256, file.bytes));
  return file.sha256;
}

// The deadline grows with the file. A reader that fails half-way must not leave half a file behind.
absl::Status Client::Send(const std::string& path, const std::string& sha256, uint64_t bytes) {
  Core::Call call(*core_, call_timeout_ + kSecondsAMiB * static_cast<double>(bytes >> 20));
  pb::UploadArtifactReply reply;
  const auto writer = core_->artifacts->Upload(&call.context, &reply);
  pb::UploadArtifactRequest message;
  message.set_sha256(sha256);
  message.set_bytes(static_cast<int64_t>(bytes));
  // False: the coordinator has ended the call, because it has enough or cannot take it. Its status
  // says which.
  bool goes_on = writer->Write(message);
  const absl::Status read =
      ReadFileInPieces(base::PosixFileSystem(), path, [&](absl::string_view piece) {
        message.Clear();
        message.set_data(std::string(piece));
        goes_on = goes_on && writer->Write(message);
        return goes_on;
      });
  if (!read.ok()) {
    call.context.TryCancel();  // the coordinator removes what came
    (void)writer->Finish();
    return read;
  }
  writer->WritesDone();
  return call.End(writer->Finish(), address_);
}

absl::Status Client::Watch(const std::string& job_id, absl::FunctionRef<bool(const pb::Job&)> each,
                           absl::Duration timeout) {
  Core::Call call(*core_, timeout);
  const auto reader = core_->jobs->Watch(&call.context, JobRequest(job_id));
  return Core::ReadAll<pb::Job>(call, *reader, each, address_);
}

absl::Status Client::Logs(const pb::LogsRequest& request,
                          absl::FunctionRef<bool(const pb::LogLines&)> each) {
  Core::Call call(*core_, absl::InfiniteDuration());
  const auto reader = core_->jobs->Logs(&call.context, request);
  return Core::ReadAll<pb::LogLines>(call, *reader, each, address_);
}

absl::Status Client::Events(const pb::EventsRequest& request,
                            absl::FunctionRef<bool(const pb::JobEvent&)> each) {
  Core::Call call(*core_, absl::InfiniteDuration());
  const auto reader = core_->jobs->Events(&call.context, request);
  return Core::ReadAll<pb::JobEvent>(call, *reader, each, address_);
}

}  // namespace rm::client
