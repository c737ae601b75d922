#include "comm/collective/tree_allreduce.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "base/status.h"
#include "comm/collective/ring_schedule.h"
#include "comm/collective/shard_tree.h"

namespace rm::comm {
namespace {

// As the plain ring's: larger frames do not stay in the cache between two hands.
constexpr int64_t kSegmentElements = (int64_t{512} << 10) / static_cast<int64_t>(sizeof(float));

absl::Span<char> Bytes(absl::Span<float> floats) {
  return {reinterpret_cast<char*>(floats.data()), floats.size() * sizeof(float)};
}

// The largest number of sums that come in at one hop, over all ranks and hops.
int MostSubtrees(int shards, int world_size) {
  size_t most = 1;
  for (int first = 0; first < world_size; ++first) {
    for (int ranks = 1; ranks < world_size; ++ranks) {
      most = std::max(most, SubtreesAround(shards, world_size, first, ranks).size());
    }
  }
  return static_cast<int>(most);
}

// One rank's way through one call.
class TreeRun {
 public:
  TreeRun(RingEdges& ring, const TreeCall& call)
      : ring_(ring),
        call_(call),
        elements_(static_cast<int64_t>(call.sums.back().size())),
        own_(MaximalSubtrees(ShardsOf(call.shards, ring.world_size(), ring.rank()))),
        bank_bytes_(call.scratch.size() / 2) {
    RM_CHECK(own_.size() == call.sums.size(), own_.size(), " subtrees, ", call.sums.size(),
             " sums");
  }

  absl::Status Run() {
    RM_RETURN_IF_ERROR(ReduceScatter());
    return AllGather();
  }

 private:
  [[nodiscard]] int Modulo(int rank) const {
    const int size = ring_.world_size();
    return ((rank % size) + size) % size;
  }
  [[nodiscard]] Range Chunk(int chunk) const {
    return ChunkOf(elements_, ring_.world_size(), Modulo(chunk));
  }
  [[nodiscard]] absl::Span<float> Part(absl::Span<float> bucket, int chunk) const {
    const Range range = Chunk(chunk);
    return bucket.subspan(static_cast<size_t>(range.begin), static_cast<size_t>(range.size()));
  }
  // This rank's own part of a chunk.
  [[nodiscard]] std::vector<SubtreeSum> Own(int chunk) const {
    std::vector<SubtreeSum> sums;
    for (size_t i = 0; i < own_.size(); ++i) sums.push_back({own_[i], Part(call_.sums[i], chunk)});
    return sums;
  }

  // Segment numbers run on over all that is sent in a hop.
  void Send(int hop, absl::Span<float> values, int64_t* segment) {
    for (; !values.empty(); values.remove_prefix(std::min(values.size(), kSegment))) {
      ring_.Send(call_.id, hop, (*segment)++, Bytes(values.subspan(0, kSegment)));
    }
  }
  absl::Status Receive(int hop, absl::Span<float> values, int64_t* segment) {
    for (; !values.empty(); values.remove_prefix(std::min(values.size(), kSegment))) {
      const absl::Span<char> part = Bytes(values.subspan(0, kSegment));
      RM_ASSIGN_OR_RETURN(const Frame frame,
                          ring_.Receive(call_.id, hop, (*segment)++, part.size()));
      RM_RETURN_IF_ERROR(ring_.Copy(frame, part));
    }
    return absl::OkStatus();
  }

  // What has travelled `hop` + 1 ranks and comes in now, into the bank that is free.
  absl::StatusOr<std::vector<SubtreeSum>> ReceiveSums(int hop, int chunk) {
    const auto size = static_cast<size_t>(Chunk(chunk).size());
    const auto place = call_.scratch.subspan((hop % 2 == 0) ? 0 : bank_bytes_, bank_bytes_);
    auto* memory = reinterpret_cast<float*>(place.data());
    std::vector<SubtreeSum> sums;
    int64_t segment = 0;
    for (const Subtree& subtree :
         SubtreesAround(call_.shards, ring_.world_size(), Modulo(chunk), hop + 1)) {
      const absl::Span<float> values(memory, size);
      memory += size;
      RM_RETURN_IF_ERROR(Receive(hop, values, &segment));
      sums.push_back({subtree, values});
    }
    return sums;
  }

  // Sums lie in this rank's own memory or in one of two banks of the scratch memory. A bank is
  // written again two hops later; by then what was sent from it has left, as each hop ends with a
  // flush, after its receives: ranks that flushed first could wait for each other.
  absl::Status ReduceScatter() {
    std::vector<SubtreeSum> sums = Own(ring_.rank());
    for (int hop = 0; hop < ring_.world_size() - 1; ++hop) {
      int64_t segment = 0;
      for (const SubtreeSum& sum : sums) Send(hop, sum.values, &segment);
      const int chunk = ring_.rank() - 1 - hop;
      RM_ASSIGN_OR_RETURN(std::vector<SubtreeSum> received, ReceiveSums(hop, chunk));
      RM_RETURN_IF_ERROR(ring_.Flush());
      sums = Own(chunk);
      sums.insert(sums.end(), received.begin(), received.end());
      std::sort(sums.begin(), sums.end(), [](const SubtreeSum& a, const SubtreeSum& b) {
        return a.subtree.first() < b.subtree.first();
      });
      MergeSiblings(&sums);
    }
    RM_CHECK(sums.size() == 1, sums.size(), " sums of a complete chunk");
    const absl::Span<float> complete = Part(call_.sums.back(), ring_.rank() + 1);
    if (!complete.empty() && complete.data() != sums[0].values.data()) {
      std::memmove(complete.data(), sums[0].values.data(), complete.size() * sizeof(float));
    }
    return absl::OkStatus();
  }

  absl::Status AllGather() {
    const int hops = ring_.world_size() - 1;
    for (int hop = 0; hop < hops; ++hop) {
      int64_t sent = 0;
      int64_t received = 0;
      Send(hops + hop, Part(call_.sums.back(), ring_.rank() + 1 - hop), &sent);
      RM_RETURN_IF_ERROR(
          Receive(hops + hop, Part(call_.sums.back(), ring_.rank() - hop), &received));
    }
    return ring_.Flush();
  }

  static constexpr size_t kSegment = static_cast<size_t>(kSegmentElements);

  RingEdges& ring_;
  const TreeCall& call_;
  const int64_t elements_;
  const std::vector<Subtree> own_;
  const size_t bank_bytes_;
};

}  // namespace

size_t TreeScratch(int shards, int world_size, int64_t elements) {
  if (world_size == 1) return 0;
  const auto chunk = static_cast<size_t>(ChunkOf(elements, world_size, 0).size());
  return 2 * chunk * sizeof(float) * static_cast<size_t>(MostSubtrees(shards, world_size));
}

absl::Status TreeAllReduce(RingEdges& ring, const TreeCall& call) {
  return TreeRun(ring, call).Run();
}

}  // namespace rm::comm
