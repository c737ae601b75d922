// Add(A, B) → Y with ONNX broadcasting.
#include "kernels/ref/ops.h"
#include "kernels/ref/strides.h"

namespace rm::kernels::ref {
namespace {

// Walks Y in order and finds the operands by strides; a dimension that is broadcast has a stride of
// zero.
class Add final : public Kernel {
 public:
  explicit Add(const OpInstance& op)
      : shape_(op.outputs[0].type.shape),
        a_strides_(BroadcastStrides(op.inputs[0].type.shape, shape_)),
        b_strides_(BroadcastStrides(op.inputs[1].type.shape, shape_)) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* a = arguments.input<float>(0);
    const auto* b = arguments.input<float>(1);
    auto* y = arguments.output<float>(0);
    const int64_t count = ElementCount(shape_);
    for (int64_t i = 0; i < count; ++i) {
      // The same walk serves all of ONNX's broadcasting: rows, columns, numbers, both sides at
      // once.
      y[i] = a[StridedOffset(i, shape_, a_strides_)] + b[StridedOffset(i, shape_, b_strides_)];
    }
    return absl::OkStatus();
  }

 private:
  const Shape shape_;  // of Y
  const Shape a_strides_;
  const Shape b_strides_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeAdd(const OpInstance& instance,
                                                const KernelOptions& /*options*/) {
  return std::make_unique<Add>(instance);
}

}  // namespace rm::kernels::ref
