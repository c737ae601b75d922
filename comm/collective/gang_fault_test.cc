// Gangs that break: every failure reaches every rank, at once, with its cause.
#include <catch2/catch.hpp>

#include <functional>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "comm/collective/gang_testing.h"
#include "comm/transport/loopback_transport.h"

namespace rm::comm {
namespace {

constexpr int64_t kBucket = 3 << 20;  // elements: several segments a chunk

// Faults of the loopback are found by generation: every test takes its own.
int64_t NextGeneration() {
  static std::atomic<int64_t> next{1000};
  return next++;
}

// Runs one allreduce after another until one fails; never more than a hundred.
absl::Status ReduceUntilFailure(Communicator& gang) {
  RM_RETURN_IF_ERROR(gang.AllocateBuckets({kBucket}).status());
  for (int i = 0; i < 100; ++i) {
    gang.AllReduce(0);
    const absl::Status status = gang.WaitAll();
    if (status.ok()) continue;
    // It stays failed, whatever is called.
    gang.AllReduce(0);
    double value = 0;
    char byte = 0;
    for (const absl::Status& later : {gang.WaitAll(), gang.SumInPlace({&value, 1}),
                                      gang.Broadcast({&byte, 1}, 0), gang.Barrier()}) {
      if (later != status) return absl::InternalError(absl::StrCat("later: ", later.ToString()));
    }
    return status;
  }
  return absl::OkStatus();
}

void CheckAll(const std::vector<absl::Status>& outcomes, absl::StatusCode code,
              const std::string& says) {
  for (size_t rank = 0; rank < outcomes.size(); ++rank) {
    INFO("rank " << rank);
    CHECK(outcomes[rank].code() == code);
    CHECK_THAT(std::string(outcomes[rank].message()), Catch::Contains(says));
  }
}

TEST_CASE("a damaged payload is DataLoss on every rank, naming the edge") {
  TestGang gang("loopback", 4);
  const int64_t generation = NextGeneration();
  LoopbackNetwork::Default().Inject({LoopbackFaultKind::kCorrupt, generation, 1, 2, 7});
  CheckAll(gang.Run(generation, &ReduceUntilFailure), absl::StatusCode::kDataLoss,
           "frame 7 from rank 1 to rank 2 is damaged");
}

TEST_CASE("a lost frame is DataLoss on every rank") {
  TestGang gang("loopback", 4);
  const int64_t generation = NextGeneration();
  LoopbackNetwork::Default().Inject({LoopbackFaultKind::kDrop, generation, 3, 0, 12});
  CheckAll(gang.Run(generation, &ReduceUntilFailure), absl::StatusCode::kDataLoss,
           "from rank 3 to rank 0 where frame 12 was due");
}

// Which operation is named depends on how far rank 1 has come when rank 0's frame 9 is due.
TEST_CASE("a cut edge is Aborted on every rank, naming both ends") {
  for (const int world_size : {2, 3, 6}) {
    TestGang gang("loopback", world_size);
    const int64_t generation = NextGeneration();
    LoopbackNetwork::Default().Inject({LoopbackFaultKind::kCut, generation, 0, 1, 9});
    CheckAll(gang.Run(generation, &ReduceUntilFailure), absl::StatusCode::kAborted,
             "rank 1 lost rank 0 during");
  }
}

TEST_CASE("held frames delay a sum and do not change it") {
  TestGang gang("loopback", 3);
  const int64_t generation = NextGeneration();
  LoopbackNetwork::Default().Inject({LoopbackFaultKind::kHold, generation, 1, 2, 3});
  std::promise<void> started;
  std::thread releaser([&] {
    started.get_future().wait();
    LoopbackNetwork::Default().ReleaseHeld();
  });
  CHECK(AllOk(gang.Run(generation, [&](Communicator& rank) -> absl::Status {
          RM_ASSIGN_OR_RETURN(const auto buckets, rank.AllocateBuckets({kBucket}));
          FillBucket(rank.rank(), 0, buckets[0]);
          rank.AllReduce(0);
          if (rank.rank() == 0) started.set_value();
          RM_RETURN_IF_ERROR(rank.WaitAll());
          return CheckBucket(3, 0, buckets[0]);
        })) == absl::OkStatus());
  releaser.join();
}

TEST_CASE("an abort of one rank is the answer on all, with its cause") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  for (const int world_size : {2, 3, 5}) {
    INFO(transport << ", " << world_size << " ranks");
    TestGang gang(transport, world_size);
    const int64_t generation = NextGeneration();
    CheckAll(gang.Run(generation,
                      [](Communicator& rank) {
                        if (rank.rank() == 1) {
                          rank.Abort(absl::InternalError("loss is not a number at rank 1"));
                        }
                        return ReduceUntilFailure(rank);
                      }),
             absl::StatusCode::kAborted, "loss is not a number at rank 1");
  }
}

TEST_CASE("an abort reaches a rank that waits, through ranks that compute") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  TestGang gang(transport, 4);
  Meeting all_joined(4);
  std::promise<void> over;
  std::shared_future<void> end = over.get_future().share();
  const auto outcomes = gang.Run(NextGeneration(), [&](Communicator& rank) -> absl::Status {
    all_joined.Wait();
    if (rank.rank() == 2) rank.Abort(absl::AbortedError("stopped by rank 2"));
    if (rank.rank() != 0) {
      end.wait();  // computes, as far as the communicator knows
      return rank.Barrier();
    }
    const absl::Status status = rank.Barrier();
    over.set_value();
    return status;
  });
  CheckAll(outcomes, absl::StatusCode::kAborted, "stopped by rank 2");
}

