// ReduceSum, ReduceMean and ReduceMax(X) → Y over any set of axes, and the
// gradients of the first two.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/ref/ops.h"
#include "kernels/ref/strides.h"

namespace rm::kernels::ref {
namespace {

// Y's strides by axis of X: 0 along a reduced axis, so that all its elements meet in one of Y. Axes
// may be counted from the back; no axes at all mean every axis.
Shape ReducedStrides(const Attributes& attributes, const Shape& x) {
  const std::vector<int64_t> axes = attributes.Ints("axes", {});
  const auto rank = static_cast<int64_t>(x.size());
  Shape strides(x.size(), 0);
  int64_t stride = 1;
  for (int64_t axis = rank - 1; axis >= 0; --axis) {
    const bool reduced = axes.empty() || std::count(axes.begin(), axes.end(), axis) > 0 ||
                         std::count(axes.begin(), axes.end(), axis - rank) > 0;
    if (reduced) continue;
    strides[static_cast<size_t>(axis)] = stride;
    stride *= x[static_cast<size_t>(axis)];
  }
  return strides;
}

double Larger(double a, double b) { return b > a || std::isnan(b) ? b : a; }

// Walks X once, in order, and adds each element to the sum of the element of Y that it belongs to,
// or keeps the largest. The sums are in double, as a column of thousands loses digits in float32;
// they live in the kernel, because Run allocates nothing.
class Reduce final : public Kernel {
 public:
  explicit Reduce(const OpInstance& op)
      : shape_(op.inputs[0].type.shape),
        strides_(ReducedStrides(op.attributes, shape_)),
        maximum_(op.op == "ReduceMax"),
        divisor_(op.op == "ReduceMean" ? static_cast<double>(ElementCount(shape_)) /
                                             static_cast<double>(op.outputs[0].type.elements())
                                       : 1),
        results_(static_cast<size_t>(op.outputs[0].type.elements())) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    auto* y = arguments.output<float>(0);
    std::fill(results_.begin(), results_.end(), maximum_ ? -HUGE_VAL : 0.0);
    const int64_t count = ElementCount(shape_);
    for (int64_t i = 0; i < count; ++i) {
      double& result = results_[static_cast<size_t>(StridedOffset(i, shape_, strides_))];
      const auto value = static_cast<double>(x[i]);
      result = maximum_ ? Larger(result, value) : result + value;
    }
    for (size_t i = 0; i < results_.size(); ++i) y[i] = static_cast<float>(results_[i] / divisor_);
    return absl::OkStatus();
  }

 private:
  const Shape shape_;    // of X
  const Shape strides_;  // in Y, by axis of X
  const bool maximum_;
  const double divisor_;
  std::vector<double> results_;
};

// Each element of dX is the one of dY that it was added to; for a mean, divided as that was.
class ReduceGrad final : public Kernel {
 public:
  explicit ReduceGrad(const OpInstance& op)
      : shape_(op.outputs[0].type.shape),
        strides_(ReducedStrides(op.attributes, shape_)),
        divisor_(op.op == "ReduceMeanGrad" ? static_cast<float>(ElementCount(shape_)) /
                                                 static_cast<float>(op.inputs[0].type.elements())
                                           : 1) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* dy = arguments.input<float>(0);
    auto* dx = arguments.output<float>(0);
    const int64_t count = ElementCount(shape_);
    for (int64_t i = 0; i < count; ++i) dx[i] = dy[StridedOffset(i, shape_, strides_)] / divisor_;
    return absl::OkStatus();
  }

 private:
  const Shape shape_;    // of X
  const Shape strides_;  // in Y, by axis of X
  const float divisor_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeReduce(const OpInstance& instance,
                                                   const KernelOptions& /*options*/) {
  return std::make_unique<Reduce>(instance);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeReduceGrad(const OpInstance& instance,
                                                          const KernelOptions& /*options*/) {
  return std::make_unique<ReduceGrad>(instance);
}

}  // namespace rm::kernels::ref
