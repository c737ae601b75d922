// Every rank learns every rank's bytes, by passing them around the ring: N−1 hops.
//
// The smallest collectives are made of it: a barrier gathers nothing, a sum of a few values gathers
// them and adds in rank order.
#ifndef RM_COMM_COLLECTIVE_RING_GATHER_H_
#define RM_COMM_COLLECTIVE_RING_GATHER_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "comm/collective/ring_edges.h"

namespace rm::comm {

// `slots` has world_size slots of slot_bytes; slot `rank` holds this rank's bytes, the others are
// filled. It must stay as it is until a Flush. On DeadlineExceeded (which fails nothing)
// `*missing`, where given, is the rank whose bytes did not come: it, or its edge to its next, is
// not there.
// REQUIRES: slot_bytes ≤ kFramePayloadBytesMax.
[[nodiscard]] absl::Status RingGather(RingEdges& ring, const CollectiveId& id,
                                      absl::Span<char> slots, size_t slot_bytes,
                                      absl::Time deadline = absl::InfiniteFuture(),
                                      int* missing = nullptr);

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_RING_GATHER_H_
