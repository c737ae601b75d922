// Conv(X, W[, B]) → Y by oneDNN.
//
// Images come and go in any layout, best in ConvLayout's: then a convolution, its relu and the pool
// behind it run without a reorder. Only weights are plain, as they lie in the flat buckets that the
// optimizer updates and the ranks exchange; they are reordered at each Run, since each step changes
// them: 5 µs for 64 × 32 × 3 × 3 weights, 160 µs (2 to 3 % of the convolution) for 256 × 256 × 3 ×
// 3.
#include "kernels/cpu/convolution.h"
#include "kernels/cpu/onednn_kernel.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

// The convolution that this op belongs to, whichever of its tensors the op computes.
ConvTypes TypesOf(const OpInstance& op) {
  return {op.inputs[0].type, op.inputs[1].type, op.outputs[0].type, op.has_input(2)};
}

// The primitive and its operands. oneDNN has chosen the format of the weights, and of the images
// too where it has no fast code for the layouts they are in.
PrimitivePlan Plan(const OpInstance& op) {
  const ConvTypes types = TypesOf(op);
  const dnnl::primitive_attr attributes =
      PrimitiveAttributes(op.attributes.String("activation", "") == "relu");
  const auto description =
      DescribeFast(types, op.attributes, [&attributes](const Convolution& conv) {
        return DescribeForward(conv, attributes);
      });
  const int64_t group = op.attributes.Int("group", 1);
  PrimitivePlan plan{dnnl::convolution_forward(description), description.scratchpad_desc(), {}, {}};
  plan.inputs = {
      {DNNL_ARG_SRC, 0, Describe(types.x), description.src_desc()},
      {DNNL_ARG_WEIGHTS, 1, DescribeWeights(types, group), description.weights_desc()},
  };
  if (types.bias) {
    plan.inputs.push_back(
        {DNNL_ARG_BIAS, 2, description.bias_desc(), description.bias_desc()});
  }
  plan.outputs = {{DNNL_ARG_DST, 0, Describe(types.y), description.dst_desc()}};
  return plan;
}

}  // namespace

// With or without relu, which changes nothing about the code there is.
bool SupportsConv(const OpInstance& instance) {
  return instance.has_input(1) && instance.has_output(0) &&
         OneDnnConvolves(instance, TypesOf(instance), [](const Convolution& conv) {
           return DescribeForward(conv, PrimitiveAttributes(false));
         });
}

LayoutChoice ChooseConvLayouts(const OpInstance& instance, const KernelOptions& /*options*/) {
  const ConvTypes types = TypesOf(instance);
  const int64_t group = instance.attributes.Int("group", 1);
  LayoutChoice choice{std::vector<Layout>(instance.inputs.size(), Layout::kPlain),
                      {ConvLayout(types.y.shape[1], group)}};
  choice.inputs[0] = ConvLayout(types.x.shape[1], group);
  return choice;
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeConv(const OpInstance& instance,
                                                 const KernelOptions& options) {
  return MakeOneDnnKernel(instance, options, &Plan);
}

}  // namespace rm::kernels::cpu
