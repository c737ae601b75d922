// What every transport promises, as transport.h says it, run over the whole table.
#include <catch2/catch.hpp>

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "comm/transport/transport_table.h"

namespace rm::comm {
namespace {

absl::Time Never() { return absl::InfiniteFuture(); }
absl::Time Soon() { return absl::Now() + absl::Milliseconds(50); }

// Endpoints of a gang whose ranks form a ring.
class Ring {
 public:
  Ring(const char* transport, int world_size) {
    for (int rank = 0; rank < world_size; ++rank) {
      auto endpoint = OpenTransport(transport, {"127.0.0.1", ""});
      REQUIRE(endpoint.ok());
      addresses_.push_back((*endpoint)->address());
      endpoints_.push_back(*std::move(endpoint));
    }
  }

  [[nodiscard]] int world_size() const { return static_cast<int>(addresses_.size()); }

  [[nodiscard]] TransportMembership MembershipOf(int rank, int64_t generation) const {
    TransportMembership membership;
    membership.job = "contract";
    membership.generation = generation;
    membership.rank = rank;
    membership.addresses = addresses_;
    membership.send_to = {(rank + 1) % world_size()};
    membership.receive_from = {(rank + world_size() - 1) % world_size()};
    return membership;
  }

  // As above, with no edge but the one from rank 0 to rank 1.
  [[nodiscard]] TransportMembership OneWay(int rank, int64_t generation) const {
    TransportMembership membership = MembershipOf(rank, generation);
    if (rank == 0) membership.receive_from.clear();
    if (rank == 1) membership.send_to.clear();
    return membership;
  }

  [[nodiscard]] absl::StatusOr<std::unique_ptr<Transport>> TryConnect(
      const TransportMembership& membership) {
    return endpoints_[static_cast<size_t>(membership.rank)]->Connect(membership);
  }

  [[nodiscard]] std::unique_ptr<Transport> Connect(int rank, int64_t generation = 1) {
    return Connect(MembershipOf(rank, generation));
  }

  [[nodiscard]] std::unique_ptr<Transport> Connect(const TransportMembership& membership) {
    auto transport = TryConnect(membership);
    REQUIRE(transport.ok());
    return *std::move(transport);
  }

 private:
  std::vector<std::unique_ptr<TransportEndpoint>> endpoints_;
  std::vector<std::string> addresses_;
};

// Serves a transport on a thread of its own, as a rank does that computes.
class Server {
 public:
  explicit Server(Transport& transport)
      : transport_(transport), thread_([&transport] { transport.Serve(); }) {}
  ~Server() {
    transport_.Wake();
    thread_.join();
  }

 private:
  Transport& transport_;
  std::thread thread_;
};

// Destroys transports at the same time, as ranks that leave together do.
void LeaveTogether(std::vector<std::unique_ptr<Transport>> transports) {
  std::vector<std::thread> threads;
  for (std::unique_ptr<Transport>& transport : transports) {
    threads.emplace_back([leaving = std::move(transport)]() mutable { leaving.reset(); });
  }
  for (std::thread& thread : threads) thread.join();
}

template <typename... Transports>
void LeaveTogether(std::unique_ptr<Transport> first, Transports... others) {
  std::vector<std::unique_ptr<Transport>> all;
  all.push_back(std::move(first));
  (all.push_back(std::move(others)), ...);
  LeaveTogether(std::move(all));
}

// The payload of a received frame, or why there is none.
std::string TextOf(const absl::StatusOr<Frame>& frame) {
  if (!frame.ok()) return frame.status().ToString();
  const absl::StatusOr<std::string> text = frame->Text();
  return text.ok() ? *text : text.status().ToString();
}

std::string Numbered(int i, size_t bytes) {
  std::string text(bytes, static_cast<char>('a' + i % 26));
  return absl::StrCat(i, ":", text);
}

#define FOR_EACH_TRANSPORT                                     \
  const TransportEntry& entry = GENERATE(from_range(           \
      TransportTable().begin(), TransportTable().end()));      \
  INFO(entry.name)

TEST_CASE("frames arrive in order, whole, with their tags") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 2);
  auto a = ring.Connect(0);
  auto b = ring.Connect(1);
  std::vector<std::string> sent;
  for (int i = 0; i < 40; ++i) sent.push_back(Numbered(i, static_cast<size_t>(i * i * 37)));
  for (int i = 0; i < 40; ++i) {
    a->Send(1, {2, 9, static_cast<uint32_t>(i), 1}, sent[static_cast<size_t>(i)], absl::nullopt);
  }
  std::thread sender([&a] { static_cast<void>(a->Flush(absl::InfiniteFuture())); });
  for (int i = 0; i < 40; ++i) {
    const auto frame = b->Receive(0, Never());
    REQUIRE(frame.ok());
    CHECK(frame->header.tag == FrameTag{2, 9, static_cast<uint32_t>(i), 1});
    CHECK(TextOf(frame) == sent[static_cast<size_t>(i)]);
  }
  sender.join();
  LeaveTogether(std::move(a), std::move(b));
}

