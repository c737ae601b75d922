// How edges are chosen, and transports whose edges go two ways. What every transport promises is in
// transport_contract_test.cc, where "auto" goes through shared memory.
#include "comm/transport/auto_endpoint.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/random.h"
#include "comm/transport/grpc_endpoint.h"

namespace rm::comm {
namespace {

absl::Time Never() { return absl::InfiniteFuture(); }

// A ring of ranks of this process on any number of "machines": ranks that are not on the same one see
// each other's address without the part for shared memory, as if it could not be reached.
class Ring {
 public:
  // `machines`: of each rank.
  explicit Ring(std::vector<int> machines) : machines_(std::move(machines)) {
    for (size_t rank = 0; rank < machines_.size(); ++rank) {
      auto endpoint = OpenAutoEndpoint({"127.0.0.1", ""});
      REQUIRE(endpoint.ok());
      endpoints_.push_back(*std::move(endpoint));
    }
  }

  [[nodiscard]] int world_size() const { return static_cast<int>(machines_.size()); }

  [[nodiscard]] TransportMembership MembershipOf(int rank, int64_t generation) const {
    const auto own = static_cast<size_t>(rank);
    TransportMembership membership;
    membership.job = "auto";
    membership.generation = generation;
    membership.rank = rank;
    for (size_t peer = 0; peer < machines_.size(); ++peer) {
      const std::string& address = endpoints_[peer]->address();
      membership.addresses.push_back(
          machines_[peer] == machines_[own] ? address : address.substr(0, address.find('+')));
    }
    membership.send_to = {(rank + 1) % world_size()};
    membership.receive_from = {(rank + world_size() - 1) % world_size()};
    return membership;
  }

  [[nodiscard]] TransportEndpoint& endpoint(int rank) {
    return *endpoints_[static_cast<size_t>(rank)];
  }

  // All ranks of one generation.
  [[nodiscard]] std::vector<std::unique_ptr<Transport>> ConnectAll(int64_t generation) {
    std::vector<std::unique_ptr<Transport>> ranks;
    for (int rank = 0; rank < world_size(); ++rank) {
      auto transport = endpoint(rank).Connect(MembershipOf(rank, generation));
      REQUIRE(transport.ok());
      ranks.push_back(*std::move(transport));
    }
    return ranks;
  }

