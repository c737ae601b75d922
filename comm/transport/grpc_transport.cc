#include "comm/transport/grpc_transport.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/random.h"
#include "comm/transport/grpc_settings.h"
#include "comm/transport/peer_errors.h"

namespace rm::comm {
namespace {

// Did the peer itself end the stream with this status, rather than the connection break?
bool SaidByPeer(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kResourceExhausted:
      return true;
    default:
      return false;
  }
}

// Control frames carry text, not a bucket's memory.
OutgoingFrame ControlFrame(FrameKind kind, std::string text) {
  OutgoingFrame frame;
  frame.kind = kind;
  frame.text = std::move(text);
  return frame;
}

}  // namespace

// Incoming edges wait for their peer to dial; outgoing ones dial at once and say hello first. The
// vector never grows after this, so references to edges stay valid.
GrpcTransport::GrpcTransport(GrpcReactor& reactor, const TransportMembership& membership,
                             std::function<void(const GrpcTransport*)> on_destroyed)
    : reactor_(reactor),
      membership_(membership),
      job_(base::StableHash(membership.job)),
      on_destroyed_(std::move(on_destroyed)) {
  edges_.reserve(membership.send_to.size() + membership.receive_from.size());
  for (const int peer : membership.receive_from) {
    edges_.emplace_back();
    edges_.back().peer = peer;
  }
  for (const int peer : membership.send_to) Dial(peer);
}

// A channel of its own for each edge: two edges never share a connection, so one that stalls holds
// up no other.
void GrpcTransport::Dial(int peer) {
  edges_.emplace_back();
  Edge& edge = edges_.back();
  edge.peer = peer;
  edge.outgoing = true;
  edge.channel = MakeGrpcChannel(membership_.addresses[static_cast<size_t>(peer)]);
  edge.stream = std::make_unique<GrpcClientStream>(reactor_, edge.channel);
  edge.stream->set_listener(this);
  edge.stream->CountSlices(&slices_in_use_);
  edge.stream->SetRoute({job_, membership_.generation, membership_.rank, peer});
  edge.stream->Queue(
      ControlFrame(FrameKind::kHello, EncodeHello({membership_.job, world_size()})));
}

// An orderly end: goodbye on every edge that stands, then wait until what was queued is on its way
// and gRPC is done with our memory. After a failure peers have been told already.
GrpcTransport::~GrpcTransport() {
  base::MutexLock lock(reactor_.mutex());
  on_destroyed_(this);
  const bool failed = !failure_.ok();
  leaving_ = true;
  if (!failed) SayGoodbye();
  FinishStreams();
}

// An edge that was never welcomed has nobody to say goodbye to.
void GrpcTransport::SayGoodbye() {
  for (Edge& edge : edges_) {
    if (edge.stream == nullptr || edge.stream->ended()) continue;
    if (edge.outgoing && !edge.welcomed) continue;
    edge.stream->Queue(ControlFrame(FrameKind::kBye, ""));
    edge.stream->Close(absl::OkStatus());
  }
}

// First the polite way with a bound, then by cancelling; memory that gRPC may still read is waited
// for without one.
void GrpcTransport::FinishStreams() {
  for (Edge& edge : edges_) {
    const bool strange = edge.outgoing && !edge.welcomed;
    if (strange) edge.stream->Cancel();
  }
  const absl::Duration linger = failure_.ok() ? kLinger : kLingerAfterFailure;
  const auto ended = [](const GrpcStream& stream) { return stream.ended(); };
  const auto drained = [](const GrpcStream& stream) { return stream.drained(); };
  if (!reactor_.ServeUntil([&] { return AllStreams(ended); }, absl::Now() + linger)) {
    for (Edge& edge : edges_) {
      if (edge.stream != nullptr && !edge.stream->ended()) edge.stream->Cancel();
    }
  }
  reactor_.ServeUntil([&] { return AllStreams(drained); }, absl::InfiniteFuture());
  edges_.clear();
  // A call that was cut off lets go of its last slices as it is destroyed, without a completion.
  while (slices_in_use_.load(std::memory_order_acquire) > 0) {
    reactor_.ServeUntil([] { return false; }, absl::Now() + absl::Milliseconds(1));
  }
}

