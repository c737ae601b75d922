#include "comm/collective/shard_tree.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "comm/collective/sum.h"

namespace rm::comm {
namespace {

// 16 KiB: a block of a gradient and of what is added to it lie in the first cache together.
constexpr size_t kBlockFloats = 4096;

// to += from. Whole vectors, by the form that this machine runs; each element is rounded once.
void AddTo(absl::Span<float> to, absl::Span<const float> from) {
  static const AddFloatsFunction add = AddFloats();
  RM_CHECK(to.size() == from.size(), "sums of ", to.size(), " and ", from.size(), " floats");
  add(to.data(), reinterpret_cast<const char*>(from.data()), static_cast<int64_t>(to.size()));
}

}  // namespace

absl::Status CheckShards(int shards, int world_size) {
  if (shards >= 1 && shards <= kVirtualShardsMax && (shards & (shards - 1)) == 0 &&
      shards >= world_size) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(shards, " virtual shards: it must be a power of two, from the number of ranks (",
                   world_size, ") to ", kVirtualShardsMax));
}

ShardRun ShardsOf(int shards, int world_size, int rank) {
  RM_CHECK(world_size >= 1 && world_size <= shards && rank >= 0 && rank < world_size, shards,
           " shards, rank ", rank, " of ", world_size);
  const int each = shards / world_size;
  const int more = shards % world_size;
  return {rank * each + std::min(rank, more), each + (rank < more ? 1 : 0)};
}

// From the left, each time the largest subtree that begins here and ends within the run.
std::vector<Subtree> MaximalSubtrees(const ShardRun& run) {
  std::vector<Subtree> subtrees;
  for (int first = run.first; first < run.end();) {
    Subtree subtree{0, first};
    while (subtree.index % 2 == 0 && subtree.parent().end() <= run.end()) {
      subtree = subtree.parent();
      if (subtree.level == 30) break;  // the whole of any tree there is
    }
    subtrees.push_back(subtree);
    first = subtree.end();
  }
  return subtrees;
}

// Two runs that do not touch have no siblings between them, so the two lists are only joined.
std::vector<Subtree> SubtreesAround(int shards, int world_size, int first_rank, int ranks) {
  const int last_rank = first_rank + ranks - 1;
  const int begin = ShardsOf(shards, world_size, first_rank).first;
  if (ranks == world_size) return MaximalSubtrees({0, shards});
  if (last_rank < world_size) {
    return MaximalSubtrees({begin, ShardsOf(shards, world_size, last_rank).end() - begin});
  }
  const int wrapped = ShardsOf(shards, world_size, last_rank - world_size).end();
  std::vector<Subtree> subtrees = MaximalSubtrees({0, wrapped});
  for (const Subtree& subtree : MaximalSubtrees({begin, shards - begin})) {
    subtrees.push_back(subtree);
  }
  return subtrees;
}

// A stack: a merged pair may be the sibling of the one before it.
void MergeSiblings(std::vector<SubtreeSum>* sums) {
  std::vector<SubtreeSum> merged;
  for (SubtreeSum sum : *sums) {
    while (!merged.empty() && merged.back().subtree.IsSiblingOf(sum.subtree)) {
      AddTo(sum.values, merged.back().values);
      sum.subtree = sum.subtree.parent();
      merged.pop_back();
    }
    merged.push_back(sum);
  }
  *sums = std::move(merged);
}

ShardAccumulator::ShardAccumulator(const ShardRun& run, std::vector<absl::Span<float>> sums)
    : run_(run), maximal_(MaximalSubtrees(run)), sums_(std::move(sums)) {
  RM_CHECK(run_.count >= 1 && maximal_.size() == sums_.size(), maximal_.size(), " subtrees, ",
           sums_.size(), " sums");
  int levels = 0;
  for (const Subtree& subtree : maximal_) levels = std::max(levels, subtree.level);
  // All memory is set aside here: nothing is allocated while the model trains.
  partials_.assign(static_cast<size_t>(levels), std::vector<float>(work().size()));
}

// As a binary counter carries: what is complete in work() rises as long as it is a right child
// whose left sibling waits. All levels that it rises are added block by block, and stored while the
// block is still in the first cache: the gradient is read from memory once, however far it rises.
void ShardAccumulator::Commit() {
  Subtree subtree{0, run_.first + next_};
  next_ = (next_ + 1) % run_.count;
  const int first_level = subtree.level;
  auto found = std::find(maximal_.begin(), maximal_.end(), subtree);
  while (found == maximal_.end() && subtree.index % 2 == 1) {
    subtree = subtree.parent();
    found = std::find(maximal_.begin(), maximal_.end(), subtree);
  }
  const absl::Span<float> to =
      found == maximal_.end() ? absl::MakeSpan(partials_[static_cast<size_t>(subtree.level)])
                              : sums_[static_cast<size_t>(found - maximal_.begin())];
  const bool stays = to.data() == work().data();
  for (size_t at = 0; at < work().size(); at += kBlockFloats) {
    const absl::Span<float> block = work().subspan(at, kBlockFloats);
    for (int level = first_level; level < subtree.level; ++level) {
      const std::vector<float>& left = partials_[static_cast<size_t>(level)];
      AddTo(block, absl::MakeSpan(left).subspan(at, kBlockFloats));
    }
    if (!stays) std::copy(block.begin(), block.end(), to.begin() + static_cast<ptrdiff_t>(at));
  }
}

}  // namespace rm::comm
