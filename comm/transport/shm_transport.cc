#include "comm/transport/shm_transport.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "base/random.h"
#include "base/status.h"
#include "comm/transport/peer_errors.h"
#include "comm/transport/shm_socket.h"

namespace rm::comm {
namespace {

constexpr char kScheme[] = "shm:ringmaster-";
constexpr size_t kBootDigits = 16;
constexpr size_t kNonceBytes = 16;
constexpr size_t kNameBytesMax = 100;  // a socket's name has at most 107

// A frame too large to be lent is published in pieces of this size.
constexpr size_t kPieceBytes = size_t{128} << 10;
// CRC and copy, or CRC and sum, take turns on blocks that stay in the first cache.
constexpr size_t kBlockBytes = size_t{16} << 10;

// Which start of which machine this is: the same in all its containers.
std::string BootDigits() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string digits;
  for (char c = 0; digits.size() < kBootDigits && file.get(c);) {
    if (absl::ascii_isxdigit(static_cast<unsigned char>(c))) digits.push_back(c);
  }
  digits.resize(kBootDigits, '0');
  return digits;
}

// A frame's payload where it lies in the ring; its room goes back with it.
class LentPayload final : public FramePayload {
 public:
  LentPayload(std::shared_ptr<ShmRingReader> reader, absl::Span<const char> bytes, uint64_t place)
      : reader_(std::move(reader)), bytes_(bytes), place_(place) {}
  ~LentPayload() override { reader_->Release(place_); }

  void ForEachPiece(Visitor visit) const override {
    for (size_t begin = 0; begin < bytes_.size(); begin += kBlockBytes) {
      visit(bytes_.subspan(begin, kBlockBytes));
    }
  }

 private:
  const std::shared_ptr<ShmRingReader> reader_;  // shared with the edge: a frame may outlive it
  const absl::Span<const char> bytes_;
  const uint64_t place_;
};

// A payload that was put together from pieces.
class OwnedPayload final : public FramePayload {
 public:
  explicit OwnedPayload(std::string bytes) : bytes_(std::move(bytes)) {}
  void ForEachPiece(Visitor visit) const override { visit(bytes_); }

 private:
  const std::string bytes_;
};

}  // namespace

std::string NewShmAddress() {
  std::array<char, kNonceBytes> nonce = {};
  RM_CHECK(::getrandom(nonce.data(), nonce.size(), 0) == static_cast<ssize_t>(nonce.size()),
           "no random bytes");
  return absl::StrCat(kScheme, BootDigits(), "-",
                      absl::BytesToHexString(absl::string_view(nonce.data(), nonce.size())));
}

absl::StatusOr<std::string> ShmSocketName(absl::string_view address) {
  absl::string_view rest = address;
  if (!absl::ConsumePrefix(&rest, kScheme) || address.size() > kNameBytesMax) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", address, "' is no address for shared memory"));
  }
  if (!absl::StartsWith(rest, BootDigits())) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", address, "' is on another machine, out of reach of shared memory"));
  }
  absl::ConsumePrefix(&address, "shm:");
  return std::string(address);
}

// Incoming edges wait for their peer to dial. The vector never grows after this, so references to
// edges stay valid. A peer that cannot be reached fails the transport at once: it listened before
// its address was known, and there is no network to wait for.
ShmTransport::ShmTransport(ShmHub& hub, const TransportMembership& membership,
                           SharedDoorbell bell,
                           std::function<void(const ShmTransport*)> on_destroyed)
    : hub_(hub),
      membership_(membership),
      job_(base::StableHash(membership.job)),
      on_destroyed_(std::move(on_destroyed)),
      windows_(hub, std::move(bell),
               {membership.rank, membership.share_with, [this] { NoticeWindows(); },
                [this] { return WhyWindowsStopped(); }}) {
  edges_.reserve(membership.send_to.size() + membership.receive_from.size() +
                 membership.share_with.size());
  for (const int peer : membership.receive_from) {
    edges_.emplace_back();
    edges_.back().peer = peer;
  }
  for (const int peer : membership.send_to) Dial(peer, /*shares=*/false);
  for (const int peer : membership.share_with) {
    if (peer > rank()) {
      Dial(peer, /*shares=*/true);
    } else {
      edges_.emplace_back();
      edges_.back().peer = peer;
      edges_.back().shares = true;
    }
  }
}

