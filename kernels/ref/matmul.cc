// MatMul(A, B) → Y: matrices in the last two dimensions, transposed or not; the others broadcast.
#include <utility>

#include "kernels/api/shapes.h"
#include "kernels/ref/ops.h"
#include "kernels/ref/strides.h"

namespace rm::kernels::ref {
namespace {

// One batch of matrices as MatMul sees it: a vector is a row on the left, a column on the right.
struct Matrices {
  Shape batch;
  int64_t rows = 1;
  int64_t columns = 1;
  // How far to step in memory for the next row and column.
  int64_t row_stride = 1;
  int64_t column_stride = 1;

  // `left`: the shape is that of A.
  Matrices(const Shape& shape, bool left, bool transposed) {
    Measure(shape, left);
    row_stride = columns;
    if (!transposed) return;
    std::swap(rows, columns);
    std::swap(row_stride, column_stride);
  }

  void Measure(const Shape& shape, bool left) {
    if (shape.size() == 1) {
      (left ? columns : rows) = shape[0];
      return;
    }
    batch = Shape(shape.begin(), shape.end() - 2);
    rows = shape[shape.size() - 2];
    columns = shape.back();
  }
};

// The batch dimensions of the product, by broadcasting; the graph has checked that they fit.
Shape BatchOf(const Matrices& a, const Matrices& b) {
  absl::StatusOr<Shape> batch = Broadcast(a.batch, b.batch);
  return batch.ok() ? *std::move(batch) : Shape();
}

// A stack of matrix products; an operand with fewer batch dimensions is used again for each of the
// other's.
class MatMul final : public Kernel {
 public:
  explicit MatMul(const OpInstance& op)
      : a_(op.inputs[0].type.shape, true, op.attributes.Int("transA", 0) != 0),
        b_(op.inputs[1].type.shape, false, op.attributes.Int("transB", 0) != 0),
        alpha_(static_cast<double>(op.attributes.Float("alpha", 1))),
        batch_(BatchOf(a_, b_)),
        a_strides_(BroadcastStrides(a_.batch, batch_)),
        b_strides_(BroadcastStrides(b_.batch, batch_)) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* a = arguments.input<float>(0);
    const auto* b = arguments.input<float>(1);
    auto* y = arguments.output<float>(0);
    const int64_t count = ElementCount(batch_);
    for (int64_t i = 0; i < count; ++i) {
      Multiply(a + StridedOffset(i, batch_, a_strides_) * a_.rows * a_.columns,
               b + StridedOffset(i, batch_, b_strides_) * b_.rows * b_.columns,
               y + i * a_.rows * b_.columns);
    }
    return absl::OkStatus();
  }

 private:
  // op(a) (M, K), op(b) (K, N), y (M, N)
  // The plainest of products: one dot product an element, in double.
  void Multiply(const float* a, const float* b, float* y) const {
    for (int64_t i = 0; i < a_.rows; ++i) {
      for (int64_t j = 0; j < b_.columns; ++j) {
        double sum = 0;
        for (int64_t k = 0; k < a_.columns; ++k) {
          sum += static_cast<double>(a[i * a_.row_stride + k * a_.column_stride]) *
                 static_cast<double>(b[k * b_.row_stride + j * b_.column_stride]);
        }
        y[i * b_.columns + j] = static_cast<float>(alpha_ * sum);
      }
    }
  }

  const Matrices a_;
  const Matrices b_;
  const double alpha_;
  const Shape batch_;  // of Y
  const Shape a_strides_;
  const Shape b_strides_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeMatMul(const OpInstance& instance,
                                                   const KernelOptions& /*options*/) {
  return std::make_unique<MatMul>(instance);
}

}  // namespace rm::kernels::ref
