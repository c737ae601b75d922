#include "comm/transport/loopback_transport.h"

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/status.h"
#include "comm/transport/fence.h"
#include "comm/transport/peer_errors.h"

namespace rm::comm {
namespace {

class LoopbackTransport;

// A frame that the receiver has no room for yet: it lies in the sender's memory.
struct WaitingFrame {
  FrameTag tag;
  absl::Span<const char> payload;
  absl::optional<uint32_t> payload_crc;
};

// One direction between two ranks of one generation.
struct LoopbackEdge {
  FrameRoute route;
  bool sender_present = false;
  bool sender_left = false;
  bool receiver_present = false;
  bool receiver_left = false;
  uint64_t next_sent = 0;
  uint64_t next_received = 0;
  std::deque<WaitingFrame> waiting;
  std::deque<std::string> on_the_way;  // header and payload
  size_t bytes_on_the_way = 0;
  uint64_t held_from = UINT64_MAX;  // frames from this number on are held
};

// In pieces of odd sizes, as a socket would give it.
class StringPayload final : public FramePayload {
 public:
  StringPayload(std::string bytes, uint64_t seed) : bytes_(std::move(bytes)), seed_(seed) {}
  void ForEachPiece(Visitor visit) const override {
    static constexpr size_t kSizes[] = {4093, 1, 7, 65536, 3, 16, 9973, 2};
    const size_t end = bytes_.size();
    size_t turn = seed_ % 8;
    for (size_t begin = kFrameHeaderBytes; begin < end; turn = (turn + 1) % 8) {
      const size_t size = std::min(kSizes[turn], end - begin);
      visit({bytes_.data() + begin, size});
      begin += size;
    }
  }

 private:
  const std::string bytes_;
  const uint64_t seed_;
};

using EdgeKey = std::tuple<std::string, int64_t, int, int>;  // job, generation, from, to

}  // namespace

// All edges and transports. One mutex and one condition for the whole network.
class LoopbackNetwork::State {
 public:
  base::Mutex mutex;
  base::CondVar changed;
  std::map<EdgeKey, LoopbackEdge> edges ABSL_GUARDED_BY(mutex);
  std::vector<LoopbackTransport*> transports ABSL_GUARDED_BY(mutex);
  // Where each address is: its latest Connect.
  std::map<std::string, Fence> fences ABSL_GUARDED_BY(mutex);
  std::vector<LoopbackFault> faults ABSL_GUARDED_BY(mutex);
  int next_address ABSL_GUARDED_BY(mutex) = 0;
};

namespace {

using State = LoopbackNetwork::State;

// Everything private is called with the network's mutex held.
class LoopbackTransport final : public Transport {
 public:
  LoopbackTransport(State& network, const TransportMembership& membership);
  ~LoopbackTransport() override;

  [[nodiscard]] int rank() const override { return membership_.rank; }
  [[nodiscard]] int world_size() const override {
    return static_cast<int>(membership_.addresses.size());
  }
  [[nodiscard]] std::string carriers() const override { return "loopback"; }
  void SetActivity(const Activity& activity) override {
    base::MutexLock lock(network_.mutex);
    activity_ = activity;
  }
  void Send(int peer, const FrameTag& tag, absl::Span<const char> payload,
            absl::optional<uint32_t> payload_crc) override;
  [[nodiscard]] absl::StatusOr<Frame> Receive(int peer, absl::Time deadline) override;
  [[nodiscard]] absl::Status Flush(absl::Time deadline) override;
  void Serve() override;
  void Wake() override;
  void Abort(const absl::Status& cause) override;
  [[nodiscard]] absl::Status status() const override {
    base::MutexLock lock(network_.mutex);
    return failure_;
  }
  [[nodiscard]] TransportStats stats() const override {
    base::MutexLock lock(network_.mutex);
    return stats_;
  }

  [[nodiscard]] const TransportMembership& membership() const { return membership_; }
  // The network's mutex is held.
  void Fail(const absl::Status& cause);

 private:
  [[nodiscard]] LoopbackEdge& EdgeTo(int peer);
  [[nodiscard]] LoopbackEdge& EdgeFrom(int peer);
  void Pump(LoopbackEdge& edge);
  void Put(LoopbackEdge& edge, const WaitingFrame& frame);
  [[nodiscard]] absl::StatusOr<Frame> Take(LoopbackEdge& edge);
  void Cut(const LoopbackEdge& edge);
  void CheckPeersArePresent();
  void EraseDeadEdges();
  [[nodiscard]] bool AllTaken();
  [[nodiscard]] absl::Status Lost(int peer) const;
  [[nodiscard]] absl::Status HasLeft(int peer) const;

