#include "comm/transport/shm_endpoint.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/status.h"
#include "comm/transport/fence.h"
#include "comm/transport/shm_hub.h"
#include "comm/transport/shm_link.h"
#include "comm/transport/shm_socket.h"
#include "comm/transport/shm_transport.h"

namespace rm::comm {
namespace {

// Peers of a later generation that may wait here, and callers that have not said who they are.
constexpr size_t kCallersMax = 1024;

// How long to leave callers alone when there is no descriptor left to answer them with.
constexpr int kExhaustedMilliseconds = 100;

class ShmEndpoint final : public TransportEndpoint {
 public:
  ShmEndpoint(std::string address, Descriptor listening, Descriptor alarm, SharedDoorbell bell)
      : address_(std::move(address)),
        listening_(std::move(listening)),
        alarm_(std::move(alarm)),
        hub_(std::move(bell)),
        thread_([this] { Run(); }) {}
  ~ShmEndpoint() override;

  [[nodiscard]] const std::string& address() const override { return address_; }
  [[nodiscard]] absl::StatusOr<std::unique_ptr<Transport>> Connect(
      const TransportMembership& membership) override;

 private:
  // Somebody who has called: has not said hello yet, or waits for a Connect.
  struct Caller {
    ShmLink line;
    absl::optional<Hello> hello;  // waits
    bool shares = false;          // calls for windows, not for an edge
    Descriptor bell;
  };

  // The thread's: sleeps until somebody speaks. The mutex is held but while it sleeps.
  void Run();
  void Sleep();
  void AcceptCallers();
  void ServeCallers();

  void Listen(Caller& caller);
  [[nodiscard]] absl::Status TakeHello(Caller& caller, ControlFrame& frame);
  void Receive(Caller& caller);
  void Refuse(Caller& caller, const absl::Status& why);
  void SweepCallers();
  [[nodiscard]] bool MayTakePeers() const {
    return transport_ != nullptr && !transport_->leaving();
  }
  void RingAlarm() const;

