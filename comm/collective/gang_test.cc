// Gangs that work: every operation against what it should give, over every transport.
#include "comm/collective/gang.h"

#include <catch2/catch.hpp>

#include <array>
#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "base/status.h"
#include "comm/collective/gang_testing.h"

namespace rm::comm {
namespace {

// Around the sizes where chunks, segments and algorithms change.
std::vector<int64_t> SizesFor(int n) {
  return {0,     1,     n - 1,      n,     n + 1,           15,   16 * n - 1, 16 * n, 16 * n + 1,
          16383, 16384, 16385 + 77, 50001, (1 << 20) + 333};
}

// Starts every bucket, waits, and compares.
absl::Status ReduceAll(Communicator& gang, absl::Span<const absl::Span<float>> buckets) {
  for (size_t b = 0; b < buckets.size(); ++b) {
    FillBucket(gang.rank(), static_cast<int>(b), buckets[b]);
    gang.AllReduce(static_cast<int>(b));
  }
  RM_RETURN_IF_ERROR(gang.WaitAll());
  for (size_t b = 0; b < buckets.size(); ++b) {
    RM_RETURN_IF_ERROR(CheckBucket(gang.world_size(), static_cast<int>(b), buckets[b]));
  }
  return absl::OkStatus();
}

TEST_CASE("collectives are counted as they are entered and left, and who waits for whom shows") {
  TestGang gang("loopback", 2);
  std::array<CollectiveCounters, 2> counters;
  std::promise<void> seen;
  std::shared_future<void> may_enter = seen.get_future().share();
  std::vector<std::thread> threads;
  std::array<absl::Status, 2> outcomes;
  for (int rank = 0; rank < 2; ++rank) {
    threads.emplace_back([&, rank] {
      const auto own = static_cast<size_t>(rank);
      Membership membership = gang.MembershipOf(rank, 77);
      membership.counters = &counters[own];
      auto communicator = gang.endpoint(rank).Join(membership);
      outcomes[own] = communicator.status();
      if (!communicator.ok()) return;
      if (rank == 1) may_enter.wait();
      outcomes[own] = (*communicator)->Barrier();
    });
  }
  while (counters[0].entered == 0) std::this_thread::yield();
  CHECK(counters[0].left == 0);
  CHECK(counters[1].entered == 0);  // the odd one out
  seen.set_value();
  for (std::thread& thread : threads) thread.join();
  for (size_t rank = 0; rank < 2; ++rank) {
    CHECK(outcomes[rank].ok());
    CHECK(counters[rank].entered == 1);
    CHECK(counters[rank].left == 1);
  }
}

TEST_CASE("an allreduce is the plain sum, for 1 to 9 ranks and all kinds of sizes") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  for (int n = 1; n <= 9; ++n) {
    INFO(transport << ", " << n << " ranks");
    TestGang gang(transport, n);
    CHECK(AllOk(gang.Run(1, [n](Communicator& rank) -> absl::Status {
            RM_ASSIGN_OR_RETURN(const auto buckets, rank.AllocateBuckets(SizesFor(n)));
            return ReduceAll(rank, buckets);
          })) == absl::OkStatus());
  }
}

TEST_CASE("buckets are reduced again and again, in the order in which they are started") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  TestGang gang(transport, 3);
  CHECK(AllOk(gang.Run(1, [](Communicator& rank) -> absl::Status {
          RM_ASSIGN_OR_RETURN(const auto buckets,
                              rank.AllocateBuckets({100, 70000, 3, 400000, 20000}));
          for (int step = 0; step < 10; ++step) RM_RETURN_IF_ERROR(ReduceAll(rank, buckets));
          for (const size_t i : {size_t{3}, size_t{0}, size_t{2}}) {
            FillBucket(rank.rank(), static_cast<int>(i), buckets[i]);
            rank.AllReduce(static_cast<int>(i));
          }
          RM_RETURN_IF_ERROR(rank.WaitAll());
          for (const size_t i : {size_t{3}, size_t{0}, size_t{2}}) {
            RM_RETURN_IF_ERROR(CheckBucket(3, static_cast<int>(i), buckets[i]));
          }
          return absl::OkStatus();
        })) == absl::OkStatus());
}

