// Each loop goes over whole vectors and ends with one that is filled up with zeros, so that the last
// units get the same bits as any others.
#include "kernels/cpu/lstm_loops.h"
#include "kernels/cpu/vector.h"
#include "kernels/cpu/vector_math.h"

namespace rm::kernels::cpu::RM_ISA {
namespace {

// A vector's worth of units from `at` on, of which there are `n`. A null array is zero.
struct Units {
  int64_t at = 0;
  int64_t n = 0;

  [[nodiscard]] bool whole() const { return at + kLanes <= n; }

  [[nodiscard]] Floats From(const float* array) const {
    if (array == nullptr) return Floats{};
    if (whole()) return Load(array + at);
    float buffer[kLanes] = {};
    for (int64_t i = 0; i < n - at; ++i) buffer[i] = array[at + i];
    return Load(buffer);
  }

  void To(float* array, Floats value) const {
    if (whole()) {
      Store(array + at, value);
      return;
    }
    for (int64_t i = 0; i < n - at; ++i) array[at + i] = value[i];
  }
};

// In place: the sums become the gates that the backward pass needs.
void Step(const LstmStep& step, int64_t n) {
  for (Units u{0, n}; u.at < n; u.at += kLanes) {
    const Floats in = Sigmoid(u.From(step.gates));
    const Floats out = Sigmoid(u.From(step.gates + n));
    const Floats forget = Sigmoid(u.From(step.gates + 2 * n));
    const Floats candidate = Tanh(u.From(step.gates + 3 * n));
    const Floats cell = forget * u.From(step.cell) + in * candidate;
    u.To(step.gates, in);
    u.To(step.gates + n, out);
    u.To(step.gates + 2 * n, forget);
    u.To(step.gates + 3 * n, candidate);
    u.To(step.cell, cell);
    u.To(step.hidden, out * Tanh(cell));
  }
}

// Gates are differentiated by their results: s' = s · (1 − s) for Sigmoid, 1 − t² for tanh.
void StepGrad(const LstmStepGrad& step, int64_t n) {
  for (Units u{0, n}; u.at < n; u.at += kLanes) {
    const Floats in = u.From(step.gates);
    const Floats out = u.From(step.gates + n);
    const Floats forget = u.From(step.gates + 2 * n);
    const Floats candidate = u.From(step.gates + 3 * n);
    const Floats squashed = Tanh(u.From(step.cell));
    const Floats dh = u.From(step.d_hidden) + u.From(step.arrived);
    const Floats dc = u.From(step.d_cell) + dh * out * (1.0F - squashed * squashed);
    u.To(step.d_gates, dc * candidate * in * (1.0F - in));
    u.To(step.d_gates + n, dh * squashed * out * (1.0F - out));
    u.To(step.d_gates + 2 * n, dc * u.From(step.cell_before) * forget * (1.0F - forget));
    u.To(step.d_gates + 3 * n, dc * in * (1.0F - candidate * candidate));
    u.To(step.d_cell, dc * forget);
  }
}

// Cheaper than keeping it: two loads and a tanh for each unit that the forward pass has stored as Y.
void Hidden(const float* gates, const float* cell, float* hidden, int64_t n) {
  for (Units u{0, n}; u.at < n; u.at += kLanes) {
    u.To(hidden, u.From(gates + n) * Tanh(u.From(cell)));
  }
}

}  // namespace

const LstmLoops kLstmLoops = {&Step, &StepGrad, &Hidden};

}  // namespace rm::kernels::cpu::RM_ISA
