#include "kernels/cpu/sgemm_kernel.h"

#include <dnnl.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "kernels/cpu/element_loops.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/parallel.h"

namespace rm::kernels::cpu {
namespace {

// A panel's rows are 768 bytes apart: whole vectors, and rows of one page meet no cache set twice.
constexpr int64_t kPanelColumns = 192;

void CopyFloats(float* to, const float* from, int64_t count) {
  std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
}

// alpha · op(A) · op(B) + beta · Y, for some neighbouring columns of op(B) and Y.
absl::Status Multiply(const ProductShape& s, float alpha, const float* a, const float* b,
                      int64_t b_stride, int64_t columns, float beta, float* y) {
  const dnnl_status_t status =
      dnnl_sgemm(s.trans_a ? 'T' : 'N', s.trans_b ? 'T' : 'N', s.m, columns, s.k, alpha, a,
                 s.trans_a ? s.m : s.k, b, b_stride, beta, y, s.n);
  if (status == dnnl_success) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("oneDNN could not multiply ", s.m, "×", s.k, " by ", s.k,
                                          "×", columns, " (status ", static_cast<int>(status),
                                          ")"));
}

// Y is filled with beta · C, the product is added to it, and relu ends it. Two more passes over Y
// than the primitive needs; Y is small beside the product wherever this kernel is chosen.
class SgemmKernel final : public Kernel {
 public:
  SgemmKernel(const ProductShape& shape, bool packed, const ProductEnding& ending, int threads)
      : shape_(shape),
        packed_(packed),
        ending_(ending),
        threads_(threads),
        loops_(ChooseIsa(v1::kElementLoops, v3::kElementLoops, v4::kElementLoops)) {}

  size_t scratch_bytes() const override {
    return packed_ ? static_cast<size_t>(shape_.k * kPanelColumns) * sizeof(float) : 0;
  }

  absl::Status Run(const Arguments& arguments) override {
    const auto* a = arguments.input<float>(0);
    const auto* b = arguments.input<float>(1);
    const auto* c = arguments.input<float>(2);
    auto* y = arguments.output<float>(0);
    if (c != nullptr) FillWithC(c, y);
    // The BLAS function does not throw, but takes its threads from OpenMP as the primitives do.
    UseThreads(threads_);
    const float beta = c != nullptr ? 1 : 0;
    if (packed_) {
      RM_RETURN_IF_ERROR(MultiplyPacked(a, b, beta, y, static_cast<float*>(arguments.scratch)));
    } else {
      const int64_t b_stride = shape_.trans_b ? shape_.k : shape_.n;
      RM_RETURN_IF_ERROR(Multiply(shape_, ending_.alpha, a, b, b_stride, shape_.n, beta, y));
    }
    if (ending_.relu) loops_.relu(y, y, shape_.m * shape_.n);
    return absl::OkStatus();
  }

 private:
  // Y = beta · C
  void FillWithC(const float* c, float* y) const {
    // The usual case is a bias: the same row again and again.
    const bool copy = ending_.c_column_stride == 1 && ending_.beta == 1;
    for (int64_t i = 0; i < shape_.m; ++i) {
      const float* from = c + i * ending_.c_row_stride;
      float* to = y + i * shape_.n;
      if (copy) {
        CopyFloats(to, from, shape_.n);
        continue;
      }
      for (int64_t j = 0; j < shape_.n; ++j) {
        to[j] = ending_.beta * from[j * ending_.c_column_stride];
      }
    }
  }

  // `panel` has room for (K, kPanelColumns).
  [[nodiscard]] absl::Status MultiplyPacked(const float* a, const float* b, float beta, float* y,
                                            float* panel) const {
    // The last panel may be narrower; its rows are as far apart as those of the others.
    for (int64_t first = 0; first < shape_.n; first += kPanelColumns) {
      const int64_t columns = std::min(kPanelColumns, shape_.n - first);
      for (int64_t k = 0; k < shape_.k; ++k) {
        CopyFloats(panel + k * kPanelColumns, b + k * shape_.n + first, columns);
      }
      RM_RETURN_IF_ERROR(
          Multiply(shape_, ending_.alpha, a, panel, kPanelColumns, columns, beta, y + first));
    }
    return absl::OkStatus();
  }

  const ProductShape shape_;
  const bool packed_;
  const ProductEnding ending_;
  const int threads_;
  const ElementLoops& loops_;
};

}  // namespace

absl::Status Sgemm(const ProductShape& shape, const float* a, const float* b, float beta,
                   float* y) {
  return Multiply(shape, 1, a, b, shape.trans_b ? shape.k : shape.n, shape.n, beta, y);
}

std::unique_ptr<Kernel> MakeSgemmKernel(const ProductShape& shape, bool packed,
                                        const ProductEnding& ending, int threads) {
  return std::make_unique<SgemmKernel>(shape, packed, ending, threads);
}

}  // namespace rm::kernels::cpu