TEST_CASE("both directions between two ranks are edges of their own") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 2);
  auto a = ring.Connect(0);
  auto b = ring.Connect(1);
  const std::string to_b = "to b";
  const std::string to_a = "to a";
  a->Send(1, {}, to_b, absl::nullopt);
  b->Send(0, {}, to_a, absl::nullopt);
  absl::StatusOr<Frame> at_a = absl::UnknownError("");
  absl::StatusOr<Frame> at_b = absl::UnknownError("");
  {
    Server serve_b(*b);
    at_a = a->Receive(1, Never());
  }
  {
    Server serve_a(*a);
    at_b = b->Receive(0, Never());
  }
  REQUIRE(at_a.ok());
  REQUIRE(at_b.ok());
  CHECK(TextOf(at_a) == to_a);
  CHECK(TextOf(at_b) == to_b);
  CHECK(a->stats().bytes_sent == 4);
  CHECK(a->stats().bytes_received == 4);
  LeaveTogether(std::move(a), std::move(b));
}

TEST_CASE("frames wait for a peer that comes later") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 2);
  auto a = ring.Connect(0);
  const std::string early = "early";
  a->Send(1, {}, early, absl::nullopt);
  CHECK(absl::IsDeadlineExceeded(a->Flush(Soon())));
  CHECK(a->status().ok());
  auto b = ring.Connect(1);
  Server serve_a(*a);
  const auto frame = b->Receive(0, Never());
  REQUIRE(frame.ok());
  CHECK(TextOf(frame) == early);
}

TEST_CASE("a receive that gets nothing in time fails nothing") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 2);
  auto a = ring.Connect(0);
  auto b = ring.Connect(1);
  const absl::Status late = b->Receive(0, Soon()).status();
  CHECK(absl::IsDeadlineExceeded(late));
  CHECK_THAT(std::string(late.message()), Catch::Contains("rank 0"));
  CHECK(b->status().ok());
  const std::string payload = "after all";
  a->Send(1, {}, payload, absl::nullopt);
  {
    Server serve_a(*a);
    CHECK(b->Receive(0, Never()).ok());
  }
  LeaveTogether(std::move(a), std::move(b));
}

TEST_CASE("a receiver that does not receive stops its sender, and lets it go on later") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 2);
  auto a = ring.Connect(0);
  auto b = ring.Connect(1);
  const std::string mebibyte(size_t{1} << 20, 'm');
  constexpr int kFrames = 96;  // far more than is read ahead and lies in sockets
  for (int i = 0; i < kFrames; ++i) a->Send(1, {}, mebibyte, absl::nullopt);
  {
    Server serve_b(*b);
    CHECK(absl::IsDeadlineExceeded(a->Flush(absl::Now() + absl::Milliseconds(300))));
  }
  CHECK(a->stats().bytes_sent < int64_t{kFrames} << 20);
  std::thread flush([&a] { static_cast<void>(a->Flush(absl::InfiniteFuture())); });
  for (int i = 0; i < kFrames; ++i) CHECK(b->Receive(0, Never()).ok());
  flush.join();
  CHECK(a->stats().bytes_sent == int64_t{kFrames} << 20);
  LeaveTogether(std::move(a), std::move(b));
}

