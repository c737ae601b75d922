#include "comm/transport/tcp_data.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/crc32c.h"
#include "base/random.h"

namespace rm::comm {
namespace {

const FrameRoute kRoute = {77, 3, 0, 1};

// A pair of connected sockets whose buffers are small, so that writes and reads are cut anywhere.
struct Pair {
  Pair() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    const int bytes = 8192;
    ::setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    sender.Open(Descriptor(fds[0]), kRoute, "preamble");
    receiver.Open(Descriptor(fds[1]));
  }
  TcpSender sender;
  TcpReceiver receiver;
};

// Everything that comes until nothing more does, with the sender at work in between.
std::string Drain(Pair& pair) {
  std::string all;
  while (true) {
    const absl::Status pumped = pair.sender.Pump();
    REQUIRE(pumped.ok());
    pair.receiver.SetReady();
    const auto here = pair.receiver.Fill(1);
    REQUIRE(here.ok());
    if (*here == 0) return all;
    all.append(pair.receiver.bytes().data(), pair.receiver.bytes().size());
    pair.receiver.Use(pair.receiver.bytes().size());
  }
}

TEST_CASE("frames of all sizes leave in order, each behind its header, after the preamble") {
  base::RandomStream random(5, 1);
  std::vector<std::string> payloads;
  for (const size_t size : {0U, 1U, 100U, 70000U, 5U, 33000U, 33000U, 0U, 7U, 8U, 9U, 10U, 300000U}) {
    payloads.emplace_back(size, '\0');
    for (char& byte : payloads.back()) byte = static_cast<char>(random.NextBits());
  }
  Pair pair;
  for (size_t i = 0; i < payloads.size(); ++i) {
    pair.sender.Queue({{2, i, 0, 0}, payloads[i], absl::nullopt});
  }
  std::string all = Drain(pair);
  CHECK(pair.sender.written());
  CHECK(pair.sender.frames_sent() == payloads.size());
  REQUIRE(all.substr(0, 8) == "preamble");
  all.erase(0, 8);
  int64_t bytes = 0;
  for (size_t i = 0; i < payloads.size(); ++i) {
    const auto header = ParseFrameHeader(all);
    REQUIRE(header.ok());
    CHECK(header->sequence == i);
    CHECK(header->tag.collective == i);
    CHECK(header->route == kRoute);
    CHECK(header->payload_crc == base::Crc32c(payloads[i]));
    CHECK((all.substr(kFrameHeaderBytes, header->payload_bytes) == payloads[i]));
    all.erase(0, kFrameHeaderBytes + header->payload_bytes);
    bytes += static_cast<int64_t>(payloads[i].size());
  }
  CHECK(all.empty());
  CHECK(pair.sender.bytes_sent() == bytes);
}

TEST_CASE("a CRC that the caller has is not computed again") {
  Pair pair;
  pair.sender.Queue({{}, absl::string_view("abc"), 0x1234U});
  const std::string all = Drain(pair);
  CHECK(ParseFrameHeader(all.substr(8))->payload_crc == 0x1234U);
}

TEST_CASE("a sender that is not open keeps what it is given; one that discards forgets it") {
  TcpSender sender;
  sender.Queue({{}, absl::string_view("kept"), absl::nullopt});
  CHECK(sender.Pump().ok());
  CHECK_FALSE(sender.written());
  sender.Discard();
  CHECK(sender.written());
}

TEST_CASE("a receiver lets bytes lie where they are until the next fill, and asks only when it may") {
  Pair pair;
  const std::string payload(1000, 'p');
  pair.sender.Queue({{}, payload, absl::nullopt});
  REQUIRE(pair.sender.Pump().ok());
  const size_t sent = 8 + kFrameHeaderBytes + payload.size();
  REQUIRE(*pair.receiver.Fill(100) == sent);
  const absl::Span<const char> piece = pair.receiver.bytes().subspan(sent - 10);
  pair.receiver.Use(sent - 5);
  CHECK(std::string(piece.data(), 5) == "ppppp");
  // Five are left; more will come only when the socket has said so.
  CHECK(*pair.receiver.Fill(6) == 5);
  pair.sender.Queue({{}, absl::string_view("more"), absl::nullopt});
  REQUIRE(pair.sender.Pump().ok());
  CHECK(*pair.receiver.Fill(6) == 5);
  pair.receiver.SetReady();
  CHECK(*pair.receiver.Fill(6) == 5 + kFrameHeaderBytes + 4);
  CHECK(pair.receiver.bytes()[0] == 'p');
}

TEST_CASE("the end of a connection and a broken one are told apart") {
  Pair ending;
  ending.sender.Queue({{}, absl::string_view("last"), absl::nullopt});
  REQUIRE(ending.sender.Pump().ok());
  ending.sender.Close();
  CHECK(*ending.receiver.Fill(1000) == 8 + kFrameHeaderBytes + 4);
  CHECK(ending.receiver.ended());
  Pair broken;
  broken.receiver.Close();
  const std::string payload(100000, 'x');
  broken.sender.Queue({{}, payload, absl::nullopt});
  CHECK(absl::IsUnavailable(broken.sender.Pump()));
}

}  // namespace
}  // namespace rm::comm
