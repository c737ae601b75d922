// Allreduce of small buckets: every rank gets every rank's floats and adds them in rank order.
//
// N−1 hops instead of the ring's 2(N−1), for N−1 times the bucket instead of 2(N−1)/N of it.
#ifndef RM_COMM_COLLECTIVE_GATHER_ALLREDUCE_H_
#define RM_COMM_COLLECTIVE_GATHER_ALLREDUCE_H_

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "comm/collective/allreduce.h"
#include "comm/collective/ring_edges.h"

namespace rm::comm {

// See AllReduceAlgorithm. For small buckets.
[[nodiscard]] bool GatherTakes(int world_size, int64_t bucket_bytes);
[[nodiscard]] size_t GatherScratch(int world_size, int64_t bucket_bytes);
void BeginGather(RingEdges& ring, const AllReduceCall& call);
[[nodiscard]] absl::Status FinishGather(RingEdges& ring, const AllReduceCall& call,
                                        absl::FunctionRef<void()> all_sent);

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_GATHER_ALLREDUCE_H_
