// Two ways through an image. With many channels a pixel, a window's maximum is taken for a vector
// of channels at a time, in registers. With one channel a pixel, a tap is taken for a whole row of
// windows at a time, in memory; it is several times slower, but such images come from small first
// layers only.
#include "kernels/cpu/pool_loops.h"
#include "kernels/cpu/vector.h"

namespace rm::kernels::cpu::RM_ISA {
namespace {

// The taps of a window, along one dimension, that lie inside the image, and where tap 0 would lie.
struct Taps {
  int64_t begin, end;
  int64_t origin;
};

// Two short loops in place of two divisions: inside the image neither goes round once.
inline Taps ValidTaps(int64_t output, int64_t stride, int64_t pad, int64_t dilation, int64_t kernel,
                      int64_t input) {
  Taps taps{0, kernel, output * stride - pad};
  while (taps.origin + taps.begin * dilation < 0) ++taps.begin;
  while (taps.end > taps.begin && taps.origin + (taps.end - 1) * dilation >= input) --taps.end;
  return taps;
}

inline Taps Rows(const PoolShape& s, int64_t oh) {
  return ValidTaps(oh, s.stride_h, s.pad_top, s.dilation_h, s.kernel_h, s.in_h);
}

inline Taps Columns(const PoolShape& s, int64_t ow) {
  return ValidTaps(ow, s.stride_w, s.pad_left, s.dilation_w, s.kernel_w, s.in_w);
}

// --- Indexes for T = Floats, HalfFloats or float; `kind` is any value of T ---

template <typename Narrow, typename Wide>
inline Wide LoadBytes(const uint8_t* from) {
  Narrow value;
  __builtin_memcpy(&value, from, sizeof(value));
  return __builtin_convertvector(value, Wide);
}

template <typename Narrow, typename Wide>
inline void StoreBytes(uint8_t* to, Wide index) {
  const Narrow value = __builtin_convertvector(index, Narrow);
  __builtin_memcpy(to, &value, sizeof(value));
}

inline Ints LoadIndex(const uint8_t* from, Floats /*kind*/) { return LoadBytes<Bytes, Ints>(from); }
inline HalfInts LoadIndex(const uint8_t* from, HalfFloats /*kind*/) {
  return LoadBytes<HalfBytes, HalfInts>(from);
}
inline int32_t LoadIndex(const uint8_t* from, float /*kind*/) { return *from; }

inline void StoreIndex(uint8_t* to, Ints index) { StoreBytes<Bytes>(to, index); }
inline void StoreIndex(uint8_t* to, HalfInts index) { StoreBytes<HalfBytes>(to, index); }
inline void StoreIndex(uint8_t* to, int32_t index) { *to = static_cast<uint8_t>(index); }

inline Ints IndexOf(int32_t tap, Floats /*kind*/) { return Ints{} + tap; }
inline HalfInts IndexOf(int32_t tap, HalfFloats /*kind*/) { return HalfInts{} + tap; }
inline int32_t IndexOf(int32_t tap, float /*kind*/) { return tap; }

// Whether `value` takes the place of `best`: it is greater, or the first NaN.
template <typename T>
inline auto Wins(T value, T best) {
  return (value > best) | ((value != value) & (best == best));
}

// --- Many channels a pixel ---

// The place of element i, or nowhere when there is no index.
inline uint8_t* Skip(uint8_t* index, int64_t i) { return index != nullptr ? index + i : nullptr; }

// One window: its taps inside the image, of channels from the first one that is meant here on.
struct Window {
  const PoolShape& shape;
  Taps rows, columns;
};

// The maximum of one window for as many channels as T holds. `x` is the first of these channels in
// the plane's first pixel.
template <typename T, typename Element>
inline void MaxOfWindow(const Window& window, const Element* x, Element* y, uint8_t* index) {
  const auto& [s, rows, columns] = window;
  T best = LoadAs<T>(x + ((rows.origin + rows.begin * s.dilation_h) * s.in_w + columns.origin +
                          columns.begin * s.dilation_w) *
                             s.inner);
  auto where = IndexOf(static_cast<int32_t>(rows.begin * s.kernel_w + columns.begin), T{});
  for (int64_t kh = rows.begin; kh < rows.end; ++kh) {
    const Element* row = x + (rows.origin + kh * s.dilation_h) * s.in_w * s.inner;
    for (int64_t kw = columns.begin; kw < columns.end; ++kw) {
      const T value = LoadAs<T>(row + (columns.origin + kw * s.dilation_w) * s.inner);
      const auto wins = Wins(value, best);
      best = wins ? value : best;
      where = wins ? IndexOf(static_cast<int32_t>(kh * s.kernel_w + kw), T{}) : where;
    }
  }
  StoreAs(y, best);
  if (index != nullptr) StoreIndex(index, where);
}

// `x`, `y` and `index` are those of one plane; y and index are walked in order.
template <typename Element>
void MaxInner(const PoolShape& s, const Element* x, Element* y, uint8_t* index) {
  for (int64_t oh = 0; oh < s.out_h; ++oh) {
    const Taps rows = Rows(s, oh);
    for (int64_t ow = 0; ow < s.out_w; ++ow) {
      const Window window{s, rows, Columns(s, ow)};
      int64_t c = 0;
      for (; c + kLanes <= s.inner; c += kLanes) {
        MaxOfWindow<Floats>(window, x + c, y + c, Skip(index, c));
      }
      for (; c + kLanes / 2 <= s.inner; c += kLanes / 2) {
        MaxOfWindow<HalfFloats>(window, x + c, y + c, Skip(index, c));
      }
      for (; c < s.inner; ++c) MaxOfWindow<float>(window, x + c, y + c, Skip(index, c));
      y += s.inner;
      index = Skip(index, s.inner);
    }
  }
}

// Spreads one window's gradient over its taps; kAdd adds it to what other windows left there.
template <typename T, bool kAdd, typename Element>
inline void SpreadWindow(const Window& window, const Element* dy, const uint8_t* index,
                         Element* dx) {
  const auto& [s, rows, columns] = window;
  const T gradient = LoadAs<T>(dy);
  const auto where = LoadIndex(index, T{});
  for (int64_t kh = rows.begin; kh < rows.end; ++kh) {
    Element* row = dx + (rows.origin + kh * s.dilation_h) * s.in_w * s.inner;
    for (int64_t kw = columns.begin; kw < columns.end; ++kw) {
      Element* to = row + (columns.origin + kw * s.dilation_w) * s.inner;
      const auto tap = IndexOf(static_cast<int32_t>(kh * s.kernel_w + kw), T{});
      const T part = where == tap ? gradient : T{};
      StoreAs(to, kAdd ? LoadAs<T>(to) + part : part);
    }
  }
}

// The mirror of MaxInner: dY and the index are walked in order, dX is written where the taps lie.
template <bool kAdd, typename Element>
void SpreadInner(const PoolShape& s, const Element* dy, const uint8_t* index, Element* dx) {
  for (int64_t oh = 0; oh < s.out_h; ++oh) {
    const Taps rows = Rows(s, oh);
    for (int64_t ow = 0; ow < s.out_w; ++ow) {
      const Window window{s, rows, Columns(s, ow)};
      int64_t c = 0;
      for (; c + kLanes <= s.inner; c += kLanes) {
        SpreadWindow<Floats, kAdd>(window, dy + c, index + c, dx + c);
      }
      for (; c + kLanes / 2 <= s.inner; c += kLanes / 2) {
        SpreadWindow<HalfFloats, kAdd>(window, dy + c, index + c, dx + c);
      }
      for (; c < s.inner; ++c) SpreadWindow<float, kAdd>(window, dy + c, index + c, dx + c);
      dy += s.inner;
      index += s.inner;
    }
  }
}

// --- One channel a pixel ---

// One tap of a row of windows: x has the tap's elements of the n windows, `stride` apart.
// kStride is that stride where it is known to the compiler, or 0.
template <int64_t kStride>
inline void MaxOfTap(const float* x, int64_t stride, int64_t n, uint8_t tap, float* y,
                     uint8_t* index) {
  for (int64_t i = 0; i < n; ++i) {
    const float value = x[i * (kStride != 0 ? kStride : stride)];
    const float best = y[i];
    const auto wins = Wins(value, best);
    y[i] = wins ? value : best;
    if (index != nullptr) index[i] = wins ? tap : index[i];
  }
}

// ⌈a / b⌉ for b > 0.
inline int64_t CeilDivide(int64_t a, int64_t b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }

// The windows begin…end−1 of a row whose tap kw lies inside the image.
inline void WindowsOfTap(const PoolShape& s, int64_t kw, int64_t* begin, int64_t* end) {
  const int64_t shift = s.pad_left - kw * s.dilation_w;
  *begin = CeilDivide(shift, s.stride_w);
  *end = CeilDivide(s.in_w + shift, s.stride_w);
  if (*begin < 0) *begin = 0;
  if (*end > s.out_w) *end = s.out_w;
}

// Y holds the best so far while the taps go by. It begins with −infinity and the first tap that is
// inside the image, which is right even when nothing greater follows.
void MaxPlain(const PoolShape& s, const float* x, float* y, uint8_t* index) {
  for (int64_t oh = 0; oh < s.out_h; ++oh) {
    const Taps rows = Rows(s, oh);
    float* const best = y + oh * s.out_w;
    uint8_t* const where = index != nullptr ? index + oh * s.out_w : nullptr;
    for (int64_t ow = 0; ow < s.out_w; ++ow) {
      best[ow] = -__builtin_inff();
      if (where == nullptr) continue;
      where[ow] = static_cast<uint8_t>(rows.begin * s.kernel_w + Columns(s, ow).begin);
    }
    for (int64_t tap = rows.begin * s.kernel_w; tap < rows.end * s.kernel_w; ++tap) {
      const int64_t kw = tap % s.kernel_w;
      int64_t begin;
      int64_t end;
      WindowsOfTap(s, kw, &begin, &end);
      const float* from = x + (rows.origin + tap / s.kernel_w * s.dilation_h) * s.in_w +
                          begin * s.stride_w - s.pad_left + kw * s.dilation_w;
      const auto max_of_tap = s.stride_w == 1   ? &MaxOfTap<1>
                              : s.stride_w == 2 ? &MaxOfTap<2>
                                                : &MaxOfTap<0>;
      max_of_tap(from, s.stride_w, end - begin, static_cast<uint8_t>(tap), best + begin,
                 where != nullptr ? where + begin : nullptr);
    }
  }
}

// One window after the other, each to the one element that its index names.
void SpreadPlain(const PoolShape& s, const float* dy, const uint8_t* index, float* dx) {
  int64_t tap_h[256];
  int64_t tap_w[256];
  for (int64_t tap = 0; tap < 256; ++tap) {
    tap_h[tap] = tap / s.kernel_w * s.dilation_h - s.pad_top;
    tap_w[tap] = tap % s.kernel_w * s.dilation_w - s.pad_left;
  }
  for (int64_t oh = 0; oh < s.out_h; ++oh) {
    for (int64_t ow = 0; ow < s.out_w; ++ow) {
      const int64_t at = oh * s.out_w + ow;
      const int64_t h = oh * s.stride_h + tap_h[index[at]];
      const int64_t w = ow * s.stride_w + tap_w[index[at]];
      if (h >= 0 && h < s.in_h && w >= 0 && w < s.in_w) dx[h * s.in_w + w] += dy[at];
    }
  }
}

// --- Planes ---

void Max(const PoolShape& shape, int64_t begin, int64_t end, const float* x, float* y,
         uint8_t* index) {
  const PoolShape s = shape;  // a copy: the outputs cannot alias it
  for (int64_t plane = begin; plane < end; ++plane) {
    const float* in = x + plane * s.in_h * s.in_w * s.inner;
    const int64_t at = plane * s.out_h * s.out_w * s.inner;
    uint8_t* where = index != nullptr ? index + at : nullptr;
    if (s.inner == 1) {
      MaxPlain(s, in, y + at, where);
    } else {
      MaxInner(s, in, y + at, where);
    }
  }
}

void MaxGrad(const PoolShape& shape, int64_t begin, int64_t end, const float* dy,
             const uint8_t* index, float* dx) {
  const PoolShape s = shape;
  // Windows that tile X write every element once: no clearing before, no adding.
  const bool tile = s.tiles() && s.inner > 1;
  for (int64_t plane = begin; plane < end; ++plane) {
    const int64_t size = s.in_h * s.in_w * s.inner;
    const int64_t at = plane * s.out_h * s.out_w * s.inner;
    float* out = dx + plane * size;
    if (tile) {
      SpreadInner<false>(s, dy + at, index + at, out);
      continue;
    }
    __builtin_memset(out, 0, static_cast<unsigned long>(size) * sizeof(float));
    if (s.inner == 1) {
      SpreadPlain(s, dy + at, index + at, out);
    } else {
      SpreadInner<true>(s, dy + at, index + at, out);
    }
  }
}

void MaxBfloat16(const PoolShape& shape, int64_t begin, int64_t end, const Bfloat16* x,
                 Bfloat16* y, uint8_t* index) {
  const PoolShape s = shape;
  for (int64_t plane = begin; plane < end; ++plane) {
    const int64_t at = plane * s.out_h * s.out_w * s.inner;
    MaxInner(s, x + plane * s.in_h * s.in_w * s.inner, y + at, Skip(index, at));
  }
}

void MaxGradBfloat16(const PoolShape& shape, int64_t begin, int64_t end, const Bfloat16* dy,
                     const uint8_t* index, Bfloat16* dx) {
  const PoolShape s = shape;
  for (int64_t plane = begin; plane < end; ++plane) {
    const int64_t at = plane * s.out_h * s.out_w * s.inner;
    SpreadInner<false>(s, dy + at, index + at, dx + plane * s.in_h * s.in_w * s.inner);
  }
}

}  // namespace

extern const PoolLoops kPoolLoops;
const PoolLoops kPoolLoops = {&Max, &MaxGrad, &MaxBfloat16, &MaxGradBfloat16};

}  // namespace rm::kernels::cpu::RM_ISA
