// Walking a tensor in the order of another one's shape: broadcasting (stride 0 stretches) and
// reducing (stride 0 adds up) are the same loop.
#ifndef RM_KERNELS_REF_STRIDES_H_
#define RM_KERNELS_REF_STRIDES_H_

#include <cstdint>

#include "kernels/api/tensor.h"

namespace rm::kernels::ref {

// How far to step in a plain tensor of shape `shape` when an index of `output` grows by one; 0
// where a dimension of 1 is stretched. REQUIRES: `shape` broadcasts to `output`. Has output's rank.
[[nodiscard]] Shape BroadcastStrides(const Shape& shape, const Shape& output);

// The offset that element i of a plain tensor of shape `shape` has when each axis steps by
// strides[axis]. REQUIRES: equal ranks.
[[nodiscard]] int64_t StridedOffset(int64_t i, const Shape& shape, const Shape& strides);

}  // namespace rm::kernels::ref

#endif  // RM_KERNELS_REF_STRIDES_H_
