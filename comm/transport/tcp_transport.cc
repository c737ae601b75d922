// Who may touch what: everything here is guarded by the reactor's mutex but the receiver's bytes while a payload
// is visited. Those belong to the thread that is inside Receive or inside a visit, of which there is one; the
// threads that only serve note that a socket is ready and leave its bytes alone.
#include "comm/transport/tcp_transport.h"

#include <sys/random.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "base/random.h"
#include "base/status.h"
#include "comm/transport/peer_errors.h"
#include "comm/transport/tcp_socket.h"

namespace rm::comm {
namespace {

// What is visited at once: CRC and sum take turns on blocks that stay in the first cache.
constexpr size_t kBlockBytes = size_t{16} << 10;

// Nobody can guess it, so nobody can put data on an edge whose line is another's.
std::string NewToken() {
  std::string token(kTcpTokenBytes, '\0');
  RM_CHECK(::getrandom(&token[0], token.size(), 0) == static_cast<ssize_t>(token.size()),
           "no random bytes");
  return token;
}

// What a data connection begins with.
std::string Preamble(const FrameRoute& route, const std::string& token) {
  FrameHeader header;
  header.kind = FrameKind::kStripe;
  header.route = route;
  header.payload_bytes = static_cast<uint32_t>(token.size());
  header.payload_crc = base::Crc32c(token);
  const auto head = EncodeFrameHeader(header);
  return absl::StrCat(absl::string_view(head.data(), head.size()), token);
}

// The payload of a bye: little-endian, as this machine has it.
std::string EncodeCount(uint64_t count) {
  std::string text(sizeof(count), '\0');
  std::memcpy(&text[0], &count, sizeof(count));
  return text;
}

// A payload that came whole.
class WholePayload final : public FramePayload {
 public:
  explicit WholePayload(absl::Span<const char> bytes) : bytes_(bytes.begin(), bytes.end()) {}
  void ForEachPiece(Visitor visit) const override { visit(bytes_); }

 private:
  const std::vector<char> bytes_;
};

}  // namespace

// A payload that is used while it comes: each piece once, from the receiver's memory. What nobody has
// used when the next frame is taken is put aside.
class TcpTransport::ArrivingPayload final : public FramePayload {
 public:
  ArrivingPayload(TcpTransport* transport, Edge* edge, size_t bytes)
      : transport_(transport), edge_(edge), left_(bytes) {}

  ~ArrivingPayload() override {
    if (transport_ == nullptr) return;
    base::MutexLock lock(transport_->reactor_.mutex());
    if (transport_ == nullptr) return;
    edge_->skipped = left_;
    edge_->arriving = nullptr;
  }

  void ForEachPiece(Visitor visit) const override {
    visit(aside_);
    while (left_ > 0 && transport_ != nullptr) {
      const absl::Span<const char> piece = transport_->Pull(*edge_, std::min(left_, kBlockBytes));
      if (piece.empty()) return;  // failed: the CRC will not match, and the transport knows why
      left_ -= piece.size();
      visit(piece);
    }
    Detach();
  }

  // Locked. Puts aside some that has come; true when that was the last of it.
  bool PutAside(absl::Span<const char> bytes) {
    aside_.insert(aside_.end(), bytes.begin(), bytes.end());
    left_ -= bytes.size();
    if (left_ == 0) transport_ = nullptr;
    return left_ == 0;
  }
  [[nodiscard]] size_t left() const { return left_; }
  // Locked. The transport goes.
  void CutOff() { transport_ = nullptr; }

 private:
  // All of it is used: the next frame may come.
  void Detach() const {
    if (transport_ == nullptr) return;
    base::MutexLock lock(transport_->reactor_.mutex());
    edge_->arriving = nullptr;
    transport_ = nullptr;
  }