void ShmTransport::Dial(int peer, bool shares) {
  edges_.emplace_back();
  Edge& edge = edges_.back();
  edge.peer = peer;
  edge.outgoing = true;
  edge.shares = shares;
  const absl::Status dialled = TryDial(edge);
  if (dialled.ok()) return;
  const std::string what = absl::StrCat("rank ", rank(), " cannot share memory with rank ", peer,
                                        ": ", dialled.message());
  Fail(absl::IsFailedPrecondition(dialled)
           ? absl::FailedPreconditionError(absl::StrCat(
                 what, "; with communication.transport: auto such ranks use the network"))
           : absl::AbortedError(what));
}

absl::Status ShmTransport::TryDial(Edge& edge) {
  RM_ASSIGN_OR_RETURN(const std::string name,
                      ShmSocketName(membership_.addresses[static_cast<size_t>(edge.peer)]));
  RM_ASSIGN_OR_RETURN(Descriptor socket, ConnectTo(name));
  if (!IsOfSameUser(socket.get())) {
    return absl::FailedPreconditionError("it is the process of another user");
  }
  edge.line = ShmLink::Dial(std::move(socket), {job_, membership_.generation, rank(), edge.peer});
  edge.line.Send(edge.shares ? FrameKind::kShare : FrameKind::kHello,
                 EncodeHello({membership_.job, world_size()}),
                 {edge.shares ? windows_.bell().fd() : hub_.shared_bell().fd()});
  return absl::OkStatus();
}

// What was sent must lie in the rings, whose memory is the receivers', before the lines end: from
// then on a peer does without this process.
ShmTransport::~ShmTransport() {
  base::MutexLock lock(hub_.mutex());
  leaving_ = true;
  if (failure_.ok()) {
    const auto written = [this] {
      Pump();
      return AllWritten();
    };
    hub_.WaitUntil(written, absl::Now() + kLinger);
    SayGoodbye();
  }
  for (Edge& edge : edges_) edge.line.Close();
  on_destroyed_(this);
}

// An edge that does not stand has nobody to say goodbye to.
void ShmTransport::SayGoodbye() {
  for (Edge& edge : edges_) {
    if (edge.stands) edge.line.Send(FrameKind::kBye, "");
  }
}

// Of the edges over which anything can still go.
bool ShmTransport::AllWritten() const {
  for (const Edge& edge : edges_) {
    const bool gone = leaving_ && (!edge.stands || !edge.line.open());
    if (edge.outgoing && !edge.waiting.empty() && !gone) return false;
  }
  return true;
}

// Only for messages: what this rank was doing when an edge broke.
void ShmTransport::SetActivity(const Activity& activity) {
  base::MutexLock lock(hub_.mutex());
  activity_ = activity;
}

// Straight into the ring where there is room; else the frame waits for it in the caller's memory.
void ShmTransport::Send(int peer, const FrameTag& tag, absl::Span<const char> payload,
                        absl::optional<uint32_t> payload_crc) {
  RM_CHECK(payload.size() <= kFramePayloadBytesMax, payload.size(), " bytes in one frame");
  base::MutexLock lock(hub_.mutex());
  if (!failure_.ok()) return;
  Edge& edge = EdgeWith(peer, /*outgoing=*/true);
  if (edge.left) {
    Fail(HasLeft(edge));
    return;
  }
  edge.waiting.push_back({tag, payload, payload_crc});
  Pump();
}

absl::StatusOr<Frame> ShmTransport::Receive(int peer, absl::Time deadline) {
  base::MutexLock lock(hub_.mutex());
  Edge& edge = EdgeWith(peer, /*outgoing=*/false);
  absl::optional<Frame> frame;
  const auto done = [&] {
    Pump();
    if (!failure_.ok()) return true;
    absl::StatusOr<absl::optional<Frame>> taken = TakeFrame(edge);
    if (!taken.ok()) Fail(taken.status());
    if (taken.ok()) frame = *std::move(taken);
    return frame.has_value() || edge.left || !failure_.ok();
  };
  const bool in_time = hub_.WaitUntil(done, deadline);
  if (!failure_.ok()) return failure_;
  if (frame.has_value()) return *std::move(frame);
  if (in_time) {
    Fail(HasLeft(edge));
    return failure_;
  }
  return NothingCame(rank(), peer);
}

