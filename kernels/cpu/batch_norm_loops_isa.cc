// Where channels lie side by side (blocked, channels last) a vector holds as many channels of one
// pixel, and a group of such channels is walked pixel by pixel. In the plain layout the group is
// one channel: right, but slow; kernels ask for a blocked layout instead.
#include "kernels/cpu/batch_norm_loops.h"
#include "kernels/cpu/vector.h"

namespace rm::kernels::cpu::RM_ISA {
namespace {

constexpr int64_t kRun = 128;    // pixels whose sum is taken in float32
constexpr int64_t kChunk = 1024;  // pixels whose mean is taken before their squares: 64 KiB of them

// Adds the lanes of a value to doubles.
template <typename T>
inline void AddTo(double* to, T value) {
  constexpr unsigned long kWidth = sizeof(T) / sizeof(float);
  float lanes[kWidth];
  __builtin_memcpy(lanes, &value, sizeof(value));
  for (unsigned long i = 0; i < kWidth; ++i) to[i] += static_cast<double>(lanes[i]);
}

// Masks for T = a vector or one float. Selections, not products with 0 or 1, which would make NaN
// of an infinity. A NaN is not below 0, so that a relu lets it through to be seen.
template <typename T>
inline T Positive(T y, T dy) {
  return y > 0 ? dy : T{};
}
template <typename T>
inline T Rectified(T y) {
  return y < 0 ? T{} : y;
}

// --- One group of channels: T is a vector of them, or one ---

// Σ f(pixel) over `pixels` pixels into doubles; f gives the value of pixel i.
template <typename T, typename Value>
inline void SumPixels(int64_t pixels, const Value& value, double* sums) {
  for (int64_t begin = 0; begin < pixels; begin += kRun) {
    const int64_t end = begin + kRun < pixels ? begin + kRun : pixels;
    T parts[4] = {};
    int64_t i = begin;
    for (; i + 4 <= end; i += 4) {
      for (int64_t p = 0; p < 4; ++p) parts[p] += value(i + p);
    }
    for (; i < end; ++i) parts[0] += value(i);
    AddTo(sums, (parts[0] + parts[1]) + (parts[2] + parts[3]));
  }
}

// Mean and squares of more pixels are joined with those of `count` before (Chan's formula).
template <unsigned long kWidth>
inline void Join(double count, double more, const double* sums, const double* squares,
                 double* mean, double* total) {
  for (unsigned long i = 0; i < kWidth; ++i) {
    const double delta = sums[i] / more - mean[i];
    mean[i] += delta * more / (count + more);
    total[i] += squares[i] + delta * delta * count * more / (count + more);
  }
}

// One group of channels. A chunk is read twice, the second time from cache: its own mean first, so
// that squares are of small differences.
template <typename T, typename Element>
inline void GroupStatistics(const BatchNormShape& s, const Element* x, int64_t image_stride,
                            double* mean, double* squares) {
  constexpr unsigned long kWidth = sizeof(T) / sizeof(float);
  for (unsigned long i = 0; i < kWidth; ++i) mean[i] = squares[i] = 0;
  double count = 0;
  for (int64_t n = 0; n < s.images; ++n) {
    for (int64_t begin = 0; begin < s.pixels; begin += kChunk) {
      const int64_t pixels = begin + kChunk < s.pixels ? kChunk : s.pixels - begin;
      const Element* from = x + n * image_stride + begin * s.inner;
      const int64_t stride = s.inner;
      double sums[kWidth] = {};
      double chunk_squares[kWidth] = {};
      SumPixels<T>(pixels, [=](int64_t i) { return LoadAs<T>(from + i * stride); }, sums);
      float lanes[kWidth];
      const double more = static_cast<double>(pixels);
      for (unsigned long i = 0; i < kWidth; ++i) lanes[i] = static_cast<float>(sums[i] / more);
      const T middle = LoadAs<T>(lanes);
      SumPixels<T>(
          pixels,
          [=](int64_t i) {
            const T difference = LoadAs<T>(from + i * stride) - middle;
            return difference * difference;
          },
          chunk_squares);
      Join<kWidth>(count, more, sums, chunk_squares, mean, squares);
      count += more;
    }
  }
}

// One read and one write of the image, and one read of the residual: bound by memory, so that what
// is computed on the way costs nothing. The mean is taken away before the factor, not folded into the
// shift: where a mean is large beside the deviation, the folded form would lose its digits.
template <typename T, typename Element>
inline void GroupNormalize(const BatchNormShape& s, const Element* x, const Element* residual,
                           int64_t image_stride, const float* mean, const float* factor,
                           const float* shift, bool relu, Element* y) {
  const T m = LoadAs<T>(mean);
  const T f = LoadAs<T>(factor);
  const T b = LoadAs<T>(shift);
  for (int64_t n = 0; n < s.images; ++n) {
    const Element* from = x + n * image_stride;
    Element* to = y + n * image_stride;
    const Element* more = residual == nullptr ? nullptr : residual + n * image_stride;
    for (int64_t i = 0; i < s.pixels; ++i) {
      T value = (LoadAs<T>(from + i * s.inner) - m) * f + b;
      if (more != nullptr) value += LoadAs<T>(more + i * s.inner);
      if (relu) value = Rectified(value);
      StoreAs<T>(to + i * s.inner, value);
    }
  }
}

// dY of pixel i, masked by y where there is one.
template <typename T, typename Element>
inline T Gradient(const Element* dy, const Element* y, int64_t at) {
  const T gradient = LoadAs<T>(dy + at);
  return y == nullptr ? gradient : Positive(LoadAs<T>(y + at), gradient);
}

// Two sums of one pass. Even and odd pixels are summed apart, so that an addition need not wait for
// the one before it.
template <typename T, typename Element>
inline void GroupGradientSums(const BatchNormShape& s, const Element* dy, const Element* y,
                              const Element* x, int64_t image_stride, const float* mean,
                              double* sums, double* products) {
  constexpr unsigned long kWidth = sizeof(T) / sizeof(float);
  for (unsigned long i = 0; i < kWidth; ++i) sums[i] = products[i] = 0;
  const T m = LoadAs<T>(mean);
  for (int64_t n = 0; n < s.images; ++n) {
    const int64_t image = n * image_stride;
    for (int64_t begin = 0; begin < s.pixels; begin += kRun) {
      const int64_t end = begin + kRun < s.pixels ? begin + kRun : s.pixels;
      T sum[2] = {};
      T product[2] = {};
      for (int64_t i = begin; i < end; ++i) {
        const int64_t at = image + i * s.inner;
        const T gradient = Gradient<T>(dy, y, at);
        sum[i & 1] += gradient;
        product[i & 1] += gradient * (LoadAs<T>(x + at) - m);
      }
      AddTo(sums, sum[0] + sum[1]);
      AddTo(products, product[0] + product[1]);
    }
  }
}

// The second pass over dY and X, with what the sums of the first have made of the channel. Where dX
// is dY's memory each element is read before it is written.
template <typename T, typename Element>
inline void GroupGradient(const BatchNormShape& s, const Element* dy, const Element* y,
                          const Element* x, int64_t image_stride, const BatchNormSlopes& slopes,
                          int64_t channel, Element* dx) {
  const T m = LoadAs<T>(slopes.mean + channel);
  const T f = LoadAs<T>(slopes.factor + channel);
  const T b = LoadAs<T>(slopes.shift + channel);
  const T k = LoadAs<T>(slopes.slope + channel);
  for (int64_t n = 0; n < s.images; ++n) {
    for (int64_t i = 0; i < s.pixels; ++i) {
      const int64_t at = n * image_stride + i * s.inner;
      const T gradient = Gradient<T>(dy, y, at);
      StoreAs<T>(dx + at, (f * gradient - b) - k * (LoadAs<T>(x + at) - m));
    }
  }
}

// --- All groups of a block ---

// Calls visit.template Group<T>(offset) for groups that together are `inner` channels: whole
// vectors first, half ones, then one channel after the other.
template <typename Visit>
inline void ForGroups(int64_t inner, const Visit& visit) {
  int64_t c = 0;
  for (; c + kLanes <= inner; c += kLanes) visit.template Group<Floats>(c);
  for (; c + kLanes / 2 <= inner; c += kLanes / 2) visit.template Group<HalfFloats>(c);
  for (; c < inner; ++c) visit.template Group<float>(c);
}

// Where a block's channels lie: in each image side by side with those of the other blocks.
struct Place {
  const BatchNormShape& shape;
  int64_t channel;       // the first of the block
  int64_t offset;        // of the block in the first image
  int64_t image_stride;  // floats from image to image

