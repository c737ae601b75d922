// One membership's edges over plain TCP, for trusted networks. Made by TcpEndpoint (tcp_endpoint.h)
// only.
//
// An edge is two connections that the sending rank dials: a line (tcp_line.h), on which the ranks meet
// and which says everything but data, and one for the data frames. Data leaves the caller's memory in
// the call that queues it, as far as the socket takes it, and large payloads are handed to the
// receiver while they come: it adds what has arrived while the rest is on its way.
#ifndef RM_COMM_TRANSPORT_TCP_TRANSPORT_H_
#define RM_COMM_TRANSPORT_TCP_TRANSPORT_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "comm/transport/tcp_data.h"
#include "comm/transport/tcp_line.h"
#include "comm/transport/tcp_reactor.h"
#include "comm/transport/transport.h"

namespace rm::comm {

// What the listening side's welcome gives the dialling side, for it to show on the data connection.
constexpr size_t kTcpTokenBytes = 16;

// Methods marked "locked" are called with the reactor's mutex held.
class TcpTransport final : public Transport, public TcpHandler {
 public:
  // Dials the peers of send_to. `on_destroyed` is called, locked, when the transport goes.
  // REQUIRES: the membership is valid; the reactor's mutex is held.
  TcpTransport(TcpReactor& reactor, const TransportMembership& membership,
               std::function<void(const TcpTransport*)> on_destroyed);
  ~TcpTransport() override;

  [[nodiscard]] int rank() const override { return membership_.rank; }
  [[nodiscard]] int world_size() const override {
    return static_cast<int>(membership_.addresses.size());
  }
  [[nodiscard]] std::string carriers() const override { return "tcp"; }
  void SetActivity(const Activity& activity) override;
  void Send(int peer, const FrameTag& tag, absl::Span<const char> payload,
            absl::optional<uint32_t> payload_crc) override;
  [[nodiscard]] absl::StatusOr<Frame> Receive(int peer, absl::Time deadline) override;
  [[nodiscard]] absl::Status Flush(absl::Time deadline) override;
  void Serve() override;
  void Wake() override;
  void Abort(const absl::Status& cause) override;
  [[nodiscard]] absl::Status status() const override;
  [[nodiscard]] TransportStats stats() const override;

  // Locked. Takes the line of a peer that said hello in this membership, or says why not and leaves
  // it.
  [[nodiscard]] absl::Status Adopt(const Hello& hello, TcpLine& line);
  // Locked. Takes a data connection that begins with the token of one of its edges; else leaves it.
  void AdoptData(absl::string_view token, Descriptor& socket);

  // Locked. As Abort.
  void Fail(const absl::Status& cause);

  // Locked. It takes no more peers: its destructor has begun.
  [[nodiscard]] bool leaving() const { return leaving_; }

  void OnReady(int socket) override;

 private:
  class ArrivingPayload;

  struct Edge {
    int peer = 0;
    bool outgoing = false;
    TcpLine line;
    bool stands = false;  // outgoing: welcomed; incoming: the peer has come
    bool left = false;    // the peer said bye
    std::string broken;   // what happened to its data connection; the line has not ended yet

    TcpSender sender;  // outgoing

    // Incoming.
    std::string token;
    TcpReceiver receiver;
    uint64_t next_received = 0;
    uint64_t due = 0;                     // frames the peer had sent when it left
    ArrivingPayload* arriving = nullptr;  // handed out, not all of it used
    size_t skipped = 0;                   // bytes of a payload that nobody wants any more
  };

  void Dial(int peer);
  void OnLine(Edge& edge);
  void OnControl(Edge& edge, const TcpControl& frame);
  [[nodiscard]] absl::Status OnWelcome(Edge& edge, const TcpControl& frame);
  [[nodiscard]] absl::Status OnBye(Edge& edge, const TcpControl& frame);
  void OnEnd(Edge& edge, const absl::Status& why);
  [[nodiscard]] absl::Status Watch(int socket) { return reactor_.Watch(socket, this); }
  void CloseLine(Edge& edge);

  void Pump();
  [[nodiscard]] absl::StatusOr<absl::optional<Frame>> TakeFrame(Edge& edge);
  [[nodiscard]] absl::StatusOr<absl::optional<FrameHeader>> TakeHeader(Edge& edge);
  // Bytes of the payload that arrives, at most `most`, as soon as there are some; none after a
  // failure. They stay where they are until the next call.
  [[nodiscard]] absl::Span<const char> Pull(Edge& edge, size_t most);
  // Bytes that lie in the receiver, `enough` if they have come. Less when the connection ended.
  [[nodiscard]] size_t FillFrom(Edge& edge, size_t enough);
  void OnDataBroken(Edge& edge, const absl::Status& why);

  [[nodiscard]] bool AllWritten() const;
  [[nodiscard]] bool AllSaid();
  [[nodiscard]] Edge& EdgeWith(int peer, bool outgoing);
  [[nodiscard]] absl::Status Lost(const Edge& edge, absl::string_view how) const;
  [[nodiscard]] absl::Status HasLeft(const Edge& edge) const;

  TcpReactor& reactor_;
  const TransportMembership membership_;
  const uint64_t job_;
  const std::function<void(const TcpTransport*)> on_destroyed_;
  std::vector<Edge> edges_;
  Activity activity_;
  absl::Status failure_;
  bool leaving_ = false;
  std::atomic<bool> woken_{false};
  int64_t bytes_received_ = 0;
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_TCP_TRANSPORT_H_
