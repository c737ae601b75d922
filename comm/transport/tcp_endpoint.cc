#include "comm/transport/tcp_endpoint.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/status.h"
#include "comm/transport/fence.h"
#include "comm/transport/tcp_line.h"
#include "comm/transport/tcp_reactor.h"
#include "comm/transport/tcp_socket.h"
#include "comm/transport/tcp_transport.h"

namespace rm::comm {
namespace {

// Peers of a later generation that may wait here, and callers that have not said who they are.
constexpr size_t kCallersMax = 4096;

class TcpEndpoint final : public TransportEndpoint, public TcpHandler {
 public:
  TcpEndpoint(std::string address, Descriptor listening, std::unique_ptr<TcpReactor> reactor)
      : address_(std::move(address)),
        listening_(std::move(listening)),
        reactor_(std::move(reactor)) {}
  ~TcpEndpoint() override;

  // Begins to answer callers.
  [[nodiscard]] absl::Status Start();

  [[nodiscard]] const std::string& address() const override { return address_; }
  [[nodiscard]] absl::StatusOr<std::unique_ptr<Transport>> Connect(
      const TransportMembership& membership) override;

  void OnReady(int socket) override;

 private:
  // Somebody who has called: has not said hello yet, or waits for a Connect.
  struct Caller {
    TcpLine line;
    absl::optional<Hello> hello;  // waits
  };

  void AcceptCallers();
  void Listen(Caller& caller);
  void TakeFirst(Caller& caller, const TcpControl& frame);
  void Receive(Caller& caller);
  void Refuse(Caller& caller, const absl::Status& why);
  // The socket is somebody else's from now on, or nobody's.
  void LetGo(Caller& caller);
  void SweepCallers();
  [[nodiscard]] bool MayTakePeers() const {
    return transport_ != nullptr && !transport_->leaving();
  }

