#include "kernels/cpu/convolution.h"

#include <algorithm>

#include "kernels/api/bfloat16_form.h"
#include "kernels/api/check_instance.h"

namespace rm::kernels::cpu {
namespace {

// Images of so few channels come plain from the data, and there is code that takes them so.
constexpr int64_t kFirstLayerChannels = 3;

// oneDNN has no description of an empty tensor.
bool HasElements(const Operand& operand) {
  return !operand.present || operand.type.elements() > 0;
}

Desc InAnyFormat(const TensorType& image) {
  return DescribeAny(Dims(image.shape.begin(), image.shape.end()), image.dtype);
}

// oneDNN wants a dimension of its own for groups; ONNX has them in the first one.
Dims WeightDims(const Shape& w, int64_t group) {
  if (group == 1) return {w[0], w[1], w[2], w[3]};
  return {group, w[0] / group, w[1], w[2], w[3]};
}

// In bytes this is a plain tensor of one more dimension.
TensorType Grouped(const TensorType& w, int64_t group) {
  const Dims dims = WeightDims(w.shape, group);
  return {w.dtype, Shape(dims.begin(), dims.end()), Layout::kPlain};
}

}  // namespace

Desc DescribeWeights(const ConvTypes& types, int64_t group) {
  return Describe(Grouped(types.w, group));
}

Convolution MakeConvolution(const ConvTypes& types, const Attributes& attributes,
                            bool any_layouts) {
  const Window2d window = ReadWindow2d(attributes, types.w.shape);
  Convolution conv;
  conv.x = any_layouts ? InAnyFormat(types.x) : Describe(types.x);
  conv.y = any_layouts ? InAnyFormat(types.y) : Describe(types.y);
  // Weights are reordered anyway, so oneDNN may choose their format; what they are multiplied with
  // says whether they are rounded to bfloat16 on the way.
  conv.w = DescribeAny(WeightDims(types.w.shape, window.group), types.x.dtype);
  conv.dw = DescribeAny(WeightDims(types.w.shape, window.group));
  if (types.bias) conv.bias = Describe({DType::kFloat32, {types.y.shape[1]}, Layout::kPlain});
  conv.strides = {window.stride_h, window.stride_w};
  conv.dilates = {window.dilation_h - 1, window.dilation_w - 1};
  conv.pads_begin = {window.pad_top, window.pad_left};
  conv.pads_end = {window.pad_bottom, window.pad_right};
  return conv;
}

bool OneDnnTakes(const OpInstance& instance) {
  const bool legal = CheckInstance(instance).ok() ||
                     (OneDnnHasBfloat16() && IsBfloat16Form(instance));
  return legal && std::all_of(instance.inputs.begin(), instance.inputs.end(), &HasElements) &&
         std::all_of(instance.outputs.begin(), instance.outputs.end(), &HasElements);
}

// The blocks are as wide as the vectors that oneDNN's generated code works with. Its SSE code takes
// blocks too, but only forwards; without AVX2 everything is plain, and gets there by matrix
// products.
Layout ConvLayout(int64_t channels, int64_t group) {
  if (!OneDnnHasAvx2()) return Layout::kPlain;
  const int64_t block = OneDnnHasAvx512() ? 16 : 8;
  const Layout blocked = block == 16 ? Layout::kChannels16 : Layout::kChannels8;
  const bool depthwise = channels == group;
  if (group > 1 && !depthwise && channels / group % block != 0) return Layout::kPlain;
  return channels <= kFirstLayerChannels ? Layout::kPlain : blocked;
}

}  // namespace rm::kernels::cpu
