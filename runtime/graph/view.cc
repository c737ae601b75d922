#include "runtime/graph/view.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "runtime/graph/ops/op_rule.h"

namespace rm::graph {
namespace {

using kernels::Layout;
using kernels::TensorType;

// One loop over memory: which logical digit it runs over, and how far.
using Loop = std::pair<char, int64_t>;

// The loops over an image's memory from the outermost to the innermost, without those of one turn.
// Channels are two digits: B (which block of `block` channels) and c (which channel inside it).
std::vector<Loop> Loops(const TensorType& type, int64_t block) {
  const int64_t n = type.shape[0];
  const int64_t h = type.shape[2];
  const int64_t w = type.shape[3];
  const Loop blocks{'B', (type.shape[1] + block - 1) / block};
  const Loop inner{'c', block};
  std::vector<Loop> loops;
  switch (type.layout) {
    case Layout::kPlain:
      loops = {{'N', n}, blocks, inner, {'H', h}, {'W', w}};
      break;
    case Layout::kChannelsLast:
      loops = {{'N', n}, {'H', h}, {'W', w}, blocks, inner};
      break;
    case Layout::kChannels8:
    case Layout::kChannels16:
      loops = {{'N', n}, blocks, {'H', h}, {'W', w}, inner};
      break;
  }
  const auto is_single = [](const Loop& loop) { return loop.second == 1; };
  loops.erase(std::remove_if(loops.begin(), loops.end(), is_single), loops.end());
  return loops;
}

}  // namespace

// Two layouts are one when they walk through memory by the same loops, loops of one turn left out:
// (N, C, H, W) and (N, H, W, C) are the same for C = 1, and for H = W = 1.
bool SameMemory(const TensorType& a, const TensorType& b) {
  RM_CHECK(a.shape == b.shape && a.dtype == b.dtype, a.ToString(), " and ", b.ToString());
  if (a.layout == b.layout) return true;
  if (a.shape.size() != 4) return false;
  if (a.physical_elements() != a.elements() || b.physical_elements() != b.elements()) return false;
  const int64_t block_a = kernels::ChannelBlock(a.layout);
  const int64_t block_b = kernels::ChannelBlock(b.layout);
  // Without padding, unequal blocks of 8 and 16 differ in memory unless there is one pixel only.
  if (block_a > 1 && block_b > 1 && block_a != block_b) return a.shape[2] * a.shape[3] == 1;
  const int64_t block = std::max(block_a, block_b);
  return Loops(a, block) == Loops(b, block);
}

bool IsView(const kernels::OpInstance& instance) {
  const TensorType& from = instance.inputs[0].type;
  const TensorType& to = instance.outputs[0].type;
  if (instance.op == "Reorder") return SameMemory(from, to);
  const OpRule* rule = FindOp(instance.op);
  return rule != nullptr && rule->trait == OpTrait::kView && from.layout == Layout::kPlain &&
         to.layout == Layout::kPlain;
}

}  // namespace rm::graph
