// One membership's edges over gRPC streams. Made by GrpcEndpoint (grpc_endpoint.h) only.
//
// An edge is one stream on a connection of its own: the sending rank dials, the receiving one
// listens. Frames flow with the stream; welcome, abort and bye also flow against it.
#ifndef RM_COMM_TRANSPORT_GRPC_TRANSPORT_H_
#define RM_COMM_TRANSPORT_GRPC_TRANSPORT_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "comm/transport/grpc_reactor.h"
#include "comm/transport/grpc_stream.h"
#include "comm/transport/transport.h"

namespace rm::comm {

// Methods marked "locked" are called with the reactor's mutex held.
class GrpcTransport final : public Transport, public GrpcStream::Listener {
 public:
  // Dials the peers of send_to. `on_destroyed` is called, locked, when the transport goes.
  // REQUIRES: the membership is valid; the reactor's mutex is held.
  GrpcTransport(GrpcReactor& reactor, const TransportMembership& membership,
                std::function<void(const GrpcTransport*)> on_destroyed);
  ~GrpcTransport() override;

  [[nodiscard]] int rank() const override { return membership_.rank; }
  [[nodiscard]] int world_size() const override {
    return static_cast<int>(membership_.addresses.size());
  }
  [[nodiscard]] std::string carriers() const override { return "grpc"; }
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

  // Locked. Takes the stream of a peer that said hello in this membership, or says why not and
  // leaves it.
  [[nodiscard]] absl::Status Adopt(const Hello& hello, std::unique_ptr<GrpcServerStream>& stream);

  // Locked. As Abort.
  void Fail(const absl::Status& cause);

 private:
  struct Edge {
    int peer = 0;
    bool outgoing = false;
    std::shared_ptr<grpc::Channel> channel;  // outgoing; shared with gRPC's own objects
    std::unique_ptr<GrpcStream> stream;      // incoming: null until the peer comes
    bool welcomed = false;
    bool left = false;  // the peer said bye
  };

  void OnControl(GrpcStream& stream, const Frame& frame) override;
  void OnEnd(GrpcStream& stream, const absl::Status& status) override;

  void Dial(int peer);
  void OnBye(Edge& edge);
  void SayGoodbye();
  void FinishStreams();
  [[nodiscard]] Edge& EdgeOf(const GrpcStream& stream);
  [[nodiscard]] Edge& EdgeWith(int peer, bool outgoing);
  [[nodiscard]] absl::Status Lost(const Edge& edge, const absl::Status& status) const;
  [[nodiscard]] absl::Status HasLeft(const Edge& edge) const;
  [[nodiscard]] bool AllStreams(absl::FunctionRef<bool(const GrpcStream&)> is) const;

  GrpcReactor& reactor_;
  const TransportMembership membership_;
  const uint64_t job_;
  const std::function<void(const GrpcTransport*)> on_destroyed_;
  std::vector<Edge> edges_;
  Activity activity_;
  absl::Status failure_;
  bool leaving_ = false;
  std::atomic<bool> woken_{false};
  std::atomic<int> slices_in_use_{0};  // over callers' memory, held by gRPC
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_GRPC_TRANSPORT_H_
