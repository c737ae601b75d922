// Gemm(A, B[, C]) → Y by oneDNN: a layer's forward product x · Wᵀ + b, its dX = dY · W and its
// dW = dYᵀ · X, all with W as it lies in its bucket, (out, in).
//
// Weights are never copied into a format of oneDNN's own: that costs a pass over W at each step
// (119 µs for 784 × 512), and the product gains less (450 µs instead of 480). In bfloat16 A and B have
// been cast before, once for all products that read them, and the primitive packs B on its way: twice
// as fast as in float32.
#include "kernels/api/bfloat16_form.h"
#include "kernels/api/check_instance.h"
#include "kernels/cpu/onednn_kernel.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/product.h"
#include "kernels/cpu/sgemm_kernel.h"

namespace rm::kernels::cpu {
namespace {

// The product without its ending.
ProductShape ShapeOf(const OpInstance& op) {
  const bool trans_a = op.attributes.Int("transA", 0) != 0;
  const bool trans_b = op.attributes.Int("transB", 0) != 0;
  const Shape& y = op.outputs[0].type.shape;
  return {y[0], y[1], op.inputs[0].type.shape[trans_a ? 0 : 1], trans_a, trans_b};
}

// What is done to the product before it is Y.
ProductEnding EndingOf(const OpInstance& op) {
  ProductEnding ending;
  ending.alpha = op.attributes.Float("alpha", 1);
  ending.beta = op.attributes.Float("beta", 1);
  ending.relu = op.attributes.String("activation", "") == "relu";
  if (!op.has_input(2)) return ending;
  // C is (M, N), (M, 1), (1, N), (N), (1) or a scalar: a dimension of 1 is not stepped over.
  const Shape& c = op.inputs[2].type.shape;
  const Shape& y = op.outputs[0].type.shape;
  if (!c.empty() && c.back() == y[1] && y[1] != 1) ending.c_column_stride = 1;
  if (c.size() == 2 && c[0] == y[0] && y[0] != 1) ending.c_row_stride = c[1];
  return ending;
}

// The primitive computes A · B + row; anything more general goes through the BLAS function.
bool FitsPrimitive(const OpInstance& op) {
  const ProductEnding ending = EndingOf(op);
  if (ending.alpha != 1) return false;
  if (!op.has_input(2)) return true;
  const bool is_row = op.inputs[2].type.elements() == op.outputs[0].type.shape[1] &&
                      ending.c_row_stride == 0;
  return is_row && ending.beta == 1;
}

// A · B + row, relu: one primitive, which does the ending while the result is in registers.
PrimitivePlan Plan(const OpInstance& op) {
  const ProductShape s = ShapeOf(op);
  const Desc a = DescribeMatrix(s.m, s.k, s.trans_a, op.inputs[0].type.dtype);
  const Desc b = DescribeMatrix(s.k, s.n, s.trans_b, op.inputs[1].type.dtype);
  const Desc y = DescribeMatrix(s.m, s.n, false);
  const Desc bias = op.has_input(2) ? DescribeMatrix(1, s.n, false) : Desc();
  const auto description =
      DescribeMatMul(a, b, bias, y, PrimitiveAttributes(EndingOf(op).relu));
  PrimitivePlan plan{dnnl::matmul(description), description.scratchpad_desc(), {}, {}};
  plan.inputs = {{DNNL_ARG_SRC, 0, a, a}, {DNNL_ARG_WEIGHTS, 1, b, b}};
  if (op.has_input(2)) plan.inputs.push_back({DNNL_ARG_BIAS, 2, bias, bias});
  plan.outputs = {{DNNL_ARG_DST, 0, y, y}};
  return plan;
}

bool HasElements(const OpInstance& op) {
  const ProductShape s = ShapeOf(op);
  return s.m > 0 && s.n > 0 && s.k > 0;
}

}  // namespace

// In bfloat16 what the primitive can do as a whole, with generated code.
bool SupportsGemm(const OpInstance& instance) {
  if (!AllPlain(instance)) return false;
  if (CheckInstance(instance).ok()) return HasElements(instance);
  return OneDnnHasBfloat16() && IsBfloat16Form(instance) && HasElements(instance) &&
         FitsPrimitive(instance) && IsFast(instance, &Plan);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeGemm(const OpInstance& instance,
                                                 const KernelOptions& options) {
  if (instance.inputs[0].type.dtype == DType::kBfloat16) {
    return MakeOneDnnKernel(instance, options, &Plan);
  }
  const ProductShape shape = ShapeOf(instance);
  const ProductForm form = ChooseProductForm(shape);
  if (form == ProductForm::kMatMul && FitsPrimitive(instance)) {
    return MakeOneDnnKernel(instance, options, &Plan);
  }
  return MakeSgemmKernel(shape, form == ProductForm::kPackedSgemm, EndingOf(instance),
                         options.threads);
}

}  // namespace rm::kernels::cpu
