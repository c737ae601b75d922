#include "kernels/ref/strides.h"

namespace rm::kernels::ref {

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

int64_t StridedOffset(int64_t i, const Shape& shape, const Shape& strides) {
  int64_t offset = 0;
  for (size_t axis = shape.size(); axis-- > 0;) {
    offset += i % shape[axis] * strides[axis];
    i /= shape[axis];
  }
  return offset;
}

}  // namespace rm::kernels::ref
