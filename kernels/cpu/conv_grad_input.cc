// ConvGradInput(dY, W) → dX by oneDNN, and ConvTranspose(X, W) → Y, which is the same product.
//
// As the forward convolution in reverse: dY and dX in blocked layouts, W plain and reordered at
// each Run (into another format than the forward pass wants, so nothing could be shared).
#include "kernels/cpu/convolution.h"
#include "kernels/cpu/onednn_kernel.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

// The convolution that this op belongs to, whichever of its tensors the op computes.
ConvTypes TypesOf(const OpInstance& op) {
  return {op.outputs[0].type, op.inputs[1].type, op.inputs[0].type, false};
}

// The primitive and its operands. oneDNN has chosen the format of the weights, and of the images
// too where it has no fast code for the layouts they are in.
PrimitivePlan Plan(const OpInstance& op) {
  const ConvTypes types = TypesOf(op);
  const auto description = DescribeFast(types, op.attributes, &DescribeBackwardData);
  const int64_t group = op.attributes.Int("group", 1);
  PrimitivePlan plan{
      dnnl::convolution_backward_data(description), description.scratchpad_desc(), {}, {}};
  plan.inputs = {
      {DNNL_ARG_DIFF_DST, 0, Describe(types.y), description.diff_dst_desc()},
      {DNNL_ARG_WEIGHTS, 1, DescribeWeights(types, group), description.weights_desc()},
  };
  plan.outputs = {{DNNL_ARG_DIFF_SRC, 0, Describe(types.x), description.diff_src_desc()}};
  return plan;
}

}  // namespace

bool SupportsConvGradInput(const OpInstance& instance) {
  return instance.has_input(1) && instance.has_output(0) &&
         OneDnnConvolves(instance, TypesOf(instance), &DescribeBackwardData);
}

LayoutChoice ChooseConvGradInputLayouts(const OpInstance& instance,
                                        const KernelOptions& /*options*/) {
  const ConvTypes types = TypesOf(instance);
  const int64_t group = instance.attributes.Int("group", 1);
  return {{ConvLayout(types.y.shape[1], group), Layout::kPlain},
          {ConvLayout(types.x.shape[1], group)}};
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeConvGradInput(const OpInstance& instance,
                                                          const KernelOptions& options) {
  return MakeOneDnnKernel(instance, options, &Plan);
}

}  // namespace rm::kernels::cpu
