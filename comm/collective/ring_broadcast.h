// Root's bytes for every rank, passed along the ring in segments: N−1 hops, pipelined.
#ifndef RM_COMM_COLLECTIVE_RING_BROADCAST_H_
#define RM_COMM_COLLECTIVE_RING_BROADCAST_H_

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "comm/collective/ring_edges.h"

namespace rm::comm {

// `bytes` holds the data at root and is filled elsewhere; the same size on every rank. It must stay
// as it is until a Flush. REQUIRES: 0 ≤ root < world size.
[[nodiscard]] absl::Status RingBroadcast(RingEdges& ring, const CollectiveId& id,
                                         absl::Span<char> bytes, int root);

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_RING_BROADCAST_H_
