// What a transport says when a peer fails it: the same sentences whatever carries the frames, because
// people and the rank's own log (docs/architecture.md, Membership) read them, and tests compare them.
//
// All are pure and thread-safe.
#ifndef RM_COMM_TRANSPORT_PEER_ERRORS_H_
#define RM_COMM_TRANSPORT_PEER_ERRORS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "comm/transport/frame.h"
#include "comm/transport/transport.h"

namespace rm::comm {

// A rank, and what it was doing when something happened: "during allreduce 17 of generation 3".
struct Witness {
  int rank = 0;
  int64_t generation = 0;
  Activity activity;
};

// Aborted: the edge broke while it was needed. `how`: what this carrier saw, "the edge was cut".
[[nodiscard]] absl::Status PeerLost(const Witness& witness, int peer, absl::string_view how);

// Aborted: the peer said goodbye in order, but this rank was not done with it.
[[nodiscard]] absl::Status PeerHasLeft(const Witness& witness, int peer);

// DeadlineExceeded of Receive; it fails nothing.
[[nodiscard]] absl::Status NothingCame(int rank, int peer);

// DeadlineExceeded of Flush, naming the peer that holds it up. `came`: it has accepted the edge.
[[nodiscard]] absl::Status FramesNotTaken(int rank, int peer, bool came);
// The same where nobody can be named.
[[nodiscard]] absl::Status FramesNotTaken();

// FailedPrecondition: two ranks of one generation that were told different numbers of ranks.
[[nodiscard]] absl::Status OtherWorldSize(int rank, int world_size, int peer, int peers_world_size);

// FailedPrecondition: a peer dialled that has no edge to this rank, or has one already.
[[nodiscard]] absl::Status EdgeNotExpected(int rank, int peer);

// DataLoss: a control frame that cannot be right at this point of the edge's life.
[[nodiscard]] absl::Status OutOfTurn(int rank, int peer, FrameKind kind);

// DataLoss: a gap in the sequence numbers of an edge.
[[nodiscard]] absl::Status FramesLost(int rank, int peer, uint64_t came, uint64_t due);

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_PEER_ERRORS_H_