TEST_CASE("a rank that leaves in the middle is named by those that still need it") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  TestGang gang(transport, 3);
  const auto outcomes = gang.Run(NextGeneration(), [](Communicator& rank) -> absl::Status {
    if (rank.rank() == 2) return absl::OkStatus();
    return ReduceUntilFailure(rank);
  });
  CHECK(outcomes[2].ok());
  CheckAll({outcomes[0], outcomes[1]}, absl::StatusCode::kAborted, "rank 2 has left while rank");
}

TEST_CASE("ranks that call different operations are told so") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  TestGang gang(transport, 3);
  CheckAll(gang.Run(NextGeneration(),
                    [](Communicator& rank) -> absl::Status {
                      double value = 0;
                      return rank.rank() == 1 ? rank.SumInPlace({&value, 1}) : rank.Barrier();
                    }),
           absl::StatusCode::kAborted, "the ranks do not agree on what to do");
}

TEST_CASE("ranks that read each other's memory and do not agree are told so, all of them") {
  // What ranks 0 and 2 do, and rank 1 does not.
  struct Case {
    const char* what;
    std::function<absl::Status(Communicator& rank, bool odd)> body;
    const char* says;
  };
  const std::vector<Case> cases = {
      {"buckets of other sizes",
       [](Communicator& rank, bool odd) -> absl::Status {
         RM_RETURN_IF_ERROR(rank.AllocateBuckets({odd ? 50000 : 60000}).status());
         rank.AllReduce(0);
         return rank.WaitAll();
       },
       "allreduce 0 (200000 bytes)"},
      {"other buckets",
       [](Communicator& rank, bool odd) -> absl::Status {
         RM_RETURN_IF_ERROR(rank.AllocateBuckets({100, 1 << 20}).status());
         rank.AllReduce(odd ? 1 : 0);
         return rank.WaitAll();
       },
       "allreduce 0 (400 bytes)"},
      {"a broadcast, which goes by frames",
       [](Communicator& rank, bool odd) -> absl::Status {
         double value = 0;
         char byte = 0;
         return odd ? rank.Broadcast({&byte, 1}, 0) : rank.SumInPlace({&value, 1});
       },
       "broadcast 0 (1 bytes)"},
      {"one operation more",
       [](Communicator& rank, bool odd) -> absl::Status {
         if (odd) RM_RETURN_IF_ERROR(rank.Barrier());
         double value = 0;
         return rank.SumInPlace({&value, 1});
       },
       "barrier 0 (0 bytes)"},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    TestGang gang("shm", 3);
    const auto outcomes = gang.Run(NextGeneration(), [&](Communicator& rank) {
      return c.body(rank, rank.rank() == 1);
    });
    CheckAll(outcomes, absl::StatusCode::kAborted, "the ranks do not agree on what to do");
    CheckAll(outcomes, absl::StatusCode::kAborted, c.says);
  }
}

TEST_CASE("ranks whose sizes differ are told so") {
  TestGang gang("loopback", 2);
  CheckAll(gang.Run(NextGeneration(),
                    [](Communicator& rank) -> absl::Status {
                      std::string bytes(rank.rank() == 0 ? 10 : 11, 'b');
                      RM_RETURN_IF_ERROR(rank.Broadcast({&bytes[0], bytes.size()}, 0));
                      return rank.Barrier();
                    }),
           absl::StatusCode::kAborted, "10 bytes), rank 1 in broadcast 0 (hop 0, segment 0, 11");
}

