// A tensor seen along one axis, or behind one: for the reference kernels that normalise.
#ifndef RM_KERNELS_REF_AXIS_H_
#define RM_KERNELS_REF_AXIS_H_

#include <cstddef>
#include <cstdint>

#include "kernels/api/tensor.h"

namespace rm::kernels::ref {

// (outer, n, inner): element i of line l is at At(l, i), where a line is what lies along the axis.
struct Axis {
  int64_t outer = 1;
  int64_t n = 1;
  int64_t inner = 1;

  // An axis counts from the end when it is negative. REQUIRES: it is one of the shape's.
  Axis(const Shape& shape, int64_t axis) {
    const auto rank = static_cast<int64_t>(shape.size());
    const int64_t at = axis < 0 ? axis + rank : axis;
    for (int64_t i = 0; i < rank; ++i) {
      (i < at ? outer : i == at ? n : inner) *= shape[static_cast<size_t>(i)];
    }
  }

  [[nodiscard]] int64_t lines() const { return outer * inner; }
  [[nodiscard]] int64_t At(int64_t line, int64_t i) const {
    return (line / inner * n + i) * inner + line % inner;
  }
};

// (count, n): the dimensions from the axis on are one row.
struct Rows {
  int64_t count = 1;
  int64_t n = 1;

  // As for Axis.
  Rows(const Shape& shape, int64_t axis) {
    const Axis at(shape, axis);
    count = at.outer;
    n = at.n * at.inner;
  }
};

}  // namespace rm::kernels::ref

#endif  // RM_KERNELS_REF_AXIS_H_
