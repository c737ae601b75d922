// The weight gradient of a first layer: few input channels, plain, and blocked output gradients.
#ifndef RM_KERNELS_CPU_FIRST_CONV_LOOPS_H_
#define RM_KERNELS_CPU_FIRST_CONV_LOOPS_H_

#include <cstdint>

namespace rm::kernels::cpu {

// One channel of one image, its padding included, and the output gradients of one image.
struct FirstConvShape {
  int64_t width;         // of an image row, padding included
  int64_t out_h, out_w;  // pixels of dY
  int64_t block;         // channels of a pixel of dY: 8 or 16
  int64_t kernel_h, kernel_w;
  int64_t stride_h, stride_w;
  int64_t dilation_h, dilation_w;
};

// Both add one image's part to float32 sums. Thread-safe.
struct FirstConvLoops {
  // dw (kernel_h, kernel_w, block) += Σ dy · x. `x` is one padded channel (…, width), `dy` one
  // block of channels (out_h, out_w, block).
  void (*add_weight)(const FirstConvShape& shape, const float* x, const float* dy, float* dw);
  // db (block) += Σ dy
  void (*add_bias)(const FirstConvShape& shape, const float* dy, float* db);
};

namespace v1 {
extern const FirstConvLoops kFirstConvLoops;
}
namespace v3 {
extern const FirstConvLoops kFirstConvLoops;
}
namespace v4 {
extern const FirstConvLoops kFirstConvLoops;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_FIRST_CONV_LOOPS_H_
