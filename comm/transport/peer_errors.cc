#include "comm/transport/peer_errors.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace rm::comm {
namespace {

// What turns a broken stream into a cause.
std::string During(const Witness& witness) {
  return absl::StrCat(" during ", witness.activity.what, " ", witness.activity.ordinal,
                      " of generation ", witness.generation);
}

}  // namespace

absl::Status PeerLost(const Witness& witness, int peer, absl::string_view how) {
  return absl::AbortedError(
      absl::StrCat("rank ", witness.rank, " lost rank ", peer, During(witness), ": ", how));
}

absl::Status PeerHasLeft(const Witness& witness, int peer) {
  return absl::AbortedError(absl::StrCat("rank ", peer, " has left while rank ", witness.rank,
                                         " still needed it", During(witness)));
}

absl::Status NothingCame(int rank, int peer) {
  return absl::DeadlineExceededError(
      absl::StrCat("nothing came from rank ", peer, " to rank ", rank, " in time"));
}

absl::Status FramesNotTaken(int rank, int peer, bool came) {
  return absl::DeadlineExceededError(
      absl::StrCat("rank ", peer, came ? " did not take" : " has not come to take",
                   " the frames of rank ", rank, " in time"));
}

absl::Status FramesNotTaken() {
  return absl::DeadlineExceededError("frames were not taken in time");
}

absl::Status OtherWorldSize(int rank, int world_size, int peer, int peers_world_size) {
  return absl::FailedPreconditionError(absl::StrCat(
      "rank ", peer, " counts ", peers_world_size, " ranks, rank ", rank, " ", world_size));
}

absl::Status EdgeNotExpected(int rank, int peer) {
  return absl::FailedPreconditionError(
      absl::StrCat("rank ", rank, " expects no (second) edge from rank ", peer));
}

absl::Status OutOfTurn(int rank, int peer, FrameKind kind) {
  return absl::DataLossError(absl::StrCat("rank ", peer, " said ", FrameKindName(kind),
                                          " to rank ", rank, " out of turn"));
}

absl::Status FramesLost(int rank, int peer, uint64_t came, uint64_t due) {
  return absl::DataLossError(absl::StrCat("frame ", came, " came from rank ", peer, " to rank ",
                                          rank, " where frame ", due,
                                          " was due: frames were lost"));
}

}  // namespace rm::comm