  const std::string address_;
  const Descriptor listening_;
  std::unique_ptr<TcpReactor> reactor_;
  std::vector<Caller> callers_;
  Fence fence_;
  TcpTransport* transport_ = nullptr;  // of the present generation, while it lives
  int transports_ = 0;                 // that live, earlier generations included
};

// Behind the constructor, because it may fail.
absl::Status TcpEndpoint::Start() {
  base::MutexLock lock(reactor_->mutex());
  return reactor_->Watch(listening_.get(), this);
}

// Callers that still wait are told by the end of their connections.
TcpEndpoint::~TcpEndpoint() {
  base::MutexLock lock(reactor_->mutex());
  RM_CHECK(transports_ == 0, "the endpoint must outlive its transports");
  for (Caller& caller : callers_) {
    reactor_->Forget(caller.line.fd());
    caller.line.Close();
  }
  reactor_->Forget(listening_.get());
}

// A caller that is being listened to may become another's: places change only in the sweep.
void TcpEndpoint::OnReady(int socket) {
  if (socket == listening_.get()) {
    AcceptCallers();
  } else {
    for (Caller& caller : callers_) {
      if (caller.line.open() && caller.line.fd() == socket) Listen(caller);
    }
  }
  SweepCallers();
}

// Without a descriptor left the caller stays in the system's queue; the next one to come rings again.
void TcpEndpoint::AcceptCallers() {
  while (true) {
    absl::StatusOr<absl::optional<Descriptor>> socket = AcceptTcp(listening_.get());
    if (!socket.ok()) base::LogWarning("tcp: ", socket.status().message());
    if (!socket.ok() || !socket->has_value()) return;
    if (callers_.size() >= kCallersMax) continue;
    Caller caller;
    caller.line = TcpLine(**std::move(socket));
    if (!reactor_->Watch(caller.line.fd(), this).ok()) continue;
    callers_.push_back(std::move(caller));
    Listen(callers_.back());
  }
}

// Reads its first frame, if it has come; of a caller that waits, only its end. What else it would say
// before it is welcome is out of turn.
void TcpEndpoint::Listen(Caller& caller) {
  const absl::StatusOr<absl::optional<TcpControl>> heard = caller.line.Receive();
  if (!heard.ok() || (heard->has_value() && caller.hello.has_value())) {
    LetGo(caller);
    caller.line.Close();
    return;
  }
  if (heard->has_value()) TakeFirst(caller, **heard);
}

// A connection is a line, or brings data for an edge whose line stands already.
void TcpEndpoint::TakeFirst(Caller& caller, const TcpControl& frame) {
  const FrameRoute& theirs = frame.header.route;
  caller.line.SetRoute({theirs.job, theirs.generation, theirs.to, theirs.from});
  if (frame.header.kind == FrameKind::kStripe) {
    // Not a line at all: the socket brings data from here on.
    LetGo(caller);
    Descriptor socket = caller.line.Release();
    if (fence_.IsPresent(*caller.line.route()) && MayTakePeers()) {
      transport_->AdoptData(frame.text, socket);
    }
    return;
  }
  absl::StatusOr<Hello> hello = ParseHello(frame.text);
  if (frame.header.kind != FrameKind::kHello) {
    hello = absl::DataLossError("a connection begins with one hello");
  }
  if (!hello.ok()) {
    Refuse(caller, hello.status());
    return;
  }
  caller.hello = *std::move(hello);
  Receive(caller);
}

// As at the other transports' endpoints: of the present generation, of a past one, of a future one.
void TcpEndpoint::Receive(Caller& caller) {
  const FrameRoute& route = *caller.line.route();
  if (fence_.IsPresent(route) && MayTakePeers()) {
    reactor_->Forget(caller.line.fd());
    const absl::Status adopted = transport_->Adopt(*caller.hello, caller.line);
    if (!adopted.ok()) Refuse(caller, adopted);
    return;
  }
  if (fence_.IsPast(route)) {
    Refuse(caller, fence_.IsOver(route, caller.hello->job, address_));
  }
}

// The reason travels as an abort, and then the end: the caller has sent nothing that is unread, so that
// the close does not overtake it.
void TcpEndpoint::Refuse(Caller& caller, const absl::Status& why) {
  LetGo(caller);
  caller.line.Send(FrameKind::kAbort, EncodeAbort(why));
  caller.line.Finish();
  caller.line.Close();
}

void TcpEndpoint::LetGo(Caller& caller) {
  if (caller.line.open()) reactor_->Forget(caller.line.fd());
}

// Those that have become edges, or have been seen off.
void TcpEndpoint::SweepCallers() {
  const auto gone = [](const Caller& caller) { return !caller.line.open(); };
  callers_.erase(std::remove_if(callers_.begin(), callers_.end(), gone), callers_.end());
}

// Peers that came here first have been waiting among the callers.
absl::StatusOr<std::unique_ptr<Transport>> TcpEndpoint::Connect(
    const TransportMembership& membership) {
  RM_RETURN_IF_ERROR(ValidateMembership(membership));
  base::MutexLock lock(reactor_->mutex());
  RM_RETURN_IF_ERROR(fence_.MayEnter(membership));
  if (transport_ != nullptr) transport_->Fail(fence_.LeftFor(membership.generation));
  fence_.Enter(membership);
  auto transport =
      std::make_unique<TcpTransport>(*reactor_, membership, [this](const TcpTransport* gone) {
        if (transport_ == gone) transport_ = nullptr;
        --transports_;
      });
  ++transports_;
  transport_ = transport.get();
  for (size_t i = callers_.size(); i-- > 0;) {  // the latest first: it replaces one that gave up
    if (callers_[i].hello.has_value() && callers_[i].line.open()) Receive(callers_[i]);
  }
  SweepCallers();
  reactor_->Wake();
  return std::unique_ptr<Transport>(std::move(transport));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TransportEndpoint>> OpenTcpEndpoint(
    const TransportOptions& options) {
  RM_ASSIGN_OR_RETURN(TcpListener listener, ListenTcp(options.listen_host));
  RM_ASSIGN_OR_RETURN(std::unique_ptr<TcpReactor> reactor, TcpReactor::Create());
  const std::string& host =
      options.advertise_host.empty() ? options.listen_host : options.advertise_host;
  // An IPv6 address has colons of its own.
  const std::string address = absl::StrContains(host, ':')
                                  ? absl::StrCat("[", host, "]:", listener.port)
                                  : absl::StrCat(host, ":", listener.port);
  auto endpoint =
      std::make_unique<TcpEndpoint>(address, std::move(listener.socket), std::move(reactor));
  RM_RETURN_IF_ERROR(endpoint->Start());
  return std::unique_ptr<TransportEndpoint>(std::move(endpoint));
}

}  // namespace rm::comm
