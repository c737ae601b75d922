// One membership's edges through shared memory. Made by ShmEndpoint (shm_endpoint.h) only.
//
// An edge is a ring (shm_ring.h) in memory that the receiving rank makes, and a line (shm_link.h)
// on which the two ranks met and which says everything but data, so that an abort never queues
// behind data. The thread of the endpoint listens to the lines: an abort, or the death of a peer, is
// heard whatever the rank is doing.
//
// A frame lies in the ring as on any wire: header, payload, CRCs. Frames of up to kShmLentBytesMax
// are handed to the receiver where they lie, so that it adds straight out of the ring; larger ones
// stream through it in pieces. CRCs are kept although memory does not lose bits on the way: they
// catch what shared memory adds, a count that went wrong or a process that writes where it must not,
// and they are computed on blocks that lie in the first cache anyway, on their way in and out.
//
// Ranks that share windows (shared_windows.h) have a line more, which the lower rank dials: it carries
// the descriptors, and it is heard when the peer dies or leaves, as on an edge.
#ifndef RM_COMM_TRANSPORT_SHM_TRANSPORT_H_
#define RM_COMM_TRANSPORT_SHM_TRANSPORT_H_

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "comm/transport/shm_hub.h"
#include "comm/transport/shm_link.h"
#include "comm/transport/shm_ring.h"
#include "comm/transport/shm_windows.h"
#include "comm/transport/transport.h"

namespace rm::comm {

// The largest payload that is lent: a receiver may hold one while the next one comes.
constexpr size_t kShmLentBytesMax = size_t{1} << 20;
static_assert(2 * (kFrameHeaderBytes + kShmLentBytesMax) <= kShmRingBytes, "two fit");

// The socket's name in an address of this transport, or why it cannot be reached from here:
// FailedPrecondition for an address of another machine or another transport.
[[nodiscard]] absl::StatusOr<std::string> ShmSocketName(absl::string_view address);

// An address that nobody else has: this machine's boot, and a number nobody can guess.
[[nodiscard]] std::string NewShmAddress();

// Methods marked "locked" are called with the hub's mutex held.
class ShmTransport final : public Transport {
 public:
  // Dials the peers of send_to, and those of higher rank in share_with. `bell`: of its windows.
  // `on_destroyed` is called, locked, when the transport goes.
  // REQUIRES: the membership is valid; the hub's mutex is held.
  ShmTransport(ShmHub& hub, const TransportMembership& membership, SharedDoorbell bell,
               std::function<void(const ShmTransport*)> on_destroyed);
  ~ShmTransport() override;

  [[nodiscard]] int rank() const override { return membership_.rank; }
  [[nodiscard]] int world_size() const override {
    return static_cast<int>(membership_.addresses.size());
  }
  [[nodiscard]] std::string carriers() const override { return "shm"; }
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
  [[nodiscard]] SharedWindows* windows() override {
    return membership_.share_with.empty() ? nullptr : &windows_;
  }

  // Locked. Takes the line of a peer that said hello in this membership (`shares`: on a line for
  // windows), with its bell, or says why not and leaves it.
  [[nodiscard]] absl::Status Adopt(const Hello& hello, bool shares, ShmLink& line,
                                   Descriptor& bell);

  // Locked. As Abort.
  void Fail(const absl::Status& cause);

  // Locked. It takes no more peers: its destructor has begun.
  [[nodiscard]] bool leaving() const { return leaving_; }

  // Locked. The lines to listen to; what to do when something may have come on one.
  void AppendLines(std::vector<int>* fds) const;
  void ServeLines();

 private:
  // A frame that the ring has no room for yet: it lies in the caller's memory.
  struct WaitingFrame {
    FrameTag tag;
    absl::Span<const char> payload;
    absl::optional<uint32_t> payload_crc;
  };

  struct Edge {
    int peer = 0;
    bool outgoing = false;  // this rank dials
    bool shares = false;    // no edge: a line for windows
    ShmLink line;
    bool stands = false;  // outgoing: welcomed; incoming: the peer has come
    bool left = false;    // the peer said bye
    size_t noticed = 0;   // of this rank's windows: the peer has been told of so many
    std::shared_ptr<const SharedDoorbell> bell;  // the peer's; shared with the ring's reader

    // Outgoing.
    std::unique_ptr<ShmRingWriter> writer;
    std::deque<WaitingFrame> waiting;
    bool begun = false;   // of the first one that waits: its header is in the ring
    size_t written = 0;   // and so many bytes of its payload
    uint64_t next_sent = 0;

    // Incoming.
    std::shared_ptr<ShmRingReader> reader;  // shared with the frames that lie in it
    absl::optional<FrameHeader> arriving;   // a frame too large to be lent
    std::string arrived;
    uint64_t next_received = 0;
  };

  void Dial(int peer, bool shares);
  [[nodiscard]] absl::Status TryDial(Edge& edge);

  // The caller's thread: bytes.
  void Pump();
  [[nodiscard]] absl::Status PumpEdge(Edge& edge);
  [[nodiscard]] absl::StatusOr<bool> WriteWhole(Edge& edge, const WaitingFrame& frame);
  [[nodiscard]] absl::StatusOr<bool> WritePieces(Edge& edge, const WaitingFrame& frame);
  [[nodiscard]] FrameHeader NextHeader(Edge& edge, const WaitingFrame& frame, uint32_t crc);
  [[nodiscard]] absl::StatusOr<absl::optional<Frame>> TakeFrame(Edge& edge);
  [[nodiscard]] absl::StatusOr<absl::optional<FrameHeader>> PeekHeader(const Edge& edge) const;
  [[nodiscard]] absl::StatusOr<absl::optional<Frame>> TakePieces(Edge& edge);

  // The endpoint's thread: lines.
  void OnControl(Edge& edge, ControlFrame frame);
  [[nodiscard]] absl::Status OnWelcome(Edge& edge, ControlFrame& frame);
  [[nodiscard]] absl::Status OnShareLine(Edge& edge, ControlFrame& frame);
  void OnBye(Edge& edge);
  void OnEnd(Edge& edge, const absl::Status& why);

  void NoticeWindows();
  [[nodiscard]] absl::Status WhyWindowsStopped();
  void SayGoodbye();
  [[nodiscard]] bool AllWritten() const;
  [[nodiscard]] Edge& EdgeWith(int peer, bool outgoing);
  [[nodiscard]] absl::Status Lost(const Edge& edge, const absl::Status& why) const;
  [[nodiscard]] absl::Status HasLeft(const Edge& edge) const;

  ShmHub& hub_;
  const TransportMembership membership_;
  const uint64_t job_;
  const std::function<void(const ShmTransport*)> on_destroyed_;
  std::vector<Edge> edges_;  // and lines for windows
  ShmWindows windows_;
  Activity activity_;
  absl::Status failure_;
  bool leaving_ = false;
  std::atomic<bool> woken_{false};
  TransportStats stats_;
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_SHM_TRANSPORT_H_
