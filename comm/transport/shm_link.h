// The line on which two ranks of one machine talk about an edge: frames that are not data, over a
// packet socket (shm_socket.h). It stands as long as the edge; its end is the death of the peer.
//
// The listening side greets; then the dialling side says hello, with its bell beside it, and is
// answered with a welcome, with ring and bell beside it, or with an abort that says why not.
// docs/wire_format.md has the rules.
#ifndef RM_COMM_TRANSPORT_SHM_LINK_H_
#define RM_COMM_TRANSPORT_SHM_LINK_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "comm/transport/descriptor.h"
#include "comm/transport/frame.h"

namespace rm::comm {

// A frame that is not data, checked, and what came with it.
struct ControlFrame {
  FrameHeader header;
  std::string text;
  std::vector<Descriptor> descriptors;
};

// One end. Movable, thread-compatible. Nothing here waits.
class ShmLink {
 public:
  // No line: closed.
  ShmLink() = default;

  // The listening side's end of a socket that was accepted: greets.
  [[nodiscard]] static ShmLink Answer(Descriptor socket);
  // The dialling side's end. `route`: its own.
  [[nodiscard]] static ShmLink Dial(Descriptor socket, const FrameRoute& route);

  [[nodiscard]] bool open() const { return socket_.open(); }
  [[nodiscard]] int fd() const { return socket_.get(); }

  // Who this side is; frames must come from `to` to `from` of the same membership.
  void SetRoute(const FrameRoute& route) { route_ = route; }
  [[nodiscard]] const absl::optional<FrameRoute>& route() const { return route_; }

  // Says something, unless the line is dead: that, Receive will say. REQUIRES: the route is set.
  void Send(FrameKind kind, absl::string_view text, absl::Span<const int> descriptors = {});

  // What the peer has said next, or nothing yet (nullopt). OutOfRange at the end of the line,
  // DataLoss for what is no frame or out of place.
  [[nodiscard]] absl::StatusOr<absl::optional<ControlFrame>> Receive();

  // The peer has closed its end, whether all it said has been received or not.
  [[nodiscard]] bool HasHungUp() const;

  // The peer hears the end at once, after what was sent.
  void Close();

 private:
  [[nodiscard]] absl::Status Check(const FrameHeader& header, absl::string_view payload) const;

  Descriptor socket_;
  absl::optional<FrameRoute> route_;
  bool greeted_ = true;  // nothing more is due before the first frame
  uint64_t next_sent_ = 0;
  uint64_t next_received_ = 0;
};

// Asks the listener at `name` of this machine whether it and this process may share memory: whether
// each sees the other as its own user. Blocks for `patience` at most (a process that is stopped does
// not answer). The answer is the same whichever of the two asks.
[[nodiscard]] bool MayShareMemory(absl::string_view name, absl::Duration patience);

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_SHM_LINK_H_
