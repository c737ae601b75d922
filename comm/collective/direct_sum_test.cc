#include "comm/collective/direct_sum.h"

#include <catch2/catch.hpp>

#include <cstring>
#include <vector>

#include "base/random.h"

namespace rm::comm {
namespace {

// Values for which another order of adding gives other bits.
std::vector<std::vector<float>> Addends(size_t count, size_t size, uint64_t seed) {
  base::RandomStream random(seed, 5);
  std::vector<std::vector<float>> all(count, std::vector<float>(size));
  for (auto& values : all) {
    for (float& value : values) {
      value = random.NextNormal() * static_cast<float>(1 << random.NextBelow(20));
    }
  }
  return all;
}

bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::vector<DirectOperand> OperandsOf(const std::vector<std::vector<float>>& all) {
  std::vector<DirectOperand> operands;
  for (const auto& values : all) operands.push_back({values.data(), {}});
  return operands;
}

// node(l, i) = node(l−1, 2i) + node(l−1, 2i+1), one element, as it is written.
float Node(const std::vector<std::vector<float>>& shards, const Subtree& subtree, size_t i) {
  if (subtree.level == 0) return shards[static_cast<size_t>(subtree.index)][i];
  const Subtree left = {subtree.level - 1, 2 * subtree.index};
  const Subtree right = {subtree.level - 1, 2 * subtree.index + 1};
  return Node(shards, left, i) + Node(shards, right, i);
}

TEST_CASE("in order means from the left, wherever the result goes") {
  for (const size_t count : {2U, 3U, 5U, 8U}) {
    for (const size_t size : {1U, 2047U, 2048U, 5001U}) {
      const auto all = Addends(count, size, count * 100 + size);
      std::vector<float> expected = all[0];
      for (size_t k = 1; k < count; ++k) {
        for (size_t i = 0; i < size; ++i) expected[i] = expected[i] + all[k][i];
      }
      DirectSum sum;
      std::vector<float> out(size);
      sum.InOrder(OperandsOf(all), 0, static_cast<int64_t>(size), out.data());
      CHECK(SameBits(out, expected));
      for (size_t place = 0; place < count; ++place) {
        std::vector<std::vector<float>> own = all;
        INFO(count << " addends of " << size << ", into the place of " << place);
        sum.InOrder(OperandsOf(own), 0, static_cast<int64_t>(size), own[place].data());
        CHECK(SameBits(own[place], expected));
      }
    }
  }
}

TEST_CASE("only the range that was asked for is written") {
  const auto all = Addends(3, 100, 9);
  std::vector<float> out(100, -1);
  DirectSum sum;
  sum.InOrder(OperandsOf(all), 10, 20, out.data());
  CHECK(out[9] == -1);
  CHECK(out[20] == -1);
  CHECK(out[10] == all[0][10] + all[1][10] + all[2][10]);
  CHECK(out[19] == all[0][19] + all[1][19] + all[2][19]);
}

TEST_CASE("along the tree every cut of the shards gives the tree's bits") {
  constexpr size_t kSize = 2100;
  for (const int shards : {1, 2, 4, 8, 32}) {
    const auto all = Addends(static_cast<size_t>(shards), kSize, 7);
    int levels = 0;
    while ((1 << levels) < shards) ++levels;
    std::vector<float> expected(kSize);
    for (size_t i = 0; i < kSize; ++i) expected[i] = Node(all, {levels, 0}, i);
    for (int world_size = 1; world_size <= shards; ++world_size) {
      // What each rank has added inside its run, in the order of the ranks.
      std::vector<std::vector<float>> sums;
      std::vector<Subtree> subtrees;
      for (int rank = 0; rank < world_size; ++rank) {
        for (const Subtree& subtree : MaximalSubtrees(ShardsOf(shards, world_size, rank))) {
          subtrees.push_back(subtree);
          sums.emplace_back(kSize);
          for (size_t i = 0; i < kSize; ++i) sums.back()[i] = Node(all, subtree, i);
        }
      }
      std::vector<DirectOperand> operands;
      for (size_t i = 0; i < sums.size(); ++i) operands.push_back({sums[i].data(), subtrees[i]});
      INFO(shards << " shards on " << world_size << " ranks");
      // Into the last operand's own place, as a rank does.
      DirectSum().AlongTree(operands, 0, static_cast<int64_t>(kSize), sums.back().data());
      CHECK(SameBits(sums.back(), expected));
    }
  }
}

}  // namespace
}  // namespace rm::comm
