// What shared memory adds to what every transport promises (transport_contract_test.cc): callers and
// peers that are not good ones, rings that fill up, ranks that die.
#include "comm/transport/shm_endpoint.h"

#include <catch2/catch.hpp>
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/crc32c.h"
#include "base/random.h"
#include "comm/transport/frame.h"
#include "comm/transport/shm_link.h"
#include "comm/transport/shm_ring.h"
#include "comm/transport/shm_socket.h"
#include "comm/transport/shm_transport.h"

namespace rm::comm {
namespace {

constexpr char kJob[] = "endpoint-test";

absl::Time Never() { return absl::InfiniteFuture(); }

std::unique_ptr<TransportEndpoint> Open() {
  auto endpoint = OpenShmEndpoint({});
  REQUIRE(endpoint.ok());
  return *std::move(endpoint);
}

// Rank 1 of two, with an edge from rank 0 only.
class ListeningRank {
 public:
  explicit ListeningRank(int64_t generation = 1) : endpoint_(Open()), generation_(generation) {
    TransportMembership membership;
    membership.job = kJob;
    membership.generation = generation;
    membership.rank = 1;
    membership.addresses = {"nowhere", endpoint_->address()};
    membership.receive_from = {0};
    transport_ = *endpoint_->Connect(membership);
  }

  [[nodiscard]] std::string name() const { return *ShmSocketName(endpoint_->address()); }
  [[nodiscard]] int64_t generation() const { return generation_; }
  [[nodiscard]] Transport& transport() { return *transport_; }

 private:
  std::unique_ptr<TransportEndpoint> endpoint_;
  int64_t generation_;
  std::unique_ptr<Transport> transport_;
};

FrameHeader HeaderOf(FrameKind kind, int64_t generation, uint64_t sequence,
                     const std::string& payload) {
  FrameHeader header;
  header.kind = kind;
  header.route = {base::StableHash(kJob), generation, 0, 1};
  header.sequence = sequence;
  header.payload_bytes = static_cast<uint32_t>(payload.size());
  header.payload_crc = base::Crc32c(payload);
  return header;
}

std::string FrameBytes(const FrameHeader& header, const std::string& payload) {
  const auto head = EncodeFrameHeader(header);
  return std::string(head.data(), head.size()) + payload;
}

std::string HelloBytes(int64_t generation, int world_size = 2) {
  const std::string payload = EncodeHello({kJob, world_size});
  return FrameBytes(HeaderOf(FrameKind::kHello, generation, 0, payload), payload);
}

// A caller that plays rank 0, by hand.
class RawCaller {
 public:
  explicit RawCaller(const std::string& name) : socket_(*ConnectTo(name)), bell_(NewBell()) {}

  static SharedDoorbell NewBell() { return *SharedDoorbell::Create(); }

  void Say(const std::string& bytes) {
    static_cast<void>(SendPacket(socket_.get(), bytes, {bell_.fd()}));
  }
  void SayWithout(const std::string& bytes) {
    static_cast<void>(SendPacket(socket_.get(), bytes, {}));
  }
  void HangUp() { socket_.Close(); }

  // The next packet after the greeting; nothing at the end.
  absl::optional<Packet> Hear() {
    while (true) {
      absl::StatusOr<absl::optional<Packet>> packet = ReceivePacket(socket_.get());
      if (!packet.ok()) return absl::nullopt;
      const bool frame = packet->has_value() && (*packet)->bytes.size() >= kFrameHeaderBytes;
      if (frame) return **std::move(packet);
      absl::SleepFor(absl::Milliseconds(1));
    }
  }

  // Says hello and keeps the ring. The kind of the answer, 0 at the end.
  int Enter(const std::string& hello) {
    Say(hello);
    absl::optional<Packet> answer = Hear();
    if (!answer.has_value()) return 0;
    if (answer->descriptors.size() == 2) {
      writer_ = std::make_unique<ShmRingWriter>(
          *AdoptShmRing(Descriptor(::dup(answer->descriptors[0].get()))));
      ring_ = std::make_unique<ShmMemory>(*AdoptShmRing(std::move(answer->descriptors[0])));
      theirs_ = std::make_unique<SharedDoorbell>(
          *SharedDoorbell::Adopt(std::move(answer->descriptors[1])));
    }
    return static_cast<int>(ParseFrameHeader(answer->bytes)->kind);
  }

  // Puts bytes into the ring as they are.
  void Write(const std::string& bytes) {
    writer_->Append(bytes);
    writer_->Align();
    writer_->Publish();
    theirs_->bell().Ring();
  }
  ShmRingHead& head() { return *reinterpret_cast<ShmRingHead*>(ring_->head()); }
  void Ring() { theirs_->bell().Ring(); }

