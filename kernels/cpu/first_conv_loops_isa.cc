// The sums of nine taps live in registers while one pass goes over the gradients of a whole image:
// each gradient is loaded once and multiplied with nine elements of X, which are in the first-level
// cache. Nine independent sums also hide the latency of an addition. On AVX2 that takes 9 of 16
// registers.
#include "kernels/cpu/first_conv_loops.h"
#include "kernels/cpu/vector.h"

namespace rm::kernels::cpu::RM_ISA {
namespace {

// Up to this many rows and columns of taps are summed in registers at once.
constexpr int64_t kTile = 3;

// Adds the sums of kRows × kColumns neighbouring taps, for as many channels as T holds. `x` is
// where the first of the taps lies in the first window, `dw` its sum.
template <typename T, int64_t kRows, int64_t kColumns>
void AddTile(const FirstConvShape& shape, const float* x, const float* dy, float* dw) {
  const FirstConvShape s = shape;  // a copy: dw cannot alias it
  constexpr unsigned long kSize = kRows * kColumns;
  T sums[kSize] = {};
  const int64_t row_step = s.dilation_h * s.width;
  for (int64_t oh = 0; oh < s.out_h; ++oh) {
    const float* at = x + oh * s.stride_h * s.width;
    for (int64_t ow = 0; ow < s.out_w; ++ow) {
      const T gradient = LoadAs<T>(dy);
      for (int64_t r = 0; r < kRows; ++r) {
        for (int64_t c = 0; c < kColumns; ++c) {
          sums[r * kColumns + c] += gradient * at[r * row_step + c * s.dilation_w];
        }
      }
      at += s.stride_w;
      dy += s.block;
    }
  }
  for (int64_t r = 0; r < kRows; ++r) {
    for (int64_t c = 0; c < kColumns; ++c) {
      float* to = dw + (r * s.kernel_w + c) * s.block;
      StoreAs(to, LoadAs<T>(to) + sums[r * kColumns + c]);
    }
  }
}

// Edges of a kernel that is no multiple of a tile get smaller tiles. The sizes are known to the
// compiler, or the sums would not stay in registers.
using AddTileFunction = void (*)(const FirstConvShape&, const float*, const float*, float*);

template <typename T>
constexpr AddTileFunction kAddTile[kTile][kTile] = {
    {&AddTile<T, 1, 1>, &AddTile<T, 1, 2>, &AddTile<T, 1, 3>},
    {&AddTile<T, 2, 1>, &AddTile<T, 2, 2>, &AddTile<T, 2, 3>},
    {&AddTile<T, 3, 1>, &AddTile<T, 3, 2>, &AddTile<T, 3, 3>},
};

inline int64_t Least(int64_t a, int64_t b) { return a < b ? a : b; }

// T holds at most a block: half vectors for blocks of 8 where a vector holds 16.
template <typename T>
void AddWeightBy(const FirstConvShape& s, const float* x, const float* dy, float* dw) {
  constexpr int64_t kWidth = sizeof(T) / sizeof(float);
  for (int64_t kh = 0; kh < s.kernel_h; kh += kTile) {
    for (int64_t kw = 0; kw < s.kernel_w; kw += kTile) {
      const AddTileFunction add_tile = kAddTile<T>[Least(kTile, s.kernel_h - kh) - 1]
                                                  [Least(kTile, s.kernel_w - kw) - 1];
      const float* at = x + kh * s.dilation_h * s.width + kw * s.dilation_w;
      float* to = dw + (kh * s.kernel_w + kw) * s.block;
      for (int64_t o = 0; o < s.block; o += kWidth) add_tile(s, at, dy + o, to + o);
    }
  }
}

void AddWeight(const FirstConvShape& s, const float* x, const float* dy, float* dw) {
  if (s.block % kLanes == 0) {
    AddWeightBy<Floats>(s, x, dy, dw);
  } else {
    AddWeightBy<HalfFloats>(s, x, dy, dw);
  }
}

template <typename T>
void AddBiasBy(const FirstConvShape& s, const float* dy, float* db) {
  constexpr int64_t kWidth = sizeof(T) / sizeof(float);
  const int64_t pixels = s.out_h * s.out_w;
  for (int64_t o = 0; o < s.block; o += kWidth) {
    // Four sums, as one addition must not wait for the one before.
    T sums[4] = {};
    int64_t i = 0;
    for (; i + 4 <= pixels; i += 4) {
      for (int64_t p = 0; p < 4; ++p) sums[p] += LoadAs<T>(dy + (i + p) * s.block + o);
    }
    for (; i < pixels; ++i) sums[0] += LoadAs<T>(dy + i * s.block + o);
    StoreAs(db + o, LoadAs<T>(db + o) + ((sums[0] + sums[1]) + (sums[2] + sums[3])));
  }
}

void AddBias(const FirstConvShape& s, const float* dy, float* db) {
  if (s.block % kLanes == 0) {
    AddBiasBy<Floats>(s, dy, db);
  } else {
    AddBiasBy<HalfFloats>(s, dy, db);
  }
}

}  // namespace

extern const FirstConvLoops kFirstConvLoops;
const FirstConvLoops kFirstConvLoops = {&AddWeight, &AddBias};

}  // namespace rm::kernels::cpu::RM_ISA
