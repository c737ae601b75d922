#include "kernels/cpu/reduce_loops.h"
#include "kernels/cpu/vector.h"

namespace rm::kernels::cpu::RM_ISA {
namespace {

// Independent running sums: they hide the latency of an addition and keep rounding errors small.
constexpr int64_t kParts = 8;

// Eight vectors are summed at once and meet in pairs at the end; what does not fill a vector is
// added one by one.
float SumRow(const float* x, int64_t n) {
  Floats parts[kParts] = {};
  int64_t i = 0;
  for (; i + kParts * kLanes <= n; i += kParts * kLanes) {
    for (int64_t p = 0; p < kParts; ++p) parts[p] += Load(x + i + p * kLanes);
  }
  for (; i + kLanes <= n; i += kLanes) parts[0] += Load(x + i);
  const Floats low = (parts[0] + parts[1]) + (parts[2] + parts[3]);
  const Floats high = (parts[4] + parts[5]) + (parts[6] + parts[7]);
  float tail = 0;
  for (; i < n; ++i) tail += x[i];
  return SumLanes(low + high) + tail;
}

void Rows(const float* x, float* y, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) y[r] = SumRow(x + r * columns, columns);
}

// Adds `from` to `to` and begins it anew.
template <typename T, int64_t kGroups>
inline void MoveTo(T* from, T* to) {
  for (int64_t g = 0; g < kGroups; ++g) {
    to[g] += from[g];
    from[g] = T{};
  }
}

// Sums kGroups neighbouring groups of columns, each as wide as T (a vector or one float).
// Rows are added to a sum of few, those to one of more: the error of a long column stays small.
template <typename T, int64_t kGroups>
inline void SumColumns(const float* x, int64_t rows, int64_t stride, T* sums) {
  constexpr int64_t kWidth = sizeof(T) / sizeof(float);
  constexpr unsigned long kSize = kGroups;
  T near[kSize] = {};    // of the last 32 rows
  T middle[kSize] = {};  // of the last 1024
  T far[kSize] = {};
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t g = 0; g < kGroups; ++g) near[g] += LoadAs<T>(x + r * stride + g * kWidth);
    if (r % 32 == 31) MoveTo<T, kGroups>(near, middle);
    if (r % 1024 == 1023) MoveTo<T, kGroups>(middle, far);
  }
  for (int64_t g = 0; g < kGroups; ++g) sums[g] = far[g] + (middle[g] + near[g]);
}

// Rows are walked, not columns: eight vectors of neighbouring columns are two or four cache lines,
// read whole. Narrower and narrower strips take what is left.
void Columns(const float* x, float* y, int64_t rows, int64_t columns, int64_t stride) {
  constexpr int64_t kGroups = 8;
  int64_t c = 0;
  for (; c + kGroups * kLanes <= columns; c += kGroups * kLanes) {
    Floats sums[kGroups];
    SumColumns<Floats, kGroups>(x + c, rows, stride, sums);
    for (int64_t g = 0; g < kGroups; ++g) Store(y + c + g * kLanes, sums[g]);
  }
  for (; c + kLanes <= columns; c += kLanes) {
    Floats sum;
    SumColumns<Floats, 1>(x + c, rows, stride, &sum);
    Store(y + c, sum);
  }
  for (; c < columns; ++c) SumColumns<float, 1>(x + c, rows, stride, y + c);
}

}  // namespace

extern const ReduceLoops kReduceLoops;
const ReduceLoops kReduceLoops = {&Rows, &Columns};

}  // namespace rm::kernels::cpu::RM_ISA
