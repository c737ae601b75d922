// Adds floats that lie with several ranks into one place, block by block through the first cache: in
// the order of ranks, or along the fixed tree of exact mode.
#ifndef RM_COMM_COLLECTIVE_DIRECT_SUM_H_
#define RM_COMM_COLLECTIVE_DIRECT_SUM_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "comm/collective/shard_tree.h"

namespace rm::comm {

// One addend: a whole bucket's worth of floats, and which subtree of the shards it is the sum of.
struct DirectOperand {
  const float* values = nullptr;
  Subtree subtree;  // of exact mode
};

// Thread-compatible: it has scratch memory.
class DirectSum {
 public:
  // Sets all scratch memory aside.
  DirectSum();

  // out[i] = v0[i] + v1[i] + …, from the left, for begin ≤ i < end. One operand may be `out`, in
  // whatever place. REQUIRES: two operands or more.
  void InOrder(absl::Span<const DirectOperand> operands, int64_t begin, int64_t end, float* out);

  // out[i] = the root of the tree whose leaves are all shards. `out` may be an operand.
  // REQUIRES: the operands' subtrees ascend in their shards and together cover 2^k of them.
  void AlongTree(absl::Span<const DirectOperand> operands, int64_t begin, int64_t end, float* out);

 private:
  // A sum that waits for its right sibling, and which of the scratch blocks holds it.
  struct Waiting {
    Subtree subtree;
    size_t block = 0;
  };

  [[nodiscard]] float* Block(size_t index);  // of the scratch memory

  std::vector<float> scratch_;
  std::vector<Waiting> stack_;
};

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_DIRECT_SUM_H_
