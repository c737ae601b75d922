#include "comm/collective/shard_tree.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/alignment.h"
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

// All memory is set aside here: nothing is allocated while the model trains.
ShardAccumulator::ShardAccumulator(const ShardRun& run, std::vector<absl::Span<float>> sums) {
  const std::vector<Subtree> maximal = MaximalSubtrees(run);
  RM_CHECK(run.count >= 1 && maximal.size() == sums.size(), maximal.size(), " subtrees, ",
           sums.size(), " sums");
  int levels = 0;
  for (const Subtree& subtree : maximal) levels = std::max(levels, subtree.level);
  for (int level = 0; level < levels; ++level) {
    std::vector<float>& memory = storage_.emplace_back(sums[0].size() + base::kCacheLineFloats);
    partials_.emplace_back(base::AlignToCacheLine(memory.data()), sums[0].size());
  }
  for (int i = 0; i < run.count; ++i) parts_.push_back(PartOf(run.first + i, maximal, sums));
}

// As a binary counter carries: a sum rises as long as it is a right child whose left sibling waits.
// What rises is formed in the memory of the last sum, which is needed by nobody before the end.
ShardAccumulator::Part ShardAccumulator::PartOf(
    int shard, const std::vector<Subtree>& maximal,
    const std::vector<absl::Span<float>>& sums) const {
  Subtree subtree{0, shard};
  auto found = std::find(maximal.begin(), maximal.end(), subtree);
  while (found == maximal.end() && subtree.index % 2 == 1) {
    subtree = subtree.parent();
    found = std::find(maximal.begin(), maximal.end(), subtree);
  }
  Part part;
  part.levels = subtree.level;
  part.to = found == maximal.end() ? partials_[static_cast<size_t>(subtree.level)]
                                   : sums[static_cast<size_t>(found - maximal.begin())];
  part.from = part.levels == 0 ? part.to : sums.back();
  return part;
}

// All levels that a gradient rises are added block by block, and stored while the block is still in
// the first cache: it is read from memory once, however far it rises.
void ShardAccumulator::Commit() {
  const Part& part = parts_[next_];
  next_ = (next_ + 1) % parts_.size();
  if (part.levels == 0) return;
  const bool stays = part.to.data() == part.from.data();
  for (size_t at = 0; at < part.from.size(); at += kBlockFloats) {
    const absl::Span<float> block = part.from.subspan(at, kBlockFloats);
    for (int level = 0; level < part.levels; ++level) {
      AddTo(block, partials_[static_cast<size_t>(level)].subspan(at, kBlockFloats));
    }
    if (!stays) std::copy(block.begin(), block.end(), part.to.begin() + static_cast<ptrdiff_t>(at));
  }
}

}  // namespace rm::comm