 private:
  Descriptor socket_;
  SharedDoorbell bell_;
  std::unique_ptr<ShmRingWriter> writer_;
  std::unique_ptr<ShmMemory> ring_;
  std::unique_ptr<SharedDoorbell> theirs_;
};

constexpr int kWelcome = static_cast<int>(FrameKind::kWelcome);
constexpr int kAbort = static_cast<int>(FrameKind::kAbort);

TEST_CASE("an address says which machine it is of, and is refused on another") {
  const std::string address = NewShmAddress();
  CHECK(NewShmAddress() != address);
  REQUIRE(ShmSocketName(address).ok());
  std::string elsewhere = address;
  const size_t boot = std::strlen("shm:ringmaster-");
  elsewhere[boot] = elsewhere[boot] == '0' ? '1' : '0';
  for (const std::string& wrong :
       {elsewhere, std::string("127.0.0.1:7070"), std::string(), address + std::string(90, 'x')}) {
    INFO(wrong);
    CHECK(absl::IsFailedPrecondition(ShmSocketName(wrong).status()));
  }
}

TEST_CASE("whether memory may be shared is what the listener says") {
  const auto endpoint = Open();
  const std::string name = *ShmSocketName(endpoint->address());
  CHECK(MayShareMemory(name, absl::Seconds(10)));
  CHECK_FALSE(MayShareMemory(name + "x", absl::Seconds(10)));
  // Somebody who listens and does not greet: a process that stands still.
  const std::string silent = *ShmSocketName(NewShmAddress());
  const auto listening = ListenAt(silent);
  REQUIRE(listening.ok());
  CHECK_FALSE(MayShareMemory(silent, absl::Milliseconds(20)));
}

TEST_CASE("callers that say no proper hello are seen off, and good ones are still welcome") {
  ListeningRank rank(5);
  const std::string hello = HelloBytes(5);
  const std::string abort = EncodeAbort(absl::AbortedError("x"));
  struct Case {
    const char* what;
    std::string message;
    int answer;
  };
  const std::vector<Case> cases = {
      {"garbage", "who is there?", 0},
      {"nothing", "", 0},
      {"a cut header", hello.substr(0, 63), 0},
      {"a cut payload", hello.substr(0, 70), 0},
      {"bytes after the payload", hello + "x", 0},
      {"an abort", FrameBytes(HeaderOf(FrameKind::kAbort, 5, 0, abort), abort), kAbort},
      {"a hello without a job", FrameBytes(HeaderOf(FrameKind::kHello, 5, 0, "abcd"), "abcd"),
       kAbort},
      {"an old generation", HelloBytes(4), kAbort},
      {"a gang of another size", HelloBytes(5, 3), kAbort},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    RawCaller caller(rank.name());
    CHECK(caller.Enter(c.message) == c.answer);
  }
  RawCaller without_a_bell(rank.name());
  without_a_bell.SayWithout(hello);
  const auto answer = without_a_bell.Hear();
  REQUIRE(answer.has_value());
  CHECK(static_cast<int>(ParseFrameHeader(answer->bytes)->kind) == kAbort);
  RawCaller good(rank.name());
  CHECK(good.Enter(hello) == kWelcome);
  CHECK(rank.transport().status().ok());
}

TEST_CASE("a second edge from the same rank is refused, the first one stays") {
  ListeningRank rank;
  RawCaller first(rank.name());
  REQUIRE(first.Enter(HelloBytes(1)) == kWelcome);
  RawCaller second(rank.name());
  CHECK(second.Enter(HelloBytes(1)) == kAbort);
  first.Write(FrameBytes(HeaderOf(FrameKind::kData, 1, 0, "data"), "data"));
  const auto frame = rank.transport().Receive(0, Never());
  REQUIRE(frame.ok());
  CHECK(*frame->Text() == "data");
}

// What a receiver gets of a peer that enters properly and then puts `bytes` into the ring.
absl::Status ReceiveAfter(const std::string& bytes, int64_t generation) {
  ListeningRank rank(generation);
  RawCaller peer(rank.name());
  REQUIRE(peer.Enter(HelloBytes(generation)) == kWelcome);
  peer.Write(bytes);
  const auto frame = rank.transport().Receive(0, Never());
  return frame.ok() ? frame->Text().status() : frame.status();
}

TEST_CASE("a peer that breaks the protocol in the ring fails the receiver, which says how") {
  struct Case {
    const char* says;
    std::string bytes;
  };
  FrameHeader foreign = HeaderOf(FrameKind::kData, 5, 0, "");
  foreign.route.from = 3;
  const std::vector<Case> cases = {
      {"frame 2 came from rank 0 to rank 1 where frame 0 was due",
       FrameBytes(HeaderOf(FrameKind::kData, 5, 2, "data"), "data")},
      {"in generation 6", FrameBytes(HeaderOf(FrameKind::kData, 6, 0, "data"), "data")},
      {"from rank 3 to rank 1", FrameBytes(foreign, "")},
      {"hello from rank 0", FrameBytes(HeaderOf(FrameKind::kHello, 5, 0, "data"), "data")},
      {"does not begin with RMFR", std::string(200, 'x')},
  };
  for (const Case& c : cases) {
    const absl::Status status = ReceiveAfter(c.bytes, 5);
    CHECK(absl::IsDataLoss(status));
    CHECK_THAT(std::string(status.message()), Catch::Contains(c.says));
  }
}

TEST_CASE("any flipped bit in a frame in the ring is DataLoss") {
  const std::string payload = "a payload of some bytes";
  const std::string sound = FrameBytes(HeaderOf(FrameKind::kData, 9, 0, payload), payload);
  CHECK(ReceiveAfter(sound, 9).ok());
  base::RandomStream random(1, base::StableHash("shm_endpoint_test.flips"));
  for (int i = 0; i < 40; ++i) {
    const uint64_t bit = random.NextBelow(8 * sound.size());
    std::string damaged = sound;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    INFO("bit " << bit);
    CHECK(absl::IsDataLoss(ReceiveAfter(damaged, 9)));
  }
}

TEST_CASE("counts in the ring that cannot be are DataLoss, not a crash") {
  ListeningRank rank;
  RawCaller peer(rank.name());
  REQUIRE(peer.Enter(HelloBytes(1)) == kWelcome);
  peer.head().written = uint64_t{1} << 60;
  peer.Ring();
  CHECK(absl::IsDataLoss(rank.transport().Receive(0, Never()).status()));
  const auto told = peer.Hear();
  REQUIRE(told.has_value());
  CHECK(static_cast<int>(ParseFrameHeader(told->bytes)->kind) == kAbort);
}

TEST_CASE("a peer that hangs up without a word is lost, by name") {
  ListeningRank rank;
  RawCaller peer(rank.name());
  REQUIRE(peer.Enter(HelloBytes(1)) == kWelcome);
  rank.transport().SetActivity({"allreduce", 3});
  peer.HangUp();
  const absl::Status status = rank.transport().Receive(0, Never()).status();
  CHECK(absl::IsAborted(status));
  CHECK_THAT(std::string(status.message()),
             Catch::Contains("rank 1 lost rank 0 during allreduce 3"));
}

// Two ranks of this process, with edges both ways.
struct TwoRanks {
  TwoRanks() {
    for (int rank = 0; rank < 2; ++rank) endpoints.push_back(Open());
    for (int rank = 0; rank < 2; ++rank) {
      TransportMembership membership;
      membership.job = kJob;
      membership.generation = 1;
      membership.rank = rank;
      membership.addresses = {endpoints[0]->address(), endpoints[1]->address()};
      membership.send_to = {1 - rank};
      membership.receive_from = {1 - rank};
      transports.push_back(*endpoints[static_cast<size_t>(rank)]->Connect(membership));
    }
  }
  ~TwoRanks() {
    std::thread other([this] { transports[1].reset(); });
    transports[0].reset();
    other.join();
  }
  std::vector<std::unique_ptr<TransportEndpoint>> endpoints;
  std::vector<std::unique_ptr<Transport>> transports;
};

TEST_CASE("frames of every size pass both ways at once, those that never fit the ring too") {
  TwoRanks ranks;
  const std::vector<size_t> sizes = {0,       1,       63,      64,
                                     65,      1 << 20, (1 << 20) + 1,
                                     3 << 20, 5,       kFramePayloadBytesMax};
  const auto exchange = [&](size_t own) {
    Transport& transport = *ranks.transports[own];
    const int peer = static_cast<int>(1 - own);
    std::vector<std::string> sent;
    for (const size_t size : sizes) sent.emplace_back(size, static_cast<char>('a' + size % 7));
    for (const std::string& payload : sent) transport.Send(peer, {}, payload, absl::nullopt);
    int right = 0;
    for (const std::string& payload : sent) {
      const auto frame = transport.Receive(peer, Never());
      if (frame.ok() && *frame->Text() == payload) ++right;
    }
    static_cast<void>(transport.Flush(Never()));
    return right;
  };
  int right_at_1 = 0;
  std::thread rank_1([&] { right_at_1 = exchange(1); });
  CHECK(exchange(0) == static_cast<int>(sizes.size()));
  rank_1.join();
  CHECK(right_at_1 == static_cast<int>(sizes.size()));
}

TEST_CASE("a frame that is kept is not overwritten, and outlives its transport") {
  absl::StatusOr<Frame> kept = absl::UnknownError("");
  const std::string first = "kept in the ring";
  {
    TwoRanks ranks;
    const std::string next(size_t{1} << 20, 'n');
    ranks.transports[0]->Send(1, {}, first, absl::nullopt);
    for (int i = 0; i < 3; ++i) ranks.transports[0]->Send(1, {}, next, absl::nullopt);
    std::thread flush([&] { static_cast<void>(ranks.transports[0]->Flush(Never())); });
    kept = ranks.transports[1]->Receive(0, Never());
    REQUIRE(kept.ok());
    for (int i = 0; i < 2; ++i) CHECK(ranks.transports[1]->Receive(0, Never()).ok());
    // The third large frame does not fit while the first one, long passed, is being read.
    CHECK(absl::IsDeadlineExceeded(
        ranks.transports[1]->Receive(0, absl::Now() + absl::Milliseconds(50)).status()));
    CHECK(*kept->Text() == first);
    ranks.transports[1]->Abort(absl::AbortedError("enough"));
    flush.join();
  }
  CHECK(*kept->Text() == first);
}

TEST_CASE("an abort is heard within 100 ms in a receive, a flush into a full ring, and outside") {
  for (const char* what : {"receive", "flush", "outside"}) {
    INFO(what);
    TwoRanks ranks;
    Transport& waiting = *ranks.transports[0];
    const std::string mebibyte(size_t{1} << 20, 'm');
    if (what[0] == 'f') {
      for (int i = 0; i < 8; ++i) waiting.Send(1, {}, mebibyte, absl::nullopt);
    }
    absl::Time ended;
    std::thread waiter([&] {
      if (what[0] == 'r') static_cast<void>(waiting.Receive(1, Never()));
      if (what[0] == 'f') static_cast<void>(waiting.Flush(Never()));
      while (waiting.status().ok()) absl::SleepFor(absl::Microseconds(100));
      ended = absl::Now();
    });
    absl::SleepFor(absl::Milliseconds(20));  // it waits by now, or will at once
    const absl::Time aborted = absl::Now();
    ranks.transports[1]->Abort(absl::AbortedError("stop"));
    waiter.join();
    WARN(what << " ended " << absl::FormatDuration(ended - aborted) << " after the abort");
    CHECK(ended - aborted < absl::Milliseconds(100));
    CHECK(waiting.status() == absl::AbortedError("stop"));
  }
}

// Descriptors of this process that are shared memory.
int SharedMemoryDescriptors() {
  int found = 0;
  DIR* const folder = ::opendir("/proc/self/fd");
  while (const dirent* entry = ::readdir(folder)) {
    char target[256] = {};
    const std::string path = absl::StrCat("/proc/self/fd/", entry->d_name);
    const ssize_t bytes = ::readlink(path.c_str(), target, sizeof(target) - 1);
    if (bytes > 0 && std::strstr(target, "memfd:ringmaster") != nullptr) ++found;
  }
  ::closedir(folder);
  return found;
}

TEST_CASE("nothing stays behind when ranks leave or die") {
  const int before = SharedMemoryDescriptors();
  for (int round = 0; round < 3; ++round) {
    TwoRanks ranks;
    CHECK(SharedMemoryDescriptors() > before);
  }
  CHECK(SharedMemoryDescriptors() == before);
}

TEST_CASE("ranks that cannot share memory are told so at once") {
  const auto endpoint = Open();
  TransportMembership membership;
  membership.job = kJob;
  membership.rank = 0;
  membership.send_to = {1};
  membership.receive_from = {1};
  membership.addresses = {endpoint->address(), "10.0.0.7:41234"};
  const auto elsewhere = endpoint->Connect(membership);
  REQUIRE(elsewhere.ok());
  CHECK(absl::IsFailedPrecondition((*elsewhere)->status()));
  CHECK_THAT(std::string((*elsewhere)->status().message()),
             Catch::Contains("cannot share memory with rank 1"));
  CHECK_THAT(std::string((*elsewhere)->status().message()), Catch::Contains("transport: auto"));
  membership.generation = 1;
  membership.addresses[1] = NewShmAddress();  // of this machine, and nobody there
  const auto gone = endpoint->Connect(membership);
  REQUIRE(gone.ok());
  CHECK(absl::IsAborted((*gone)->status()));
}

}  // namespace
}  // namespace rm::comm
