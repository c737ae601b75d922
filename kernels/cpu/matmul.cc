// MatMul(A, B) → Y by oneDNN: one B for all of A, or batches that are equal or of one.
//
// These are what models are made of: a layer over (B, T, C), the products of attention and their
// gradients. A transposed operand is told to oneDNN by its strides, so nothing is moved in memory.
// Batches that stretch against each other, and vectors, are left to the reference.
#include "kernels/api/bfloat16_form.h"
#include "kernels/api/check_instance.h"
#include "kernels/cpu/onednn_kernel.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/product.h"
#include "kernels/cpu/sgemm_kernel.h"

namespace rm::kernels::cpu {
namespace {

// The instance as products of one shape; a batch of 0 is one we do not take.
struct Products {
  int64_t batch = 0;
  int64_t a_batch = 0;  // batch, or 1 when one matrix serves all products
  int64_t b_batch = 0;
  ProductShape each{};
};

// The matrices that the dimensions before the last two count.
int64_t BatchOf(const Shape& shape) {
  return ElementCount(Shape(shape.begin(), shape.end() - 2));
}

// Whether the operand is Y's whole batch in Y's order, or a single matrix.
bool FitsBatch(const Shape& operand, const Shape& y) {
  if (BatchOf(operand) == 1) return true;
  return Shape(operand.begin(), operand.end() - 2) == Shape(y.begin(), y.end() - 2);
}

Products ProductsOf(const OpInstance& op) {
  const Shape& a = op.inputs[0].type.shape;
  const Shape& b = op.inputs[1].type.shape;
  const Shape& y = op.outputs[0].type.shape;
  if (a.size() < 2 || b.size() < 2) return {};
  const bool trans_a = op.attributes.Int("transA", 0) != 0;
  const bool trans_b = op.attributes.Int("transB", 0) != 0;
  const int64_t k = trans_a ? a[a.size() - 2] : a.back();
  const ProductShape each{y[y.size() - 2], y.back(), k, trans_a, trans_b};
  // All of A against one B is one product with more rows, where these lie one behind the other.
  if (BatchOf(b) == 1 && !trans_a) {
    ProductShape all = each;
    all.m = ElementCount(y) / (each.n > 0 ? each.n : 1);
    return {1, 1, 1, all};
  }
  if (!FitsBatch(a, y) || !FitsBatch(b, y)) return {};
  return {BatchOf(y), BatchOf(a), BatchOf(b), each};
}

// `batch` matrices; without that dimension oneDNN has more code to choose from. Throws.
Desc DescribeMatrices(int64_t batch, int64_t rows, int64_t columns, bool transposed, bool stacked,
                      DType dtype) {
  if (!stacked) return DescribeMatrix(rows, columns, transposed, dtype);
  const int64_t matrix = rows * columns;
  const Dims strides = transposed ? Dims{matrix, 1, rows} : Dims{matrix, columns, 1};
  const bool narrow = dtype == DType::kBfloat16;
  const auto type = narrow ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
  return Desc({batch, rows, columns}, type, strides);
}

// One product, or a batch of them in one primitive.
PrimitivePlan Plan(const OpInstance& op) {
  const Products p = ProductsOf(op);
  const ProductShape& s = p.each;
  const bool stacked = p.batch > 1;
  const DType dtype = op.inputs[0].type.dtype;
  const Desc a = DescribeMatrices(p.a_batch, s.m, s.k, s.trans_a, stacked, dtype);
  const Desc b = DescribeMatrices(p.b_batch, s.k, s.n, s.trans_b, stacked, dtype);
  const Desc y = DescribeMatrices(p.batch, s.m, s.n, false, stacked, DType::kFloat32);
  const auto description =
      DescribeMatMul(a, b, Desc(), y, ScalingAttributes(op.attributes.Float("alpha", 1)));
  PrimitivePlan plan{dnnl::matmul(description), description.scratchpad_desc(), {}, {}};
  plan.inputs = {{DNNL_ARG_SRC, 0, a, a}, {DNNL_ARG_WEIGHTS, 1, b, b}};
  plan.outputs = {{DNNL_ARG_DST, 0, y, y}};
  return plan;
}

bool Takes(const OpInstance& op) {
  const Products p = ProductsOf(op);
  return p.batch > 0 && p.each.m > 0 && p.each.n > 0 && p.each.k > 0;
}

}  // namespace

// In bfloat16 where there is generated code.
bool SupportsMatMul(const OpInstance& instance) {
  if (!AllPlain(instance)) return false;
  if (CheckInstance(instance).ok()) return Takes(instance);
  return OneDnnHasBfloat16() && IsBfloat16Form(instance) && Takes(instance) &&
         IsFast(instance, &Plan);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeMatMul(const OpInstance& instance,
                                                   const KernelOptions& options) {
  if (instance.inputs[0].type.dtype == DType::kBfloat16) {
    return MakeOneDnnKernel(instance, options, &Plan);
  }
  const Products p = ProductsOf(instance);
  const ProductForm form = ChooseProductForm(p.each);
  if (p.batch == 1 && form != ProductForm::kMatMul) {
    ProductEnding ending;
    ending.alpha = instance.attributes.Float("alpha", 1);
    return MakeSgemmKernel(p.each, form == ProductForm::kPackedSgemm, ending, options.threads);
  }
  return MakeOneDnnKernel(instance, options, &Plan);
}

}  // namespace rm::kernels::cpu
