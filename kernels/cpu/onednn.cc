#include "kernels/cpu/onednn.h"

#include "base/check.h"
#include "base/cpu.h"
#include "kernels/cpu/onednn_version.h"

namespace rm::kernels::cpu {
namespace {

using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

// The cap makes RINGMASTER_ISA mean the whole process: our loops and oneDNN's generated code.
// Without it a test of the AVX2 build on an AVX-512 machine would test half of it.
dnnl::engine MakeEngine() {
  // Has an effect before the first primitive only. Ignored when the CPU has less.
  switch (base::CpuIsa()) {
    case base::Isa::kV4: break;
    case base::Isa::kV3: dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2); break;
    case base::Isa::kV1: dnnl::set_max_cpu_isa(dnnl::cpu_isa::sse41); break;
  }
  return dnnl::engine(dnnl::engine::kind::cpu, 0);
}

// The values of cpu_isa are sets of bits, each level holding those below.
bool Has(dnnl::cpu_isa wanted) {
  if (!CatchOneDnn("make an engine", [] { static_cast<void>(Engine()); }).ok()) return false;
  const auto bits = static_cast<unsigned>(wanted);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & bits) == bits;
}

// Channels last is plain memory when there is one channel or one pixel. It must then be described
// as plain: oneDNN 2.6 ignores the strides of dimensions of 1 when it looks for a primitive in its
// cache, but not when it chooses one, so two descriptions of the same memory get mixed up.
Tag ImageTag(const TensorType& type) {
  const bool one_order = type.shape[1] == 1 || type.shape[2] * type.shape[3] == 1;
  switch (type.layout) {
    case Layout::kPlain: return Tag::abcd;
    case Layout::kChannelsLast: return one_order ? Tag::abcd : Tag::acdb;
    case Layout::kChannels8: return Tag::aBcd8b;
    case Layout::kChannels16: return Tag::aBcd16b;
  }
  return Tag::abcd;
}

// oneDNN names formats by letters; these are row-major.
Tag PlainTag(size_t rank) {
  constexpr Tag kTags[] = {Tag::a, Tag::ab, Tag::abc, Tag::abcd, Tag::abcde};
  RM_CHECK(rank >= 1 && rank <= 5, "rank ", rank);
  return kTags[rank - 1];
}

// Those that oneDNN computes with here.
Type TypeOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return Type::f32;
    case DType::kBfloat16: return Type::bf16;
    case DType::kUInt8: return Type::u8;
    case DType::kInt64:
    case DType::kInt32:
    case DType::kBool: break;
  }
  RM_CHECK(false, "no tensor of oneDNN's is of ", DTypeName(dtype));
  return Type::undef;
}

// What an average divides by where its window reaches into the padding.
dnnl::algorithm AverageAlgorithm(bool count_padding) {
  return count_padding ? dnnl::algorithm::pooling_avg_include_padding
                       : dnnl::algorithm::pooling_avg_exclude_padding;
}

}  // namespace

// Never destroyed: kernels in static memory may hold memory objects of it.
const dnnl::engine& Engine() {
  static const dnnl::engine& engine = *new dnnl::engine(MakeEngine());
  return engine;
}

std::string OneDnnVersion() {
  const dnnl_version_t* version = ::dnnl_version();
  return absl::StrCat("oneDNN ", version->major, ".", version->minor, ".", version->patch);
}

bool OneDnnHasAvx512() { return Has(dnnl::cpu_isa::avx512_core); }

// Either set of instructions is used for all products; the second lies above the first.
bool OneDnnHasBfloat16() { return Has(dnnl::cpu_isa::avx512_core_bf16); }

bool OneDnnHasAvx2() { return Has(dnnl::cpu_isa::avx2); }

Desc Describe(const TensorType& type) {
  const Dims dims(type.shape.begin(), type.shape.end());
  return Desc(dims, TypeOf(type.dtype), dims.size() == 4 ? ImageTag(type) : PlainTag(dims.size()));
}

Desc DescribeAny(const Dims& dims, DType dtype) { return Desc(dims, TypeOf(dtype), Tag::any); }

