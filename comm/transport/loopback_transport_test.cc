// The faults that the loopback can be told to make. Its contract is in transport_contract_test.cc.
#include "comm/transport/loopback_transport.h"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"

namespace rm::comm {
namespace {

// Two ranks on a network of their own, rank 0 with an edge to rank 1 and back.
struct Pair {
  Pair() {
    TransportMembership membership;
    membership.job = "faults";
    membership.generation = 1;
    endpoint_0 = network.Open();
    endpoint_1 = network.Open();
    membership.addresses = {endpoint_0->address(), endpoint_1->address()};
    membership.send_to = {1};
    membership.receive_from = {1};
    rank_0 = *endpoint_0->Connect(membership);
    membership.rank = 1;
    membership.send_to = {0};
    membership.receive_from = {0};
    rank_1 = *endpoint_1->Connect(membership);
  }

  void Send(const std::string& payload) {
    rank_0->Send(1, {2, sent++, 0, 0}, payload, absl::nullopt);
  }

  LoopbackNetwork network;
  std::unique_ptr<TransportEndpoint> endpoint_0;
  std::unique_ptr<TransportEndpoint> endpoint_1;
  std::unique_ptr<Transport> rank_0;
  std::unique_ptr<Transport> rank_1;
  uint64_t sent = 0;
};

// The payload of a received frame, or why there is none.
std::string TextOf(const absl::StatusOr<Frame>& frame) {
  if (!frame.ok()) return frame.status().ToString();
  const absl::StatusOr<std::string> text = frame->Text();
  return text.ok() ? *text : text.status().ToString();
}

LoopbackFault AtFrame(LoopbackFaultKind kind, uint64_t frame) { return {kind, 1, 0, 1, frame}; }

TEST_CASE("a dropped frame is noticed by the next one, on both sides") {
  Pair pair;
  pair.network.Inject(AtFrame(LoopbackFaultKind::kDrop, 1));
  for (const char* payload : {"zero", "one", "two"}) pair.Send(payload);
  CHECK(pair.rank_1->Receive(0, absl::InfiniteFuture()).ok());
  const absl::Status status = pair.rank_1->Receive(0, absl::InfiniteFuture()).status();
  CHECK(absl::IsDataLoss(status));
  CHECK_THAT(std::string(status.message()),
             Catch::Contains("frame 2 came from rank 0 to rank 1 where frame 1 was due"));
  CHECK(pair.rank_0->status() == status);
}

TEST_CASE("a flipped bit in a payload is noticed when it is consumed") {
  Pair pair;
  pair.network.Inject(AtFrame(LoopbackFaultKind::kCorrupt, 0));
  pair.Send("payload");
  const auto frame = pair.rank_1->Receive(0, absl::InfiniteFuture());
  REQUIRE(frame.ok());
  CHECK(absl::IsDataLoss(frame->Text().status()));
}

TEST_CASE("a flipped bit in a frame without payload is noticed too") {
  Pair pair;
  pair.network.Inject(AtFrame(LoopbackFaultKind::kCorrupt, 0));
  pair.Send("");
  const auto frame = pair.rank_1->Receive(0, absl::InfiniteFuture());
  REQUIRE(frame.ok());
  CHECK(absl::IsDataLoss(frame->Text().status()));
}

TEST_CASE("a cut edge fails both sides, naming the peer and what was going on") {
  Pair pair;
  pair.network.Inject(AtFrame(LoopbackFaultKind::kCut, 1));
  pair.rank_1->SetActivity({"allreduce", 4});
  pair.Send("zero");
  pair.Send("one");
  const absl::Status status = pair.rank_1->Receive(0, absl::InfiniteFuture()).status();
  CHECK(absl::IsAborted(status));
  CHECK(status.message() ==
        "rank 1 lost rank 0 during allreduce 4 of generation 1: the edge was cut");
  CHECK(pair.rank_0->status() == status);
}

TEST_CASE("held frames come when they are released, in order") {
  Pair pair;
  pair.network.Inject(AtFrame(LoopbackFaultKind::kHold, 1));
  for (const char* payload : {"zero", "one", "two"}) pair.Send(payload);
  CHECK(TextOf(pair.rank_1->Receive(0, absl::InfiniteFuture())) == "zero");
  CHECK(absl::IsDeadlineExceeded(
      pair.rank_1->Receive(0, absl::Now() + absl::Milliseconds(10)).status()));
  pair.network.ReleaseHeld();
  CHECK(TextOf(pair.rank_1->Receive(0, absl::InfiniteFuture())) == "one");
  CHECK(TextOf(pair.rank_1->Receive(0, absl::InfiniteFuture())) == "two");
}

TEST_CASE("a fault in the other direction or generation does nothing") {
  Pair pair;
  pair.network.Inject({LoopbackFaultKind::kDrop, 1, 1, 0, 0});
  pair.network.Inject({LoopbackFaultKind::kDrop, 2, 0, 1, 0});
  pair.Send("zero");
  CHECK(pair.rank_1->Receive(0, absl::InfiniteFuture()).ok());
}

TEST_CASE("payloads come in pieces of odd sizes and are whole") {
  Pair pair;
  std::string payload(300000, '\0');
  for (size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(i * 7);
  pair.Send(payload);
  const auto frame = pair.rank_1->Receive(0, absl::InfiniteFuture());
  REQUIRE(frame.ok());
  int pieces = 0;
  CHECK(frame->Consume([&](absl::Span<const char>) { ++pieces; }).ok());
  CHECK(pieces > 8);
  CHECK(TextOf(frame) == payload);
}

}  // namespace
}  // namespace rm::comm