  Place(const BatchNormShape& s, int64_t block)
      : shape(s),
        channel(block * s.inner),
        offset(block * s.pixels * s.inner),
        image_stride(s.channels() * s.pixels) {}
};

// The loops below as objects: a lambda with a template parameter would be C++20.
template <typename Element>
struct StatisticsVisit {
  Place at;
  const Element* x;
  double* mean;
  double* squares;

  template <typename T>
  void Group(int64_t c) const {
    GroupStatistics<T>(at.shape, x + at.offset + c, at.image_stride, mean + at.channel + c,
                       squares + at.channel + c);
  }
};

template <typename Element>
struct NormalizeVisit {
  Place at;
  const Element* x;
  const Element* residual;
  const BatchNormFactors& factors;
  bool relu;
  Element* y;

  template <typename T>
  void Group(int64_t c) const {
    const int64_t first = at.offset + c;
    const int64_t k = at.channel + c;
    GroupNormalize<T>(at.shape, x + first, residual == nullptr ? nullptr : residual + first,
                      at.image_stride, factors.mean + k, factors.factor + k, factors.shift + k,
                      relu, y + first);
  }
};

template <typename Element>
struct SumsVisit {
  Place at;
  const Element* dy;
  const Element* y;
  const Element* x;
  const float* mean;
  double* sums;
  double* products;

