#include "comm/transport/grpc_endpoint.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/check.h"
#include "base/status.h"
#include "comm/transport/fence.h"
#include "comm/transport/grpc_reactor.h"
#include "comm/transport/grpc_settings.h"
#include "comm/transport/grpc_stream.h"
#include "comm/transport/grpc_transport.h"

namespace rm::comm {
namespace {

// Peers of a later generation that may wait here: the ranks of a large gang, each twice.
constexpr size_t kWaitingPeersMax = 4096;

class GrpcEndpoint final : public TransportEndpoint,
                           public GrpcServerStream::Acceptor,
                           public GrpcStream::Listener {
 public:
  GrpcEndpoint(std::string address, std::unique_ptr<grpc::AsyncGenericService> service,
               std::unique_ptr<grpc::Server> server,
               std::unique_ptr<grpc::ServerCompletionQueue> queue)
      : address_(std::move(address)),
        service_(std::move(service)),
        server_(std::move(server)),
        reactor_(std::move(queue)) {
    base::MutexLock lock(reactor_.mutex());
    AcceptNext();
  }
  ~GrpcEndpoint() override;

  [[nodiscard]] const std::string& address() const override { return address_; }
  [[nodiscard]] absl::StatusOr<std::unique_ptr<Transport>> Connect(
      const TransportMembership& membership) override;

 private:
  // Somebody who has called: has not said hello yet, waits for a Connect, or is being seen off.
  struct Caller {
    std::unique_ptr<GrpcServerStream> stream;
    absl::optional<Hello> hello;  // waits
  };

  void OnAccepted(GrpcServerStream& stream, bool ok) override;
  void OnControl(GrpcStream& stream, const Frame& frame) override;
  void OnEnd(GrpcStream& /*stream*/, const absl::Status& /*status*/) override {}

  void AcceptNext();
  void Receive(Caller& caller);
  void Refuse(Caller& caller, const absl::Status& why);
  void SweepCallers();
  [[nodiscard]] size_t WaitingCallers() const;

  const std::string address_;
  std::unique_ptr<grpc::AsyncGenericService> service_;
  std::unique_ptr<grpc::Server> server_;
  GrpcReactor reactor_;
  std::unique_ptr<GrpcServerStream> next_caller_;
  std::vector<Caller> callers_;
  bool closing_ = false;
  Fence fence_;
  GrpcTransport* transport_ = nullptr;  // of the present generation, while it lives
  int transports_ = 0;                  // that live, earlier generations included
};

// Callers that still wait are told by the end of their streams. The server's shutdown completes what
// is pending on the queue, which this thread then has to drain itself.
GrpcEndpoint::~GrpcEndpoint() {
  {
    base::MutexLock lock(reactor_.mutex());
    RM_CHECK(transports_ == 0, "the endpoint must outlive its transports");
    closing_ = true;
    SweepCallers();
    for (Caller& caller : callers_) caller.stream->Cancel();
  }
  server_->Shutdown(std::chrono::system_clock::now());
  base::MutexLock lock(reactor_.mutex());
  const auto gone = [this] {
    SweepCallers();
    return callers_.empty() && next_caller_ == nullptr;
  };
  reactor_.ServeUntil(gone, absl::InfiniteFuture());
}

// One accept is pending at any time: the stream for the next caller exists before it calls.
void GrpcEndpoint::AcceptNext() {
  next_caller_ = std::make_unique<GrpcServerStream>(reactor_, *service_, *this);
}

// Also called when the server shuts down, then without a caller: the stream is kept until it has
// drained, like all others.
void GrpcEndpoint::OnAccepted(GrpcServerStream& stream, bool ok) {
  SweepCallers();
  callers_.push_back({std::move(next_caller_), absl::nullopt});
  stream.set_listener(this);
  if (ok && !closing_) AcceptNext();
  if (closing_ && !stream.ended()) stream.Cancel();
}

// A stream may go only when no operation of it is on the queue any more.
void GrpcEndpoint::SweepCallers() {
  const auto gone = [](const Caller& caller) {
    return caller.stream == nullptr || caller.stream->drained();
  };
  callers_.erase(std::remove_if(callers_.begin(), callers_.end(), gone), callers_.end());
}

// The first frame of a caller says who it is and whom it wants; from then on the route is the
// stream's, seen from this side.
void GrpcEndpoint::OnControl(GrpcStream& stream, const Frame& frame) {
  for (Caller& caller : callers_) {
    if (caller.stream.get() != &stream) continue;
    const absl::StatusOr<std::string> text = frame.Text();
    absl::StatusOr<Hello> hello = text.ok() ? ParseHello(*text) : text.status();
    if (frame.header.kind != FrameKind::kHello || caller.hello.has_value()) {
      hello = absl::DataLossError("a stream begins with one hello");
    }
    if (!hello.ok()) {
      Refuse(caller, hello.status());
      return;
    }
    const FrameRoute& theirs = frame.header.route;
    stream.SetRoute({theirs.job, theirs.generation, theirs.to, theirs.from});
    caller.hello = *std::move(hello);
    Receive(caller);
    return;
  }
}

// Three kinds of callers: of the present generation (the transport takes them over), of a past one
// (refused, so that a rank that was presumed dead learns it), and of a future one, who wait until
// this rank's own Connect has come: ranks do not start at the same moment.
void GrpcEndpoint::Receive(Caller& caller) {
  const FrameRoute& route = *caller.stream->route();
  if (fence_.IsPresent(route) && transport_ != nullptr) {
    const absl::Status adopted = transport_->Adopt(*caller.hello, caller.stream);
    if (!adopted.ok()) Refuse(caller, adopted);
    return;
  }
  if (fence_.IsPast(route)) {
    Refuse(caller, fence_.IsOver(route, caller.hello->job, address_));
    return;
  }
  if (WaitingCallers() > kWaitingPeersMax) {
    Refuse(caller, absl::ResourceExhaustedError(
                       absl::StrCat("too many peers wait for ", address_, " to join")));
  }
}

// The reason travels as the status of the stream.
void GrpcEndpoint::Refuse(Caller& caller, const absl::Status& why) {
  caller.hello.reset();
  caller.stream->set_listener(nullptr);
  caller.stream->Discard();
  caller.stream->Close(why);
}

size_t GrpcEndpoint::WaitingCallers() const {
  return static_cast<size_t>(std::count_if(callers_.begin(), callers_.end(), [](const Caller& c) {
    return c.stream != nullptr && c.hello.has_value();
  }));
}

absl::StatusOr<std::unique_ptr<Transport>> GrpcEndpoint::Connect(
    const TransportMembership& membership) {
  RM_RETURN_IF_ERROR(ValidateMembership(membership));
  base::MutexLock lock(reactor_.mutex());
  RM_RETURN_IF_ERROR(fence_.MayEnter(membership));
  if (transport_ != nullptr) {
    transport_->Fail(fence_.LeftFor(membership.generation));
    reactor_.Wake();
  }
  fence_.Enter(membership);
  auto transport =
      std::make_unique<GrpcTransport>(reactor_, membership, [this](const GrpcTransport* gone) {
        if (transport_ == gone) transport_ = nullptr;
        --transports_;
      });
  ++transports_;
  transport_ = transport.get();
  for (size_t i = callers_.size(); i-- > 0;) {  // the latest first: it replaces one that gave up
    if (callers_[i].hello.has_value() && callers_[i].stream != nullptr &&
        !callers_[i].stream->ended()) {
      Receive(callers_[i]);
    }
  }
  SweepCallers();
  return std::unique_ptr<Transport>(std::move(transport));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TransportEndpoint>> OpenGrpcEndpoint(
    const TransportOptions& options) {
  KeepFreedMemory();
  auto service = std::make_unique<grpc::AsyncGenericService>();
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(absl::StrCat(options.listen_host, ":0"),
                           grpc::InsecureServerCredentials(), &port);
  builder.RegisterAsyncGenericService(service.get());
  ApplyGrpcServerSettings(options.listen_host, builder);
  std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    queue->Shutdown();
    return absl::UnavailableError(absl::StrCat(
        "cannot listen on host '", options.listen_host, "': it is not an address of this machine"));
  }
  const std::string& host =
      options.advertise_host.empty() ? options.listen_host : options.advertise_host;
  return std::make_unique<GrpcEndpoint>(absl::StrCat(host, ":", port), std::move(service),
                                        std::move(server), std::move(queue));
}

}  // namespace rm::comm
