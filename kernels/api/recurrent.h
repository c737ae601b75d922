// The sizes of a recurrent layer, read from its operands.
#ifndef RM_KERNELS_API_RECURRENT_H_
#define RM_KERNELS_API_RECURRENT_H_

#include <cstdint>
#include <string>

#include "kernels/api/op.h"

namespace rm::kernels {

// X is (steps, batch, inputs); states are (directions, batch, hidden).
struct LstmShape {
  int64_t steps, batch, inputs, hidden;
  int64_t directions;   // 2 for a bidirectional layer
  bool first_reversed;  // direction 0 goes from the last step to the first

  // The place in the sequence of the k-th step that a direction takes.
  [[nodiscard]] int64_t Time(int64_t direction, int64_t k) const {
    return first_reversed || direction == 1 ? steps - 1 - k : k;
  }
};

// REQUIRES: X and R have three dimensions.
[[nodiscard]] inline LstmShape ReadLstmShape(const Attributes& attributes, const Shape& x,
                                             const Shape& r) {
  const std::string direction = attributes.String("direction", "forward");
  return {x[0], x[1], x[2], r[2], direction == "bidirectional" ? 2 : 1, direction == "reverse"};
}

}  // namespace rm::kernels

#endif  // RM_KERNELS_API_RECURRENT_H_
