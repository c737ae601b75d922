// Moves frames between the ranks of one generation.
//
// An endpoint listens for as long as its process lives; a transport is one membership of a gang:
// the edges of this rank in one generation. An edge goes one way, from the rank that sends to the
// rank that receives. Only the edges that the collectives need are connected (TransportMembership).
//
// Order: frames of an edge arrive in the order of Send, none lost, none twice; a gap is damage.
//
// Back-pressure: Send never blocks and never copies. A frame that waits for its edge is a
// descriptor over the caller's memory. A receiver that does not call Receive takes in a bounded
// number of bytes (kReadAheadBytes and a frame); what is beyond stays with the sender.
//
// Damage: header and payload of each frame carry a CRC-32C. The header is checked before Receive
// returns the frame, the payload by Frame::Consume.
//
// Failure: the first cause fails the transport and is told to all peers on all edges at once; who
// is told tells on. From then on every call returns that cause. What fails it: an edge that breaks,
// a damaged or foreign frame, Abort here or at a peer.
//
// Frames move on the thread that is inside one of the transport's calls, without a hand-over. A rank
// that has nothing to send or receive calls Serve, so that frames go out, and aborts are heard and
// passed on; it goes on to do so after a failure.
//
// The end: destroying a transport says goodbye. A peer that still needs this rank gets Aborted, a
// peer that does not is not disturbed. Destruction waits until the frames that were sent have been
// taken by their receivers, for kLinger at most.
#ifndef RM_COMM_TRANSPORT_TRANSPORT_H_
#define RM_COMM_TRANSPORT_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "comm/transport/frame.h"
#include "comm/transport/shared_windows.h"

namespace rm::comm {

// Bytes a receiver takes in ahead of Receive, on each edge: one segment being used, one arriving.
constexpr size_t kReadAheadBytes = size_t{4} << 20;

// How long a leaving rank waits at most for its last frames to be taken, and a failed one for its
// abort: a peer that is alive takes them at once, one that stands still must not hold up a
// recovery.
constexpr absl::Duration kLinger = absl::Seconds(5);
constexpr absl::Duration kLingerAfterFailure = absl::Milliseconds(500);

// Which ranks there are, and between which of them edges are needed from and to this one.
struct TransportMembership {
  std::string job;         // 1 … 4096 bytes
  int64_t generation = 0;  // ≥ 0
  int rank = 0;
  std::vector<std::string> addresses;  // of every rank, own included; size = world size
  std::vector<int> send_to;            // edges to these ranks; those list this one in receive_from
  std::vector<int> receive_from;
  // Whose memory this rank would read directly; those list this one. A transport does what it can:
  // SharedWindows::ranks says with whom it will. Not a reason to fail.
  std::vector<int> share_with;
  // If set: called once when the transport fails, on whatever thread, with locks of the transport
  // held. It may wake somebody (Wake is allowed), no more.
  std::function<void()> on_failure;
};

// What is being done with the transport, for messages: "allreduce 17".
struct Activity {
  const char* what = "joining";  // a literal
  uint64_t ordinal = 0;
};

// Payload bytes of data frames.
struct TransportStats {
  int64_t bytes_sent = 0;
  int64_t bytes_received = 0;
};

// One thread at a time calls Send, Receive and Flush, and one Serve, which may run beside them; the
// others are thread-safe.
class Transport {
 public:
  virtual ~Transport() = default;

  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int world_size() const = 0;

  // What its edges go by: "grpc", "shm", "tcp", or two as "grpc+shm".
  [[nodiscard]] virtual std::string carriers() const = 0;

  // Named in the causes of failures from now on.
  virtual void SetActivity(const Activity& activity) = 0;

  // Queues a frame to `peer`. The payload must stay as it is until Flush has returned OK or the
  // transport is destroyed. `payload_crc`: its CRC-32C, where the caller has it.
  // REQUIRES: there is an edge to peer; payload ≤ kFramePayloadBytesMax.
  virtual void Send(int peer, const FrameTag& tag, absl::Span<const char> payload,
                    absl::optional<uint32_t> payload_crc) = 0;

  // The next frame from `peer`. DeadlineExceeded when none came in time (which fails nothing).
  // REQUIRES: there is an edge from peer.
  [[nodiscard]] virtual absl::StatusOr<Frame> Receive(int peer, absl::Time deadline) = 0;

  // Returns when the memory of all frames sent may be used again: they have left for a peer that
  // has accepted the edge. DeadlineExceeded as above, naming a peer that holds it up.
  [[nodiscard]] virtual absl::Status Flush(absl::Time deadline) = 0;

  // Serves the edges (aborts are passed on) until Wake is or was called since the last Serve.
  virtual void Serve() = 0;

  // Ends a Serve. Thread-safe.
  virtual void Wake() = 0;

  // Fails the transport, here and at all peers, with `cause`. Thread-safe; the first cause wins.
  // REQUIRES: !cause.ok().
  virtual void Abort(const absl::Status& cause) = 0;

  // OK, or the first cause. Thread-safe.
  [[nodiscard]] virtual absl::Status status() const = 0;

  [[nodiscard]] virtual TransportStats stats() const = 0;

  // What it shares with ranks of its machine; null when it shares nothing. Its own.
  [[nodiscard]] virtual SharedWindows* windows() { return nullptr; }
};

// A listening address of this process. Thread-compatible; outlives its transports.
class TransportEndpoint {
 public:
  virtual ~TransportEndpoint() = default;

  // What peers dial.
  [[nodiscard]] virtual const std::string& address() const = 0;

  // The transport of this membership. Returns at once: edges come up as the peers come, frames wait
  // for them. A transport of an earlier generation that still exists fails with Aborted.
  // InvalidArgument for a membership that makes no sense, FailedPrecondition when this endpoint has
  // been in a later generation already.
  [[nodiscard]] virtual absl::StatusOr<std::unique_ptr<Transport>> Connect(
      const TransportMembership& membership) = 0;
};

struct TransportOptions {
  std::string listen_host;     // the port is chosen by the system
  std::string advertise_host;  // what peers dial; empty: listen_host
};

// InvalidArgument for ranks out of range, an edge to oneself, and the like.
[[nodiscard]] absl::Status ValidateMembership(const TransportMembership& membership);

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_TRANSPORT_H_
