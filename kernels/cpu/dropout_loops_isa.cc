// The words of kernels/api/dropout.h, a vector at a time. Written out again here, as code of an
// instruction set may share no function with other code; the tests compare the two.
#include "kernels/cpu/dropout_loops.h"
#include "kernels/cpu/vector.h"

namespace rm::kernels::cpu::RM_ISA {
namespace {

typedef uint32_t Words __attribute__((vector_size(kVectorBytes)));

// For T = Words or uint32_t.
template <typename T>
inline T Mix(T x) {
  x ^= x >> 16;
  x *= 0x7FEB352DU;
  x ^= x >> 15;
  x *= 0x846CA68BU;
  return x ^ (x >> 16);
}

template <typename T>
inline T WordAt(T index, const DropoutRule& rule) {
  return Mix<T>(Mix<T>(index + rule.low) ^ rule.high);
}

// 0, 1, 2, …
inline Words Counting() {
  Words words = {};
  for (int64_t i = 0; i < kLanes; ++i) words[i] = static_cast<uint32_t>(i);
  return words;
}

void Dropout(const float* x, float* y, int64_t begin, int64_t end, const DropoutRule& shared_rule) {
  const DropoutRule rule = shared_rule;  // a copy: y cannot alias it
  const Words counting = Counting();
  int64_t i = begin;
  for (; i + kLanes <= end; i += kLanes) {
    const Words words = WordAt<Words>(counting + static_cast<uint32_t>(i), rule);
    Store(y + i, words >= rule.threshold ? Load(x + i) * rule.factor : Floats{});
  }
  for (; i < end; ++i) {
    const bool kept = WordAt<uint32_t>(static_cast<uint32_t>(i), rule) >= rule.threshold;
    y[i] = kept ? x[i] * rule.factor : 0;
  }
}

}  // namespace

extern const DropoutLoops kDropoutLoops;
const DropoutLoops kDropoutLoops = {&Dropout};

}  // namespace rm::kernels::cpu::RM_ISA
