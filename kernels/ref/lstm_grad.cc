// LSTMGrad(X, W, R, Gates, Cells[, dY, dY_h, dY_c, initial_h, initial_c])
//   → dX[, dW, dR, dB, dinitial_h, dinitial_c].
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/api/recurrent.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

using Doubles = std::vector<double>;

// Walks each sequence from its last step to its first with the gradients of h and c, as lstm.cc
// names them. The gradients of weights are summed in double, over all steps and sequences.
class LstmGrad final : public Kernel {
 public:
  explicit LstmGrad(const OpInstance& op)
      : s_(ReadLstmShape(op.attributes, op.inputs[0].type.shape, op.inputs[2].type.shape)),
        n_(static_cast<size_t>(s_.hidden)),
        dh_(n_),
        dc_(n_),
        dgates_(4 * n_),
        dx_(static_cast<size_t>(s_.steps * s_.batch * s_.inputs)),
        dw_(static_cast<size_t>(s_.directions * 4 * s_.hidden * s_.inputs)),
        dr_(static_cast<size_t>(s_.directions * 4 * s_.hidden * s_.hidden)),
        db_(static_cast<size_t>(s_.directions * 8 * s_.hidden)) {}

  absl::Status Run(const Arguments& arguments) override {
    for (Doubles* sums : {&dx_, &dw_, &dr_, &db_}) std::fill(sums->begin(), sums->end(), 0.0);
    for (int64_t d = 0; d < s_.directions; ++d) {
      for (int64_t b = 0; b < s_.batch; ++b) Sequence(arguments, d, b);
    }
    const Doubles* const results[] = {&dx_, &dw_, &dr_, &db_};
    for (size_t i = 0; i < 4; ++i) {
      auto* to = arguments.output<float>(i);
      if (to == nullptr) continue;
      for (size_t k = 0; k < results[i]->size(); ++k) to[k] = static_cast<float>((*results[i])[k]);
    }
    return absl::OkStatus();
  }

 private:
  // An optional operand's elements; absent ones are zero.
  static double At(const float* from, int64_t at, size_t i) {
    return from != nullptr ? static_cast<double>(from[at + static_cast<int64_t>(i)]) : 0;
  }

  // One sequence of the batch in one direction. What arrives at the last states is where dh and dc
  // begin; what is left of them in front of the first step belongs to the given states.
  void Sequence(const Arguments& arguments, int64_t d, int64_t b) {
    const int64_t state = (d * s_.batch + b) * s_.hidden;
    for (size_t i = 0; i < n_; ++i) {
      dh_[i] = At(arguments.input<float>(6), state, i);
      dc_[i] = At(arguments.input<float>(7), state, i);
    }
    for (int64_t k = s_.steps - 1; k >= 0; --k) Step(arguments, d, b, k);
    auto* dh0 = arguments.output<float>(4);
    auto* dc0 = arguments.output<float>(5);
    for (size_t i = 0; i < n_; ++i) {
      if (dh0 != nullptr) dh0[state + static_cast<int64_t>(i)] = static_cast<float>(dh_[i]);
      if (dc0 != nullptr) dc0[state + static_cast<int64_t>(i)] = static_cast<float>(dc_[i]);
    }
  }

  // The row of (steps, directions, batch) that step k of a sequence wrote.
  [[nodiscard]] int64_t Row(int64_t d, int64_t b, int64_t k) const {
    return (s_.Time(d, k) * s_.directions + d) * s_.batch + b;
  }

  // Element i of the cell, and of the hidden state, before step k: by what the step before it kept.
  [[nodiscard]] double CellBefore(const Arguments& arguments, int64_t d, int64_t b, int64_t k,
                                  size_t i) const {
    if (k == 0) return At(arguments.input<float>(9), (d * s_.batch + b) * s_.hidden, i);
    return At(arguments.input<float>(4), Row(d, b, k - 1) * s_.hidden, i);
  }
  [[nodiscard]] double HiddenBefore(const Arguments& arguments, int64_t d, int64_t b, int64_t k,
                                    size_t i) const {
    if (k == 0) return At(arguments.input<float>(8), (d * s_.batch + b) * s_.hidden, i);
    const int64_t gates = 4 * Row(d, b, k - 1) * s_.hidden;
    return At(arguments.input<float>(3), gates, n_ + i) *
           std::tanh(CellBefore(arguments, d, b, k, i));
  }

  // One step back. A hidden state has two readers, the output and the next step, whose gradients
  // are added; a cell has the hidden state and the next cell. Gates are differentiated by their
  // results: s' = s · (1 − s) for Sigmoid, 1 − t² for tanh.
  void Step(const Arguments& arguments, int64_t d, int64_t b, int64_t k) {
    const int64_t row = Row(d, b, k);
    const float* gates = arguments.input<float>(3) + 4 * row * s_.hidden;
    for (size_t i = 0; i < n_; ++i) {
      const double in = At(gates, 0, i);
      const double out = At(gates, 0, n_ + i);
      const double forget = At(gates, 0, 2 * n_ + i);
      const double cell = At(gates, 0, 3 * n_ + i);
      const double squashed = std::tanh(At(arguments.input<float>(4), row * s_.hidden, i));
      const double dh = dh_[i] + At(arguments.input<float>(5), row * s_.hidden, i);
      const double dc = dc_[i] + dh * out * (1 - squashed * squashed);
      dgates_[i] = dc * cell * in * (1 - in);
      dgates_[n_ + i] = dh * squashed * out * (1 - out);
      dgates_[2 * n_ + i] = dc * CellBefore(arguments, d, b, k, i) * forget * (1 - forget);
      dgates_[3 * n_ + i] = dc * in * (1 - cell * cell);
      dc_[i] = dc * forget;
    }
    AddProducts(arguments, d, b, k);
  }

  // What the sums of all gates were made of: inputs, the hidden state before, and biases.
  void AddProducts(const Arguments& arguments, int64_t d, int64_t b, int64_t k) {
    const auto inputs = static_cast<size_t>(s_.inputs);
    const size_t x_row = static_cast<size_t>(s_.Time(d, k) * s_.batch + b) * inputs;
    std::fill(dh_.begin(), dh_.end(), 0.0);
    for (size_t j = 0; j < 4 * n_; ++j) {
      const size_t row = static_cast<size_t>(d) * 4 * n_ + j;
      for (size_t i = 0; i < inputs; ++i) {
        dw_[row * inputs + i] +=
            dgates_[j] * static_cast<double>(arguments.input<float>(0)[x_row + i]);
        dx_[x_row + i] +=
            dgates_[j] * static_cast<double>(arguments.input<float>(1)[row * inputs + i]);
      }
      for (size_t i = 0; i < n_; ++i) {
        dr_[row * n_ + i] += dgates_[j] * HiddenBefore(arguments, d, b, k, i);
        dh_[i] += dgates_[j] * static_cast<double>(arguments.input<float>(2)[row * n_ + i]);
      }
      db_[static_cast<size_t>(d) * 8 * n_ + j] += dgates_[j];
      db_[static_cast<size_t>(d) * 8 * n_ + 4 * n_ + j] += dgates_[j];
    }
  }

  const LstmShape s_;
  const size_t n_;  // hidden
  Doubles dh_, dc_, dgates_;
  Doubles dx_, dw_, dr_, db_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeLstmGrad(const OpInstance& instance,
                                                     const KernelOptions& /*options*/) {
  return std::make_unique<LstmGrad>(instance);
}

}  // namespace rm::kernels::ref