TEST_CASE("every rank ends with the same bits, whatever is summed") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  for (const int n : {2, 3, 4, 7}) {
    INFO(transport << ", " << n << " ranks");
    const std::vector<int64_t> sizes = {7, 5000, 90001};
    std::vector<std::string> bits(static_cast<size_t>(n));
    TestGang gang(transport, n);
    CHECK(AllOk(gang.Run(1, [&](Communicator& rank) -> absl::Status {
            RM_ASSIGN_OR_RETURN(const auto buckets, rank.AllocateBuckets(sizes));
            base::RandomStream random(static_cast<uint64_t>(rank.rank()), 5);
            for (size_t b = 0; b < buckets.size(); ++b) {
              for (float& value : buckets[b]) value = random.NextNormal();
              rank.AllReduce(static_cast<int>(b));
            }
            RM_RETURN_IF_ERROR(rank.WaitAll());
            std::string& own = bits[static_cast<size_t>(rank.rank())];
            for (const absl::Span<float> bucket : buckets) {
              own.append(reinterpret_cast<const char*>(bucket.data()),
                         bucket.size() * sizeof(float));
            }
            return absl::OkStatus();
          })) == absl::OkStatus());
    for (const std::string& others : bits) CHECK((others == bits[0]));
    CHECK(bits[0].size() == (7 + 5000 + 90001) * sizeof(float));
  }
}

TEST_CASE("a few values are summed in rank order, on every rank alike") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  for (const int n : {1, 2, 5}) {
    TestGang gang(transport, n);
    // Big and small values: any other order gives another rounding.
    const auto value = [](int rank, int i) { return i % 2 == 0 ? 1e17 / (rank + 1) : 0.1 * rank; };
    std::vector<double> expected(10000, 0.0);
    for (int i = 0; i < 10000; ++i) {
      double sum = value(0, i);
      for (int rank = 1; rank < n; ++rank) sum += value(rank, i);
      expected[static_cast<size_t>(i)] = sum;
    }
    CHECK(AllOk(gang.Run(1, [&](Communicator& rank) -> absl::Status {
            std::vector<double> values(expected.size());
            for (size_t i = 0; i < values.size(); ++i) {
              values[i] = value(rank.rank(), static_cast<int>(i));
            }
            RM_RETURN_IF_ERROR(rank.SumInPlace({}));
            RM_RETURN_IF_ERROR(rank.SumInPlace(absl::MakeSpan(values)));
            return values == expected ? absl::OkStatus() : absl::InternalError("wrong sums");
          })) == absl::OkStatus());
  }
}

TEST_CASE("a broadcast copies root's bytes, from any root, of any size") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  for (const int n : {1, 2, 5}) {
    TestGang gang(transport, n);
    CHECK(AllOk(gang.Run(1, [n](Communicator& rank) -> absl::Status {
            for (int root = 0; root < n; ++root) {
              for (const size_t size : {size_t{0}, size_t{1}, size_t{1000}, size_t{5} << 20}) {
                const std::string sent = std::string(size, static_cast<char>('a' + root));
                std::string bytes = rank.rank() == root ? sent : std::string(size, '?');
                RM_RETURN_IF_ERROR(rank.Broadcast({&bytes[0], size}, root));
                if (bytes != sent) return absl::InternalError("wrong bytes");
              }
            }
            return absl::OkStatus();
          })) == absl::OkStatus());
  }
}

TEST_CASE("nobody passes a barrier before everybody has come") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  constexpr int kRanks = 4;
  constexpr size_t kRounds = 100;
  std::vector<std::atomic<int>> entered(kRounds);
  TestGang gang(transport, kRanks);
  CHECK(AllOk(gang.Run(1, [&](Communicator& rank) -> absl::Status {
          for (size_t round = 0; round < kRounds; ++round) {
            ++entered[round];
            RM_RETURN_IF_ERROR(rank.Barrier());
            if (entered[round] != kRanks) return absl::InternalError("passed too early");
          }
          return absl::OkStatus();
        })) == absl::OkStatus());
}

