// ReduceSum(X) → Y over any set of axes.
#include <algorithm>
#include <vector>

#include "kernels/ref/ops.h"
#include "kernels/ref/strides.h"

namespace rm::kernels::ref {
namespace {

// Walks X once, in order, and adds each element to the sum of the element of Y that it belongs to:
// the reduced axes have stride 0 in Y. The sums are in double, as a column of thousands loses
// digits in float32; they live in the kernel, because Run allocates nothing.
class ReduceSum final : public Kernel {
 public:
  explicit ReduceSum(const OpInstance& op)
      : shape_(op.inputs[0].type.shape),
        strides_(shape_.size(), 0),
        sums_(static_cast<size_t>(op.outputs[0].type.elements())) {
    const std::vector<int64_t> axes = op.attributes.Ints("axes", {});
    const auto rank = static_cast<int64_t>(shape_.size());
    // Y's strides by axis of X. Axes may be counted from the back; no axes at all mean every axis.
    int64_t stride = 1;
    for (int64_t axis = rank - 1; axis >= 0; --axis) {
      const bool reduced = axes.empty() || std::count(axes.begin(), axes.end(), axis) > 0 ||
                           std::count(axes.begin(), axes.end(), axis - rank) > 0;
      if (reduced) continue;
      strides_[static_cast<size_t>(axis)] = stride;
      stride *= shape_[static_cast<size_t>(axis)];
    }
  }

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    auto* y = arguments.output<float>(0);
    std::fill(sums_.begin(), sums_.end(), 0.0);
    const int64_t count = ElementCount(shape_);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t at = StridedOffset(i, shape_, strides_);
      sums_[static_cast<size_t>(at)] += static_cast<double>(x[i]);
    }
    for (size_t i = 0; i < sums_.size(); ++i) y[i] = static_cast<float>(sums_[i]);
    return absl::OkStatus();
  }

 private:
  const Shape shape_;  // of X
  Shape strides_;      // in Y, by axis of X; 0 for a reduced axis
  std::vector<double> sums_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeReduceSum(const OpInstance& instance,
                                                      const KernelOptions& /*options*/) {
  return std::make_unique<ReduceSum>(instance);
}

}  // namespace rm::kernels::ref
