#include "comm/collective/solo_communicator.h"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace rm::comm {
namespace {

TEST_CASE("a sum over one rank is what was there") {
  auto solo = MakeSoloCommunicator();
  const auto buckets = solo->AllocateBuckets({3});
  REQUIRE(buckets.ok());
  (*buckets)[0][1] = 5.0F;
  for (int step = 0; step < 2; ++step) {
    solo->AllReduce(0);
    CHECK(solo->WaitAll().ok());
  }
  CHECK((*buckets)[0][1] == 5.0F);
  double value = 2.5;
  CHECK(solo->SumInPlace({&value, 1}).ok());
  CHECK(value == 2.5);
  std::string bytes = "kept";
  CHECK(solo->Broadcast({&bytes[0], bytes.size()}, 0).ok());
  CHECK(bytes == "kept");
  CHECK(solo->Barrier().ok());
  CHECK(solo->rank() == 0);
  CHECK(solo->world_size() == 1);
  CHECK(solo->stats().collectives == 5);
  CHECK(solo->stats().bytes_sent == 0);
}

TEST_CASE("an aborted gang of one stays aborted, with the first cause") {
  auto solo = MakeSoloCommunicator();
  solo->Abort(absl::InternalError("first"));
  solo->Abort(absl::InternalError("second"));
  CHECK(solo->Barrier() == absl::AbortedError("first"));
  CHECK(solo->WaitAll() == absl::AbortedError("first"));
}

}  // namespace
}  // namespace rm::comm
