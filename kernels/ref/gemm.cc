// Gemm(A, B[, C]) → Y: Y = activation(alpha · op(A) · op(B) + beta · C).
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// Y = alpha · op(A) · op(B) + beta · C, op being the transpose where the attribute says so; C is
// broadcast to (M, N) by strides of zero.
class Gemm final : public Kernel {
 public:
  explicit Gemm(const OpInstance& op)
      : m_(op.outputs[0].type.shape[0]),
        n_(op.outputs[0].type.shape[1]),
        trans_a_(op.attributes.Int("transA", 0) != 0),
        trans_b_(op.attributes.Int("transB", 0) != 0),
        k_(op.inputs[0].type.shape[trans_a_ ? 0 : 1]),
        alpha_(op.attributes.Float("alpha", 1.0F)),
        beta_(op.attributes.Float("beta", 1.0F)),
        relu_(op.attributes.String("activation", "") == "relu") {
    if (!op.has_input(2)) return;
    // A C of any legal shape is read by two strides; one that is stretched is 0.
    // C is (M, N), (M, 1), (1, N), (N), (1) or a scalar.
    const Shape& c = op.inputs[2].type.shape;
    if (!c.empty() && c.back() == n_) c_column_stride_ = n_ == 1 ? 0 : 1;
    if (c.size() == 2 && c[0] == m_ && m_ != 1) c_row_stride_ = c[1];
  }

  absl::Status Run(const Arguments& arguments) override {
    const auto* a = arguments.input<float>(0);  // (M, K), or (K, M) when transA
    const auto* b = arguments.input<float>(1);  // (K, N), or (N, K) when transB
    const auto* c = arguments.input<float>(2);
    auto* y = arguments.output<float>(0);  // (M, N)
    for (int64_t i = 0; i < m_; ++i) {
      for (int64_t j = 0; j < n_; ++j) {
        double value = static_cast<double>(alpha_) * Dot(a, b, i, j);
        if (c != nullptr) {
          value += static_cast<double>(beta_) *
                   static_cast<double>(c[i * c_row_stride_ + j * c_column_stride_]);
        }
        // The fused activation sees the value before it is rounded to float32.
        if (relu_ && value < 0) value = 0;
        y[i * n_ + j] = static_cast<float>(value);
      }
    }
    return absl::OkStatus();
  }

 private:
  // Row i of op(A) times column j of op(B).
  [[nodiscard]] double Dot(const float* a, const float* b, int64_t i, int64_t j) const {
    double sum = 0;
    for (int64_t k = 0; k < k_; ++k) {
      const float left = trans_a_ ? a[k * m_ + i] : a[i * k_ + k];
      const float right = trans_b_ ? b[j * k_ + k] : b[k * n_ + j];
      sum += static_cast<double>(left) * static_cast<double>(right);
    }
    return sum;
  }

  const int64_t m_, n_;
  const bool trans_a_, trans_b_;
  const int64_t k_;
  const float alpha_, beta_;
  const bool relu_;
  int64_t c_row_stride_ = 0;
  int64_t c_column_stride_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeGemm(const OpInstance& instance,
                                                 const KernelOptions& /*options*/) {
  return std::make_unique<Gemm>(instance);
}

}  // namespace rm::kernels::ref
