// MaxPool(X) → Y[, WindowIndex] and MaxPoolGrad(dY, WindowIndex) → dX, in any one layout; in bfloat16
// where channels lie side by side.
//
// Our own loops rather than oneDNN's pooling, because the index is then a byte that means the same
// in every layout and in the reference, and the gradient may be taken before or after that of a
// relu.
#include <cstring>

#include "kernels/api/bfloat16_form.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/pool_loops.h"

namespace rm::kernels::cpu {
namespace {

// X, Y and the index go together: in one layout the channels of a pixel stand in the same order.
bool SameLayouts(const OpInstance& op) {
  const Layout layout = op.outputs[0].type.layout;
  for (const Operand& input : op.inputs) {
    if (input.type.layout != layout) return false;
  }
  if (op.has_output(1) && op.outputs[1].type.layout != layout) return false;
  return IsLegalInEitherForm(op);
}

// How the images of a layout fall apart into planes and channels pooled side by side.
void SetPlanes(const TensorType& x, PoolShape* shape) {
  const int64_t block = ChannelBlock(x.layout);
  const int64_t channels = x.shape[1];
  shape->inner = x.layout == Layout::kChannelsLast ? channels : block;
  shape->planes = x.layout == Layout::kChannelsLast
                      ? x.shape[0]
                      : x.shape[0] * ((channels + block - 1) / block);
}

PoolShape ShapeOf(const Attributes& attributes, const TensorType& x, const TensorType& y) {
  const Window2d window = ReadWindow2d(attributes, {});
  PoolShape shape{};
  SetPlanes(x, &shape);
  shape.in_h = x.shape[2];
  shape.in_w = x.shape[3];
  shape.out_h = y.shape[2];
  shape.out_w = y.shape[3];
  shape.kernel_h = window.kernel_h;
  shape.kernel_w = window.kernel_w;
  shape.stride_h = window.stride_h;
  shape.stride_w = window.stride_w;
  shape.pad_top = window.pad_top;
  shape.pad_left = window.pad_left;
  shape.dilation_h = window.dilation_h;
  shape.dilation_w = window.dilation_w;
  return shape;
}

// What both directions share. Planes are independent of each other, so threads share them out.
class PoolKernel : public Kernel {
 public:
  PoolKernel(const PoolShape& shape, const KernelOptions& options)
      : loops_(ChooseIsa(v1::kPoolLoops, v3::kPoolLoops, v4::kPoolLoops)),
        shape_(shape),
        threads_(options.threads) {}

 protected:
  const PoolLoops& loops_;
  const PoolShape shape_;
  const int threads_;
};

// The two loops of one element type.
auto MaxLoop(const PoolLoops& loops, float) { return loops.max; }
auto MaxLoop(const PoolLoops& loops, Bfloat16) { return loops.max_bfloat16; }
auto GradientLoop(const PoolLoops& loops, float) { return loops.max_grad; }
auto GradientLoop(const PoolLoops& loops, Bfloat16) { return loops.max_grad_bfloat16; }

// Forward. The index is optional: at inference nobody asks for it.
template <typename Element>
class MaxPool final : public PoolKernel {
 public:
  MaxPool(const PoolShape& shape, int64_t channels, const KernelOptions& options)
      : PoolKernel(shape, options), channels_(channels) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<Element>(0);
    auto* y = arguments.output<Element>(0);
    auto* index = arguments.output<uint8_t>(1);
    const auto loop = MaxLoop(loops_, Element{});
    ParallelFor(threads_, shape_.planes, 1, [&](int64_t begin, int64_t end) {
      loop(shape_, begin, end, x, y, index);
    });
    if (index != nullptr && channels_ % shape_.inner != 0) ClearPadding(index);
    return absl::OkStatus();
  }

 private:
  // Y is zero in the padding as X is, but where the zero was found depends on the window.
  void ClearPadding(uint8_t* index) const {
    const int64_t blocks = (channels_ + shape_.inner - 1) / shape_.inner;
    const int64_t used = channels_ % shape_.inner;
    const int64_t pixels = shape_.out_h * shape_.out_w;
    for (int64_t plane = blocks - 1; plane < shape_.planes; plane += blocks) {
      for (int64_t i = 0; i < pixels; ++i) {
        std::memset(index + (plane * pixels + i) * shape_.inner + used, 0,
                    static_cast<size_t>(shape_.inner - used));
      }
    }
  }

  const int64_t channels_;  // without padding
};

// Backward. Every element of dX is written, most of them with zero.
template <typename Element>
class MaxPoolGrad final : public PoolKernel {
 public:
  using PoolKernel::PoolKernel;

  absl::Status Run(const Arguments& arguments) override {
    const auto* dy = arguments.input<Element>(0);
    const auto* index = arguments.input<uint8_t>(1);
    auto* dx = arguments.output<Element>(0);
    const auto loop = GradientLoop(loops_, Element{});
    ParallelFor(threads_, shape_.planes, 1, [&](int64_t begin, int64_t end) {
      loop(shape_, begin, end, dy, index, dx);
    });
    return absl::OkStatus();
  }
};

bool IsBfloat16(const OpInstance& op) { return op.inputs[0].type.dtype == DType::kBfloat16; }

PoolShape ShapeOfGradient(const OpInstance& op) {
  return ShapeOf(op.attributes, op.outputs[0].type, op.inputs[0].type);
}

}  // namespace

// The loops count the positions of a window in a byte, with or without an index to write.
bool SupportsMaxPool(const OpInstance& instance) {
  if (!SameLayouts(instance)) return false;
  const Window2d window = ReadWindow2d(instance.attributes, {});
  if (window.kernel_h * window.kernel_w > 256) return false;
  const TensorType& x = instance.inputs[0].type;
  return !IsBfloat16(instance) || ShapeOf(instance.attributes, x, instance.outputs[0].type).inner > 1;
}

// Where windows overlap, bfloat16 is left to the float32 loops between casts.
bool SupportsMaxPoolGrad(const OpInstance& instance) {
  if (!SameLayouts(instance)) return false;
  if (!IsBfloat16(instance)) return true;
  const PoolShape shape = ShapeOfGradient(instance);
  return shape.inner > 1 && shape.tiles();
}

// A pool takes images as they come: a blocked layout goes on through it.
LayoutChoice ChooseMaxPoolLayouts(const OpInstance& instance, const KernelOptions& /*options*/) {
  const Layout layout = instance.inputs[0].type.layout;
  return {{layout}, std::vector<Layout>(instance.outputs.size(), layout)};
}

// The index has the layout of the forward pass.
LayoutChoice ChooseMaxPoolGradLayouts(const OpInstance& instance,
                                      const KernelOptions& /*options*/) {
  const Layout layout = instance.inputs[1].type.layout;
  return {{layout, layout}, {layout}};
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeMaxPool(const OpInstance& instance,
                                                    const KernelOptions& options) {
  const TensorType& x = instance.inputs[0].type;
  const PoolShape shape = ShapeOf(instance.attributes, x, instance.outputs[0].type);
  if (IsBfloat16(instance)) {
    return std::make_unique<MaxPool<Bfloat16>>(shape, x.shape[1], options);
  }
  return std::make_unique<MaxPool<float>>(shape, x.shape[1], options);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeMaxPoolGrad(const OpInstance& instance,
                                                        const KernelOptions& options) {
  const PoolShape shape = ShapeOfGradient(instance);
  if (IsBfloat16(instance)) return std::make_unique<MaxPoolGrad<Bfloat16>>(shape, options);
  return std::make_unique<MaxPoolGrad<float>>(shape, options);
}

}  // namespace rm::kernels::cpu
