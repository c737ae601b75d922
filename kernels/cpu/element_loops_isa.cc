// Whole vectors first, then what is left one by one, by the same operations: a range gives the same
// bits however it is cut. There are no restrict-qualified pointers, as all of these may run in
// place; each vector is read before it is written, and nothing else is asked.
#include "kernels/cpu/element_loops.h"
#include "kernels/cpu/vector.h"

namespace rm::kernels::cpu::RM_ISA {
namespace {

// x < 0 ? 0 : x and not max(x, 0): of a NaN and 0, x86's maximum returns the second operand.
void Relu(const float* x, float* y, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Floats value = Load(x + i);
    Store(y + i, value < 0 ? Floats{} : value);
  }
  for (; i < n; ++i) y[i] = x[i] < 0 ? 0 : x[i];
}

// A select, not a product with 0 or 1: 0 · infinity would be NaN.
void ReluGrad(const float* dy, const float* y, float* dx, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(dx + i, Load(y + i) > 0 ? Load(dy + i) : Floats{});
  for (; i < n; ++i) dx[i] = y[i] > 0 ? dy[i] : 0;
}

void Add(const float* a, const float* b, float* y, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(y + i, Load(a + i) + Load(b + i));
  for (; i < n; ++i) y[i] = a[i] + b[i];
}

// A bias of one element, or a scalar of the model.
void AddNumber(const float* x, float value, float* y, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(y + i, Load(x + i) + value);
  for (; i < n; ++i) y[i] = x[i] + value;
}

// One step for T = Floats or float: the same operations, so that a tail gets the bits it would have
// had inside a vector.
template <typename T>
inline void SgdStep(T w, T g, T m, const SgdRule& rule, T* w_out, T* m_out) {
  const T gradient = rule.scale * g + rule.decay * w;
  const T velocity = rule.momentum * m + gradient;
  const T step = rule.nesterov ? gradient + rule.momentum * velocity : velocity;
  *w_out = w - rule.rate * step;
  *m_out = velocity;
}

// Whether the rule is Nesterov's is settled outside of the loop by the compiler.
void Sgd(const float* w, const float* g, const float* m, float* w_out, float* m_out, int64_t n,
         const SgdRule& shared_rule) {
  const SgdRule rule = shared_rule;  // a copy: the outputs cannot alias it
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    Floats new_w;
    Floats new_m;
    SgdStep(Load(w + i), Load(g + i), Load(m + i), rule, &new_w, &new_m);
    Store(w_out + i, new_w);
    Store(m_out + i, new_m);
  }
  for (; i < n; ++i) SgdStep(w[i], g[i], m[i], rule, w_out + i, m_out + i);
}

}  // namespace

extern const ElementLoops kElementLoops;
const ElementLoops kElementLoops = {&Relu, &ReluGrad, &Add, &AddNumber, &Sgd};

}  // namespace rm::kernels::cpu::RM_ISA