TEST_CASE("an abort reaches every rank, with its cause, and is the answer to everything after") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 5);
  std::vector<std::unique_ptr<Transport>> ranks;
  for (int rank = 0; rank < 5; ++rank) ranks.push_back(ring.Connect(rank));
  std::vector<std::promise<absl::Status>> outcomes(5);
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < 5; ++rank) {
    threads.emplace_back([&, rank] {
      const int previous = (static_cast<int>(rank) + 4) % 5;
      outcomes[rank].set_value(ranks[rank]->Receive(previous, Never()).status());
      ranks[rank]->Serve();
    });
  }
  const absl::Status cause = absl::DataLossError("bad memory at rank 2");
  ranks[2]->Abort(cause);
  for (size_t rank = 0; rank < 5; ++rank) CHECK(outcomes[rank].get_future().get() == cause);
  for (size_t rank = 0; rank < 5; ++rank) {
    ranks[rank]->Wake();
    threads[rank].join();
    CHECK(ranks[rank]->status() == cause);
    CHECK(ranks[rank]->Flush(Never()) == cause);
  }
  LeaveTogether(std::move(ranks));
}

TEST_CASE("the first cause wins") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 2);
  auto a = ring.Connect(0);
  a->Abort(absl::AbortedError("first"));
  a->Abort(absl::AbortedError("second"));
  CHECK(a->status() == absl::AbortedError("first"));
}

TEST_CASE("ranks that serve while they compute pass an abort on") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 4);
  std::vector<std::unique_ptr<Transport>> ranks;
  for (int rank = 0; rank < 4; ++rank) ranks.push_back(ring.Connect(rank));
  absl::Status outcome;
  {
    Server serve_1(*ranks[1]);
    Server serve_2(*ranks[2]);
    Server serve_3(*ranks[3]);
    std::thread aborter([&] { ranks[3]->Abort(absl::AbortedError("from rank 3")); });
    outcome = ranks[0]->Receive(3, Never()).status();
    aborter.join();
  }
  CHECK(outcome == absl::AbortedError("from rank 3"));
  LeaveTogether(std::move(ranks));
}

TEST_CASE("a rank that has left is missed only by one that still needs it") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 2);
  auto a = ring.Connect(0);
  auto b = ring.Connect(1);
  const std::string last = "the last frame";
  a->Send(1, {}, last, absl::nullopt);
  std::thread leaver([&a] {
    static_cast<void>(a->Flush(absl::InfiniteFuture()));
    a.reset();
  });
  const auto frame = b->Receive(0, Never());
  {
    Server serve_b(*b);
    leaver.join();
  }
  REQUIRE(frame.ok());
  CHECK(TextOf(frame) == last);
  CHECK(b->status().ok());
  b->SetActivity({"allreduce", 17});
  const absl::Status missed = b->Receive(0, Never()).status();
  CHECK(absl::IsAborted(missed));
  CHECK_THAT(std::string(missed.message()), Catch::Contains("rank 0 has left while rank 1"));
  CHECK_THAT(std::string(missed.message()), Catch::Contains("allreduce 17 of generation 1"));
}

TEST_CASE("a frame to a rank that has left fails the sender") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 2);
  auto a = ring.Connect(0);
  auto b = ring.Connect(1);
  const std::string both_ways = "x";
  a->Send(1, {}, both_ways, absl::nullopt);
  b->Send(0, {}, both_ways, absl::nullopt);
  std::thread rank_0([&] {
    static_cast<void>(a->Receive(1, absl::InfiniteFuture()));
    static_cast<void>(a->Flush(absl::InfiniteFuture()));
    a.reset();
  });
  CHECK(b->Receive(0, Never()).ok());
  CHECK(absl::IsAborted(b->Receive(0, Never()).status()));
  rank_0.join();
  CHECK(absl::IsAborted(b->Flush(Never())));
}