TEST_CASE("a rank that does not come is named by all that wait for it") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  for (const int missing : {0, 1, 3}) {
    INFO(transport << ", rank " << missing << " is missing");
    TestGang gang(transport, 4);
    std::vector<int> present;
    for (int rank = 0; rank < 4; ++rank) {
      if (rank != missing) present.push_back(rank);
    }
    const int64_t generation = NextGeneration();
    const auto outcomes = gang.RunRanks(present, generation, absl::Milliseconds(1500),
                                        [](Communicator&) { return absl::OkStatus(); });
    CheckAll(outcomes, absl::StatusCode::kDeadlineExceeded,
             absl::StrCat("rank ", missing, " ("));
    CheckAll(outcomes, absl::StatusCode::kDeadlineExceeded,
             absl::StrCat("did not join generation ", generation));
  }
}

TEST_CASE("after a failed join the same ranks join the next generation") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  TestGang gang(transport, 3);
  const auto nothing = [](Communicator&) { return absl::OkStatus(); };
  const int64_t generation = NextGeneration();
  CheckAll(gang.RunRanks({0, 2}, generation, absl::Milliseconds(1500), nothing),
           absl::StatusCode::kDeadlineExceeded, "rank 1 (");
  CHECK(AllOk(gang.Run(NextGeneration(), [](Communicator& rank) { return rank.Barrier(); })) ==
        absl::OkStatus());
}

TEST_CASE("a rank of an old generation is refused, and the gang goes on") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  TestGang gang(transport, 3);
  std::promise<void> joined;
  std::promise<void> over;
  std::shared_future<void> end = over.get_future().share();
  const int64_t old_generation = NextGeneration();
  const int64_t generation = NextGeneration();
  // Rank 1 has been replaced; the old one still believes in its generation.
  EndpointOptions options;
  options.transport = transport;
  auto stale = OpenEndpoint(options);
  REQUIRE(stale.ok());
  const Membership membership = gang.MembershipOf(1, old_generation);
  std::vector<absl::Status> outcomes;
  std::thread present([&] {
    outcomes = gang.Run(generation, [&](Communicator& rank) -> absl::Status {
      RM_RETURN_IF_ERROR(rank.Barrier());
      if (rank.rank() == 0) joined.set_value();
      end.wait();
      return rank.Barrier();
    });
  });
  joined.get_future().wait();
  const absl::Status refused = (*stale)->Join(membership).status();
  over.set_value();
  present.join();
  CHECK(absl::IsFailedPrecondition(refused));
  CHECK_THAT(std::string(refused.message()),
             Catch::Contains(absl::StrCat("generation ", old_generation)));
  CHECK(AllOk(outcomes) == absl::OkStatus());
}

TEST_CASE("joining the next generation ends the one before, whose buckets stay") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  TestGang gang(transport, 2);
  const int64_t first = NextGeneration();
  const int64_t second = NextGeneration();
  Meeting all_joined(2);
  CHECK(AllOk(gang.Run(first, [&](Communicator& old) -> absl::Status {
          RM_ASSIGN_OR_RETURN(const auto buckets, old.AllocateBuckets({1000}));
          FillBucket(old.rank(), 0, buckets[0]);
          all_joined.Wait();
          auto next = gang.endpoint(old.rank()).Join(gang.MembershipOf(old.rank(), second));
          RM_RETURN_IF_ERROR(next.status());
          RM_RETURN_IF_ERROR((*next)->Barrier());
          if (!absl::IsAborted(old.Barrier())) return absl::InternalError("it is still alive");
          if (buckets[0][7] != TestValue(old.rank(), 0, 7)) return absl::InternalError("lost");
          return absl::OkStatus();
        })) == absl::OkStatus());
}

TEST_CASE("a communicator destroyed with sums in flight tells the others") {
  const std::string transport = GENERATE("loopback", "grpc", "shm", "tcp");
  TestGang gang(transport, 3);
  const auto outcomes = gang.Run(NextGeneration(), [](Communicator& rank) -> absl::Status {
    RM_RETURN_IF_ERROR(rank.AllocateBuckets({kBucket}).status());
    rank.AllReduce(0);
    if (rank.rank() == 0) return absl::OkStatus();
    return rank.WaitAll().ok() ? rank.Barrier() : absl::AbortedError("");
  });
  CHECK(absl::IsAborted(outcomes[1]));
  CHECK(absl::IsAborted(outcomes[2]));
}

}  // namespace
}  // namespace rm::comm
