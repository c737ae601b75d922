#include "kernels/cpu/broadcast_walk.h"

#include "kernels/api/strided_view.h"

namespace rm::kernels::cpu {

// Axes from the last to the first. One of a single element is no loop; one whose strides, of every
// operand, go on where the loop inside of it ends is a longer turn of that loop.
BroadcastWalk::BroadcastWalk(const Shape& output, const std::vector<Shape>& operands)
    : operands_(operands.size()) {
  std::vector<Shape> strides;
  for (const Shape& shape : operands) strides.push_back(BroadcastView(shape, output).strides);
  for (size_t axis = output.size(); axis-- > 0;) {
    if (output[axis] == 1) continue;
    Loop loop{output[axis], {}};
    for (size_t k = 0; k < operands_; ++k) loop.strides[k] = strides[k][axis];
    bool goes_on = !loops_.empty();
    for (size_t k = 0; goes_on && k < operands_; ++k) {
      goes_on = loop.strides[k] == loops_.front().strides[k] * loops_.front().count;
    }
    if (goes_on) {
      loops_.front().count *= loop.count;
    } else {
      loops_.insert(loops_.begin(), loop);
    }
  }
  // The innermost loop is the run. No loops at all: one element.
  if (!loops_.empty()) {
    run_ = loops_.back().count;
    for (size_t k = 0; k < operands_; ++k) repeats_[k] = loops_.back().strides[k] == 0;
    loops_.pop_back();
  }
  for (const Loop& loop : loops_) runs_ *= loop.count;
}

// By divisions, once a run.
void BroadcastWalk::Locate(int64_t i, int64_t* at) const {
  for (size_t k = 0; k < operands_; ++k) at[k] = 0;
  for (size_t loop = loops_.size(); loop-- > 0;) {
    const int64_t turn = i % loops_[loop].count;
    i /= loops_[loop].count;
    for (size_t k = 0; k < operands_; ++k) at[k] += turn * loops_[loop].strides[k];
  }
}

}  // namespace rm::kernels::cpu
