// What tcp adds to what every transport promises (transport_contract_test.cc): callers and peers that are
// not good ones, payloads that are used while they come, connections that break.
#include "comm/transport/tcp_endpoint.h"

#include <catch2/catch.hpp>
#include <sys/socket.h>

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
#include "comm/transport/tcp_line.h"
#include "comm/transport/tcp_socket.h"
#include "comm/transport/tcp_transport.h"

namespace rm::comm {
namespace {

constexpr char kJob[] = "tcp-test";

absl::Time Never() { return absl::InfiniteFuture(); }

std::unique_ptr<TransportEndpoint> Open() {
  auto endpoint = OpenTcpEndpoint({"127.0.0.1", ""});
  REQUIRE(endpoint.ok());
  return *std::move(endpoint);
}

// Rank 1 of two, with an edge from rank 0 only; a thread serves it.
class ListeningRank {
 public:
  ListeningRank() : endpoint_(Open()) {
    TransportMembership membership;
    membership.job = kJob;
    membership.generation = 5;
    membership.rank = 1;
    membership.addresses = {"127.0.0.1:1", endpoint_->address()};
    membership.receive_from = {0};
    transport_ = *endpoint_->Connect(membership);
    server_ = std::thread([this] { transport_->Serve(); });
  }
  ~ListeningRank() {
    transport_->Wake();
    server_.join();
  }
  [[nodiscard]] const std::string& address() const { return endpoint_->address(); }
  [[nodiscard]] Transport& transport() { return *transport_; }

 private:
  std::unique_ptr<TransportEndpoint> endpoint_;
  std::unique_ptr<Transport> transport_;
  std::thread server_;
};

std::string FrameOf(FrameKind kind, const std::string& payload, uint64_t sequence = 0,
                    int64_t generation = 5, int from = 0) {
  FrameHeader header;
  header.kind = kind;
  header.route = {base::StableHash(kJob), generation, from, 1};
  header.sequence = sequence;
  header.payload_bytes = static_cast<uint32_t>(payload.size());
  header.payload_crc = base::Crc32c(payload);
  const auto head = EncodeFrameHeader(header);
  return std::string(head.data(), head.size()) + payload;
}

std::string HelloOf(int64_t generation = 5, int world_size = 2) {
  return FrameOf(FrameKind::kHello, EncodeHello({kJob, world_size}), 0, generation);
}

// One connection to a rank, played by hand.
class RawSocket {
 public:
  explicit RawSocket(const std::string& address) : socket_(*ConnectTcp(address)) {}

  // Writes as long as the other side takes it.
  void Say(std::string bytes) {
    while (!bytes.empty()) {
      const iovec piece = {&bytes[0], bytes.size()};
      const auto written = WriteTcp(socket_.get(), {&piece, 1});
      if (!written.ok()) return;
      bytes.erase(0, *written);
      if (*written == 0) absl::SleepFor(absl::Milliseconds(1));
    }
  }

