// Algorithms that sum a bucket over all ranks, by name and by size.
//
// An allreduce has two halves. Begin sends what needs nothing from others; Finish receives, reduces
// and passes on. A later one may Begin once the earlier has passed on its last frame, so that its
// first chunk travels while the earlier one waits for its last: frames of the two do not mix on an
// edge.
#ifndef RM_COMM_COLLECTIVE_ALLREDUCE_H_
#define RM_COMM_COLLECTIVE_ALLREDUCE_H_

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "comm/collective/ring_edges.h"

namespace rm::comm {

// One bucket being reduced.
struct AllReduceCall {
  CollectiveId id;
  absl::Span<float> bucket;
  absl::Span<char> scratch;  // ScratchBytes of the algorithm; the call's alone until a Flush
};

// One algorithm. Every rank ends with the same bits. REQUIRES: world size ≥ 2.
struct AllReduceAlgorithm {
  const char* name;
  // Is it the right one for such a gang and bucket? The first in the table that says so is taken.
  bool (*takes)(int world_size, int64_t bucket_bytes);
  // Can Begin while the call before it is not finished.
  bool begins_early;
  size_t (*scratch_bytes)(int world_size, int64_t bucket_bytes);
  void (*begin)(RingEdges& ring, const AllReduceCall& call);
  // Calls `all_sent` once when this rank has nothing more to send for the call.
  absl::Status (*finish)(RingEdges& ring, const AllReduceCall& call,
                         absl::FunctionRef<void()> all_sent);
};

// All algorithms, the most special first; the last takes everything. To add one: its file, one
// line.
[[nodiscard]] absl::Span<const AllReduceAlgorithm> AllReduceTable();

// The algorithm for a bucket of this size: the same on every rank.
[[nodiscard]] const AllReduceAlgorithm& AllReduceFor(int world_size, int64_t bucket_bytes);

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_ALLREDUCE_H_
