// AveragePool and GlobalAveragePool(X) → Y, and their gradients, by oneDNN, in any one layout.
//
// A global pool is a pool whose window is the image. Dilated windows, which oneDNN does not know
// here, are left to the reference, as are layouts for which it has no generated code.
#include "kernels/api/check_instance.h"
#include "kernels/cpu/convolution.h"
#include "kernels/cpu/onednn_kernel.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

bool IsGradient(const OpInstance& op) {
  return op.op == "AveragePoolGrad" || op.op == "GlobalAveragePoolGrad";
}

// The pool that this op belongs to, whichever of its images the op computes. A global pool is one
// window as large as the image.
Pooling PoolingOf(const OpInstance& op) {
  const TensorType& x = IsGradient(op) ? op.outputs[0].type : op.inputs[0].type;
  const TensorType& y = IsGradient(op) ? op.inputs[0].type : op.outputs[0].type;
  Pooling pooling{Describe(x), Describe(y), false,  {1, 1},
                  {x.shape[2], x.shape[3]}, {0, 0}, {0, 0}};
  if (op.op == "GlobalAveragePool" || op.op == "GlobalAveragePoolGrad") return pooling;
  const Window2d window = ReadWindow2d(op.attributes, {});
  pooling.count_padding = op.attributes.Int("count_include_pad", 0) != 0;
  pooling.strides = {window.stride_h, window.stride_w};
  pooling.kernel = {window.kernel_h, window.kernel_w};
  pooling.pads_begin = {window.pad_top, window.pad_left};
  pooling.pads_end = {window.pad_bottom, window.pad_right};
  return pooling;
}

// Both images in the caller's layout: SupportsAveragePool has seen that there is code for it.
PrimitivePlan Plan(const OpInstance& op) {
  const Pooling pooling = PoolingOf(op);
  const auto description = DescribeAverage(pooling);
  PrimitivePlan plan{dnnl::pooling_forward(description), description.scratchpad_desc(), {}, {}};
  plan.inputs = {{DNNL_ARG_SRC, 0, pooling.x, pooling.x}};
  plan.outputs = {{DNNL_ARG_DST, 0, pooling.y, pooling.y}};
  return plan;
}

PrimitivePlan PlanGradient(const OpInstance& op) {
  const Pooling pooling = PoolingOf(op);
  const auto description = DescribeAverageGradient(pooling);
  PrimitivePlan plan{dnnl::pooling_backward(description), description.scratchpad_desc(), {}, {}};
  plan.inputs = {{DNNL_ARG_DIFF_DST, 0, pooling.y, pooling.y}};
  plan.outputs = {{DNNL_ARG_DIFF_SRC, 0, pooling.x, pooling.x}};
  return plan;
}

// Both images in one layout: that which exists already, or blocks.
Layout Wanted(const TensorType& image) {
  return image.layout == Layout::kPlain ? ConvLayout(image.shape[1], 1) : image.layout;
}

}  // namespace

// Asks oneDNN itself, since which layouts and windows it has generated code for differs between its
// versions and between instruction sets. Done when a graph is compiled, never in a step.
bool SupportsAveragePool(const OpInstance& instance) {
  if (!OneDnnTakes(instance)) return false;
  const TensorType& from = instance.inputs[0].type;
  const TensorType& to = instance.outputs[0].type;
  if (from.layout != to.layout || from.shape.size() != 4) return false;
  const Window2d window = ReadWindow2d(instance.attributes, {});
  if (window.dilation_h != 1 || window.dilation_w != 1) return false;
  // oneDNN would add up in bfloat16 what several windows hand to a pixel.
  const bool overlap = window.stride_h < window.kernel_h || window.stride_w < window.kernel_w;
  const bool global = instance.op == "GlobalAveragePoolGrad";
  if (IsGradient(instance) && from.dtype == DType::kBfloat16 && overlap && !global) return false;
  bool fast = false;
  const absl::Status status = CatchOneDnn("describe a pool", [&] {
    const Pooling pooling = PoolingOf(instance);
    fast = IsGradient(instance) ? !IsSlow(DescribeAverageGradient(pooling))
                                : !IsSlow(DescribeAverage(pooling));
  });
  return status.ok() && fast;
}

// The image that exists decides: X, or dY, whose layout is that of the forward result.
LayoutChoice ChooseAveragePoolLayouts(const OpInstance& instance,
                                      const KernelOptions& /*options*/) {
  const Layout layout = Wanted(instance.inputs[0].type);
  return {{layout}, {layout}};
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeAveragePool(const OpInstance& instance,
                                                        const KernelOptions& options) {
  return MakeOneDnnKernel(instance, options, &Plan);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeAveragePoolGrad(const OpInstance& instance,
                                                            const KernelOptions& options) {
  return MakeOneDnnKernel(instance, options, &PlanGradient);
}

}  // namespace rm::kernels::cpu
