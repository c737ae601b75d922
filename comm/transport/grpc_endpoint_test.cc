// What the listening side does with callers that are not good peers. What it does with good ones is
// in transport_contract_test.cc.
#include "comm/transport/grpc_endpoint.h"

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/crc32c.h"
#include "base/random.h"
#include "comm/transport/frame.h"
#include "comm/transport/grpc_settings.h"
#include "comm/transport/grpc_stream.h"

namespace rm::comm {
namespace {

constexpr char kJob[] = "endpoint-test";

// Rank 1 of two, with an edge from rank 0 only, served by a thread of its own.
class ServedRank {
 public:
  explicit ServedRank(int64_t generation = 1)
      : endpoint_(*OpenGrpcEndpoint({"127.0.0.1", ""})), generation_(generation) {
    TransportMembership membership;
    membership.job = kJob;
    membership.generation = generation;
    membership.rank = 1;
    membership.addresses = {"127.0.0.1:1", endpoint_->address()};
    membership.receive_from = {0};
    transport_ = *endpoint_->Connect(membership);
    thread_ = std::thread([this] { transport_->Serve(); });
  }
  ~ServedRank() { StopServing(); }

  Transport& StopServing() {
    if (thread_.joinable()) {
      transport_->Wake();
      thread_.join();
    }
    return *transport_;
  }

  [[nodiscard]] const std::string& address() const { return endpoint_->address(); }
  [[nodiscard]] int64_t generation() const { return generation_; }

 private:
  std::unique_ptr<TransportEndpoint> endpoint_;
  int64_t generation_;
  std::unique_ptr<Transport> transport_;
  std::thread thread_;
};

// A caller that says what it is told to, one blocking operation at a time.
class RawCaller {
 public:
  explicit RawCaller(const std::string& address, const std::string& method = kGrpcExchangeMethod)
      : stub_(MakeGrpcChannel(address)) {
    call_ = stub_.PrepareCall(&context_, method, &queue_);
    call_->StartCall(this);
    Wait();
  }
  ~RawCaller() {
    context_.TryCancel();
    queue_.Shutdown();
    while (Wait()) {
    }
  }

  bool Write(const std::string& message) {
    const grpc::Slice slice(message);
    call_->Write(grpc::ByteBuffer(&slice, 1), this);
    return Wait();
  }

  // The kind of the next frame, 0 at the end.
  int ReadKind() {
    grpc::ByteBuffer buffer;
    call_->Read(&buffer, this);
    grpc::Slice slice;
    if (!Wait() || !buffer.DumpToSingleSlice(&slice).ok()) return 0;
    const auto header = ParseFrameHeader(
        {reinterpret_cast<const char*>(slice.begin()), slice.size()});
    return header.ok() ? static_cast<int>(header->kind) : -1;
  }

  grpc::Status Finish() {
    grpc::Status status;
    call_->Finish(&status, this);
    Wait();
    return status;
  }

