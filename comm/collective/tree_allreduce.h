// The allreduce of exact mode: a ring that adds along the fixed tree of shard_tree.h.
//
// As in the plain ring a bucket is cut into one chunk a rank. In the first N−1 hops each chunk
// travels once around; but what travels is not one sum: it is the sums of the maximal subtrees of
// the shards whose ranks it has passed, and every rank merges its own into them as far as the tree
// allows. After N−1 hops all shards are there and one sum is left, the root. In the next N−1 hops
// the complete chunks travel around as they do in the plain ring.
//
//   bytes a rank sends: (N−1)/N · B · s + (N−1)/N · B, where s is the mean number of subtrees on
//   the way: 1 for N = 2; at most log2 N + 1 when N and V are powers of two
#ifndef RM_COMM_COLLECTIVE_TREE_ALLREDUCE_H_
#define RM_COMM_COLLECTIVE_TREE_ALLREDUCE_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "comm/collective/ring_edges.h"

namespace rm::comm {

// One bucket being reduced.
struct TreeCall {
  CollectiveId id;
  int shards = 1;  // V; world size ≤ V
  // The sums of this rank's maximal subtrees (ShardsOf, MaximalSubtrees), of one size. The result
  // ends in the last one; the others are used up.
  absl::Span<const absl::Span<float>> sums;
  absl::Span<char> scratch;  // TreeScratch; the call's alone
};

// Bytes of scratch memory for a bucket of so many elements.
[[nodiscard]] size_t TreeScratch(int shards, int world_size, int64_t elements);

// Blocking; everything that was sent has left when it returns. Every rank ends with the same bits,
// and they are those of any other world size. REQUIRES: world size ≥ 2.
[[nodiscard]] absl::Status TreeAllReduce(RingEdges& ring, const TreeCall& call);

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_TREE_ALLREDUCE_H_
