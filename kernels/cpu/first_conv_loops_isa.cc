#include "kernels/cpu/first_conv_loops.h"
#include "kernels/cpu/vector.h"

namespace rm::kernels::cpu::RM_ISA {
namespace {

// One row of windows: adds dy · x to the sums of kTaps taps, for as many channels as T holds. Pixels
// alternate between two sets of sums, which hides the latency of an addition.
template <typename T, int64_t kTaps>
void AddRow(const FirstConvShape& s, const float* x, const float* dy, float* sums) {
  constexpr unsigned long kSize = kTaps;
  T even[kSize] = {};
  T odd[kSize] = {};
  int64_t i = 0;
  for (; i + 2 <= s.out_w; i += 2) {
    const T first = LoadAs<T>(dy + i * s.block);
    const T second = LoadAs<T>(dy + (i + 1) * s.block);
    const float* at = x + i * s.stride_w;
    for (int64_t k = 0; k < kTaps; ++k) {
      even[k] += first * at[k * s.dilation_w];
      odd[k] += second * at[k * s.dilation_w + s.stride_w];
    }
  }
  if (i < s.out_w) {
    const T last = LoadAs<T>(dy + i * s.block);
    for (int64_t k = 0; k < kTaps; ++k) even[k] += last * x[i * s.stride_w + k * s.dilation_w];
  }
  for (int64_t k = 0; k < kTaps; ++k) {
    float* to = sums + k * s.block;
    StoreAs(to, LoadAs<T>(to) + (even[k] + odd[k]));
  }
}

using AddRowFunction = void (*)(const FirstConvShape&, const float*, const float*, float*);

template <typename T>
constexpr AddRowFunction kAddRow[] = {&AddRow<T, 1>, &AddRow<T, 2>, &AddRow<T, 3>, &AddRow<T, 4>,
                                      &AddRow<T, 5>, &AddRow<T, 6>, &AddRow<T, 7>, &AddRow<T, 8>};

// `row` becomes a row of X between zeros.
void CopyPadded(const FirstConvShape& s, const float* x, float* row) {
  for (int64_t i = 0; i < s.pad_left; ++i) row[i] = 0;
  __builtin_memcpy(row + s.pad_left, x, static_cast<unsigned long>(s.in_w) * sizeof(float));
  for (int64_t i = 0; i < s.pad_right; ++i) row[s.pad_left + s.in_w + i] = 0;
}

// Row h of one channel of X meets every row of windows that has a tap on it. `dw` is
// (kernel_h, kernel_w, block).
template <typename T>
void AddImageRow(const FirstConvShape& s, int64_t h, const float* row, const float* dy, float* dw) {
  constexpr int64_t kWidth = sizeof(T) / sizeof(float);
  const AddRowFunction add_row = kAddRow<T>[s.kernel_w - 1];
  for (int64_t kh = 0; kh < s.kernel_h; ++kh) {
    const int64_t shifted = h + s.pad_top - kh * s.dilation_h;
    if (shifted < 0 || shifted % s.stride_h != 0 || shifted / s.stride_h >= s.out_h) continue;
    const float* dy_row = dy + shifted / s.stride_h * s.out_w * s.block;
    for (int64_t o = 0; o < s.block; o += kWidth) {
      add_row(s, row, dy_row + o, dw + kh * s.kernel_w * s.block + o);
    }
  }
}

// db += the sum of dy over one image.
template <typename T>
void AddBias(const FirstConvShape& s, const float* dy, float* db) {
  constexpr int64_t kWidth = sizeof(T) / sizeof(float);
  for (int64_t o = 0; o < s.block; o += kWidth) {
    T even = {};
    T odd = {};
    int64_t i = 0;
    for (; i + 2 <= s.out_h * s.out_w; i += 2) {
      even += LoadAs<T>(dy + i * s.block + o);
      odd += LoadAs<T>(dy + (i + 1) * s.block + o);
    }
    if (i < s.out_h * s.out_w) even += LoadAs<T>(dy + i * s.block + o);
    StoreAs(db + o, LoadAs<T>(db + o) + (even + odd));
  }
}

template <typename T>
void GradWeightBy(const FirstConvShape& s, int64_t b, const float* x, const float* dy, float* row,
                  float* dw, float* db) {
  const int64_t taps = s.kernel_h * s.kernel_w * s.block;
  for (int64_t i = 0; i < s.c * taps; ++i) dw[i] = 0;
  for (int64_t i = 0; i < s.block; ++i) db[i] = 0;
  for (int64_t n = 0; n < s.n; ++n) {
    const float* gradient = dy + (n * s.out_blocks + b) * s.out_h * s.out_w * s.block;
    AddBias<T>(s, gradient, db);
    for (int64_t c = 0; c < s.c; ++c) {
      for (int64_t h = 0; h < s.in_h; ++h) {
        CopyPadded(s, x + ((n * s.c + c) * s.in_h + h) * s.in_w, row);
        AddImageRow<T>(s, h, row, gradient, dw + c * taps);
      }
    }
  }
}

void GradWeight(const FirstConvShape& shape, int64_t b, const float* x, const float* dy, float* row,
                float* dw, float* db) {
  const FirstConvShape s = shape;  // a copy: the outputs cannot alias it
  if (s.block % kLanes == 0) {
    GradWeightBy<Floats>(s, b, x, dy, row, dw, db);
  } else {
    GradWeightBy<HalfFloats>(s, b, x, dy, row, dw, db);
  }
}

}  // namespace

extern const FirstConvLoops kFirstConvLoops;
const FirstConvLoops kFirstConvLoops = {&GradWeight};

}  // namespace rm::kernels::cpu::RM_ISA