  // As a process that is killed: no orderly end.
  void Reset() {
    const linger now = {1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    socket_.Close();
  }
  void Close() { socket_.Close(); }
  [[nodiscard]] Descriptor Release() { return std::move(socket_); }

 private:
  Descriptor socket_;
};

// The next frame; nothing at the end of the connection.
absl::optional<TcpControl> Hear(TcpLine& line) {
  while (true) {
    line.Flush();
    auto heard = line.Receive();
    if (!heard.ok()) return absl::nullopt;
    if (heard->has_value()) return **std::move(heard);
    absl::SleepFor(absl::Milliseconds(1));
  }
}

// Says the first thing on a new connection: the kind of the answer, 0 at the end.
int AnswerTo(const std::string& address, const std::string& first) {
  RawSocket caller(address);
  caller.Say(first);
  TcpLine line(caller.Release());
  const auto answer = Hear(line);
  return answer.has_value() ? static_cast<int>(answer->header.kind) : 0;
}

// Rank 0 with both its connections.
struct RawPeer {
  explicit RawPeer(const std::string& address) : line(*ConnectTcp(address)), data(address) {
    line.SetRoute({base::StableHash(kJob), 5, 0, 1});
    line.Send(FrameKind::kHello, EncodeHello({kJob, 2}));
    const auto welcome = Hear(line);
    REQUIRE(welcome.has_value());
    REQUIRE(welcome->header.kind == FrameKind::kWelcome);
    data.Say(FrameOf(FrameKind::kStripe, welcome->text));
  }
  TcpLine line;
  RawSocket data;
};

constexpr int kAbort = static_cast<int>(FrameKind::kAbort);
constexpr int kWelcome = static_cast<int>(FrameKind::kWelcome);

TEST_CASE("callers that say no proper hello are seen off, and good ones are still welcome") {
  ListeningRank rank;
  const std::string hello = HelloOf();
  std::string damaged = hello;
  damaged[70] = static_cast<char>(damaged[70] ^ 1);
  struct Case {
    const char* what;
    std::string first;
    int answer;
  };
  const std::vector<Case> cases = {
      {"garbage", std::string(100, 'g'), 0},
      {"a damaged payload", damaged, 0},
      {"data without a hello", FrameOf(FrameKind::kData, "data"), 0},
      {"an endless hello", FrameOf(FrameKind::kHello, std::string(100000, 'h')), 0},
      {"a bye", FrameOf(FrameKind::kBye, ""), kAbort},
      {"a hello without a job", FrameOf(FrameKind::kHello, "abcd"), kAbort},
      {"an old generation", HelloOf(4), kAbort},
      {"a gang of another size", HelloOf(5, 3), kAbort},
      {"data with a token of no edge", FrameOf(FrameKind::kStripe, std::string(16, 't')), 0},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    CHECK(AnswerTo(rank.address(), c.first) == c.answer);
  }
  CHECK(rank.transport().status().ok());
  CHECK(AnswerTo(rank.address(), hello) == kWelcome);
}

TEST_CASE("a caller that hangs up before it has spoken is forgotten") {
  ListeningRank rank;
  for (int i = 0; i < 50; ++i) {
    RawSocket caller(rank.address());
    if (i % 2 == 0) caller.Say("RMFR");
    if (i % 3 == 0) caller.Reset();
  }
  CHECK(AnswerTo(rank.address(), HelloOf()) == kWelcome);
}

TEST_CASE("large payloads are used while they come, kept, left, or half used") {
  ListeningRank rank;
  RawPeer peer(rank.address());
  base::RandomStream random(4, 4);
  std::vector<std::string> payloads;
  for (int i = 0; i < 12; ++i) payloads.emplace_back(200000 + random.NextBelow(900000), 'a' + i);
  payloads[5] = "small";
  std::thread writer([&] {
    for (size_t i = 0; i < payloads.size(); ++i) {
      peer.data.Say(FrameOf(FrameKind::kData, payloads[i], i));
    }
  });
  std::vector<Frame> kept;
  for (size_t i = 0; i < payloads.size(); ++i) {
    auto frame = rank.transport().Receive(0, Never());
    REQUIRE(frame.ok());
    CHECK(frame->header.payload_bytes == payloads[i].size());
    switch (i % 3) {
      case 0: CHECK((*frame->Text() == payloads[i])); break;
      case 1: kept.push_back(*std::move(frame)); break;  // used when others have come
      default: break;                                    // left
    }
  }
  writer.join();
  for (size_t k = 0; k < kept.size(); ++k) CHECK((*kept[k].Text() == payloads[3 * k + 1]));
}

TEST_CASE("a peer that breaks the protocol fails the receiver, which says how") {
  struct Case {
    const char* says;
    std::string bytes;
  };
  std::string flipped = FrameOf(FrameKind::kData, std::string(100000, 'f'));
  flipped[50000] = static_cast<char>(flipped[50000] ^ 4);
  const std::vector<Case> cases = {
      {"frame 2 came from rank 0 to rank 1 where frame 0 was due",
       FrameOf(FrameKind::kData, "data", 2)},
      {"in generation 6", FrameOf(FrameKind::kData, "data", 0, 6)},
      {"from rank 3 to rank 1", FrameOf(FrameKind::kData, "data", 0, 5, 3)},
      {"hello from rank 0", FrameOf(FrameKind::kHello, "data")},
      {"does not begin with RMFR", std::string(200, 'x')},
      {"is damaged: its payload of 100000 bytes", flipped},
  };
  for (const Case& c : cases) {
    INFO(c.says);
    ListeningRank rank;
    RawPeer peer(rank.address());
    peer.data.Say(c.bytes);
    const auto frame = rank.transport().Receive(0, Never());
    const absl::Status status = frame.ok() ? frame->Text().status() : frame.status();
    CHECK(absl::IsDataLoss(status));
    CHECK_THAT(std::string(status.message()), Catch::Contains(c.says));
  }
}

TEST_CASE("a peer whose connections break in the middle of a frame is lost, by name") {
  for (const bool reset : {true, false}) {
    INFO(reset);
    ListeningRank rank;
    rank.transport().SetActivity({"allreduce", 3});
    {
      RawPeer peer(rank.address());
      peer.data.Say(FrameOf(FrameKind::kData, std::string(500000, 'd')).substr(0, 300000));
      const auto frame = rank.transport().Receive(0, Never());
      REQUIRE(frame.ok());
      std::thread breaker([&] {
        if (reset) peer.data.Reset();
        peer.data.Close();
        peer.line.Close();
      });
      CHECK(absl::IsDataLoss(frame->Text().status()));  // what came of it is not what was sent
      breaker.join();
    }
    const absl::Status status = rank.transport().Receive(0, Never()).status();
    CHECK(absl::IsAborted(status));
    CHECK_THAT(std::string(status.message()),
               Catch::Contains("rank 1 lost rank 0 during allreduce 3"));
  }
}

TEST_CASE("a goodbye that overtakes the last frames loses none of them") {
  ListeningRank rank;
  RawPeer peer(rank.address());
  std::string two_frames(8, '\0');
  two_frames[0] = 2;
  peer.line.Send(FrameKind::kBye, two_frames);
  CHECK(absl::IsDeadlineExceeded(
      rank.transport().Receive(0, absl::Now() + absl::Milliseconds(30)).status()));
  peer.data.Say(FrameOf(FrameKind::kData, "one", 0) + FrameOf(FrameKind::kData, "two", 1));
  for (const char* sent : {"one", "two"}) {
    const auto frame = rank.transport().Receive(0, Never());
    REQUIRE(frame.ok());
    CHECK(*frame->Text() == sent);
  }
  const absl::Status missed = rank.transport().Receive(0, Never()).status();
  CHECK_THAT(std::string(missed.message()), Catch::Contains("rank 0 has left"));
}

TEST_CASE("a peer that leaves and whose data ends too early is lost") {
  ListeningRank rank;
  RawPeer peer(rank.address());
  std::string two_frames(8, '\0');
  two_frames[0] = 2;
  peer.line.Send(FrameKind::kBye, two_frames);
  peer.data.Say(FrameOf(FrameKind::kData, "one", 0));
  peer.data.Close();
  CHECK(rank.transport().Receive(0, Never()).ok());
  const absl::Status status = rank.transport().Receive(0, Never()).status();
  CHECK(absl::IsAborted(status));
  CHECK_THAT(std::string(status.message()), Catch::Contains("its data ended"));
}

TEST_CASE("an address that nobody listens at fails the transport, naming the rank") {
  const auto endpoint = Open();
  TransportMembership membership;
  membership.job = kJob;
  membership.rank = 0;
  membership.send_to = {1};
  for (const char* nobody : {"127.0.0.1:1", "no.such.host.invalid:7", "nonsense"}) {
    INFO(nobody);
    membership.generation += 1;
    membership.addresses = {endpoint->address(), nobody};
    auto transport = endpoint->Connect(membership);
    REQUIRE(transport.ok());
    const std::string payload = "x";
    (*transport)->Send(1, {}, payload, absl::nullopt);
    const absl::Status status = (*transport)->Flush(Never());
    CHECK(absl::IsAborted(status));
    CHECK_THAT(std::string(status.message()), Catch::Contains("lost rank 1"));
  }
}

TEST_CASE("hosts that cannot be listened on are refused; IPv6 is not") {
  CHECK(absl::IsUnavailable(OpenTcpEndpoint({"192.0.2.1", ""}).status()));
  CHECK(absl::IsUnavailable(OpenTcpEndpoint({"no.such.host.invalid", ""}).status()));
  const auto advertised = OpenTcpEndpoint({"127.0.0.1", "fd00::7"});
  REQUIRE(advertised.ok());
  CHECK((*advertised)->address().substr(0, 10) == "[fd00::7]:");
}

}  // namespace
}  // namespace rm::comm
