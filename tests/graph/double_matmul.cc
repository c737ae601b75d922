// MatMul in double: stacks of matrices, transposed or not.
#include <utility>

#include "tests/graph/double_scene.h"

namespace rm::graph {
namespace {

using kernels::Shape;

// An operand as a stack of matrices: a vector is a row on the left, a column on the right.
struct Stack {
  Shape batch;
  int64_t rows = 1, columns = 1;
  bool transposed = false;

  Stack(Shape shape, bool left, bool swap) : transposed(swap) {
    if (shape.size() == 1) shape.insert(left ? shape.begin() : shape.end(), 1);
    batch = Shape(shape.begin(), shape.end() - 2);
    rows = shape[shape.size() - 2];
    columns = shape.back();
    if (swap) std::swap(rows, columns);
  }

  // Of the matrix that belongs to place `matrix` of the product's batch.
  [[nodiscard]] size_t At(const Shape& product, int64_t matrix, int64_t row,
                          int64_t column) const {
    const size_t begin = BroadcastIndex(batch, product, matrix) * Size(rows * columns);
    return begin + Size(transposed ? column * rows + row : row * columns + column);
  }
};

void RunMatMul(const Scene& s) {
  const kernels::Attributes& attributes = s.node->attributes;
  const Stack a(s.in_shapes[0], true, attributes.Int("transA", 0) != 0);
  const Stack b(s.in_shapes[1], false, attributes.Int("transB", 0) != 0);
  const double alpha = static_cast<double>(attributes.Float("alpha", 1));
  // What is left of Y when rows and columns that only a vector lacks are taken away.
  Shape batch = s.out_shapes[0];
  if (s.in_shapes[0].size() > 1) batch.pop_back();
  if (s.in_shapes[1].size() > 1) batch.pop_back();
  for (size_t i = 0; i < s.out[0]->size(); ++i) {
    const int64_t column = static_cast<int64_t>(i) % b.columns;
    const int64_t row = static_cast<int64_t>(i) / b.columns % a.rows;
    const int64_t matrix = static_cast<int64_t>(i) / b.columns / a.rows;
    double sum = 0;
    for (int64_t k = 0; k < a.columns; ++k) {
      sum += (*s.in[0])[a.At(batch, matrix, row, k)] * (*s.in[1])[b.At(batch, matrix, k, column)];
    }
    (*s.out[0])[i] = alpha * sum;
  }
}

constexpr DoubleOperator kOperators[] = {
    {"MatMul", &RunMatMul},
};

}  // namespace

DoubleOperators MatMulDoubleOperators() { return kOperators; }

}  // namespace rm::graph