TEST_CASE("a peer of an earlier generation is refused and told why") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 2);
  auto current = ring.Connect(ring.OneWay(1, 7));
  Server serve(*current);
  auto stale = ring.Connect(ring.OneWay(0, 6));
  const std::string payload = "stale";
  stale->Send(1, {}, payload, absl::nullopt);
  const absl::Status status = stale->Flush(Never());
  CHECK(absl::IsFailedPrecondition(status));
  CHECK_THAT(std::string(status.message()),
             Catch::Contains("generation 6 of job contract is over"));
  CHECK(current->status().ok());
}

TEST_CASE("a peer of another job is refused") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 2);
  auto ours = ring.Connect(ring.OneWay(1, 3));
  Server serve(*ours);
  TransportMembership foreign = ring.OneWay(0, 3);
  foreign.job = "another job";
  auto stranger = ring.Connect(foreign);
  const std::string payload = "foreign";
  stranger->Send(1, {}, payload, absl::nullopt);
  CHECK(absl::IsFailedPrecondition(stranger->Flush(Never())));
  CHECK(ours->status().ok());
}

TEST_CASE("a peer of a later generation waits until this rank has come there") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 2);
  auto old = ring.Connect(ring.OneWay(1, 1));
  auto early = ring.Connect(ring.OneWay(0, 2));
  const std::string payload = "from generation 2";
  early->Send(1, {}, payload, absl::nullopt);
  {
    Server serve_old(*old);
    CHECK(absl::IsDeadlineExceeded(early->Flush(Soon())));
  }
  CHECK(early->status().ok());
  auto present = ring.Connect(ring.OneWay(1, 2));
  Server serve_early(*early);
  const auto frame = present->Receive(0, Never());
  REQUIRE(frame.ok());
  CHECK(TextOf(frame) == payload);
  const absl::Status superseded = old->status();
  CHECK(absl::IsAborted(superseded));
  CHECK_THAT(std::string(superseded.message()), Catch::Contains("left generation 1 for 2"));
}

TEST_CASE("an endpoint does not go back to an earlier generation") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 2);
  { auto present = ring.Connect(0, 5); }
  CHECK(absl::IsFailedPrecondition(ring.TryConnect(ring.MembershipOf(0, 4)).status()));
  auto again = ring.TryConnect(ring.MembershipOf(0, 5));
  CHECK(again.ok());
}

TEST_CASE("an endpoint carries one generation after the other") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 2);
  for (int64_t generation = 1; generation <= 5; ++generation) {
    auto a = ring.Connect(0, generation);
    auto b = ring.Connect(1, generation);
    const std::string payload = absl::StrCat("generation ", generation);
    a->Send(1, {}, payload, absl::nullopt);
    {
      Server serve_a(*a);
      const auto frame = b->Receive(0, Never());
      REQUIRE(frame.ok());
      CHECK(TextOf(frame) == payload);
    }
    LeaveTogether(std::move(a), std::move(b));
  }
}

TEST_CASE("serving ends with a wake, also one that came before") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 2);
  auto a = ring.Connect(0);
  a->Wake();
  a->Serve();
  std::thread waker([&a] { a->Wake(); });
  a->Serve();
  waker.join();
  CHECK(a->status().ok());
}

TEST_CASE("a membership that makes no sense is refused") {
  FOR_EACH_TRANSPORT;
  Ring ring(entry.name, 2);
  TransportMembership wrong = ring.MembershipOf(0, 1);
  wrong.send_to = {0};
  CHECK(absl::IsInvalidArgument(ring.TryConnect(wrong).status()));
}

}  // namespace
}  // namespace rm::comm
