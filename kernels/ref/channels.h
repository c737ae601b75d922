// A tensor (N, C, …) by channel, for the reference kernels that normalise.
#ifndef RM_KERNELS_REF_CHANNELS_H_
#define RM_KERNELS_REF_CHANNELS_H_

#include <cstdint>

#include "kernels/api/tensor.h"

namespace rm::kernels::ref {

struct Channels {
  int64_t n = 0;       // of the batch
  int64_t c = 0;       // channels
  int64_t pixels = 1;  // all dimensions behind the channels

  // REQUIRES: rank ≥ 2.
  explicit Channels(const Shape& shape) : n(shape[0]), c(shape[1]) {
    for (size_t i = 2; i < shape.size(); ++i) pixels *= shape[i];
  }

  // Elements of one channel.
  [[nodiscard]] int64_t count() const { return n * pixels; }
  // The offset of element i of a channel in the layout kPlain.
  [[nodiscard]] int64_t At(int64_t channel, int64_t i) const {
    return (i / pixels * c + channel) * pixels + i % pixels;
  }
};

}  // namespace rm::kernels::ref

#endif  // RM_KERNELS_REF_CHANNELS_H_