// Written means that it lies in the ring; then the memory may change.
absl::Status ShmTransport::Flush(absl::Time deadline) {
  base::MutexLock lock(hub_.mutex());
  const auto done = [this] {
    Pump();
    return AllWritten() || !failure_.ok();
  };
  const bool in_time = hub_.WaitUntil(done, deadline);
  if (!failure_.ok()) return failure_;
  if (in_time) return absl::OkStatus();
  for (const Edge& edge : edges_) {
    if (edge.waiting.empty()) continue;
    return FramesNotTaken(rank(), edge.peer, /*came=*/edge.stands);
  }
  return FramesNotTaken();
}

void ShmTransport::Serve() {
  base::MutexLock lock(hub_.mutex());
  const auto done = [this] {
    Pump();
    return woken_.exchange(false);
  };
  hub_.WaitUntil(done, absl::InfiniteFuture());
}

void ShmTransport::Wake() {
  woken_ = true;
  hub_.Ring();
}

void ShmTransport::Abort(const absl::Status& cause) {
  base::MutexLock lock(hub_.mutex());
  Fail(cause);
}

absl::Status ShmTransport::status() const {
  base::MutexLock lock(hub_.mutex());
  return failure_;
}

TransportStats ShmTransport::stats() const {
  base::MutexLock lock(hub_.mutex());
  return stats_;
}

// The first cause wins and travels on every line, also behind a hello that was not answered yet.
void ShmTransport::Fail(const absl::Status& cause) {
  if (!failure_.ok() || leaving_) return;
  failure_ = cause;
  windows_.Stop();
  if (membership_.on_failure) membership_.on_failure();
  const std::string payload = EncodeAbort(cause);
  for (Edge& edge : edges_) {
    edge.waiting.clear();
    edge.line.Send(FrameKind::kAbort, payload);
    edge.line.Close();
  }
  hub_.Ring();
}

// Moves what waits into the rings, as far as there is room.
void ShmTransport::Pump() {
  for (Edge& edge : edges_) {
    if (edge.writer == nullptr || edge.waiting.empty() || edge.left || !failure_.ok()) continue;
    const absl::Status pumped = PumpEdge(edge);
    if (!pumped.ok()) Fail(pumped);
  }
}

absl::Status ShmTransport::PumpEdge(Edge& edge) {
  while (!edge.waiting.empty()) {
    const WaitingFrame& frame = edge.waiting.front();
    RM_ASSIGN_OR_RETURN(const bool whole, frame.payload.size() <= kShmLentBytesMax
                                              ? WriteWhole(edge, frame)
                                              : WritePieces(edge, frame));
    if (!whole) return absl::OkStatus();
    edge.waiting.pop_front();
  }
  return absl::OkStatus();
}

FrameHeader ShmTransport::NextHeader(Edge& edge, const WaitingFrame& frame, uint32_t crc) {
  FrameHeader header;
  header.tag = frame.tag;
  header.route = *edge.line.route();
  header.sequence = edge.next_sent++;
  header.payload_bytes = static_cast<uint32_t>(frame.payload.size());
  header.payload_crc = crc;
  stats_.bytes_sent += header.payload_bytes;
  return header;
}

