// MatMul(A, B) → Y by oneDNN: one B for all of A, or batches of equal shape.
//
// These are what models are made of: a layer over (B, T, C) and the products of attention. Batches
// that stretch against each other, and vectors, are left to the reference.
#include "kernels/api/check_instance.h"
#include "kernels/cpu/onednn_kernel.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/product.h"
#include "kernels/cpu/sgemm_kernel.h"

namespace rm::kernels::cpu {
namespace {

// The instance as `batch` products of one shape; a batch of 0 is one we do not take.
struct Products {
  int64_t batch = 0;
  ProductShape each{};
};

Products ProductsOf(const OpInstance& op) {
  const Shape& a = op.inputs[0].type.shape;
  const Shape& b = op.inputs[1].type.shape;
  if (a.size() < 2 || b.size() < 2) return {};
  const int64_t k = a.back();
  const int64_t n = b.back();
  // All of A against one B is one product with more rows.
  if (b.size() == 2) return {1, {ElementCount(a) / (k > 0 ? k : 1), n, k, false, false}};
  const Shape a_batch(a.begin(), a.end() - 2);
  const Shape b_batch(b.begin(), b.end() - 2);
  if (a_batch != b_batch) return {};
  return {ElementCount(a_batch), {a[a.size() - 2], n, k, false, false}};
}

// One product, or a batch of them in one primitive.
PrimitivePlan Plan(const OpInstance& op) {
  const Products p = ProductsOf(op);
  const auto describe = [&p](int64_t rows, int64_t columns) {
    // Without a third dimension oneDNN has more code to choose from.
    if (p.batch == 1) return DescribeMatrix(rows, columns, false);
    return Describe({DType::kFloat32, {p.batch, rows, columns}, Layout::kPlain});
  };
  const Desc a = describe(p.each.m, p.each.k);
  const Desc b = describe(p.each.k, p.each.n);
  const Desc y = describe(p.each.m, p.each.n);
  const auto description = DescribeMatMul(a, b, Desc(), y, PrimitiveAttributes(false));
  PrimitivePlan plan{dnnl::matmul(description), description.scratchpad_desc(), {}, {}};
  plan.inputs = {{DNNL_ARG_SRC, 0, a, a}, {DNNL_ARG_WEIGHTS, 1, b, b}};
  plan.outputs = {{DNNL_ARG_DST, 0, y, y}};
  return plan;
}

}  // namespace

bool SupportsMatMul(const OpInstance& instance) {
  if (!AllPlain(instance) || !CheckInstance(instance).ok()) return false;
  const Products p = ProductsOf(instance);
  return p.batch > 0 && p.each.m > 0 && p.each.n > 0 && p.each.k > 0;
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeMatMul(const OpInstance& instance,
                                                   const KernelOptions& options) {
  const Products p = ProductsOf(instance);
  const ProductForm form = ChooseProductForm(p.each);
  if (p.batch == 1 && form != ProductForm::kMatMul) {
    return MakeSgemmKernel(p.each, form == ProductForm::kPackedSgemm, {}, options.threads);
  }
  return MakeOneDnnKernel(instance, options, &Plan);
}

}  // namespace rm::kernels::cpu
