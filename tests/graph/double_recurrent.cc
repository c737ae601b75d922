// LSTM in double.
#include <cmath>
#include <string>

#include "tests/graph/double_scene.h"

namespace rm::graph {
namespace {

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// One step of one sequence: h and c (H) are replaced. `w`, `r` and `b` begin at their direction.
void Step(const double* x, size_t inputs, const double* w, const double* r, const double* b,
          std::vector<double>* h, std::vector<double>* c) {
  const size_t n = h->size();
  std::vector<double> sums(4 * n);
  for (size_t j = 0; j < 4 * n; ++j) {
    sums[j] = b == nullptr ? 0 : b[j] + b[4 * n + j];
    for (size_t i = 0; i < inputs; ++i) sums[j] += w[j * inputs + i] * x[i];
    for (size_t i = 0; i < n; ++i) sums[j] += r[j * n + i] * (*h)[i];
  }
  for (size_t i = 0; i < n; ++i) {
    const double kept = Sigmoid(sums[2 * n + i]) * (*c)[i];
    (*c)[i] = kept + Sigmoid(sums[i]) * std::tanh(sums[3 * n + i]);
    (*h)[i] = Sigmoid(sums[n + i]) * std::tanh((*c)[i]);
  }
}

// A state as it begins: zero where it is not given.
std::vector<double> Begin(const Scene& s, size_t operand, size_t at, size_t n) {
  std::vector<double> state(n, 0.0);
  for (size_t i = 0; s.has_input(operand) && i < n; ++i) state[i] = (*s.in[operand])[at + i];
  return state;
}

void End(const Scene& s, size_t output, size_t at, const std::vector<double>& state) {
  if (output >= s.out.size()) return;
  for (size_t i = 0; i < state.size(); ++i) (*s.out[output])[at + i] = state[i];
}

void RunLstm(const Scene& s) {
  const size_t steps = Size(s.in_shapes[0][0]);
  const size_t batch = Size(s.in_shapes[0][1]);
  const size_t inputs = Size(s.in_shapes[0][2]);
  const size_t directions = Size(s.in_shapes[2][0]);
  const size_t n = Size(s.in_shapes[2][2]);
  const bool reverse = s.node->attributes.String("direction", "forward") == "reverse";
  for (size_t d = 0; d < directions; ++d) {
    const double* w = s.in[1]->data() + d * 4 * n * inputs;
    const double* r = s.in[2]->data() + d * 4 * n * n;
    const double* bias = s.has_input(3) ? s.in[3]->data() + d * 8 * n : nullptr;
    for (size_t b = 0; b < batch; ++b) {
      const size_t at = (d * batch + b) * n;
      std::vector<double> h = Begin(s, 4, at, n);
      std::vector<double> c = Begin(s, 5, at, n);
      for (size_t k = 0; k < steps; ++k) {
        const size_t t = reverse || d == 1 ? steps - 1 - k : k;
        Step(s.in[0]->data() + (t * batch + b) * inputs, inputs, w, r, bias, &h, &c);
        End(s, 0, ((t * directions + d) * batch + b) * n, h);
      }
      End(s, 1, at, h);
      End(s, 2, at, c);
    }
  }
}

constexpr DoubleOperator kOperators[] = {
    {"LSTM", &RunLstm},
};

}  // namespace

DoubleOperators RecurrentDoubleOperators() { return kOperators; }

}  // namespace rm::graph
