// The fixed tree by which exact mode adds: arithmetic alone, no state of a gang, no I/O.
//
// A batch is cut into V virtual shards, a power of two, whatever the number of ranks. The gradient
// of each shard is formed by itself, and the sum over all of them is that of one tree:
//
//   node(0, i) = shard i          node(l, i) = node(l−1, 2i) + node(l−1, 2i+1)
//
// Every addition of float32 numbers is one of the tree's, whoever makes it, so the sum has the same
// bits for every number of ranks and every order of arrival. (The addition of two floats gives the
// same bits in either order; only the association matters.)
//
// A rank holds a run of contiguous shards. It adds as far as the tree allows inside its run: what
// is left are the sums of the maximal aligned subtrees of the run, one when V and N are powers of
// two, at most max(1, 2·log2 V − 2).
#ifndef RM_COMM_COLLECTIVE_SHARD_TREE_H_
#define RM_COMM_COLLECTIVE_SHARD_TREE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace rm::comm {

// More than any gang has ranks, and few enough that a list of them is small.
inline constexpr int kVirtualShardsMax = 1 << 16;

// OK when `shards` is a power of two, at least `world_size` and at most kVirtualShardsMax; else
// InvalidArgument, which says what it must be.
[[nodiscard]] absl::Status CheckShards(int shards, int world_size);

// Shards [first, first + count).
struct ShardRun {
  int first = 0;
  int count = 0;
  [[nodiscard]] int end() const { return first + count; }
};

// The run of a rank: the first V mod N ranks hold ⌈V/N⌉ shards, the others ⌊V/N⌋.
// REQUIRES: 1 ≤ world_size ≤ shards, 0 ≤ rank < world_size.
[[nodiscard]] ShardRun ShardsOf(int shards, int world_size, int rank);

// node(level, index): the sum of shards [index · 2^level, (index + 1) · 2^level).
struct Subtree {
  int level = 0;
  int index = 0;
  [[nodiscard]] int first() const { return index << level; }
  [[nodiscard]] int end() const { return (index + 1) << level; }
  // The two have one parent.
  [[nodiscard]] bool IsSiblingOf(const Subtree& other) const {
    return level == other.level && (index ^ 1) == other.index;
  }
  [[nodiscard]] Subtree parent() const { return {level + 1, index >> 1}; }
  friend bool operator==(const Subtree& a, const Subtree& b) {
    return a.level == b.level && a.index == b.index;
  }
};

// The maximal aligned subtrees of a run, in the order of their shards.
[[nodiscard]] std::vector<Subtree> MaximalSubtrees(const ShardRun& run);

// Of the runs of `ranks` ranks around a ring of `world_size`, from `first_rank` on: they are two
// runs where the ring closes. In the order of their shards.
[[nodiscard]] std::vector<Subtree> SubtreesAround(int shards, int world_size, int first_rank,
                                                  int ranks);

// One subtree's sum and where it lies.
struct SubtreeSum {
  Subtree subtree;
  absl::Span<float> values;
};

// Adds siblings to each other until no two are left, each sum in the memory of its right operand.
// REQUIRES: ascending in their shards, disjoint, of one size. They are so afterwards.
void MergeSiblings(std::vector<SubtreeSum>* sums);

// Adds the gradients of a rank's shards, one after the other, into the sums of its maximal
// subtrees. Thread-compatible.
class ShardAccumulator {
 public:
  // `sums[j]`: memory of the j-th maximal subtree of `run`, of equal sizes; borrowed. REQUIRES:
  // run.count ≥ 1.
  ShardAccumulator(const ShardRun& run, std::vector<absl::Span<float>> sums);
  ShardAccumulator(ShardAccumulator&&) = default;  // what work() has given stays where it is
  ShardAccumulator(const ShardAccumulator&) = delete;

  // Where the next shard's gradient is to be formed, aligned to 64 bytes if the sums are. Not the
  // same memory for every shard: what waits for its sibling is formed where it waits, and is not
  // copied. That of the last shard is the last sum's.
  [[nodiscard]] absl::Span<float> work() const { return parts_[next_].from; }

  // The next shard's gradient is complete in work(). After the last one of the run all sums are
  // complete; the next call begins anew.
  void Commit();

 private:
  // What becomes of one shard's gradient.
  struct Part {
    absl::Span<float> from;  // where it is formed
    int levels = 0;          // that it rises: the left siblings of levels 0 … levels − 1 are added
    absl::Span<float> to;    // where the sum waits, or stays
  };

  [[nodiscard]] Part PartOf(int shard, const std::vector<Subtree>& maximal,
                            const std::vector<absl::Span<float>>& sums) const;

  std::vector<std::vector<float>> storage_;
  std::vector<absl::Span<float>> partials_;  // by level: a left child that waits for its sibling
  std::vector<Part> parts_;                  // by shard of the run
  size_t next_ = 0;                          // into parts_
};

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_SHARD_TREE_H_
