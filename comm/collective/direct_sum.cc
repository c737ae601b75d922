// Operands lie in other cores' caches: each block of theirs is read once, in order, and everything else
// happens in this core's first cache.
#include "comm/collective/direct_sum.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "comm/collective/sum.h"

namespace rm::comm {
namespace {

// A few of them stay in the first cache.
constexpr int64_t kBlockFloats = 2048;

// Left siblings that wait are of different levels: so many, and one more, for any number of shards.
constexpr size_t kBlocks = 32;

const char* Bytes(const float* floats) { return reinterpret_cast<const char*>(floats); }

// out += in, each element rounded once, by the form that this machine runs.
void Add(float* out, const float* in, int64_t n) {
  static const AddFloatsFunction add = AddFloats();
  add(out, Bytes(in), n);
}

void Copy(float* out, const float* in, int64_t n) {
  std::memcpy(out, in, static_cast<size_t>(n) * sizeof(float));
}

}  // namespace

DirectSum::DirectSum() : scratch_(kBlocks * static_cast<size_t>(kBlockFloats)) {
  stack_.reserve(kBlocks);
}

float* DirectSum::Block(size_t index) {
  RM_CHECK(index < kBlocks, index, " sums wait for their siblings");
  return scratch_.data() + index * static_cast<size_t>(kBlockFloats);
}

// The sum of two floats has the same bits whichever is first: so two operands need no scratch memory
// when one of them is `out`.
void DirectSum::InOrder(absl::Span<const DirectOperand> operands, int64_t begin, int64_t end,
                        float* out) {
  RM_CHECK(operands.size() >= 2, operands.size(), " operands");
  if (operands.size() == 2 && (operands[0].values == out || operands[1].values == out)) {
    const float* const other = operands[operands[0].values == out ? 1 : 0].values;
    Add(out + begin, other + begin, end - begin);
    return;
  }
  float* const sum = Block(0);
  for (int64_t at = begin; at < end; at += kBlockFloats) {
    const int64_t n = std::min(kBlockFloats, end - at);
    Copy(sum, operands[0].values + at, n);
    for (const DirectOperand& operand : operands.subspan(1)) Add(sum, operand.values + at, n);
    Copy(out + at, sum, n);
  }
}

// What waits is always a left sibling, and the next operand lies to the right of all that wait: the
// stack is the tree's left edge, as in a binary counter.
void DirectSum::AlongTree(absl::Span<const DirectOperand> operands, int64_t begin, int64_t end,
                          float* out) {
  for (int64_t at = begin; at < end; at += kBlockFloats) {
    const int64_t n = std::min(kBlockFloats, end - at);
    stack_.clear();
    for (const DirectOperand& operand : operands) {
      Subtree subtree = operand.subtree;
      const float* values = operand.values + at;
      // The right operand is added to the left one in the left one's block.
      while (!stack_.empty() && stack_.back().subtree.IsSiblingOf(subtree)) {
        float* const left = Block(stack_.back().block);
        Add(left, values, n);
        values = left;
        subtree = subtree.parent();
        stack_.pop_back();
      }
      const size_t block = stack_.size();
      if (values != Block(block)) Copy(Block(block), values, n);
      stack_.push_back({subtree, block});
    }
    RM_CHECK(stack_.size() == 1, stack_.size(), " sums are left of a whole tree");
    Copy(out + at, Block(0), n);
  }
}

}  // namespace rm::comm