  mutable TcpTransport* transport_;  // null: nothing more comes from it
  Edge* const edge_;
  mutable size_t left_;  // that has not been used or put aside
  std::vector<char> aside_;
};

// The vector of edges never grows after this, so references to them stay valid.
TcpTransport::TcpTransport(TcpReactor& reactor, const TransportMembership& membership,
                           std::function<void(const TcpTransport*)> on_destroyed)
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

// A peer listens before its address is known, so that one that cannot be reached is a lost one.
void TcpTransport::Dial(int peer) {
  edges_.emplace_back();
  Edge& edge = edges_.back();
  edge.peer = peer;
  edge.outgoing = true;
  absl::StatusOr<Descriptor> socket =
      ConnectTcp(membership_.addresses[static_cast<size_t>(peer)]);
  absl::Status dialled = socket.status();
  if (dialled.ok()) {
    edge.line = TcpLine(*std::move(socket));
    edge.line.SetRoute({job_, membership_.generation, rank(), peer});
    dialled = Watch(edge.line.fd());
  }
  if (!dialled.ok()) {
    Fail(Lost(edge, dialled.message()));
    return;
  }
  edge.line.Send(FrameKind::kHello, EncodeHello({membership_.job, world_size()}));
}

// An orderly end: what was sent is written and goodbye is said on every edge that stands; what the kernel
// has it delivers, also behind a close. Only a connection that is closed with something unread is reset,
// and its last words lost: so what peers have said is read before.
TcpTransport::~TcpTransport() {
  base::MutexLock lock(reactor_.mutex());
  leaving_ = true;
  const absl::Time deadline =
      absl::Now() + (failure_.ok() ? kLinger : kLingerAfterFailure);
  if (failure_.ok()) {
    const auto written = [this] {
      Pump();
      return AllWritten();
    };
    reactor_.ServeUntil(written, deadline);
    for (Edge& edge : edges_) {
      if (edge.stands) edge.line.Send(FrameKind::kBye, EncodeCount(edge.sender.frames_sent()));
    }
  }
  for (Edge& edge : edges_) {
    if (edge.sender.open()) {
      reactor_.Forget(edge.sender.fd());
      edge.sender.Close();
    }
    edge.line.Finish();
    if (!edge.stands) CloseLine(edge);
  }
  reactor_.ServeUntil([this] { return AllSaid(); }, deadline);
  for (Edge& edge : edges_) {
    OnLine(edge);
    CloseLine(edge);
    if (edge.receiver.open()) reactor_.Forget(edge.receiver.fd());
    if (edge.arriving != nullptr) edge.arriving->CutOff();
  }
  on_destroyed_(this);
}

// First out of the reactor: the number of a closed socket is the next one's that is opened.
void TcpTransport::CloseLine(Edge& edge) {
  if (!edge.line.open()) return;
  reactor_.Forget(edge.line.fd());
  edge.line.Close();
}

bool TcpTransport::AllSaid() {
  return std::all_of(edges_.begin(), edges_.end(),
                     [](Edge& edge) { return !edge.line.open() || edge.line.Flush(); });
}

// Of the edges over which anything can still go.
bool TcpTransport::AllWritten() const {
  for (const Edge& edge : edges_) {
    const bool gone = leaving_ && (!edge.stands || edge.left);
    if (edge.outgoing && !edge.sender.written() && !gone) return false;
  }
  return true;
}

// Only for messages: what this rank was doing when an edge broke.
void TcpTransport::SetActivity(const Activity& activity) {
  base::MutexLock lock(reactor_.mutex());
  activity_ = activity;
}

// As much as the socket takes leaves at once, on this thread.
void TcpTransport::Send(int peer, const FrameTag& tag, absl::Span<const char> payload,
                        absl::optional<uint32_t> payload_crc) {
  RM_CHECK(payload.size() <= kFramePayloadBytesMax, payload.size(), " bytes in one frame");
  base::MutexLock lock(reactor_.mutex());
  if (!failure_.ok()) return;
  Edge& edge = EdgeWith(peer, /*outgoing=*/true);
  if (edge.left) {
    Fail(HasLeft(edge));
    return;
  }
  edge.sender.Queue({tag, payload, payload_crc});
  Pump();
}

// A frame is returned as soon as its header is here, unless it is small: what follows comes while the
// caller uses it. A goodbye ends the wait only when all that the peer had sent before has been taken.
absl::StatusOr<Frame> TcpTransport::Receive(int peer, absl::Time deadline) {
  base::MutexLock lock(reactor_.mutex());
  Edge& edge = EdgeWith(peer, /*outgoing=*/false);
  absl::optional<Frame> frame;
  const auto nothing_more = [&] { return edge.left && edge.next_received >= edge.due; };
  const auto done = [&] {
    Pump();
    if (!failure_.ok()) return true;
    absl::StatusOr<absl::optional<Frame>> taken = TakeFrame(edge);
    if (!taken.ok()) Fail(taken.status());
    if (taken.ok()) frame = *std::move(taken);
    return frame.has_value() || nothing_more() || !failure_.ok();
  };
  const bool in_time = reactor_.ServeUntil(done, deadline);
  if (!failure_.ok()) return failure_;
  if (frame.has_value()) return *std::move(frame);
  if (in_time) {
    Fail(HasLeft(edge));
    return failure_;
  }
  return NothingCame(rank(), peer);
}

// Written means that the kernel has the bytes; then the memory may change.
absl::Status TcpTransport::Flush(absl::Time deadline) {
  base::MutexLock lock(reactor_.mutex());
  const auto done = [this] {
    Pump();
    return AllWritten() || !failure_.ok();
  };
  const bool in_time = reactor_.ServeUntil(done, deadline);
  if (!failure_.ok()) return failure_;
  if (in_time) return absl::OkStatus();
  for (const Edge& edge : edges_) {
    if (!edge.outgoing || edge.sender.written()) continue;
    return FramesNotTaken(rank(), edge.peer, /*came=*/edge.stands);
  }
  return FramesNotTaken();
}

// For a thread that has nothing to receive but must let frames flow and hear aborts.
void TcpTransport::Serve() {
  base::MutexLock lock(reactor_.mutex());
  const auto done = [this] {
    Pump();
    return woken_.exchange(false);
  };
  reactor_.ServeUntil(done, absl::InfiniteFuture());
}

// The flag first: a Serve that begins between the two must see it.
void TcpTransport::Wake() {
  woken_ = true;
  reactor_.Wake();
}

// Any thread; whoever waits wakes up with the failure.
void TcpTransport::Abort(const absl::Status& cause) {
  base::MutexLock lock(reactor_.mutex());
  Fail(cause);
}

absl::Status TcpTransport::status() const {
  base::MutexLock lock(reactor_.mutex());
  return failure_;
}

// Counted when the kernel has a frame, and when its header has come.
TransportStats TcpTransport::stats() const {
  base::MutexLock lock(reactor_.mutex());
  TransportStats stats;
  for (const Edge& edge : edges_) stats.bytes_sent += edge.sender.bytes_sent();
  stats.bytes_received = bytes_received_;
  return stats;
}

// The first cause wins and travels on every line, also behind a hello that was not answered yet.
void TcpTransport::Fail(const absl::Status& cause) {
  if (!failure_.ok() || leaving_) return;
  failure_ = cause;
  if (membership_.on_failure) membership_.on_failure();
  const std::string payload = EncodeAbort(cause);
  for (Edge& edge : edges_) {
    edge.sender.Discard();
    edge.line.Send(FrameKind::kAbort, payload);
    edge.line.Finish();
  }
  reactor_.Wake();
}

// Writes what waits, on all edges: called wherever this transport waits for anything.
void TcpTransport::Pump() {
  for (Edge& edge : edges_) {
    if (!edge.outgoing || !edge.sender.open() || edge.left || !failure_.ok()) continue;
    const absl::Status pumped = edge.sender.Pump();
    if (!pumped.ok()) OnDataBroken(edge, pumped);
  }
}

// A peer that has failed, or left, closes its connections behind its last word, which may still be on its
// way on the line: so the line has the word. If it has none, this side's end of it makes the peer say one,
// or is answered by the peer's end.
void TcpTransport::OnDataBroken(Edge& edge, const absl::Status& why) {
  if (!edge.broken.empty()) return;
  edge.broken = std::string(why.message());
  if (edge.sender.open()) {
    reactor_.Forget(edge.sender.fd());
    edge.sender.Close();
  }
  OnLine(edge);
  edge.line.Finish();
}

// Which of its sockets it is does not matter much: looking costs a system call at most.
void TcpTransport::OnReady(int socket) {
  for (Edge& edge : edges_) {
    if (edge.line.open() && edge.line.fd() == socket) {
      OnLine(edge);
      return;
    }
    if (edge.receiver.open() && edge.receiver.fd() == socket) edge.receiver.SetReady();
  }
}

// All that has been said on it: the socket will not ring again for what is left.
void TcpTransport::OnLine(Edge& edge) {
  edge.line.Flush();
  while (edge.line.open()) {
    const absl::StatusOr<absl::optional<TcpControl>> heard = edge.line.Receive();
    if (!heard.ok()) {
      OnEnd(edge, heard.status());
    } else if (heard->has_value()) {
      OnControl(edge, **heard);
    } else {
      return;
    }
  }
}

// A transport that is leaving wants to hear nothing but the end.
void TcpTransport::OnControl(Edge& edge, const TcpControl& frame) {
  absl::Status taken;
  if (frame.header.kind == FrameKind::kAbort) {
    Fail(ParseAbort(frame.text));
    return;
  }
  if (leaving_) return;
  taken = frame.header.kind == FrameKind::kBye ? OnBye(edge, frame) : OnWelcome(edge, frame);
  if (!taken.ok()) Fail(taken);
}

// Now data may go: on a connection of its own, which begins with what the peer knows this edge by.
absl::Status TcpTransport::OnWelcome(Edge& edge, const TcpControl& frame) {
  if (frame.header.kind != FrameKind::kWelcome || !edge.outgoing || edge.stands ||
      frame.text.size() != kTcpTokenBytes) {
    return OutOfTurn(rank(), edge.peer, frame.header.kind);
  }
  absl::StatusOr<Descriptor> socket =
      ConnectTcp(membership_.addresses[static_cast<size_t>(edge.peer)]);
  if (!socket.ok()) return Lost(edge, socket.status().message());
  const int fd = socket->get();
  edge.sender.Open(*std::move(socket), *edge.line.route(),
                   Preamble(*edge.line.route(), frame.text));
  edge.stands = true;
  RM_RETURN_IF_ERROR(Watch(fd));
  Pump();
  return absl::OkStatus();
}

// It has all it needs; what it sent before may still be on its way to this rank.
absl::Status TcpTransport::OnBye(Edge& edge, const TcpControl& frame) {
  if (frame.text.size() != sizeof(edge.due) || !edge.stands) {
    return OutOfTurn(rank(), edge.peer, frame.header.kind);
  }
  std::memcpy(&edge.due, frame.text.data(), sizeof(edge.due));
  edge.left = true;
  const bool was_needed = edge.outgoing && !edge.sender.written();
  edge.sender.Discard();
  return was_needed ? HasLeft(edge) : absl::OkStatus();
}

// A line that ends while it is still needed is a lost peer.
void TcpTransport::OnEnd(Edge& edge, const absl::Status& why) {
  CloseLine(edge);
  if (leaving_ || edge.left || !failure_.ok()) return;
  const absl::string_view how = edge.broken.empty() ? why.message() : edge.broken;
  Fail(absl::IsDataLoss(why) || absl::IsFailedPrecondition(why)
           ? why
           : Lost(edge, absl::StrCat("the connection ", edge.outgoing ? "to" : "from",
                                     " it broke: ", how)));
}

// The peer's hello has matched job and generation; here its rank and its count of ranks must match too.
absl::Status TcpTransport::Adopt(const Hello& hello, TcpLine& line) {
  const int peer = line.route()->to;
  if (!failure_.ok()) return failure_;
  if (hello.world_size != world_size()) {
    return OtherWorldSize(rank(), world_size(), peer, hello.world_size);
  }
  for (Edge& edge : edges_) {
    if (edge.outgoing || edge.peer != peer || edge.stands) continue;
    edge.line = std::move(line);
    RM_RETURN_IF_ERROR(Watch(edge.line.fd()));
    edge.stands = true;
    edge.token = NewToken();
    edge.line.Send(FrameKind::kWelcome, edge.token);
    OnLine(edge);  // what it said behind its hello rings no more
    return absl::OkStatus();
  }
  return EdgeNotExpected(rank(), peer);
}

// A connection with another token is nobody's, and closed by the caller.
void TcpTransport::AdoptData(absl::string_view token, Descriptor& socket) {
  for (Edge& edge : edges_) {
    if (edge.outgoing || !edge.stands || edge.receiver.open() || edge.token != token) continue;
    const int fd = socket.get();
    edge.receiver.Open(std::move(socket));
    const absl::Status watched = Watch(fd);
    if (!watched.ok()) Fail(watched);
    return;
  }
}

// A data connection may end in order only behind all that its peer has announced by its bye.
size_t TcpTransport::FillFrom(Edge& edge, size_t enough) {
  if (!edge.broken.empty()) return 0;
  const absl::StatusOr<size_t> filled = edge.receiver.Fill(enough);
  if (!filled.ok()) {
    OnDataBroken(edge, filled.status());
    return 0;
  }
  const bool more_is_due = edge.next_received < edge.due || edge.arriving != nullptr;
  if (*filled < enough && edge.receiver.ended() && edge.left && more_is_due) {
    Fail(Lost(edge, "its data ended before its last frame did"));
  }
  return *filled;
}

// The header of the next frame, checked, if it has come; it is left where it lies until its frame is
// taken.
absl::StatusOr<absl::optional<FrameHeader>> TcpTransport::TakeHeader(Edge& edge) {
  if (FillFrom(edge, kFrameHeaderBytes) < kFrameHeaderBytes) return absl::optional<FrameHeader>();
  const absl::Span<const char> bytes = edge.receiver.bytes();
  RM_ASSIGN_OR_RETURN(const FrameHeader header,
                      ParseFrameHeader(absl::string_view(bytes.data(), bytes.size())));
  const FrameRoute expected = {job_, membership_.generation, edge.peer, rank()};
  if (!(header.route == expected) || header.kind != FrameKind::kData) {
    return absl::DataLossError(absl::StrCat(
        "a frame of another membership: ", FrameKindName(header.kind), " from rank ",
        header.route.from, " to rank ", header.route.to, " in generation ",
        header.route.generation, " among the data from rank ", edge.peer, " to rank ", rank()));
  }
  if (header.sequence != edge.next_received) {
    return FramesLost(rank(), edge.peer, header.sequence, edge.next_received);
  }
  return absl::optional<FrameHeader>(header);
}

// First what is left of the frame before is got out of the way.
absl::StatusOr<absl::optional<Frame>> TcpTransport::TakeFrame(Edge& edge) {
  if (!edge.receiver.open()) return absl::optional<Frame>();
  while (edge.arriving != nullptr || edge.skipped > 0) {
    if (FillFrom(edge, 1) == 0) return absl::optional<Frame>();
    const size_t left = edge.arriving != nullptr ? edge.arriving->left() : edge.skipped;
    const absl::Span<const char> bytes = edge.receiver.bytes().subspan(0, left);
    if (edge.arriving == nullptr) {
      edge.skipped -= bytes.size();
    } else if (edge.arriving->PutAside(bytes)) {
      edge.arriving = nullptr;
    }
    edge.receiver.Use(bytes.size());
  }
  RM_ASSIGN_OR_RETURN(const absl::optional<FrameHeader> header, TakeHeader(edge));
  if (!header.has_value()) return absl::optional<Frame>();
  const bool whole = header->payload_bytes <= kTcpWholeBytesMax;
  if (whole) {
    const size_t bytes = kFrameHeaderBytes + header->payload_bytes;
    if (FillFrom(edge, bytes) < bytes) return absl::optional<Frame>();
  }
  edge.receiver.Use(kFrameHeaderBytes);
  ++edge.next_received;
  bytes_received_ += header->payload_bytes;
  if (whole) {
    auto payload = std::make_unique<WholePayload>(
        edge.receiver.bytes().subspan(0, header->payload_bytes));
    edge.receiver.Use(header->payload_bytes);
    return absl::optional<Frame>(Frame{*header, std::move(payload)});
  }
  auto payload = std::make_unique<ArrivingPayload>(this, &edge, header->payload_bytes);
  edge.arriving = payload.get();
  return absl::optional<Frame>(Frame{*header, std::move(payload)});
}

// While it waits it goes on sending: two ranks that only received would wait for each other.
absl::Span<const char> TcpTransport::Pull(Edge& edge, size_t most) {
  base::MutexLock lock(reactor_.mutex());
  size_t here = 0;
  const auto done = [&] {
    Pump();
    if (!failure_.ok()) return true;
    here = FillFrom(edge, 1);
    return here > 0 || !failure_.ok();
  };
  reactor_.ServeUntil(done, absl::InfiniteFuture());
  if (!failure_.ok()) return {};
  const absl::Span<const char> piece = edge.receiver.bytes().subspan(0, std::min(most, here));
  edge.receiver.Use(piece.size());
  return piece;
}

// A handful of edges: looking through them is cheaper than keeping a map.
TcpTransport::Edge& TcpTransport::EdgeWith(int peer, bool outgoing) {
  for (Edge& edge : edges_) {
    if (edge.peer == peer && edge.outgoing == outgoing) return edge;
  }
  RM_CHECK(false, "rank ", rank(), " has no edge ", outgoing ? "to" : "from", " rank ", peer);
  return edges_.front();
}

// One sentence, whatever broke: who, in what, and what was seen of it.
absl::Status TcpTransport::Lost(const Edge& edge, absl::string_view how) const {
  return PeerLost({rank(), membership_.generation, activity_}, edge.peer, how);
}

absl::Status TcpTransport::HasLeft(const Edge& edge) const {
  return PeerHasLeft({rank(), membership_.generation, activity_}, edge.peer);
}

}  // namespace rm::comm
