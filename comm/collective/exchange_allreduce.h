// Allreduce of two ranks: each sends its bucket to the other and adds what it gets.
//
// As many bytes as the ring sends, in one hop instead of two. What is added is the same two numbers
// on both sides, in either order: the same bits.
#ifndef RM_COMM_COLLECTIVE_EXCHANGE_ALLREDUCE_H_
#define RM_COMM_COLLECTIVE_EXCHANGE_ALLREDUCE_H_

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "comm/collective/allreduce.h"
#include "comm/collective/ring_edges.h"

namespace rm::comm {

// See AllReduceAlgorithm. For two ranks and buckets of one frame.
[[nodiscard]] bool ExchangeTakes(int world_size, int64_t bucket_bytes);
[[nodiscard]] size_t ExchangeScratch(int world_size, int64_t bucket_bytes);
void BeginExchange(RingEdges& ring, const AllReduceCall& call);
[[nodiscard]] absl::Status FinishExchange(RingEdges& ring, const AllReduceCall& call,
                                          absl::FunctionRef<void()> all_sent);

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_EXCHANGE_ALLREDUCE_H_
