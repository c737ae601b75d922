// Indexing of plain images, for the reference kernels that slide windows over them.
#ifndef RM_KERNELS_REF_IMAGE_H_
#define RM_KERNELS_REF_IMAGE_H_

#include <cstdint>

#include "kernels/api/tensor.h"

namespace rm::kernels::ref {

// The four dimensions of an image (N, C, H, W), or of a convolution's weights (O, I, H, W).
struct Image {
  int64_t n, c, h, w;

  // REQUIRES: rank 4.
  explicit Image(const Shape& shape) : n(shape[0]), c(shape[1]), h(shape[2]), w(shape[3]) {}

  // The offset of an element in the layout kPlain.
  [[nodiscard]] int64_t At(int64_t in, int64_t ic, int64_t ih, int64_t iw) const {
    return ((in * c + ic) * h + ih) * w + iw;
  }

  [[nodiscard]] bool Holds(int64_t ih, int64_t iw) const {
    return ih >= 0 && ih < h && iw >= 0 && iw < w;
  }
};

}  // namespace rm::kernels::ref

#endif  // RM_KERNELS_REF_IMAGE_H_