TEST_CASE("operations of all kinds mix, as long as the ranks agree on the order") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  TestGang gang(transport, 4);
  CHECK(AllOk(gang.Run(1, [](Communicator& rank) -> absl::Status {
          RM_ASSIGN_OR_RETURN(const auto buckets, rank.AllocateBuckets({40, 300000}));
          for (int step = 0; step < 20; ++step) {
            FillBucket(rank.rank(), 0, buckets[0]);
            FillBucket(rank.rank(), 1, buckets[1]);
            rank.AllReduce(1);
            double sum = rank.rank();
            RM_RETURN_IF_ERROR(rank.SumInPlace({&sum, 1}));
            rank.AllReduce(0);
            int from_3 = rank.rank() == 3 ? step : -1;
            RM_RETURN_IF_ERROR(
                rank.Broadcast({reinterpret_cast<char*>(&from_3), sizeof(from_3)}, 3));
            RM_RETURN_IF_ERROR(rank.Barrier());
            RM_RETURN_IF_ERROR(rank.WaitAll());
            RM_RETURN_IF_ERROR(CheckBucket(4, 0, buckets[0]));
            RM_RETURN_IF_ERROR(CheckBucket(4, 1, buckets[1]));
            if (sum != 6.0 || from_3 != step) return absl::InternalError("wrong values");
          }
          return absl::OkStatus();
        })) == absl::OkStatus());
}

TEST_CASE("an endpoint serves one generation after the other, with any ranks and sizes") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  TestGang gang(transport, 3);
  for (int64_t generation : {1, 2, 3, 50}) {
    CHECK(AllOk(gang.Run(generation, [](Communicator& rank) -> absl::Status {
            RM_ASSIGN_OR_RETURN(const auto buckets, rank.AllocateBuckets({10, 100000}));
            return ReduceAll(rank, buckets);
          })) == absl::OkStatus());
  }
}

TEST_CASE("statistics count what was moved") {
  TestGang gang("grpc", 2);
  std::vector<CommunicatorStats> stats(2);
  CHECK(AllOk(gang.Run(1, [&](Communicator& rank) -> absl::Status {
          RM_ASSIGN_OR_RETURN(const auto buckets, rank.AllocateBuckets({1 << 20}));
          RM_RETURN_IF_ERROR(ReduceAll(rank, buckets));
          RM_RETURN_IF_ERROR(rank.Barrier());
          stats[static_cast<size_t>(rank.rank())] = rank.stats();
          return absl::OkStatus();
        })) == absl::OkStatus());
  for (const CommunicatorStats& s : stats) {
    CHECK(s.collectives == 2);
    CHECK(s.bytes_sent == 4 << 20);  // 2 (N−1) / N of the bucket
    CHECK(s.bytes_received == 4 << 20);
    CHECK(s.waited > absl::ZeroDuration());
  }
}

TEST_CASE("a gang of one does no work and needs no peer") {
  TestGang gang("grpc", 1);
  CHECK(AllOk(gang.Run(1, [](Communicator& rank) -> absl::Status {
          RM_ASSIGN_OR_RETURN(const auto buckets, rank.AllocateBuckets({5}));
          FillBucket(0, 0, buckets[0]);
          rank.AllReduce(0);
          RM_RETURN_IF_ERROR(rank.WaitAll());
          RM_RETURN_IF_ERROR(CheckBucket(1, 0, buckets[0]));
          if (rank.stats().bytes_sent != 0) return absl::InternalError("sent");
          rank.Abort(absl::InternalError("enough"));
          if (rank.Barrier() != absl::AbortedError("enough")) {
            return absl::InternalError("not aborted");
          }
          return absl::OkStatus();
        })) == absl::OkStatus());
}

TEST_CASE("buckets are allocated once") {
  TestGang gang("loopback", 2);
  CHECK(AllOk(gang.Run(1, [](Communicator& rank) -> absl::Status {
          RM_RETURN_IF_ERROR(rank.AllocateBuckets({5}).status());
          const absl::Status again = rank.AllocateBuckets({5}).status();
          return absl::IsFailedPrecondition(again) ? absl::OkStatus()
                                                   : absl::InternalError("allocated twice");
        })) == absl::OkStatus());
}

TEST_CASE("an unknown transport is refused") {
  EndpointOptions options;
  options.transport = "smoke signals";
  CHECK(absl::IsInvalidArgument(OpenEndpoint(options).status()));
}

}  // namespace
}  // namespace rm::comm