// A frame that is lent appears at once, so that its header may be written last, with the CRC that
// was computed on the way.
absl::StatusOr<bool> ShmTransport::WriteWhole(Edge& edge, const WaitingFrame& frame) {
  ShmRingWriter& ring = *edge.writer;
  const size_t wanted = kFrameHeaderBytes + ShmAligned(frame.payload.size());
  RM_ASSIGN_OR_RETURN(size_t room, ring.Room());
  if (room < wanted) {
    RM_ASSIGN_OR_RETURN(room, ring.RoomAfterNote());
  }
  if (room < wanted) return false;
  char* const head = ring.Leave(kFrameHeaderBytes);
  uint32_t crc = 0;
  for (size_t begin = 0; begin < frame.payload.size(); begin += kBlockBytes) {
    const absl::Span<const char> block = frame.payload.subspan(begin, kBlockBytes);
    if (!frame.payload_crc.has_value()) crc = base::Crc32cExtend(crc, block.data(), block.size());
    ring.Append(block);
  }
  const auto header = EncodeFrameHeader(NextHeader(edge, frame, frame.payload_crc.value_or(crc)));
  std::memcpy(head, header.data(), header.size());
  ring.Align();
  ring.Publish();
  edge.bell->bell().Ring();
  return true;
}

// A frame larger than half the ring goes through it as room comes, header first.
absl::StatusOr<bool> ShmTransport::WritePieces(Edge& edge, const WaitingFrame& frame) {
  ShmRingWriter& ring = *edge.writer;
  while (!edge.begun || edge.written < frame.payload.size()) {
    const size_t left = frame.payload.size() - edge.written;
    RM_ASSIGN_OR_RETURN(size_t room, ring.Room());
    if (room < base::kCacheLineBytes) {
      RM_ASSIGN_OR_RETURN(room, ring.RoomAfterNote());
    }
    if (room < base::kCacheLineBytes) return false;
    if (!edge.begun) {
      const uint32_t crc = frame.payload_crc.has_value()
                               ? *frame.payload_crc
                               : base::Crc32c(frame.payload.data(), frame.payload.size());
      const auto header = EncodeFrameHeader(NextHeader(edge, frame, crc));
      ring.Append(header);
      edge.begun = true;
    } else {
      const size_t piece = std::min({left, room, kPieceBytes});
      ring.Append(frame.payload.subspan(edge.written, piece));
      edge.written += piece;
      ring.Align();
    }
    ring.Publish();
    edge.bell->bell().Ring();
  }
  edge.begun = false;
  edge.written = 0;
  return true;
}

// The header of the frame that comes next, as far as it is here. It is copied before it is checked:
// in shared memory it could change between the two.
absl::StatusOr<absl::optional<FrameHeader>> ShmTransport::PeekHeader(const Edge& edge) const {
  RM_ASSIGN_OR_RETURN(const size_t readable, edge.reader->Readable());
  if (readable < kFrameHeaderBytes) return absl::optional<FrameHeader>();
  std::array<char, kFrameHeaderBytes> bytes;
  std::memcpy(bytes.data(), edge.reader->Peek(), bytes.size());
  RM_ASSIGN_OR_RETURN(const FrameHeader header,
                      ParseFrameHeader(absl::string_view(bytes.data(), bytes.size())));
  const FrameRoute expected = {job_, membership_.generation, edge.peer, rank()};
  if (!(header.route == expected) || header.kind != FrameKind::kData) {
    return absl::DataLossError(absl::StrCat(
        "a frame of another membership: ", FrameKindName(header.kind), " from rank ",
        header.route.from, " to rank ", header.route.to, " in generation ",
        header.route.generation, " in the ring from rank ", edge.peer, " to rank ", rank()));
  }
  if (header.sequence != edge.next_received) {
    return FramesLost(rank(), edge.peer, header.sequence, edge.next_received);
  }
  return absl::optional<FrameHeader>(header);
}

absl::StatusOr<absl::optional<Frame>> ShmTransport::TakeFrame(Edge& edge) {
  if (edge.reader == nullptr) return absl::optional<Frame>();
  if (edge.arriving.has_value()) return TakePieces(edge);
  RM_ASSIGN_OR_RETURN(const absl::optional<FrameHeader> header, PeekHeader(edge));
  if (!header.has_value()) return absl::optional<Frame>();
  if (header->payload_bytes > kShmLentBytesMax) {
    edge.arriving = header;
    edge.arrived.clear();
    edge.reader->Release(edge.reader->Take(kFrameHeaderBytes));
    return TakePieces(edge);
  }
  const size_t bytes = kFrameHeaderBytes + ShmAligned(header->payload_bytes);
  RM_ASSIGN_OR_RETURN(const size_t readable, edge.reader->Readable());
  if (readable < bytes) return absl::optional<Frame>();
  const char* const payload = edge.reader->Peek() + kFrameHeaderBytes;
  const uint64_t place = edge.reader->Take(bytes);
  ++edge.next_received;
  stats_.bytes_received += header->payload_bytes;
  return absl::optional<Frame>(Frame{
      *header, std::make_unique<LentPayload>(
                   edge.reader, absl::MakeSpan(payload, header->payload_bytes), place)});
}

