// ConvGradWeight(X, dY) → dW[, dB] by oneDNN.
//
// X and dY in blocked layouts; the gradients are reordered to plain memory when they are done. The
// bias gradient is a by-product of the pass over dY.
#include "kernels/cpu/convolution.h"
#include "kernels/cpu/onednn_kernel.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

// The convolution that this op belongs to, whichever of its tensors the op computes.
ConvTypes TypesOf(const OpInstance& op) {
  return {op.inputs[0].type, op.outputs[0].type, op.inputs[1].type, op.has_output(1)};
}

// The primitive and its operands. oneDNN has chosen the format of the weights, and of the images
// too where it has no fast code for the layouts they are in.
PrimitivePlan Plan(const OpInstance& op) {
  const ConvTypes types = TypesOf(op);
  const auto description = DescribeFast(types, op.attributes, &DescribeBackwardWeights);
  const int64_t group = op.attributes.Int("group", 1);
  PrimitivePlan plan{
      dnnl::convolution_backward_weights(description), description.scratchpad_desc(), {}, {}};
  plan.inputs = {
      {DNNL_ARG_SRC, 0, Describe(types.x), description.src_desc()},
      {DNNL_ARG_DIFF_DST, 1, Describe(types.y), description.diff_dst_desc()},
  };
  plan.outputs = {{DNNL_ARG_DIFF_WEIGHTS, 0, DescribeWeights(types, group),
                   description.diff_weights_desc()}};
  if (types.bias) {
    const Desc bias = description.diff_bias_desc();
    plan.outputs.push_back({DNNL_ARG_DIFF_BIAS, 1, bias, bias});
  }
  return plan;
}

}  // namespace

bool SupportsConvGradWeight(const OpInstance& instance) {
  return instance.has_input(1) && instance.has_output(0) &&
         OneDnnConvolves(instance, TypesOf(instance), &DescribeBackwardWeights);
}

LayoutChoice ChooseConvGradWeightLayouts(const OpInstance& instance,
                                         const KernelOptions& /*options*/) {
  const ConvTypes types = TypesOf(instance);
  const int64_t group = instance.attributes.Int("group", 1);
  return {{ConvLayout(types.x.shape[1], group), ConvLayout(types.y.shape[1], group)},
          std::vector<Layout>(instance.outputs.size(), Layout::kPlain)};
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeConvGradWeight(const OpInstance& instance,
                                                           const KernelOptions& options) {
  return MakeOneDnnKernel(instance, options, &Plan);
}

}  // namespace rm::kernels::cpu