  State& network_;
  const TransportMembership membership_;
  Activity activity_;
  absl::Status failure_;
  bool woken_ = false;
  TransportStats stats_;
};

// The living transport of `rank` in the membership that `edge` belongs to, or null.
LoopbackTransport* Find(State& network, const FrameRoute& route, int rank)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(network.mutex) {
  for (LoopbackTransport* transport : network.transports) {
    const TransportMembership& m = transport->membership();
    if (m.rank == rank && m.generation == route.generation &&
        base::StableHash(m.job) == route.job) {
      return transport;
    }
  }
  return nullptr;
}

const LoopbackFault* FindFault(const State& network, const LoopbackEdge& edge, uint64_t frame)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(network.mutex) {
  for (const LoopbackFault& fault : network.faults) {
    if (fault.generation == edge.route.generation && fault.from == edge.route.from &&
        fault.to == edge.route.to && fault.frame == frame) {
      return &fault;
    }
  }
  return nullptr;
}

LoopbackTransport::LoopbackTransport(State& network, const TransportMembership& membership)
    : network_(network), membership_(membership) {
  network_.transports.push_back(this);
  for (const int peer : membership_.send_to) EdgeTo(peer).sender_present = true;
  for (const int peer : membership_.receive_from) {
    LoopbackEdge& edge = EdgeFrom(peer);
    edge.receiver_present = true;
    LoopbackTransport* const sender = Find(network_, edge.route, peer);
    if (sender != nullptr) sender->Pump(edge);
  }
  CheckPeersArePresent();
  network_.changed.SignalAll();
}

// A peer that has gone on to a later generation refuses this one.
void LoopbackTransport::CheckPeersArePresent() {
  for (const int peer : membership_.send_to) {
    const std::string& address = membership_.addresses[static_cast<size_t>(peer)];
    const FrameRoute& route = EdgeTo(peer).route;
    const Fence& fence = network_.fences[address];
    if (fence.IsPast(route)) Fail(fence.IsOver(route, membership_.job, address));
  }
}

LoopbackTransport::~LoopbackTransport() {
  base::MutexLock lock(network_.mutex);
  const absl::Time deadline = absl::Now() + kLinger;
  while (failure_.ok() && !AllTaken() && network_.changed.WaitUntil(network_.mutex, deadline)) {
  }
  for (const int peer : membership_.send_to) {
    LoopbackEdge& edge = EdgeTo(peer);
    edge.waiting.clear();
    edge.sender_present = false;
    edge.sender_left = true;
  }
  for (const int peer : membership_.receive_from) {
    EdgeFrom(peer).receiver_present = false;
    EdgeFrom(peer).receiver_left = true;
  }
  EraseDeadEdges();
  auto& all = network_.transports;
  all.erase(std::remove(all.begin(), all.end(), this), all.end());
  network_.changed.SignalAll();
}

// An edge lives as long as either end does: what the sender has put on it may still be received.
void LoopbackTransport::EraseDeadEdges() {
  for (auto it = network_.edges.begin(); it != network_.edges.end();) {
    const bool dead = !it->second.sender_present && !it->second.receiver_present;
    it = dead ? network_.edges.erase(it) : std::next(it);
  }
}

// Whoever comes first makes the edge; the other end finds it.
LoopbackEdge& LoopbackTransport::EdgeTo(int peer) {
  LoopbackEdge& edge = network_.edges[{membership_.job, membership_.generation, rank(), peer}];
  edge.route = {base::StableHash(membership_.job), membership_.generation, rank(), peer};
  return edge;
}

LoopbackEdge& LoopbackTransport::EdgeFrom(int peer) {
  LoopbackEdge& edge = network_.edges[{membership_.job, membership_.generation, peer, rank()}];
  edge.route = {base::StableHash(membership_.job), membership_.generation, peer, rank()};
  return edge;
}

// The payload stays where it is until the edge has room, as on a socket whose buffer is full.
void LoopbackTransport::Send(int peer, const FrameTag& tag, absl::Span<const char> payload,
                             absl::optional<uint32_t> payload_crc) {
  RM_CHECK(payload.size() <= kFramePayloadBytesMax, payload.size(), " bytes in one frame");
  base::MutexLock lock(network_.mutex);
  if (!failure_.ok()) return;
  LoopbackEdge& edge = EdgeTo(peer);
  if (edge.receiver_left) {
    Fail(HasLeft(peer));
    return;
  }
  edge.waiting.push_back({tag, payload, payload_crc});
  Pump(edge);
}

// Moves waiting frames onto the edge up to the receiver's window: back-pressure without a network.
void LoopbackTransport::Pump(LoopbackEdge& edge) {
  while (!edge.waiting.empty() && edge.receiver_present && failure_.ok() &&
         edge.bytes_on_the_way < kReadAheadBytes) {
    const WaitingFrame frame = edge.waiting.front();
    edge.waiting.pop_front();
    Put(edge, frame);
  }
  network_.changed.SignalAll();
}

// Where faults happen: a frame is dropped, held, corrupted, or the edge is cut, as the test has
// ordered for this very sequence number. The checksum is of the bytes before the damage.
void LoopbackTransport::Put(LoopbackEdge& edge, const WaitingFrame& frame) {
  FrameHeader header;
  header.tag = frame.tag;
  header.route = edge.route;
  header.sequence = edge.next_sent++;
  header.payload_bytes = static_cast<uint32_t>(frame.payload.size());
  header.payload_crc = frame.payload_crc.has_value()
                           ? *frame.payload_crc
                           : base::Crc32c(frame.payload.data(), frame.payload.size());
  stats_.bytes_sent += header.payload_bytes;
  const LoopbackFault* fault = FindFault(network_, edge, header.sequence);
  if (fault != nullptr && fault->kind == LoopbackFaultKind::kDrop) return;
  if (fault != nullptr && fault->kind == LoopbackFaultKind::kCut) {
    Cut(edge);
    return;
  }
  if (fault != nullptr && fault->kind == LoopbackFaultKind::kHold) {
    edge.held_from = header.sequence;
  }
  const bool corrupt = fault != nullptr && fault->kind == LoopbackFaultKind::kCorrupt;
  if (corrupt && header.payload_bytes == 0) header.payload_crc ^= 1;
  const auto head = EncodeFrameHeader(header);
  std::string bytes(head.data(), head.size());
  bytes.append(frame.payload.data(), frame.payload.size());
  if (corrupt && header.payload_bytes > 0) bytes.back() = static_cast<char>(bytes.back() ^ 0x10);
  edge.bytes_on_the_way += bytes.size();
  edge.on_the_way.push_back(std::move(bytes));
}

// Both ends notice, each in its own words.
void LoopbackTransport::Cut(const LoopbackEdge& edge) {
  LoopbackTransport* const receiver = Find(network_, edge.route, edge.route.to);
  if (receiver != nullptr) receiver->Fail(receiver->Lost(rank()));
  Fail(Lost(edge.route.to));
}

// What has arrived is taken even when its sender has left since; only an empty edge without a sender
// is the end. A held frame has not arrived.
absl::StatusOr<Frame> LoopbackTransport::Receive(int peer, absl::Time deadline) {
  base::MutexLock lock(network_.mutex);
  LoopbackEdge& edge = EdgeFrom(peer);
  const auto arrived = [&] {
    return !edge.on_the_way.empty() && edge.next_received < edge.held_from;
  };
  while (failure_.ok() && !arrived() && !(edge.sender_left && edge.on_the_way.empty())) {
    const bool in_time = network_.changed.WaitUntil(network_.mutex, deadline);
    if (!in_time && failure_.ok() && !arrived()) {
      return NothingCame(rank(), peer);
    }
  }
  if (!failure_.ok()) return failure_;
  if (!arrived()) {
    Fail(HasLeft(peer));
    return failure_;
  }
  absl::StatusOr<Frame> frame = Take(edge);
  if (!frame.ok()) Fail(frame.status());
  return frame;
}

// Room on the edge lets the sender's next frame move, on this thread: the network has none of its own.
absl::StatusOr<Frame> LoopbackTransport::Take(LoopbackEdge& edge) {
  std::string bytes = std::move(edge.on_the_way.front());
  edge.on_the_way.pop_front();
  edge.bytes_on_the_way -= bytes.size();
  LoopbackTransport* const sender = Find(network_, edge.route, edge.route.from);
  if (sender != nullptr) sender->Pump(edge);
  RM_ASSIGN_OR_RETURN(const FrameHeader header, ParseFrameHeader(bytes));
  if (header.sequence != edge.next_received) {
    return FramesLost(rank(), edge.route.from, header.sequence, edge.next_received);
  }
  ++edge.next_received;
  stats_.bytes_received += header.payload_bytes;
  return Frame{header, std::make_unique<StringPayload>(std::move(bytes), header.sequence)};
}

// Payloads are the caller's again when nothing waits; what is on the way has been copied.
bool LoopbackTransport::AllTaken() {
  for (const int peer : membership_.send_to) {
    if (!EdgeTo(peer).waiting.empty()) return false;
  }
  return true;
}

absl::Status LoopbackTransport::Flush(absl::Time deadline) {
  base::MutexLock lock(network_.mutex);
  bool in_time = true;
  while (failure_.ok() && !AllTaken()) {
    if (!in_time) return FramesNotTaken();
    in_time = network_.changed.WaitUntil(network_.mutex, deadline);
  }
  return failure_;
}

void LoopbackTransport::Serve() {
  base::MutexLock lock(network_.mutex);
  while (!woken_) network_.changed.Wait(network_.mutex);
  woken_ = false;
}

void LoopbackTransport::Wake() {
  base::MutexLock lock(network_.mutex);
  woken_ = true;
  network_.changed.SignalAll();
}

void LoopbackTransport::Abort(const absl::Status& cause) {
  base::MutexLock lock(network_.mutex);
  Fail(cause);
}

// The first cause stays. It spreads to the neighbours at once, and from them around the ring.
void LoopbackTransport::Fail(const absl::Status& cause) {
  if (!failure_.ok()) return;
  failure_ = cause;
  if (membership_.on_failure) membership_.on_failure();
  network_.changed.SignalAll();
  for (const std::vector<int>* peers : {&membership_.send_to, &membership_.receive_from}) {
    for (const int peer : *peers) {
      LoopbackTransport* const other = Find(network_, EdgeTo(peer).route, peer);
      if (other != nullptr) other->Fail(cause);
    }
  }
}

absl::Status LoopbackTransport::Lost(int peer) const {
  return PeerLost({rank(), membership_.generation, activity_}, peer, "the edge was cut");
}

absl::Status LoopbackTransport::HasLeft(int peer) const {
  return PeerHasLeft({rank(), membership_.generation, activity_}, peer);
}

class LoopbackEndpoint final : public TransportEndpoint {
 public:
  LoopbackEndpoint(State& network, std::string address)
      : network_(network), address_(std::move(address)) {}

