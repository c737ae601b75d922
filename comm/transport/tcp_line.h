// The connection on which two ranks talk about an edge of the tcp transport: frames that are not data.
//
// It stands as long as the edge, beside the connection that carries the data: an abort never queues
// behind data, and the end of the line is the death of the peer (docs/wire_format.md).
#ifndef RM_COMM_TRANSPORT_TCP_LINE_H_
#define RM_COMM_TRANSPORT_TCP_LINE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "comm/transport/descriptor.h"
#include "comm/transport/frame.h"

namespace rm::comm {

// A frame that is not data, checked.
struct TcpControl {
  FrameHeader header;
  std::string text;
};

// One end. Movable, thread-compatible. Nothing here waits.
class TcpLine {
 public:
  // No line: closed.
  TcpLine() = default;
  explicit TcpLine(Descriptor socket) : socket_(std::move(socket)) {}

  [[nodiscard]] bool open() const { return socket_.open(); }
  [[nodiscard]] int fd() const { return socket_.get(); }
  // The socket as it is, behind the bytes that Receive has taken: for who turns out to bring data.
  [[nodiscard]] Descriptor Release() { return std::move(socket_); }

  // Who this side is; frames must come from `to` to `from` of the same membership.
  void SetRoute(const FrameRoute& route) { route_ = route; }
  [[nodiscard]] const absl::optional<FrameRoute>& route() const { return route_; }

  // Says something, as soon as the socket takes it. REQUIRES: the route is set.
  void Send(FrameKind kind, absl::string_view text);
  // Writes what is still to be said. All is written: true.
  bool Flush();
  // Says no more: the peer hears the end after what was sent.
  void Finish();

  // What the peer has said next, or nothing yet (nullopt). OutOfRange at the end of the line,
  // Unavailable when it broke, DataLoss for what is no frame or out of place. Takes no byte beyond
  // the frame.
  [[nodiscard]] absl::StatusOr<absl::optional<TcpControl>> Receive();

  void Close() { socket_.Close(); }

 private:
  [[nodiscard]] absl::Status Check(const FrameHeader& header, absl::string_view payload) const;
  [[nodiscard]] absl::StatusOr<bool> Fill(size_t bytes);

  Descriptor socket_;
  absl::optional<FrameRoute> route_;
  std::string unsent_;
  bool finishing_ = false;
  std::string arrived_;  // of the frame that is coming
  absl::optional<FrameHeader> header_;
  uint64_t next_sent_ = 0;
  uint64_t next_received_ = 0;
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_TCP_LINE_H_