 private:
  std::vector<int> machines_;
  std::vector<std::unique_ptr<TransportEndpoint>> endpoints_;
};

std::vector<std::string> CarriersOf(const std::vector<std::unique_ptr<Transport>>& ranks) {
  std::vector<std::string> carriers;
  for (const auto& rank : ranks) carriers.push_back(rank->carriers());
  return carriers;
}

void LeaveTogether(std::vector<std::unique_ptr<Transport>> ranks) {
  std::vector<std::thread> threads;
  for (auto& rank : ranks) {
    threads.emplace_back([leaving = std::move(rank)]() mutable { leaving.reset(); });
  }
  for (std::thread& thread : threads) thread.join();
}

// Every rank sends `rounds` frames around the ring and checks what comes. How many were wrong.
int PassAround(std::vector<std::unique_ptr<Transport>>& ranks, int rounds) {
  const auto world_size = ranks.size();
  std::vector<int> wrong(world_size, 0);
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < world_size; ++rank) {
    threads.emplace_back([&, rank] {
      const int next = static_cast<int>((rank + 1) % world_size);
      const int previous = static_cast<int>((rank + world_size - 1) % world_size);
      for (int round = 0; round < rounds; ++round) {
        const size_t bytes = round % 10 == 9 ? 3 << 20 : 1000;
        const auto text_of = [&](int sender) {
          return absl::StrCat(sender, "/", round, std::string(bytes, '.'));
        };
        const std::string sent = text_of(static_cast<int>(rank));
        ranks[rank]->Send(next, {}, sent, absl::nullopt);
        const auto frame = ranks[rank]->Receive(previous, Never());
        const bool right = frame.ok() && *frame->Text() == text_of(previous) &&
                           ranks[rank]->Flush(Never()).ok();
        if (!right) ++wrong[rank];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return *std::max_element(wrong.begin(), wrong.end());
}

TEST_CASE("ranks of one machine share memory, others use gRPC, and a ring may be of both") {
  struct Case {
    std::vector<int> machines;
    std::vector<std::string> carriers;
  };
  const std::vector<Case> cases = {
      {{0, 0}, {"shm", "shm"}},
      {{0, 1}, {"grpc", "grpc"}},
      {{0, 0, 1}, {"grpc+shm", "grpc+shm", "grpc"}},
      {{0, 0, 1, 1}, {"grpc+shm", "grpc+shm", "grpc+shm", "grpc+shm"}},
      {{0, 0, 0, 1, 1}, {"grpc+shm", "shm", "grpc+shm", "grpc+shm", "grpc+shm"}},
  };
  for (const Case& c : cases) {
    INFO(c.machines.size() << " ranks");
    Ring ring(c.machines);
    auto ranks = ring.ConnectAll(1);
    CHECK(CarriersOf(ranks) == c.carriers);
    CHECK(PassAround(ranks, 30) == 0);
    CHECK(ranks[0]->stats().bytes_sent == ranks[0]->stats().bytes_received);
    LeaveTogether(std::move(ranks));
  }
}

TEST_CASE("an abort crosses from one kind of edge to the other, with its cause") {
  for (int aborter = 0; aborter < 4; ++aborter) {
    INFO("rank " << aborter);
    Ring ring({0, 0, 1, 1});
    auto ranks = ring.ConnectAll(1);
    REQUIRE(PassAround(ranks, 1) == 0);
    std::vector<absl::Status> outcomes(4);
    std::vector<std::thread> threads;
    for (size_t rank = 0; rank < 4; ++rank) {
      threads.emplace_back([&, rank] {
        if (static_cast<int>(rank) == aborter) {
          ranks[rank]->Abort(absl::DataLossError("bad memory"));
        }
        outcomes[rank] =
            ranks[rank]->Receive(static_cast<int>((rank + 3) % 4), Never()).status();
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const absl::Status& outcome : outcomes) CHECK(outcome == absl::DataLossError("bad memory"));
    for (const auto& rank : ranks) {
      CHECK(rank->status() == absl::DataLossError("bad memory"));
      CHECK(rank->Flush(Never()) == absl::DataLossError("bad memory"));
    }
    LeaveTogether(std::move(ranks));
  }
}

TEST_CASE("a rank that has left is missed on edges of both kinds") {
  Ring ring({0, 0, 1});
  auto ranks = ring.ConnectAll(1);
  REQUIRE(PassAround(ranks, 1) == 0);
  ranks[0].reset();  // has a memory edge to rank 1 and a network edge from rank 2
  const std::string payload = "for rank 0";
  const absl::Status at_1 = ranks[1]->Receive(0, Never()).status();
  CHECK(absl::IsAborted(at_1));
  CHECK_THAT(std::string(at_1.message()), Catch::Contains("rank 0 has left while rank 1"));
  // Told by rank 1, or seen by itself.
  const absl::Status at_2 = ranks[2]->Receive(1, Never()).status();
  CHECK(absl::IsAborted(at_2));
  LeaveTogether(std::move(ranks));
}

TEST_CASE("deadlines, wakes and generations work on mixed edges as on any") {
  Ring ring({0, 0, 1});
  auto old = ring.ConnectAll(1);
  const absl::Status late =
      old[0]->Receive(2, absl::Now() + absl::Milliseconds(30)).status();
  CHECK(absl::IsDeadlineExceeded(late));
  CHECK(old[0]->status().ok());
  old[0]->Wake();
  old[0]->Serve();
  auto ranks = ring.ConnectAll(2);
  CHECK(absl::IsAborted(old[0]->status()));
  CHECK(PassAround(ranks, 10) == 0);
  LeaveTogether(std::move(old));
  LeaveTogether(std::move(ranks));
  CHECK(absl::IsFailedPrecondition(ring.endpoint(0).Connect(ring.MembershipOf(0, 1)).status()));
}

TEST_CASE("an address that leads to no shared memory is reached by gRPC") {
  Ring ring({0, 0});
  const std::string& address = ring.endpoint(1).address();
  REQUIRE(absl::StrContains(address, "+shm:"));
  std::string gone = address;
  gone.back() = gone.back() == '0' ? '1' : '0';
  for (const std::string& other : {address.substr(0, address.find('+')), gone,
                                   address.substr(0, address.find('+')) + "+shm:elsewhere"}) {
    INFO(other);
    TransportMembership membership = ring.MembershipOf(0, 1);
    membership.addresses[1] = other;
    const auto transport = ring.endpoint(0).Connect(membership);
    REQUIRE(transport.ok());
    CHECK((*transport)->carriers() == "grpc");
  }
}

TEST_CASE("a rank that only speaks gRPC is a peer too") {
  Ring ring({0, 0});
  const auto plain = OpenGrpcEndpoint({"127.0.0.1", ""});
  REQUIRE(plain.ok());
  std::vector<std::unique_ptr<Transport>> ranks;
  for (int rank = 0; rank < 2; ++rank) {
    TransportMembership membership = ring.MembershipOf(rank, 1);
    membership.addresses = {ring.endpoint(0).address(), (*plain)->address()};
    if (rank == 1) membership.addresses[0] = ring.MembershipOf(0, 1).addresses[0];
    if (rank == 1) {
      std::string& address = membership.addresses[0];
      address = address.substr(0, address.find('+'));
    }
    auto transport = rank == 0 ? ring.endpoint(0).Connect(membership) : (*plain)->Connect(membership);
    REQUIRE(transport.ok());
    ranks.push_back(*std::move(transport));
  }
  CHECK(PassAround(ranks, 3) == 0);
  LeaveTogether(std::move(ranks));
}

}  // namespace
}  // namespace rm::comm
