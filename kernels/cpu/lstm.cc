// LSTM(X, W, R[, B, initial_h, initial_c]) → Y, Y_h, Y_c[, Gates, Cells], and its gradient. Plain.
//
// Most of the work is in matrix products. What the inputs add to the gates is one product over all
// steps; only what the hidden state adds is one a step. Backward likewise: step by step dh = dgates ·
// R, and then one product over all steps for each of dX, dW and dR.
//
// A direction's rows of X, of its gates and of their gradients are (step, sequence), by the place in
// time, whichever way the direction goes.
#include <algorithm>
#include <cstring>

#include "base/status.h"
#include "kernels/api/check_instance.h"
#include "kernels/api/recurrent.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/lstm_loops.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/reduce_loops.h"
#include "kernels/cpu/sgemm_kernel.h"

namespace rm::kernels::cpu {
namespace {

// Sequences a thread: a step of one is a few hundred nanoseconds.
constexpr int64_t kGrain = 16;

// A copy; what is absent is zero.
void Fill(float* to, const float* from, int64_t n) {
  const auto bytes = static_cast<size_t>(n) * sizeof(float);
  if (from != nullptr) {
    std::memcpy(to, from, bytes);
  } else {
    std::memset(to, 0, bytes);
  }
}

// The sizes, and where a direction's parts of the operands begin.
class Layer {
 public:
  Layer(const OpInstance& op, const KernelOptions& options)
      : s_(ReadLstmShape(op.attributes, op.inputs[0].type.shape, op.inputs[2].type.shape)),
        threads_(options.threads),
        loops_(ChooseIsa(v1::kLstmLoops, v3::kLstmLoops, v4::kLstmLoops)) {}

 protected:
  [[nodiscard]] int64_t rows() const { return s_.steps * s_.batch; }
  [[nodiscard]] int64_t gates() const { return 4 * s_.hidden; }
  [[nodiscard]] int64_t state() const { return s_.batch * s_.hidden; }
  // The row of (steps, directions, batch) where the step at time `t` begins.
  [[nodiscard]] int64_t Row(int64_t d, int64_t t) const {
    return (t * s_.directions + d) * s_.batch;
  }
  // A direction's part of an operand with one such part a direction; absent ones have none.
  [[nodiscard]] static const float* Part(const float* operand, int64_t d, int64_t size) {
    return operand != nullptr ? operand + d * size : nullptr;
  }
  [[nodiscard]] static float* Part(float* operand, int64_t d, int64_t size) {
    return operand != nullptr ? operand + d * size : nullptr;
  }

  const LstmShape s_;
  const int threads_;
  const LstmLoops& loops_;
};

// Scratch memory: the gates of one direction, and its two states.
class Lstm final : public Kernel, Layer {
 public:
  using Layer::Layer;

  size_t scratch_bytes() const override {
    return static_cast<size_t>(rows() * gates() + 2 * state()) * sizeof(float);
  }

  absl::Status Run(const Arguments& arguments) override {
    UseThreads(threads_);
    for (int64_t d = 0; d < s_.directions; ++d) {
      RM_RETURN_IF_ERROR(Direction(arguments, d));
    }
    return absl::OkStatus();
  }

 private:
  // All steps of one direction. The states stay in scratch memory from step to step; what the operator has
  // as outputs is copied out of them.
  absl::Status Direction(const Arguments& arguments, int64_t d) {
    auto* const all_gates = static_cast<float*>(arguments.scratch);
    float* const hidden = all_gates + rows() * gates();
    float* const cell = hidden + state();
    Fill(hidden, Part(arguments.input<float>(4), d, state()), state());
    Fill(cell, Part(arguments.input<float>(5), d, state()), state());
    RM_RETURN_IF_ERROR(AddInputs(arguments, d, all_gates));
    const float* const r = Part(arguments.input<float>(2), d, gates() * s_.hidden);
    const ProductShape recurrence{s_.batch, gates(), s_.hidden, false, true};
    for (int64_t k = 0; k < s_.steps; ++k) {
      const int64_t t = s_.Time(d, k);
      float* const step = all_gates + t * s_.batch * gates();
      RM_RETURN_IF_ERROR(Sgemm(recurrence, hidden, r, 1, step));
      ParallelFor(threads_, s_.batch, kGrain, [&](int64_t begin, int64_t end) {
        for (int64_t b = begin; b < end; ++b) {
          const int64_t unit = b * s_.hidden;
          loops_.step({step + b * gates(), cell + unit, hidden + unit}, s_.hidden);
        }
      });
      Keep(arguments, Row(d, t), step, hidden, cell);
    }
    if (auto* last = Part(arguments.output<float>(1), d, state()); last != nullptr) {
      Fill(last, hidden, state());
    }
    if (auto* last = Part(arguments.output<float>(2), d, state()); last != nullptr) {
      Fill(last, cell, state());
    }
    return absl::OkStatus();
  }

