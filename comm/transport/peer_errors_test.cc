#include "comm/transport/peer_errors.h"

#include <catch2/catch.hpp>

namespace rm::comm {
namespace {

TEST_CASE("every sentence names both ranks, and what was going on") {
  const Witness witness = {1, 3, {"allreduce", 17}};
  struct Case {
    absl::Status status;
    absl::StatusCode code;
    const char* message;
  };
  const Case cases[] = {
      {PeerLost(witness, 0, "the edge was cut"), absl::StatusCode::kAborted,
       "rank 1 lost rank 0 during allreduce 17 of generation 3: the edge was cut"},
      {PeerHasLeft(witness, 0), absl::StatusCode::kAborted,
       "rank 0 has left while rank 1 still needed it during allreduce 17 of generation 3"},
      {NothingCame(1, 0), absl::StatusCode::kDeadlineExceeded,
       "nothing came from rank 0 to rank 1 in time"},
      {FramesNotTaken(1, 0, true), absl::StatusCode::kDeadlineExceeded,
       "rank 0 did not take the frames of rank 1 in time"},
      {FramesNotTaken(1, 0, false), absl::StatusCode::kDeadlineExceeded,
       "rank 0 has not come to take the frames of rank 1 in time"},
      {FramesNotTaken(), absl::StatusCode::kDeadlineExceeded, "frames were not taken in time"},
      {OtherWorldSize(1, 4, 0, 3), absl::StatusCode::kFailedPrecondition,
       "rank 0 counts 3 ranks, rank 1 4"},
      {EdgeNotExpected(1, 0), absl::StatusCode::kFailedPrecondition,
       "rank 1 expects no (second) edge from rank 0"},
      {OutOfTurn(1, 0, FrameKind::kWelcome), absl::StatusCode::kDataLoss,
       "rank 0 said welcome to rank 1 out of turn"},
      {FramesLost(1, 0, 9, 7), absl::StatusCode::kDataLoss,
       "frame 9 came from rank 0 to rank 1 where frame 7 was due: frames were lost"},
  };
  for (const Case& c : cases) {
    CHECK(c.status.code() == c.code);
    CHECK(c.status.message() == c.message);
  }
}

}  // namespace
}  // namespace rm::comm
