// What the nodes of a model cost on this machine, beside what they have to cost at least.
//
// A node can take no less time than its bytes need to come and go, and than its operations need to be
// done. Both rates are measured here and now, by the means that the engine itself has:
//
//   operations   the fastest of many products of two matrices of 384 × 384, through the engine
//   bytes        the fastest of many copies (memcpy) and sums (the engine's Add) in blocks of 32 KiB to
//                128 MiB: a node is held against the rate of the smallest block that is as large as its
//                operands, so that what fits a cache is not excused by the speed of the memory
//
// So a node at its bound is as good as this machine's best; one far from it has a bad shape, a bad
// kernel, or operands that a node in between has driven out of the cache. One that writes over what it
// reads touches half the memory that it is charged for, and may be better than its bound.
#ifndef RM_TOOLS_TRAINCTL_MEASURE_H_
#define RM_TOOLS_TRAINCTL_MEASURE_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "runtime/graph/graph.h"
#include "runtime/graph/program.h"

namespace rm::trainctl {

// A value type.
struct MachineRates {
  double flops_per_second = 0;
  // Bytes read and written in a second, by the size of the block, ascending; one entry at least.
  std::vector<std::pair<int64_t, double>> bytes_per_second;

  // The least time that a node of so many operations and bytes can take. Pure.
  [[nodiscard]] absl::Duration Bound(int64_t flops, int64_t bytes) const;
};

// Takes about a second on one thread. ResourceExhausted: no memory.
[[nodiscard]] absl::StatusOr<MachineRates> MeasureRates();

struct NodeCost {
  graph::NodeReport report;
  absl::Duration time;   // median over the runs; 0 for a view
  absl::Duration bound;  // 0 for a view
};

struct Measurement {
  std::vector<NodeCost> nodes;  // in the order in which they run
  int runs = 0;
  absl::Duration step;  // median of a step as a whole, while nodes are not looked at
};

// Runs the program on inputs drawn from a fixed seed (whole numbers are 0) and the first values of its
// weights: a few times to warm up, then 5 to 50 times, for about a second. With the backward pass
// when the program is for training. REQUIRES: `program` was compiled from `graph`; both are used by
// nobody else meanwhile. Errors are the program's.
[[nodiscard]] absl::StatusOr<Measurement> MeasureProgram(const graph::Graph& graph, bool training,
                                                         const MachineRates& rates,
                                                         graph::Program* program);

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_MEASURE_H_