  template <typename T>
  void Group(int64_t c) const {
    const int64_t first = at.offset + c;
    const int64_t k = at.channel + c;
    GroupGradientSums<T>(at.shape, dy + first, y == nullptr ? nullptr : y + first, x + first,
                         at.image_stride, mean + k, sums + k, products + k);
  }
};

template <typename Element>
struct GradientVisit {
  Place at;
  const Element* dy;
  const Element* y;
  const Element* x;
  const BatchNormSlopes& slopes;
  Element* dx;

  template <typename T>
  void Group(int64_t c) const {
    const int64_t first = at.offset + c;
    GroupGradient<T>(at.shape, dy + first, y == nullptr ? nullptr : y + first, x + first,
                     at.image_stride, slopes, at.channel + c, dx + first);
  }
};

template <typename Element>
void Statistics(const BatchNormShape& shape, int64_t block, const Element* x, double* mean,
                double* squares) {
  ForGroups(shape.inner, StatisticsVisit<Element>{Place(shape, block), x, mean, squares});
}

template <typename Element>
void Normalize(const BatchNormShape& shape, int64_t block, const Element* x,
               const Element* residual, const BatchNormFactors& factors, bool relu, Element* y) {
  ForGroups(shape.inner,
            NormalizeVisit<Element>{Place(shape, block), x, residual, factors, relu, y});
}

template <typename Element>
void GradientSums(const BatchNormShape& shape, int64_t block, const Element* dy, const Element* y,
                  const Element* x, const float* mean, double* sums, double* products) {
  ForGroups(shape.inner,
            SumsVisit<Element>{Place(shape, block), dy, y, x, mean, sums, products});
}

template <typename Element>
void GradientOfX(const BatchNormShape& shape, int64_t block, const Element* dy, const Element* y,
                 const Element* x, const BatchNormSlopes& slopes, Element* dx) {
  ForGroups(shape.inner, GradientVisit<Element>{Place(shape, block), dy, y, x, slopes, dx});
}

template <typename Element>
constexpr BatchNormLoopsOf<Element> LoopsOf() {
  return {&Statistics<Element>, &Normalize<Element>, &GradientSums<Element>,
          &GradientOfX<Element>};
}

}  // namespace

extern const BatchNormLoops kBatchNormLoops;
const BatchNormLoops kBatchNormLoops = LoopsOf<float>();
extern const BatchNormBfloat16Loops kBatchNormBfloat16Loops;
const BatchNormBfloat16Loops kBatchNormBfloat16Loops = LoopsOf<Bfloat16>();

}  // namespace rm::kernels::cpu::RM_ISA
