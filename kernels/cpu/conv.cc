// Conv(X, W[, B]) → Y by oneDNN. Weights are reordered at each Run, as each step changes them.
#include "kernels/cpu/convolution.h"
#include "kernels/cpu/onednn_kernel.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

ConvTypes TypesOf(const OpInstance& op) {
  return {op.inputs[0].type, op.inputs[1].type, op.outputs[0].type, op.has_input(2)};
}

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

bool SupportsConv(const OpInstance& instance) {
  return OneDnnTakes(instance) && instance.inputs[1].type.layout == Layout::kPlain;
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
