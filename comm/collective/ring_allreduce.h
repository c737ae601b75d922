// Ring allreduce: 2(N−1) hops, 2(N−1)/N of the bucket sent by each rank, in pipelined segments.
#ifndef RM_COMM_COLLECTIVE_RING_ALLREDUCE_H_
#define RM_COMM_COLLECTIVE_RING_ALLREDUCE_H_

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "comm/collective/allreduce.h"
#include "comm/collective/ring_edges.h"

namespace rm::comm {

// See AllReduceAlgorithm. For every bucket. The sum of a chunk is formed in ring order, by its
// owner last; all ranks keep the owner's bits.
[[nodiscard]] bool RingTakes(int world_size, int64_t bucket_bytes);
[[nodiscard]] size_t RingScratch(int world_size, int64_t bucket_bytes);
void BeginRing(RingEdges& ring, const AllReduceCall& call);
[[nodiscard]] absl::Status FinishRing(RingEdges& ring, const AllReduceCall& call,
                                      absl::FunctionRef<void()> all_sent);

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_RING_ALLREDUCE_H_