Desc DescribeMatrix(int64_t rows, int64_t columns, bool transposed, DType dtype) {
  // One row or column is the same memory either way: one description, as for images.
  const bool one_order = rows == 1 || columns == 1;
  return Desc({rows, columns}, TypeOf(dtype), transposed && !one_order ? Tag::ba : Tag::ab);
}

// Scratch memory from the caller: the arena's plan shares it between all kernels of a graph, where
// oneDNN would hold some for each.
dnnl::primitive_attr PrimitiveAttributes(bool relu) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (!relu) return attributes;
  dnnl::post_ops post_ops;
  AppendRelu(&post_ops);
  attributes.set_post_ops(post_ops);
  return attributes;
}

// As a last step on each element, which every primitive that we use knows.
dnnl::primitive_attr ScalingAttributes(float factor) {
  dnnl::primitive_attr attributes = PrimitiveAttributes(false);
  if (factor == 1) return attributes;
  dnnl::post_ops post_ops;
  AppendFactor(factor, &post_ops);
  attributes.set_post_ops(post_ops);
  return attributes;
}

dnnl::convolution_forward::primitive_desc DescribeForward(const Convolution& conv,
                                                          const dnnl::primitive_attr& attributes) {
  return MakeDescription<dnnl::convolution_forward>(
      Engine(), attributes, dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_auto,
      conv.x, conv.w, conv.bias, conv.y, conv.strides, conv.dilates, conv.pads_begin,
      conv.pads_end);
}

// oneDNN describes a backward primitive with the forward one as a hint.
dnnl::convolution_backward_data::primitive_desc DescribeBackwardData(const Convolution& conv) {
  const dnnl::primitive_attr attributes = PrimitiveAttributes(false);
  return MakeBackwardDescription<dnnl::convolution_backward_data>(
      Engine(), attributes, DescribeForward(conv, attributes), dnnl::algorithm::convolution_auto,
      conv.x, conv.w, conv.y, conv.strides, conv.dilates, conv.pads_begin, conv.pads_end);
}

dnnl::convolution_backward_weights::primitive_desc DescribeBackwardWeights(
    const Convolution& conv) {
  const dnnl::primitive_attr attributes = PrimitiveAttributes(false);
  return MakeBackwardDescription<dnnl::convolution_backward_weights>(
      Engine(), attributes, DescribeForward(conv, attributes), dnnl::algorithm::convolution_auto,
      conv.x, conv.dw, conv.bias, conv.y, conv.strides, conv.dilates, conv.pads_begin,
      conv.pads_end);
}

// Forward as in training, though an average has no workspace: one description serves as the hint of
// the gradient as well.
dnnl::pooling_forward::primitive_desc DescribeAverage(const Pooling& pooling) {
  return MakePoolDescription<dnnl::pooling_forward>(
      Engine(), PrimitiveAttributes(false), dnnl::prop_kind::forward_training,
      AverageAlgorithm(pooling.count_padding), pooling.x, pooling.y, pooling.strides,
      pooling.kernel, pooling.pads_begin, pooling.pads_end);
}

dnnl::pooling_backward::primitive_desc DescribeAverageGradient(const Pooling& pooling) {
  return MakePoolGradientDescription(Engine(), PrimitiveAttributes(false),
                                     DescribeAverage(pooling),
                                     AverageAlgorithm(pooling.count_padding), pooling.x, pooling.y,
                                     pooling.strides, pooling.kernel, pooling.pads_begin,
                                     pooling.pads_end);
}

dnnl::matmul::primitive_desc DescribeMatMul(const Desc& a, const Desc& b, const Desc& bias,
                                            const Desc& y,
                                            const dnnl::primitive_attr& attributes) {
  return MakeDescription<dnnl::matmul>(Engine(), attributes, a, b, bias, y);
}

// The names of oneDNN's fallbacks have "ref" in them ("ref:any"); generated code has "jit", "brg",
// "gemm". There is no other way to ask, and a wrong answer costs time, not correctness.
bool IsSlow(const dnnl::primitive_desc_base& description) {
  return std::string(description.impl_info_str()).find("ref") != std::string::npos;
}

}  // namespace rm::kernels::cpu