// Copies what has come of a large frame, so that its room is the sender's again.
absl::StatusOr<absl::optional<Frame>> ShmTransport::TakePieces(Edge& edge) {
  const size_t whole = edge.arriving->payload_bytes;
  while (edge.arrived.size() < whole) {
    RM_ASSIGN_OR_RETURN(const size_t readable, edge.reader->Readable());
    if (readable == 0) return absl::optional<Frame>();
    const size_t piece = std::min({whole - edge.arrived.size(), readable, kPieceBytes});
    edge.arrived.append(edge.reader->Peek(), piece);
    edge.reader->Release(edge.reader->Take(std::min(readable, ShmAligned(piece))));
  }
  const FrameHeader header = *edge.arriving;
  edge.arriving.reset();
  ++edge.next_received;
  stats_.bytes_received += header.payload_bytes;
  return absl::optional<Frame>(
      Frame{header, std::make_unique<OwnedPayload>(std::move(edge.arrived))});
}

// The peer's hello has matched job and generation; here its rank and its count of ranks must match
// too. The ring is made now: memory is taken for edges that are used only.
absl::Status ShmTransport::Adopt(const Hello& hello, bool shares, ShmLink& line,
                                 Descriptor& bell) {
  const int peer = line.route()->to;
  if (!failure_.ok()) return failure_;
  if (hello.world_size != world_size()) {
    return OtherWorldSize(rank(), world_size(), peer, hello.world_size);
  }
  for (Edge& edge : edges_) {
    if (edge.outgoing || edge.shares != shares || edge.peer != peer || edge.stands) continue;
    if (shares) {
      RM_RETURN_IF_ERROR(windows_.TakeBell(peer, std::move(bell)));
      edge.line = std::move(line);
      edge.stands = true;
      edge.line.Send(FrameKind::kWelcome, "", {windows_.bell().fd()});
      NoticeWindows();
      return absl::OkStatus();
    }
    RM_ASSIGN_OR_RETURN(SharedDoorbell peers, SharedDoorbell::Adopt(std::move(bell)));
    RM_ASSIGN_OR_RETURN(ShmMemory ring, CreateShmRing());
    edge.bell = std::make_shared<SharedDoorbell>(std::move(peers));
    edge.line = std::move(line);
    edge.stands = true;
    edge.line.Send(FrameKind::kWelcome, "", {ring.fd(), hub_.shared_bell().fd()});
    edge.reader = std::make_shared<ShmRingReader>(std::move(ring), edge.bell);
    hub_.Ring();
    return absl::OkStatus();
  }
  return EdgeNotExpected(rank(), peer);
}

void ShmTransport::AppendLines(std::vector<int>* fds) const {
  for (const Edge& edge : edges_) {
    if (edge.line.open()) fds->push_back(edge.line.fd());
  }
}

void ShmTransport::ServeLines() {
  for (Edge& edge : edges_) {
    while (edge.line.open()) {
      absl::StatusOr<absl::optional<ControlFrame>> heard = edge.line.Receive();
      if (!heard.ok()) {
        OnEnd(edge, heard.status());
      } else if (heard->has_value()) {
        OnControl(edge, **std::move(heard));
      } else {
        break;
      }
    }
  }
}

void ShmTransport::OnControl(Edge& edge, ControlFrame frame) {
  if (frame.header.kind == FrameKind::kAbort) {
    Fail(ParseAbort(frame.text));
    if (leaving_) edge.line.Close();
    return;
  }
  if (frame.header.kind == FrameKind::kBye) {
    OnBye(edge);
    return;
  }
  const absl::Status taken = edge.shares ? OnShareLine(edge, frame) : OnWelcome(edge, frame);
  if (!taken.ok()) Fail(taken);
}

