// Whole vectors first, then what is left one by one, by the same operation: one rounding either
// way.
#include "kernels/cpu/pair_loops.h"
#include "kernels/cpu/vector.h"

namespace rm::kernels::cpu::RM_ISA {
namespace {

// The four operations, for a vector and for a single float.
struct Adds {
  template <typename T>
  static T Of(T a, T b) { return a + b; }
};
struct Subtracts {
  template <typename T>
  static T Of(T a, T b) { return a - b; }
};
struct Multiplies {
  template <typename T>
  static T Of(T a, T b) { return a * b; }
};
struct Divides {
  template <typename T>
  static T Of(T a, T b) { return a / b; }
};

template <typename Operation>
void Both(const float* a, const float* b, float* y, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(y + i, Operation::Of(Load(a + i), Load(b + i)));
  for (; i < n; ++i) y[i] = Operation::Of(a[i], b[i]);
}

template <typename Operation>
void ByNumber(const float* a, const float* b, float* y, int64_t n) {
  const float number = b[0];
  const Floats numbers = Broadcast(number);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(y + i, Operation::Of(Load(a + i), numbers));
  for (; i < n; ++i) y[i] = Operation::Of(a[i], number);
}

template <typename Operation>
void OfNumber(const float* a, const float* b, float* y, int64_t n) {
  const float number = a[0];
  const Floats numbers = Broadcast(number);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(y + i, Operation::Of(numbers, Load(b + i)));
  for (; i < n; ++i) y[i] = Operation::Of(number, b[i]);
}

template <typename Operation>
constexpr PairLoops::Forms FormsOf() {
  return {&Both<Operation>, &ByNumber<Operation>, &OfNumber<Operation>};
}

// kLanes truth values as masks of −1 and 0.
inline Ints LoadTruths(const uint8_t* from) {
  Bytes bytes;
  __builtin_memcpy(&bytes, from, sizeof(bytes));
  return __builtin_convertvector(bytes, Ints) != 0;
}

// A number that repeats is loaded once, before the loop.
void Where(const uint8_t* condition, const float* x, bool repeats_x, const float* y,
           bool repeats_y, float* z, int64_t n) {
  const Floats number_x = Broadcast(n > 0 ? x[0] : 0);
  const Floats number_y = Broadcast(n > 0 ? y[0] : 0);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Floats chosen = repeats_x ? number_x : Load(x + i);
    const Floats other = repeats_y ? number_y : Load(y + i);
    Store(z + i, LoadTruths(condition + i) ? chosen : other);
  }
  for (; i < n; ++i) z[i] = condition[i] != 0 ? x[repeats_x ? 0 : i] : y[repeats_y ? 0 : i];
}

}  // namespace

extern const PairLoops kPairLoops;
const PairLoops kPairLoops = {FormsOf<Adds>(), FormsOf<Subtracts>(), FormsOf<Multiplies>(),
                              FormsOf<Divides>(), &Where};

}  // namespace rm::kernels::cpu::RM_ISA
