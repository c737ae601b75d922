// Vectorised batch normalisation: statistics by channel, what is done with them, and the gradient.
#ifndef RM_KERNELS_CPU_BATCH_NORM_LOOPS_H_
#define RM_KERNELS_CPU_BATCH_NORM_LOOPS_H_

#include <cstdint>

#include "kernels/api/bfloat16.h"

namespace rm::kernels::cpu {

// X as (images, blocks, pixels, inner): each block holds `inner` channels side by side.
//   kPlain         blocks = C,          pixels = H · W,      inner = 1
//   kChannelsLast  blocks = 1,          pixels = N · H · W,  inner = C, images = 1
//   kChannels8     blocks = ⌈C / 8⌉,    pixels = H · W,      inner = 8
//   kChannels16    blocks = ⌈C / 16⌉,   pixels = H · W,      inner = 16
struct BatchNormShape {
  int64_t images, blocks, pixels, inner;

  // The channels in memory, padding included.
  [[nodiscard]] int64_t channels() const { return blocks * inner; }
};

// What normalises a channel: y = (x − mean) · factor + shift. Arrays by channel, padding included;
// zeros there keep the padding of Y zero.
struct BatchNormFactors {
  const float* mean;
  const float* factor;
  const float* shift;
};

// dX = factor · dY − shift − slope · (x − mean), by channel.
struct BatchNormSlopes {
  const float* mean;
  const float* factor;
  const float* shift;
  const float* slope;
};

// Each works on the channels of one block; pointers are those of whole tensors, and of arrays with
// one element a channel. Where y is given to a gradient, dY counts only where y > 0: the gradient
// of relu in the same pass. Sums are taken in float32 over at most 128 pixels in four parts, and
// beyond that in double; their order depends on the shape only. Thread-safe.
template <typename Element>
struct BatchNormLoopsOf {
  // The mean of each channel and the sum of the squared differences from it.
  void (*statistics)(const BatchNormShape& shape, int64_t block, const Element* x, double* mean,
                     double* squares);
  // y; relu ends it if asked to. `residual` (of X's shape) is added first unless it is nullptr.
  // In place of x or residual allowed.
  void (*normalize)(const BatchNormShape& shape, int64_t block, const Element* x,
                    const Element* residual, const BatchNormFactors& factors, bool relu,
                    Element* y);
  // Σ dY and Σ dY · (x − mean).
  void (*gradient_sums)(const BatchNormShape& shape, int64_t block, const Element* dy,
                        const Element* y, const Element* x, const float* mean, double* sums,
                        double* products);
  // dX; in place of dY allowed.
  void (*gradient)(const BatchNormShape& shape, int64_t block, const Element* dy,
                   const Element* y, const Element* x, const BatchNormSlopes& slopes, Element* dx);
};

// Images of either type; what is computed of them is float32 and double in both.
using BatchNormLoops = BatchNormLoopsOf<float>;
using BatchNormBfloat16Loops = BatchNormLoopsOf<Bfloat16>;

namespace v1 {
extern const BatchNormLoops kBatchNormLoops;
extern const BatchNormBfloat16Loops kBatchNormBfloat16Loops;
}
namespace v3 {
extern const BatchNormLoops kBatchNormLoops;
extern const BatchNormBfloat16Loops kBatchNormBfloat16Loops;
}
namespace v4 {
extern const BatchNormLoops kBatchNormLoops;
extern const BatchNormBfloat16Loops kBatchNormBfloat16Loops;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_BATCH_NORM_LOOPS_H_
