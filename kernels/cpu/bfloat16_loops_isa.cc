// One loop for all: whole vectors first, then what is left one by one, by the same operations. Loads
// widen and stores round (vector.h), so that an operation is written once for both types.
#include "kernels/cpu/bfloat16_loops.h"
#include "kernels/cpu/vector.h"

namespace rm::kernels::cpu::RM_ISA {
namespace {

// Calls body.template At<T>(i) for elements i, or vectors of them that begin there.
template <typename Body>
inline void ForElements(int64_t n, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body.template At<Floats>(i);
  for (; i < n; ++i) body.template At<float>(i);
}

// From one type to the other, or a copy.
template <typename From, typename To>
struct Converts {
  const From* from;
  To* to;

  template <typename T>
  void At(int64_t i) const {
    StoreAs(to + i, LoadAs<T>(from + i));
  }
};

// x < 0 ? 0 : x lets a NaN through, as the loop for float32 does.
struct Rectifies {
  const Bfloat16* x;
  Bfloat16* y;

  template <typename T>
  void At(int64_t i) const {
    const T value = LoadAs<T>(x + i);
    StoreAs(y + i, value < 0 ? T{} : value);
  }
};

// A select, not a product with 0 or 1: 0 · infinity would be NaN.
struct Masks {
  const Bfloat16* dy;
  const Bfloat16* y;
  Bfloat16* dx;

  template <typename T>
  void At(int64_t i) const {
    const T gradient = LoadAs<T>(dy + i);
    StoreAs(dx + i, LoadAs<T>(y + i) > 0 ? gradient : T{});
  }
};

struct Adds {
  const Bfloat16* a;
  const Bfloat16* b;
  Bfloat16* y;

  template <typename T>
  void At(int64_t i) const {
    StoreAs(y + i, LoadAs<T>(a + i) + LoadAs<T>(b + i));
  }
};

void Widen(const Bfloat16* from, float* to, int64_t n) {
  ForElements(n, Converts<Bfloat16, float>{from, to});
}

void Narrow(const float* from, Bfloat16* to, int64_t n) {
  ForElements(n, Converts<float, Bfloat16>{from, to});
}

void Relu(const Bfloat16* x, Bfloat16* y, int64_t n) { ForElements(n, Rectifies{x, y}); }

void ReluGrad(const Bfloat16* dy, const Bfloat16* y, Bfloat16* dx, int64_t n) {
  ForElements(n, Masks{dy, y, dx});
}

void Add(const Bfloat16* a, const Bfloat16* b, Bfloat16* y, int64_t n) {
  ForElements(n, Adds{a, b, y});
}

}  // namespace

extern const Bfloat16Loops kBfloat16Loops;
const Bfloat16Loops kBfloat16Loops = {&Widen, &Narrow, &Relu, &ReluGrad, &Add};

}  // namespace rm::kernels::cpu::RM_ISA