  [[nodiscard]] const std::string& address() const override { return address_; }

  [[nodiscard]] absl::StatusOr<std::unique_ptr<Transport>> Connect(
      const TransportMembership& membership) override {
    RM_RETURN_IF_ERROR(ValidateMembership(membership));
    base::MutexLock lock(network_.mutex);
    Fence& fence = network_.fences[address_];
    RM_RETURN_IF_ERROR(fence.MayEnter(membership));
    FailEarlierTransports(fence.LeftFor(membership.generation));
    fence.Enter(membership);
    return std::make_unique<LoopbackTransport>(network_, membership);
  }

 private:
  void FailEarlierTransports(const absl::Status& cause)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(network_.mutex) {
    for (LoopbackTransport* transport : network_.transports) {
      const TransportMembership& m = transport->membership();
      if (m.addresses[static_cast<size_t>(m.rank)] != address_) continue;
      transport->Fail(cause);
    }
  }

  State& network_;
  const std::string address_;
};

}  // namespace

LoopbackNetwork::LoopbackNetwork() : state_(std::make_unique<State>()) {}
LoopbackNetwork::~LoopbackNetwork() = default;

std::unique_ptr<TransportEndpoint> LoopbackNetwork::Open() {
  base::MutexLock lock(state_->mutex);
  const std::string address = absl::StrCat("loopback:", state_->next_address++);
  return std::make_unique<LoopbackEndpoint>(*state_, address);
}

void LoopbackNetwork::Inject(const LoopbackFault& fault) {
  base::MutexLock lock(state_->mutex);
  state_->faults.push_back(fault);
}

void LoopbackNetwork::ReleaseHeld() {
  base::MutexLock lock(state_->mutex);
  for (auto& [key, edge] : state_->edges) edge.held_from = UINT64_MAX;
  auto& faults = state_->faults;
  const auto holds = [](const LoopbackFault& f) { return f.kind == LoopbackFaultKind::kHold; };
  faults.erase(std::remove_if(faults.begin(), faults.end(), holds), faults.end());
  state_->changed.SignalAll();
}

LoopbackNetwork& LoopbackNetwork::Default() {
  static LoopbackNetwork* const network = new LoopbackNetwork;
  return *network;
}

absl::StatusOr<std::unique_ptr<TransportEndpoint>> OpenLoopbackEndpoint(
    const TransportOptions& /*options*/) {
  return LoopbackNetwork::Default().Open();
}

}  // namespace rm::comm