// The dialling side is welcomed with the peer's bell; then windows come, both ways.
absl::Status ShmTransport::OnShareLine(Edge& edge, ControlFrame& frame) {
  const bool one = frame.descriptors.size() == 1;
  if (one && frame.header.kind == FrameKind::kWindow && edge.stands) {
    return windows_.TakeWindow(edge.peer, frame.text, std::move(frame.descriptors[0]));
  }
  if (!one || frame.header.kind != FrameKind::kWelcome || edge.stands) {
    return OutOfTurn(rank(), edge.peer, frame.header.kind);
  }
  RM_RETURN_IF_ERROR(windows_.TakeBell(edge.peer, std::move(frame.descriptors[0])));
  edge.stands = true;
  NoticeWindows();
  return absl::OkStatus();
}

// Tells the peers that have come of the windows they do not know yet.
void ShmTransport::NoticeWindows() {
  for (Edge& edge : edges_) {
    if (!edge.shares || !edge.stands) continue;
    while (const auto opened = windows_.OpenedAt(edge.noticed)) {
      edge.line.Send(FrameKind::kWindow, EncodeWindowNotice(opened->notice), {opened->fd});
      ++edge.noticed;
    }
  }
}

// A peer that has left took its part in all that was common, or this is a failure.
absl::Status ShmTransport::WhyWindowsStopped() {
  base::MutexLock lock(hub_.mutex());
  for (const Edge& edge : edges_) {
    if (edge.shares && edge.left) Fail(HasLeft(edge));
  }
  return failure_;
}

absl::Status ShmTransport::OnWelcome(Edge& edge, ControlFrame& frame) {
  const bool due = edge.outgoing && !edge.stands && frame.descriptors.size() == 2;
  if (frame.header.kind != FrameKind::kWelcome || !due) {
    return OutOfTurn(rank(), edge.peer, frame.header.kind);
  }
  RM_ASSIGN_OR_RETURN(ShmMemory ring, AdoptShmRing(std::move(frame.descriptors[0])));
  RM_ASSIGN_OR_RETURN(SharedDoorbell bell, SharedDoorbell::Adopt(std::move(frame.descriptors[1])));
  edge.bell = std::make_shared<SharedDoorbell>(std::move(bell));
  edge.writer = std::make_unique<ShmRingWriter>(std::move(ring));
  edge.stands = true;
  hub_.Ring();
  return absl::OkStatus();
}

// Frames that lie in the ring were all that the peer needed, or it would not have left.
void ShmTransport::OnBye(Edge& edge) {
  edge.left = true;
  if (edge.shares) windows_.Stop();
  if (!edge.waiting.empty()) Fail(HasLeft(edge));
  edge.waiting.clear();
  hub_.Ring();
}

// A line that ends while it is still needed is a lost peer.
void ShmTransport::OnEnd(Edge& edge, const absl::Status& why) {
  edge.line.Close();
  hub_.Ring();
  if (leaving_ || edge.left || !failure_.ok()) return;
  Fail(absl::IsOutOfRange(why) ? Lost(edge, why) : why);
}

// A handful of edges: looking through them is cheaper than keeping a map.
ShmTransport::Edge& ShmTransport::EdgeWith(int peer, bool outgoing) {
  for (Edge& edge : edges_) {
    if (edge.peer == peer && edge.outgoing == outgoing && !edge.shares) return edge;
  }
  RM_CHECK(false, "rank ", rank(), " has no edge ", outgoing ? "to" : "from", " rank ", peer);
  return edges_.front();
}

absl::Status ShmTransport::Lost(const Edge& edge, const absl::Status& why) const {
  return PeerLost({rank(), membership_.generation, activity_}, edge.peer,
                  absl::StrCat("its process is gone (", why.message(), ")"));
}

absl::Status ShmTransport::HasLeft(const Edge& edge) const {
  return PeerHasLeft({rank(), membership_.generation, activity_}, edge.peer);
}

}  // namespace rm::comm
