// LSTM(X, W, R[, B, initial_h, initial_c]) → Y, Y_h, Y_c[, Gates, Cells].
#include <cmath>
#include <vector>

#include "kernels/api/recurrent.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Gates stand in ONNX's order: input, output, forget, cell. With i, o, f by Sigmoid and g by tanh:
// c = f · c' + i · g and h = o · tanh(c), where c' and h' are those of the step before.
class Lstm final : public Kernel {
 public:
  explicit Lstm(const OpInstance& op)
      : s_(ReadLstmShape(op.attributes, op.inputs[0].type.shape, op.inputs[2].type.shape)),
        h_(static_cast<size_t>(s_.hidden)),
        c_(h_.size()),
        gates_(4 * h_.size()) {}

  absl::Status Run(const Arguments& arguments) override {
    for (int64_t d = 0; d < s_.directions; ++d) {
      for (int64_t b = 0; b < s_.batch; ++b) Sequence(arguments, d, b);
    }
    return absl::OkStatus();
  }

 private:
  // One sequence of the batch in one direction.
  void Sequence(const Arguments& arguments, int64_t d, int64_t b) {
    const int64_t state = (d * s_.batch + b) * s_.hidden;
    Begin(arguments.input<float>(4), state, &h_);
    Begin(arguments.input<float>(5), state, &c_);
    for (int64_t k = 0; k < s_.steps; ++k) {
      const int64_t t = s_.Time(d, k);
      for (int64_t j = 0; j < 4 * s_.hidden; ++j) {
        const double sum = GateSum(arguments, d, t * s_.batch + b, j);
        gates_[static_cast<size_t>(j)] = j < 3 * s_.hidden ? Sigmoid(sum) : std::tanh(sum);
      }
      Step();
      const int64_t row = (t * s_.directions + d) * s_.batch + b;
      End(h_, arguments.output<float>(0), row * s_.hidden);
      End(gates_, arguments.output<float>(3), 4 * row * s_.hidden);
      End(c_, arguments.output<float>(4), row * s_.hidden);
    }
    End(h_, arguments.output<float>(1), state);
    End(c_, arguments.output<float>(2), state);
  }

  // What gate j is computed from, for row `row` of X (steps · batch, inputs) and the state.
  [[nodiscard]] double GateSum(const Arguments& arguments, int64_t d, int64_t row,
                               int64_t j) const {
    const float* x = arguments.input<float>(0) + row * s_.inputs;
    const float* w = arguments.input<float>(1) + (d * 4 * s_.hidden + j) * s_.inputs;
    const float* r = arguments.input<float>(2) + (d * 4 * s_.hidden + j) * s_.hidden;
    double sum = 0;
    if (const auto* bias = arguments.input<float>(3); bias != nullptr) {
      const float* of_w = bias + d * 8 * s_.hidden;
      sum = static_cast<double>(of_w[j]) + static_cast<double>(of_w[4 * s_.hidden + j]);
    }
    for (int64_t i = 0; i < s_.inputs; ++i) {
      sum += static_cast<double>(x[i]) * static_cast<double>(w[i]);
    }
    for (int64_t i = 0; i < s_.hidden; ++i) {
      sum += h_[static_cast<size_t>(i)] * static_cast<double>(r[i]);
    }
    return sum;
  }

  // From the gates to the new cell and hidden state, in place of those of the step before.
  void Step() {
    const size_t n = h_.size();
    for (size_t i = 0; i < n; ++i) {
      c_[i] = gates_[2 * n + i] * c_[i] + gates_[i] * gates_[3 * n + i];
      h_[i] = gates_[n + i] * std::tanh(c_[i]);
    }
  }

  // Absent states are zero.
  static void Begin(const float* from, int64_t at, std::vector<double>* state) {
    for (size_t i = 0; i < state->size(); ++i) {
      (*state)[i] = from != nullptr ? static_cast<double>(from[at + static_cast<int64_t>(i)]) : 0;
    }
  }
  // Outputs that nobody reads are not there.
  static void End(const std::vector<double>& values, float* to, int64_t at) {
    if (to == nullptr) return;
    for (size_t i = 0; i < values.size(); ++i) {
      to[at + static_cast<int64_t>(i)] = static_cast<float>(values[i]);
    }
  }

  const LstmShape s_;
  std::vector<double> h_, c_, gates_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeLstm(const OpInstance& instance,
                                                 const KernelOptions& /*options*/) {
  return std::make_unique<Lstm>(instance);
}

}  // namespace rm::kernels::ref
