// The weight gradient of a first layer: few input channels, plain, and blocked output gradients.
#ifndef RM_KERNELS_CPU_FIRST_CONV_LOOPS_H_
#define RM_KERNELS_CPU_FIRST_CONV_LOOPS_H_

#include <cstdint>

namespace rm::kernels::cpu {

// X is (n, c, in_h, in_w), plain. dY is (n, out_blocks, out_h, out_w, block). One group.
struct FirstConvShape {
  int64_t n, c;
  int64_t in_h, in_w;
  int64_t out_blocks, block;  // block is 8 or 16
  int64_t out_h, out_w;
  int64_t kernel_h, kernel_w;  // kernel_w at most 8
  int64_t stride_h, stride_w;
  int64_t pad_top, pad_left, pad_right;
  int64_t dilation_h, dilation_w;

  // Floats in one row of X between its padding.
  [[nodiscard]] int64_t row() const { return pad_left + in_w + pad_right; }
};

struct FirstConvLoops {
  // The gradients of block `b` of the output channels, from all images:
  // dw (c, kernel_h, kernel_w, block) and db (block), both overwritten. `row` is scratch memory for
  // shape.row() floats.
  void (*grad_weight)(const FirstConvShape& shape, int64_t b, const float* x, const float* dy,
                      float* row, float* dw, float* db);
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
