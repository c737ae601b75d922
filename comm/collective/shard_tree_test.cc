#include "comm/collective/shard_tree.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

#include "base/random.h"

namespace rm::comm {
namespace {

// Values of very different sizes: any other association of the sum changes bits.
std::vector<std::vector<float>> Gradients(int shards, size_t elements, uint64_t seed) {
  base::RandomStream random(seed, 1);
  std::vector<std::vector<float>> gradients(static_cast<size_t>(shards));
  for (auto& gradient : gradients) {
    for (size_t i = 0; i < elements; ++i) {
      const float scale = std::ldexp(1.0F, static_cast<int>(random.NextBelow(40)) - 20);
      gradient.push_back(random.NextNormal() * scale);
    }
  }
  return gradients;
}

// The tree as it is written down, serially.
std::vector<float> Node(const std::vector<std::vector<float>>& gradients, const Subtree& node) {
  if (node.level == 0) return gradients[static_cast<size_t>(node.index)];
  std::vector<float> left = Node(gradients, {node.level - 1, 2 * node.index});
  const std::vector<float> right = Node(gradients, {node.level - 1, 2 * node.index + 1});
  for (size_t i = 0; i < left.size(); ++i) left[i] = left[i] + right[i];
  return left;
}

bool SameBits(absl::Span<const float> a, absl::Span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

int LevelOf(int shards) {
  int level = 0;
  while ((1 << level) < shards) ++level;
  return level;
}

TEST_CASE("ranks hold contiguous runs, the first ones the longer ones") {
  for (const int shards : {1, 2, 8, 32}) {
    for (int ranks = 1; ranks <= shards; ++ranks) {
      int next = 0;
      int last_count = shards;
      for (int rank = 0; rank < ranks; ++rank) {
        const ShardRun run = ShardsOf(shards, ranks, rank);
        CHECK(run.first == next);
        CHECK(run.count <= last_count);
        CHECK(run.count >= shards / ranks);
        last_count = run.count;
        next = run.end();
      }
      CHECK(next == shards);
    }
  }
}

TEST_CASE("maximal subtrees of the example in the header's source: V = 8, N = 3") {
  const auto of_rank = [](int rank) { return MaximalSubtrees(ShardsOf(8, 3, rank)); };
  CHECK(of_rank(0) == std::vector<Subtree>{{1, 0}, {0, 2}});
  CHECK(of_rank(1) == std::vector<Subtree>{{0, 3}, {1, 2}});
  CHECK(of_rank(2) == std::vector<Subtree>{{1, 3}});
}

TEST_CASE("every run of a tree is covered by few maximal subtrees, no two of them siblings") {
  for (const int shards : {1, 2, 4, 8, 16, 32}) {
    for (int first = 0; first < shards; ++first) {
      for (int count = 1; first + count <= shards; ++count) {
        const std::vector<Subtree> subtrees = MaximalSubtrees({first, count});
        int next = first;
        for (size_t i = 0; i < subtrees.size(); ++i) {
          CHECK(subtrees[i].first() == next);
          next = subtrees[i].end();
          if (i > 0) CHECK_FALSE(subtrees[i].IsSiblingOf(subtrees[i - 1]));
        }
        CHECK(next == first + count);
        CHECK(static_cast<int>(subtrees.size()) <= std::max(1, 2 * LevelOf(shards) - 2));
      }
    }
  }
}

// Twice, since the second step begins anew.
void CheckRun(const ShardRun& run, const std::vector<std::vector<float>>& gradients) {
  const std::vector<Subtree> subtrees = MaximalSubtrees(run);
  std::vector<std::vector<float>> memory(subtrees.size(), std::vector<float>(gradients[0].size()));
  std::vector<absl::Span<float>> sums;
  for (auto& sum : memory) sums.push_back(absl::MakeSpan(sum));
  ShardAccumulator accumulator(run, sums);
  for (int step = 0; step < 2; ++step) {
    for (int shard = run.first; shard < run.end(); ++shard) {
      const auto& gradient = gradients[static_cast<size_t>(shard)];
      std::copy(gradient.begin(), gradient.end(), accumulator.work().begin());
      accumulator.Commit();
    }
    for (size_t i = 0; i < subtrees.size(); ++i) {
      REQUIRE(SameBits(memory[i], Node(gradients, subtrees[i])));
    }
  }
}

TEST_CASE("what a rank adds up are the nodes of the tree, to the bit") {
  for (const int shards : {1, 2, 4, 8, 16, 32}) {
    const auto gradients = Gradients(shards, 37, static_cast<uint64_t>(shards));
    for (int first = 0; first < shards; ++first) {
      for (int count = 1; first + count <= shards; ++count) CheckRun({first, count}, gradients);
    }
  }
}

TEST_CASE("a gradient that waits for its sibling is formed where it waits; the last one in the last sum") {
  std::vector<float> memory(1000);
  float* const sum = memory.data();
  ShardAccumulator first({0, 4}, {absl::MakeSpan(sum, 40)});
  std::vector<const float*> places;
  ShardAccumulator accumulator(std::move(first));  // places do not move with it
  for (int shard = 0; shard < 8; ++shard) {        // two steps
    places.push_back(accumulator.work().data());
    CHECK(accumulator.work().size() == 40);
    accumulator.Commit();
  }
  CHECK(places[0] != sum);
  CHECK(reinterpret_cast<uintptr_t>(places[0]) % 64 == 0);
  CHECK(places[1] == sum);
  CHECK(places[2] == places[0]);
  CHECK(places[3] == sum);
  for (size_t shard = 0; shard < 4; ++shard) CHECK(places[shard + 4] == places[shard]);
}

TEST_CASE("so they are in buckets of several blocks, the last one whole or not") {
  for (const size_t elements : {size_t{4095}, size_t{4096}, size_t{4097}, size_t{3 * 4096 + 5}}) {
    const auto gradients = Gradients(8, elements, elements);
    for (const ShardRun& run : {ShardRun{0, 8}, ShardRun{0, 3}, ShardRun{3, 5}, ShardRun{1, 1}}) {
      CheckRun(run, gradients);
    }
  }
}

TEST_CASE("sums that meet in any order along the ring end in the root, to the bit") {
  base::RandomStream random(7, 7);
  for (const int shards : {1, 2, 4, 8, 16, 32}) {
    const auto gradients = Gradients(shards, 11, 100 + static_cast<uint64_t>(shards));
    const std::vector<float> root = Node(gradients, {LevelOf(shards), 0});
    for (int ranks = 1; ranks <= shards; ++ranks) {
      const int start = static_cast<int>(random.NextBelow(static_cast<uint64_t>(ranks)));
      std::vector<std::vector<float>> memory;
      memory.reserve(static_cast<size_t>(2 * shards + 2) * static_cast<size_t>(ranks));
      std::vector<SubtreeSum> sums;
      for (int hop = 0; hop < ranks; ++hop) {
        for (const Subtree& subtree : MaximalSubtrees(ShardsOf(shards, ranks, (start + hop) % ranks))) {
          memory.push_back(Node(gradients, subtree));
          sums.push_back({subtree, absl::MakeSpan(memory.back())});
        }
        std::sort(sums.begin(), sums.end(), [](const SubtreeSum& a, const SubtreeSum& b) {
          return a.subtree.first() < b.subtree.first();
        });
        MergeSiblings(&sums);
        std::vector<Subtree> left;
        for (const SubtreeSum& sum : sums) left.push_back(sum.subtree);
        REQUIRE(left == SubtreesAround(shards, ranks, start, hop + 1));
      }
      REQUIRE(sums.size() == 1);
      CHECK(SameBits(sums[0].values, root));
    }
  }
}

TEST_CASE("the values of these tests tell associations apart") {
  const auto gradients = Gradients(8, 64, 3);
  std::vector<float> serial = gradients[0];
  for (size_t shard = 1; shard < 8; ++shard) {
    for (size_t i = 0; i < serial.size(); ++i) serial[i] = serial[i] + gradients[shard][i];
  }
  CHECK_FALSE(SameBits(serial, Node(gradients, {3, 0})));
}

}  // namespace
}  // namespace rm::comm