 private:
  bool Wait() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  grpc::GenericStub stub_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

// A sound frame from rank 0 to rank 1.
std::string FrameBytes(FrameKind kind, int64_t generation, uint64_t sequence,
                       const std::string& payload) {
  FrameHeader header;
  header.kind = kind;
  header.route = {base::StableHash(kJob), generation, 0, 1};
  header.sequence = sequence;
  header.payload_bytes = static_cast<uint32_t>(payload.size());
  header.payload_crc = base::Crc32c(payload);
  const auto head = EncodeFrameHeader(header);
  return std::string(head.data(), head.size()) + payload;
}

std::string HelloBytes(const ServedRank& rank, int world_size = 2) {
  return FrameBytes(FrameKind::kHello, rank.generation(), 0, EncodeHello({kJob, world_size}));
}

// A good peer is still welcome.
void CheckServes(ServedRank& rank) {
  RawCaller peer(rank.address());
  REQUIRE(peer.Write(HelloBytes(rank)));
  CHECK(peer.ReadKind() == static_cast<int>(FrameKind::kWelcome));
  CHECK(rank.StopServing().status().ok());
}

TEST_CASE("random bytes on the port disturb nobody") {
  ServedRank rank;
  int port = 0;
  const std::vector<std::string> host_and_port = absl::StrSplit(rank.address(), ':');
  REQUIRE(absl::SimpleAtoi(host_and_port[1], &port));
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    base::RandomStream random(seed, base::StableHash("grpc_endpoint_test.port"));
    std::string bytes(1 + random.NextBelow(5000), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.NextBits());
    CHECK(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0);
    close(fd);
  }
  CheckServes(rank);
}

TEST_CASE("callers that say no proper hello are seen off, each in its own way") {
  struct Case {
    const char* what;
    std::string message;
    grpc::StatusCode code;
  };
  ServedRank rank;
  const int64_t g = rank.generation();
  const std::vector<Case> cases = {
      {"garbage", "who is there?", grpc::StatusCode::CANCELLED},
      {"nothing", "", grpc::StatusCode::CANCELLED},
      {"a cut header", HelloBytes(rank).substr(0, 63), grpc::StatusCode::CANCELLED},
      {"a cut payload", HelloBytes(rank).substr(0, 70), grpc::StatusCode::CANCELLED},
      {"bytes after the payload", HelloBytes(rank) + "x", grpc::StatusCode::CANCELLED},
      {"a frame that is not the first", FrameBytes(FrameKind::kHello, g, 1, EncodeHello({kJob, 2})),
       grpc::StatusCode::CANCELLED},
      {"an abort", FrameBytes(FrameKind::kAbort, g, 0, EncodeAbort(absl::AbortedError("x"))),
       grpc::StatusCode::DATA_LOSS},
      {"a hello without a job", FrameBytes(FrameKind::kHello, g, 0, "abcd"),
       grpc::StatusCode::DATA_LOSS},
      {"an old generation", FrameBytes(FrameKind::kHello, 0, 0, EncodeHello({kJob, 2})),
       grpc::StatusCode::FAILED_PRECONDITION},
      {"a gang of another size", HelloBytes(rank, 3), grpc::StatusCode::FAILED_PRECONDITION},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    RawCaller caller(rank.address());
    REQUIRE(caller.Write(c.message));
    CHECK(caller.ReadKind() == 0);
    CHECK(caller.Finish().error_code() == c.code);
  }
  CheckServes(rank);
}

TEST_CASE("data before a hello reaches nobody") {
  ServedRank rank;
  RawCaller caller(rank.address());
  REQUIRE(caller.Write(FrameBytes(FrameKind::kData, rank.generation(), 0, "data")));
  REQUIRE(caller.Write(FrameBytes(FrameKind::kData, rank.generation(), 1, "data")));
  CheckServes(rank);
}

TEST_CASE("a message larger than a frame can be is refused") {
  ServedRank rank;
  RawCaller caller(rank.address());
  static_cast<void>(caller.Write(std::string(kFrameBytesMax + 1, 'x')));
  CHECK(caller.ReadKind() == 0);
  CHECK_FALSE(caller.Finish().ok());
  CheckServes(rank);
}

TEST_CASE("another method than ours is not implemented") {
  ServedRank rank;
  RawCaller caller(rank.address(), "/grpc.health.v1.Health/Watch");
  CHECK(caller.ReadKind() == 0);
  CHECK(caller.Finish().error_code() == grpc::StatusCode::UNIMPLEMENTED);
  CheckServes(rank);
}

TEST_CASE("a second edge from the same rank is refused, the first one stays") {
  ServedRank rank;
  RawCaller first(rank.address());
  REQUIRE(first.Write(HelloBytes(rank)));
  CHECK(first.ReadKind() == static_cast<int>(FrameKind::kWelcome));
  RawCaller second(rank.address());
  REQUIRE(second.Write(HelloBytes(rank)));
  CHECK(second.ReadKind() == 0);
  CHECK(second.Finish().error_code() == grpc::StatusCode::FAILED_PRECONDITION);
  REQUIRE(first.Write(FrameBytes(FrameKind::kData, rank.generation(), 1, "data")));
  Transport& transport = rank.StopServing();
  CHECK(transport.Receive(0, absl::InfiniteFuture()).ok());
}

// What a receiver gets when its peer, after a proper hello, sends `message`.
absl::Status ReceiveAfter(const std::string& message, int64_t generation) {
  ServedRank rank(generation);
  RawCaller peer(rank.address());
  REQUIRE(peer.Write(HelloBytes(rank)));
  REQUIRE(peer.ReadKind() == static_cast<int>(FrameKind::kWelcome));
  REQUIRE(peer.Write(message));
  const auto frame = rank.StopServing().Receive(0, absl::InfiniteFuture());
  return frame.ok() ? frame->Text().status() : frame.status();
}

TEST_CASE("a peer that breaks the protocol fails the receiver, which says how") {
  struct Case {
    const char* says;
    std::string message;
  };
  FrameHeader foreign;
  foreign.route = {base::StableHash(kJob), 5, 3, 1};
  foreign.sequence = 1;
  const auto from_rank_3 = EncodeFrameHeader(foreign);
  const std::vector<Case> cases = {
      {"frame 2 came where frame 1 was due", FrameBytes(FrameKind::kData, 5, 2, "data")},
      {"frame 0 came where frame 1 was due", FrameBytes(FrameKind::kData, 5, 0, "data")},
      {"in generation 6", FrameBytes(FrameKind::kData, 6, 1, "data")},
      {"from rank 3 to rank 1", std::string(from_rank_3.data(), from_rank_3.size())},
      {"said hello to rank 1 out of turn",
       FrameBytes(FrameKind::kHello, 5, 1, EncodeHello({kJob, 2}))},
      {"a message of 69 bytes holds a payload of 4",
       FrameBytes(FrameKind::kData, 5, 1, "data") + "x"},
      {"does not begin with RMFR", std::string(200, 'x')},
  };
  for (const Case& c : cases) {
    const absl::Status status = ReceiveAfter(c.message, 5);
    CHECK(absl::IsDataLoss(status));
    CHECK_THAT(std::string(status.message()), Catch::Contains(c.says));
  }
}

TEST_CASE("any flipped bit in a data frame is DataLoss") {
  const std::string sound = FrameBytes(FrameKind::kData, 9, 1, "a payload of some bytes");
  CHECK(ReceiveAfter(sound, 9).ok());
  base::RandomStream random(1, base::StableHash("grpc_endpoint_test.flips"));
  for (int i = 0; i < 40; ++i) {
    const uint64_t bit = random.NextBelow(8 * sound.size());
    std::string damaged = sound;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    INFO("bit " << bit);
    CHECK(absl::IsDataLoss(ReceiveAfter(damaged, 9)));
  }
}

TEST_CASE("a peer that hangs up without a word is lost, by name") {
  ServedRank rank;
  {
    RawCaller peer(rank.address());
    REQUIRE(peer.Write(HelloBytes(rank)));
    REQUIRE(peer.ReadKind() == static_cast<int>(FrameKind::kWelcome));
  }
  Transport& transport = rank.StopServing();
  transport.SetActivity({"allreduce", 3});
  const absl::Status status = transport.Receive(0, absl::InfiniteFuture()).status();
  CHECK(absl::IsAborted(status));
  CHECK_THAT(std::string(status.message()), Catch::Contains("rank 1 lost rank 0 during"));
}

}  // namespace
}  // namespace rm::comm