  const std::string address_;
  const Descriptor listening_;
  const Descriptor alarm_;  // an eventfd: there are new lines to listen to
  ShmHub hub_;
  std::vector<Caller> callers_;
  std::vector<ShmTransport*> transports_;  // that live, earlier generations included
  bool exhausted_ = false;                 // of descriptors
  bool closing_ = false;
  Fence fence_;
  ShmTransport* transport_ = nullptr;  // of the present generation, while it lives
  std::thread thread_;
};

ShmEndpoint::~ShmEndpoint() {
  {
    base::MutexLock lock(hub_.mutex());
    RM_CHECK(transports_.empty(), "the endpoint must outlive its transports");
    closing_ = true;
  }
  RingAlarm();
  thread_.join();
  for (Caller& caller : callers_) caller.line.Close();
}

void ShmEndpoint::RingAlarm() const {
  const uint64_t one = 1;
  // It can fail only when it rings already.
  static_cast<void>(!::write(alarm_.get(), &one, sizeof(one)));
}

void ShmEndpoint::Run() {
  ::pthread_setname_np(::pthread_self(), "shm lines");  // as a dump of stacks shows it
  base::MutexLock lock(hub_.mutex());
  while (!closing_) {
    Sleep();
    AcceptCallers();
    ServeCallers();
    for (ShmTransport* transport : transports_) transport->ServeLines();
  }
}

// A caller that waits is listened to for its end only: what it says is for its transport.
void ShmEndpoint::Sleep() {
  std::vector<pollfd> polled = {{alarm_.get(), POLLIN, 0}};
  if (!exhausted_) polled.push_back({listening_.get(), POLLIN, 0});
  for (const Caller& caller : callers_) {
    polled.push_back({caller.line.fd(), caller.hello.has_value() ? short{0} : short{POLLIN}, 0});
  }
  std::vector<int> lines;
  for (const ShmTransport* transport : transports_) transport->AppendLines(&lines);
  for (const int fd : lines) polled.push_back({fd, POLLIN, 0});
  hub_.mutex().Unlock();
  ::poll(polled.data(), polled.size(), exhausted_ ? kExhaustedMilliseconds : -1);
  uint64_t rung = 0;
  if (polled[0].revents != 0) static_cast<void>(!::read(alarm_.get(), &rung, sizeof(rung)));
  hub_.mutex().Lock();
}

// Anybody on this machine may call; only processes of our own user are greeted.
void ShmEndpoint::AcceptCallers() {
  exhausted_ = false;
  while (true) {
    absl::StatusOr<absl::optional<Descriptor>> socket = AcceptCaller(listening_.get());
    if (!socket.ok()) {
      exhausted_ = true;
      base::LogWarning("shared memory: ", socket.status().message());
      return;
    }
    if (!socket->has_value()) return;
    if (!IsOfSameUser((*socket)->get())) continue;
    Caller caller;
    caller.line = ShmLink::Answer(**std::move(socket));
    callers_.push_back(std::move(caller));
    if (callers_.size() > kCallersMax) {
      callers_.back().line.Close();
      SweepCallers();
    }
  }
}

void ShmEndpoint::ServeCallers() {
  for (Caller& caller : callers_) {
    if (!caller.hello.has_value()) {
      Listen(caller);
    } else if (caller.line.HasHungUp()) {
      caller.line.Close();
    }
  }
  SweepCallers();
}

void ShmEndpoint::SweepCallers() {
  const auto gone = [](const Caller& caller) { return !caller.line.open(); };
  callers_.erase(std::remove_if(callers_.begin(), callers_.end(), gone), callers_.end());
}

// Reads its hello, if it has come.
void ShmEndpoint::Listen(Caller& caller) {
  absl::StatusOr<absl::optional<ControlFrame>> heard = caller.line.Receive();
  if (!heard.ok()) {
    caller.line.Close();
    return;
  }
  if (!heard->has_value()) return;
  ControlFrame frame = **std::move(heard);
  const FrameRoute& theirs = frame.header.route;
  caller.line.SetRoute({theirs.job, theirs.generation, theirs.to, theirs.from});
  const absl::Status taken = TakeHello(caller, frame);
  if (taken.ok()) {
    Receive(caller);
  } else {
    Refuse(caller, taken);
  }
}

absl::Status ShmEndpoint::TakeHello(Caller& caller, ControlFrame& frame) {
  const FrameKind kind = frame.header.kind;
  caller.shares = kind == FrameKind::kShare;
  if ((kind != FrameKind::kHello && !caller.shares) || frame.descriptors.size() != 1) {
    return absl::DataLossError("a line begins with one hello or one share");
  }
  RM_ASSIGN_OR_RETURN(caller.hello, ParseHello(frame.text));
  caller.bell = std::move(frame.descriptors[0]);
  return absl::OkStatus();
}

void ShmEndpoint::Receive(Caller& caller) {
  const FrameRoute& route = *caller.line.route();
  if (fence_.IsPresent(route) && MayTakePeers()) {
    const absl::Status adopted =
        transport_->Adopt(*caller.hello, caller.shares, caller.line, caller.bell);
    if (!adopted.ok()) Refuse(caller, adopted);
    return;
  }
  if (fence_.IsPast(route)) {
    Refuse(caller, fence_.IsOver(route, caller.hello->job, address_));
  }
}

void ShmEndpoint::Refuse(Caller& caller, const absl::Status& why) {
  caller.line.Send(FrameKind::kAbort, EncodeAbort(why));
  caller.line.Close();
}

absl::StatusOr<std::unique_ptr<Transport>> ShmEndpoint::Connect(
    const TransportMembership& membership) {
  RM_RETURN_IF_ERROR(ValidateMembership(membership));
  RM_ASSIGN_OR_RETURN(SharedDoorbell bell, SharedDoorbell::Create());
  base::MutexLock lock(hub_.mutex());
  RM_RETURN_IF_ERROR(fence_.MayEnter(membership));
  if (transport_ != nullptr) {
    transport_->Fail(fence_.LeftFor(membership.generation));
  }
  fence_.Enter(membership);
  auto transport =
      std::make_unique<ShmTransport>(
          hub_, membership, std::move(bell), [this](const ShmTransport* gone) {
            if (transport_ == gone) transport_ = nullptr;
            transports_.erase(std::remove(transports_.begin(), transports_.end(), gone),
                              transports_.end());
          });
  transports_.push_back(transport.get());
  transport_ = transport.get();
  ServeCallers();  // those that have given up go first
  for (size_t i = callers_.size(); i-- > 0;) {  // the latest first: it replaces one that gave up
    if (callers_[i].hello.has_value()) Receive(callers_[i]);
  }
  SweepCallers();
  RingAlarm();
  return std::unique_ptr<Transport>(std::move(transport));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TransportEndpoint>> OpenShmEndpoint(
    const TransportOptions& /*options*/) {
  const std::string address = NewShmAddress();
  RM_ASSIGN_OR_RETURN(const std::string name, ShmSocketName(address));
  RM_ASSIGN_OR_RETURN(Descriptor listening, ListenAt(name));
  Descriptor alarm(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!alarm.open()) return base::ErrnoStatus(errno, "eventfd");
  RM_ASSIGN_OR_RETURN(SharedDoorbell bell, SharedDoorbell::Create());
  return std::make_unique<ShmEndpoint>(address, std::move(listening), std::move(alarm),
                                       std::move(bell));
}

}  // namespace rm::comm
