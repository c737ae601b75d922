#include "kernels/ref/strides.h"

namespace rm::kernels::ref {

// From the last dimension to the first, as both shapes are aligned at their ends. Dimensions that
// `output` has in front of all of shape's keep their stride of 0, too.
Shape BroadcastStrides(const Shape& shape, const Shape& output) {
  Shape strides(output.size(), 0);
  int64_t stride = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    const int64_t dimension = shape[shape.size() - 1 - i];
    if (dimension != 1) strides[output.size() - 1 - i] = stride;
    stride *= dimension;
  }
  return strides;
}

// Takes the index apart by divisions, one axis at a time: slow, but nothing can go wrong in it.
int64_t StridedOffset(int64_t i, const Shape& shape, const Shape& strides) {
  int64_t offset = 0;
  for (size_t axis = shape.size(); axis-- > 0;) {
    offset += i % shape[axis] * strides[axis];
    i /= shape[axis];
  }
  return offset;
}

}  // namespace rm::kernels::ref