  // What the inputs and the biases add to all gates.
  absl::Status AddInputs(const Arguments& arguments, int64_t d, float* all_gates) const {
    const float* const bias = Part(arguments.input<float>(3), d, 2 * gates());
    if (bias != nullptr) {
      for (int64_t j = 0; j < gates(); ++j) all_gates[j] = bias[j] + bias[gates() + j];
      for (int64_t row = 1; row < rows(); ++row) Fill(all_gates + row * gates(), all_gates, gates());
    }
    const float* const w = Part(arguments.input<float>(1), d, gates() * s_.inputs);
    return Sgemm({rows(), gates(), s_.inputs, false, true}, arguments.input<float>(0), w,
                 bias != nullptr ? 1 : 0, all_gates);
  }

  // Outputs that nobody reads are not there.
  void Keep(const Arguments& arguments, int64_t row, const float* step, const float* hidden,
            const float* cell) const {
    if (auto* y = arguments.output<float>(0); y != nullptr) {
      Fill(y + row * s_.hidden, hidden, state());
    }
    if (auto* kept = arguments.output<float>(3); kept != nullptr) {
      Fill(kept + row * gates(), step, s_.batch * gates());
    }
    if (auto* cells = arguments.output<float>(4); cells != nullptr) {
      Fill(cells + row * s_.hidden, cell, state());
    }
  }
};

// LSTMGrad(X, W, R, Gates, Cells[, dY, dY_h, dY_c, initial_h, initial_c])
//   → dX[, dW, dR, dB, dinitial_h, dinitial_c].
//
// Scratch memory: of one direction the gradients of all gates, the hidden states before all steps,
// and the gradients of its two states.
class LstmGrad final : public Kernel, Layer {
 public:
  LstmGrad(const OpInstance& op, const KernelOptions& options)
      : Layer(op, options),
        reduce_(ChooseIsa(v1::kReduceLoops, v3::kReduceLoops, v4::kReduceLoops)) {}

  size_t scratch_bytes() const override {
    return static_cast<size_t>(rows() * (gates() + s_.hidden) + 2 * state()) * sizeof(float);
  }

  absl::Status Run(const Arguments& arguments) override {
    UseThreads(threads_);
    for (int64_t d = 0; d < s_.directions; ++d) {
      RM_RETURN_IF_ERROR(WalkBack(arguments, d));
      RM_RETURN_IF_ERROR(MultiplyAll(arguments, d));
    }
    return absl::OkStatus();
  }

 private:
  [[nodiscard]] float* DGates(const Arguments& arguments) const {
    return static_cast<float*>(arguments.scratch);
  }
  [[nodiscard]] float* HiddenBefore(const Arguments& arguments) const {
    return DGates(arguments) + rows() * gates();
  }

  // From the last step to the first. What arrives at the last states is where the gradients of the
  // states begin; what is left of them in front of the first step belongs to the given states.
  absl::Status WalkBack(const Arguments& arguments, int64_t d) {
    float* const dh = HiddenBefore(arguments) + rows() * s_.hidden;
    float* const dc = dh + state();
    Fill(dh, Part(arguments.input<float>(6), d, state()), state());
    Fill(dc, Part(arguments.input<float>(7), d, state()), state());
    const float* const r = Part(arguments.input<float>(2), d, gates() * s_.hidden);
    for (int64_t k = s_.steps - 1; k >= 0; --k) {
      ParallelFor(threads_, s_.batch, kGrain, [&](int64_t begin, int64_t end) {
        for (int64_t b = begin; b < end; ++b) StepBack(arguments, d, k, b, dh, dc);
      });
      const float* const d_gates = DGates(arguments) + s_.Time(d, k) * s_.batch * gates();
      RM_RETURN_IF_ERROR(Sgemm({s_.batch, s_.hidden, gates(), false, false}, d_gates, r, 0, dh));
    }
    if (auto* dh0 = Part(arguments.output<float>(4), d, state()); dh0 != nullptr) {
      Fill(dh0, dh, state());
    }
    if (auto* dc0 = Part(arguments.output<float>(5), d, state()); dc0 != nullptr) {
      Fill(dc0, dc, state());
    }
    return absl::OkStatus();
  }

