// Softmax(X) → Y, LogSoftmax(X) → Y and their gradients along the last axis. Plain.
//
// Rows are shared out between threads. Other axes are left to the reference: no model has them.
#include "kernels/api/check_instance.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/softmax_loops.h"

namespace rm::kernels::cpu {
namespace {

constexpr int64_t kGrain = 32;  // rows a thread

// What both directions share: rows of `n` elements, each by itself.
class SoftmaxKernel : public Kernel {
 public:
  SoftmaxKernel(const OpInstance& op, const KernelOptions& options)
      : loops_(ChooseIsa(v1::kSoftmaxLoops, v3::kSoftmaxLoops, v4::kSoftmaxLoops)),
        n_(op.outputs[0].type.shape.back()),
        rows_(op.outputs[0].type.elements() / n_),
        threads_(options.threads) {}

 protected:
  const SoftmaxLoops& loops_;
  const int64_t n_;
  const int64_t rows_;
  const int threads_;
};

// Which of the two functions is settled once, when the kernel is made.
class Softmax final : public SoftmaxKernel {
 public:
  Softmax(const OpInstance& op, const KernelOptions& options)
      : SoftmaxKernel(op, options),
        run_(op.op == "LogSoftmax" ? loops_.log_rows : loops_.rows) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    auto* y = arguments.output<float>(0);
    ParallelFor(threads_, rows_, kGrain, [&](int64_t begin, int64_t end) {
      run_(x + begin * n_, y + begin * n_, end - begin, n_);
    });
    return absl::OkStatus();
  }

 private:
  void (*const run_)(const float* x, float* y, int64_t rows, int64_t n);
};

// The gradient needs the result alone, never the operand. In place of dY.
class SoftmaxGrad final : public SoftmaxKernel {
 public:
  SoftmaxGrad(const OpInstance& op, const KernelOptions& options)
      : SoftmaxKernel(op, options),
        run_(op.op == "LogSoftmaxGrad" ? loops_.log_grad_rows : loops_.grad_rows) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* dy = arguments.input<float>(0);
    const auto* y = arguments.input<float>(1);
    auto* dx = arguments.output<float>(0);
    ParallelFor(threads_, rows_, kGrain, [&](int64_t begin, int64_t end) {
      run_(dy + begin * n_, y + begin * n_, dx + begin * n_, end - begin, n_);
    });
    return absl::OkStatus();
  }

 private:
  void (*const run_)(const float* dy, const float* y, float* dx, int64_t rows, int64_t n);
};

// The axis is the last one, and holds something.
bool IsOfRows(const OpInstance& instance) {
  if (!AllPlain(instance) || !CheckInstance(instance).ok()) return false;
  const Shape& shape = instance.outputs[0].type.shape;
  const int64_t axis = instance.attributes.Int("axis", -1);
  return (axis == -1 || axis == static_cast<int64_t>(shape.size()) - 1) && shape.back() > 0;
}

}  // namespace

bool SupportsSoftmax(const OpInstance& instance) { return IsOfRows(instance); }

bool SupportsSoftmaxGrad(const OpInstance& instance) { return IsOfRows(instance); }

absl::StatusOr<std::unique_ptr<Kernel>> MakeSoftmax(const OpInstance& instance,
                                                    const KernelOptions& options) {
  return std::make_unique<Softmax>(instance, options);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeSoftmaxGrad(const OpInstance& instance,
                                                        const KernelOptions& options) {
  return std::make_unique<SoftmaxGrad>(instance, options);
}

}  // namespace rm::kernels::cpu
