// Where buffers with known lifetimes lie in one arena. Pure arithmetic.
//
//   offset
//     ▲  ┌────────┐     ┌──────────────┐
//     │  │   b    │     │      d       │      d goes where b was: they never live together
//     │  ├────────┴─────┴──┬───────────┤
//     │  │        a        │     c     │
//     └──┴─────────────────┴───────────┴──► step
#ifndef RM_RUNTIME_GRAPH_MEMORY_PLAN_H_
#define RM_RUNTIME_GRAPH_MEMORY_PLAN_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "base/alignment.h"

namespace rm::graph {

// Memory that is in use from step `first` to step `last`, both included.
struct Buffer {
  int64_t bytes = 0;
  int first = 0;
  int last = 0;
};

struct MemoryPlan {
  std::vector<int64_t> offsets;  // by buffer; multiples of the alignment
  int64_t bytes = 0;             // of the whole arena
};

// Any kernel's vectors are aligned, and no cache line belongs to two buffers.
inline constexpr int64_t kArenaAlignment = base::kCacheLineBytes;

// Greedy by size: the largest buffer first, each into the smallest gap that holds it among the
// buffers placed before whose lifetimes overlap its own, else on top of them. Buffers that live at
// the same step never overlap, and the arena is at least as large as the fullest step needs.
// O(n² log n). REQUIRES: bytes ≥ 0, first ≤ last.
[[nodiscard]] MemoryPlan PlanMemory(absl::Span<const Buffer> buffers);

// The same without reuse: every buffer has memory of its own. For tests and comparisons.
[[nodiscard]] MemoryPlan PlanMemoryApart(absl::Span<const Buffer> buffers);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_MEMORY_PLAN_H_