// Incoming edges whose peer never came have no stream and do not count.
bool GrpcTransport::AllStreams(absl::FunctionRef<bool(const GrpcStream&)> is) const {
  for (const Edge& edge : edges_) {
    if (edge.stream != nullptr && !is(*edge.stream)) return false;
  }
  return true;
}

// Only for messages: what this rank was doing when an edge broke.
void GrpcTransport::SetActivity(const Activity& activity) {
  base::MutexLock lock(reactor_.mutex());
  activity_ = activity;
}

// Queues and returns. Nothing is copied: the payload must stay as it is until Flush, or until the
// peer is known to have it.
void GrpcTransport::Send(int peer, const FrameTag& tag, absl::Span<const char> payload,
                         absl::optional<uint32_t> payload_crc) {
  RM_CHECK(payload.size() <= kFramePayloadBytesMax, payload.size(), " bytes in one frame");
  base::MutexLock lock(reactor_.mutex());
  if (!failure_.ok()) return;
  Edge& edge = EdgeWith(peer, /*outgoing=*/true);
  if (edge.left) {
    Fail(HasLeft(edge));
    return;
  }
  OutgoingFrame frame;
  frame.tag = tag;
  frame.payload = payload;
  frame.payload_crc = payload_crc;
  edge.stream->Queue(std::move(frame));
}

// Serves the completion queue on the caller's thread while it waits: no hand-over between threads,
// no wake-up to pay for.
absl::StatusOr<Frame> GrpcTransport::Receive(int peer, absl::Time deadline) {
  base::MutexLock lock(reactor_.mutex());
  Edge& edge = EdgeWith(peer, /*outgoing=*/false);
  const auto has_frame = [&] { return edge.stream != nullptr && edge.stream->has_frame(); };
  reactor_.ServeUntil([&] { return has_frame() || edge.left || !failure_.ok(); }, deadline);
  if (!failure_.ok()) return failure_;
  if (has_frame()) return edge.stream->TakeFrame();
  if (edge.left) {
    Fail(HasLeft(edge));
    return failure_;
  }
  return NothingCame(rank(), peer);
}

// Written means that the kernel has the bytes; then the memory may change.
absl::Status GrpcTransport::Flush(absl::Time deadline) {
  base::MutexLock lock(reactor_.mutex());
  const auto written = [](const GrpcStream& stream) { return stream.written(); };
  const bool done = reactor_.ServeUntil(
      [&] { return AllStreams(written) || !failure_.ok(); }, deadline);
  if (!failure_.ok()) return failure_;
  if (done) return absl::OkStatus();
  for (const Edge& edge : edges_) {
    if (!edge.outgoing || edge.stream->written()) continue;
    return FramesNotTaken(rank(), edge.peer, /*came=*/edge.welcomed);
  }
  return FramesNotTaken();
}

// For a thread that has nothing to receive but must let frames flow.
void GrpcTransport::Serve() {
  base::MutexLock lock(reactor_.mutex());
  reactor_.ServeUntil([&] { return woken_.exchange(false); }, absl::InfiniteFuture());
}

void GrpcTransport::Wake() {
  woken_ = true;
  reactor_.Wake();
}

// Any thread; the one that serves wakes up with the failure.
void GrpcTransport::Abort(const absl::Status& cause) {
  base::MutexLock lock(reactor_.mutex());
  Fail(cause);
  reactor_.Wake();
}

absl::Status GrpcTransport::status() const {
  base::MutexLock lock(reactor_.mutex());
  return failure_;
}

TransportStats GrpcTransport::stats() const {
  base::MutexLock lock(reactor_.mutex());
  TransportStats stats;
  for (const Edge& edge : edges_) {
    if (edge.stream == nullptr) continue;
    stats.bytes_sent += edge.stream->bytes_sent();
    stats.bytes_received += edge.stream->bytes_received();
  }
  return stats;
}