  // Step k of sequence b, and the hidden state before it, which dR is made of.
  void StepBack(const Arguments& arguments, int64_t d, int64_t k, int64_t b, const float* dh,
                float* dc) const {
    const int64_t t = s_.Time(d, k);
    const int64_t row = Row(d, t) + b;
    const int64_t unit = b * s_.hidden;
    const auto* const gates_kept = arguments.input<float>(3);
    const auto* const cells = arguments.input<float>(4);
    LstmStepGrad step;
    step.gates = gates_kept + row * gates();
    step.cell = cells + row * s_.hidden;
    step.arrived = Part(arguments.input<float>(5), row, s_.hidden);
    step.d_hidden = dh + unit;
    step.d_cell = dc + unit;
    step.d_gates = DGates(arguments) + (t * s_.batch + b) * gates();
    float* const hidden_before = HiddenBefore(arguments) + (t * s_.batch + b) * s_.hidden;
    if (k == 0) {
      const int64_t first = d * s_.batch + b;
      step.cell_before = Part(arguments.input<float>(9), first, s_.hidden);
      Fill(hidden_before, Part(arguments.input<float>(8), first, s_.hidden), s_.hidden);
    } else {
      const int64_t before = Row(d, s_.Time(d, k - 1)) + b;
      step.cell_before = cells + before * s_.hidden;
      loops_.hidden(gates_kept + before * gates(), step.cell_before, hidden_before, s_.hidden);
    }
    loops_.step_grad(step, s_.hidden);
  }

  // The products over all steps. The second direction adds to the first one's dX.
  absl::Status MultiplyAll(const Arguments& arguments, int64_t d) const {
    const float* const d_gates = DGates(arguments);
    const int64_t w_size = gates() * s_.inputs;
    if (auto* dx = arguments.output<float>(0); dx != nullptr) {
      RM_RETURN_IF_ERROR(Sgemm({rows(), s_.inputs, gates(), false, false}, d_gates,
                               Part(arguments.input<float>(1), d, w_size), d == 0 ? 0 : 1, dx));
    }
    if (auto* dw = Part(arguments.output<float>(1), d, w_size); dw != nullptr) {
      RM_RETURN_IF_ERROR(Sgemm({gates(), s_.inputs, rows(), true, false}, d_gates,
                               arguments.input<float>(0), 0, dw));
    }
    if (auto* dr = Part(arguments.output<float>(2), d, gates() * s_.hidden); dr != nullptr) {
      RM_RETURN_IF_ERROR(Sgemm({gates(), s_.hidden, rows(), true, false}, d_gates,
                               HiddenBefore(arguments), 0, dr));
    }
    if (auto* db = Part(arguments.output<float>(3), d, 2 * gates()); db != nullptr) {
      reduce_.columns(d_gates, db, rows(), gates(), gates());
      Fill(db + gates(), db, gates());
    }
    return absl::OkStatus();
  }

  const ReduceLoops& reduce_;
};

// BLAS takes no matrices without rows or columns.
bool TakesLayer(const OpInstance& op) {
  if (!AllPlain(op) || !CheckInstance(op).ok()) return false;
  const LstmShape s = ReadLstmShape(op.attributes, op.inputs[0].type.shape, op.inputs[2].type.shape);
  return s.steps > 0 && s.batch > 0 && s.inputs > 0 && s.hidden > 0;
}

}  // namespace

bool SupportsLstm(const OpInstance& instance) { return TakesLayer(instance); }

bool SupportsLstmGrad(const OpInstance& instance) { return TakesLayer(instance); }

absl::StatusOr<std::unique_ptr<Kernel>> MakeLstm(const OpInstance& instance,
                                                 const KernelOptions& options) {
  return std::make_unique<Lstm>(instance, options);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeLstmGrad(const OpInstance& instance,
                                                     const KernelOptions& options) {
  return std::make_unique<LstmGrad>(instance, options);
}

}  // namespace rm::kernels::cpu
