// Vectorised max pooling, forward and backward, in every layout.
#ifndef RM_KERNELS_CPU_POOL_LOOPS_H_
#define RM_KERNELS_CPU_POOL_LOOPS_H_

#include <cstdint>

#include "kernels/api/bfloat16.h"

namespace rm::kernels::cpu {

// A pool over planes of pixels; each pixel has `inner` neighbouring floats (channels) that are
// pooled side by side:
//   kPlain         planes = N · C,         inner = 1
//   kChannelsLast  planes = N,             inner = C
//   kChannels8     planes = N · ⌈C / 8⌉,   inner = 8
//   kChannels16    planes = N · ⌈C / 16⌉,  inner = 16
// X is (planes, in_h, in_w, inner), Y and the index are (planes, out_h, out_w, inner).
struct PoolShape {
  int64_t planes;
  int64_t inner;
  int64_t in_h, in_w;
  int64_t out_h, out_w;
  int64_t kernel_h, kernel_w;  // at most 256 taps
  int64_t stride_h, stride_w;
  int64_t pad_top, pad_left;
  int64_t dilation_h, dilation_w;

  // True when every element of X is in exactly one window.
  [[nodiscard]] bool tiles() const {
    return kernel_h == stride_h && kernel_w == stride_w && dilation_h == 1 && dilation_w == 1 &&
           pad_top == 0 && pad_left == 0 && in_h == out_h * kernel_h && in_w == out_w * kernel_w;
  }
};

// The planes from `begin` up to, not including, `end` of the tensors. Thread-safe.
struct PoolLoops {
  // Y and the index of op.h. `index` may be nullptr.
  void (*max)(const PoolShape& shape, int64_t begin, int64_t end, const float* x, float* y,
              uint8_t* index);
  // dX from dY and the index. An index that points outside X is passed over.
  void (*max_grad)(const PoolShape& shape, int64_t begin, int64_t end, const float* dy,
                   const uint8_t* index, float* dx);

  // The same in bfloat16. REQUIRES: inner > 1; for the gradient tiles(), as gradients that meet would
  // have to be added in float32.
  void (*max_bfloat16)(const PoolShape& shape, int64_t begin, int64_t end, const Bfloat16* x,
                       Bfloat16* y, uint8_t* index);
  void (*max_grad_bfloat16)(const PoolShape& shape, int64_t begin, int64_t end,
                            const Bfloat16* dy, const uint8_t* index, Bfloat16* dx);
};

namespace v1 {
extern const PoolLoops kPoolLoops;
}
namespace v3 {
extern const PoolLoops kPoolLoops;
}
namespace v4 {
extern const PoolLoops kPoolLoops;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_POOL_LOOPS_H_