// The peer's hello has matched job and generation; here its rank and its count of ranks must match
// too.
absl::Status GrpcTransport::Adopt(const Hello& hello, std::unique_ptr<GrpcServerStream>& stream) {
  const int peer = stream->route()->to;
  if (!failure_.ok()) return failure_;
  if (hello.world_size != world_size()) {
    return OtherWorldSize(rank(), world_size(), peer, hello.world_size);
  }
  for (Edge& edge : edges_) {
    if (edge.outgoing || edge.peer != peer || edge.stream != nullptr) continue;
    edge.stream = std::move(stream);
    edge.stream->set_listener(this);
    edge.welcomed = true;
    edge.stream->Queue(ControlFrame(FrameKind::kWelcome, ""));
    return absl::OkStatus();
  }
  return EdgeNotExpected(rank(), peer);
}

// The first cause wins and travels on every edge, so that every rank leaves within as many hops as
// there are ranks, without waiting for any time-out.
void GrpcTransport::Fail(const absl::Status& cause) {
  if (!failure_.ok() || leaving_) return;
  failure_ = cause;
  if (membership_.on_failure) membership_.on_failure();
  const std::string payload = EncodeAbort(cause);
  for (Edge& edge : edges_) {
    if (edge.stream == nullptr || edge.stream->ended()) continue;
    edge.stream->Discard();
    if (edge.outgoing && !edge.welcomed) continue;
    edge.stream->Queue(ControlFrame(FrameKind::kAbort, payload));
    edge.stream->Close(cause);
  }
}

// Frames that are not data, in the order in which they came.
void GrpcTransport::OnControl(GrpcStream& stream, const Frame& frame) {
  Edge& edge = EdgeOf(stream);
  absl::StatusOr<std::string> text = frame.Text();
  if (!text.ok()) {
    Fail(text.status());
    return;
  }
  switch (frame.header.kind) {
    case FrameKind::kWelcome:
      edge.welcomed = true;
      if (failure_.ok()) {
        edge.stream->ReleaseData();
      } else {
        edge.stream->Queue(ControlFrame(FrameKind::kAbort, EncodeAbort(failure_)));
        edge.stream->Close(failure_);
      }
      return;
    case FrameKind::kAbort:
      Fail(ParseAbort(*text));
      return;
    case FrameKind::kBye:
      OnBye(edge);
      return;
    default:
      Fail(OutOfTurn(rank(), edge.peer, frame.header.kind));
  }
}

void GrpcTransport::OnBye(Edge& edge) {
  edge.left = true;
  // A frame that is being written may have been what the peer was waiting for: it had all it needs.
  if (edge.outgoing && edge.stream->has_queued()) {
    Fail(HasLeft(edge));
    return;
  }
  edge.stream->Close(absl::OkStatus());
}

// A stream that ends while it is still needed is a lost peer; what the peer itself said comes
// before what gRPC says.
void GrpcTransport::OnEnd(GrpcStream& stream, const absl::Status& status) {
  Edge& edge = EdgeOf(stream);
  if (leaving_ || edge.left || !failure_.ok()) return;
  Fail(SaidByPeer(status) ? status : Lost(edge, status));
}

// A handful of edges: looking through them is cheaper than keeping a map.
GrpcTransport::Edge& GrpcTransport::EdgeOf(const GrpcStream& stream) {
  for (Edge& edge : edges_) {
    if (edge.stream.get() == &stream) return edge;
  }
  RM_CHECK(false, "a stream of no edge");
  return edges_.front();
}

GrpcTransport::Edge& GrpcTransport::EdgeWith(int peer, bool outgoing) {
  for (Edge& edge : edges_) {
    if (edge.peer == peer && edge.outgoing == outgoing) return edge;
  }
  RM_CHECK(false, "rank ", rank(), " has no edge ", outgoing ? "to" : "from", " rank ", peer);
  return edges_.front();
}

absl::Status GrpcTransport::Lost(const Edge& edge, const absl::Status& status) const {
  return PeerLost({rank(), membership_.generation, activity_}, edge.peer,
                  absl::StrCat("the stream ", edge.outgoing ? "to" : "from", " it broke",
                               status.message().empty() ? "" : ": ", status.message()));
}

absl::Status GrpcTransport::HasLeft(const Edge& edge) const {
  return PeerHasLeft({rank(), membership_.generation, activity_}, edge.peer);
}

}  // namespace rm::comm
