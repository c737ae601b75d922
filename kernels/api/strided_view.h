// A tensor of which only a part, or in another order, is walked through: what Transpose, Slice,
// Expand, Split and Concat have in common.
//
// Element (i0, i1, …) of the view lies at element offset + i0·strides[0] + i1·strides[1] + … of a
// tensor in plain layout. Reading through a view moves elements out (Slice); writing through it
// moves them in (Concat, SliceGrad).
//
//   const StridedView columns = TransposedView({2, 3}, {1, 0});   // shape (3, 2), strides (1, 3)
//   y[i] = x[columns.At(i)]                                       // Transpose, for each i of y
#ifndef RM_KERNELS_API_STRIDED_VIEW_H_
#define RM_KERNELS_API_STRIDED_VIEW_H_

#include <cstdint>
#include <vector>

#include "kernels/api/op.h"
#include "kernels/api/tensor.h"

namespace rm::kernels {

// Value semantics.
struct StridedView {
  Shape shape;         // of the view
  Shape strides;       // in elements, one a dimension of `shape`; 0 repeats, below 0 runs backwards
  int64_t offset = 0;  // of the view's first element

  // Where element `i` of the view, counted in row-major order, lies. REQUIRES: 0 ≤ i < elements.
  [[nodiscard]] int64_t At(int64_t i) const;
};

// Row-major strides of a plain tensor: (12, 4, 1) for (2, 3, 4).
[[nodiscard]] Shape PlainStrides(const Shape& shape);

// The dimensions of x in the order of `perm`. REQUIRES: a permutation of 0 … rank − 1.
[[nodiscard]] StridedView TransposedView(const Shape& x, const std::vector<int64_t>& perm);

// x repeated to `shape`. REQUIRES: x broadcasts to it.
[[nodiscard]] StridedView BroadcastView(const Shape& x, const Shape& shape);

// The part of x that begins at `begin` along `axis` and has `size` there. REQUIRES: it lies inside.
[[nodiscard]] StridedView PartView(const Shape& x, int64_t axis, int64_t begin, int64_t size);

// What Slice takes of x, by its attributes. REQUIRES: InferOutputs accepted them.
[[nodiscard]] StridedView SlicedView(const Shape& x, const Attributes& attributes);

// Elements that a slice takes: ⌈(end − start) / step⌉. REQUIRES: normalised as op.h says.
[[nodiscard]] int64_t SliceCount(int64_t start, int64_t end, int64_t step);

// Transpose's attribute perm, or the reversed order where it is missing.
[[nodiscard]] std::vector<int64_t> Permutation(const Attributes& attributes, size_t rank);

// One axis of a Slice, with what may be missing in the attributes filled in.
struct SliceAxis {
  int64_t axis, start, end, step;
};
// The attributes side by side. REQUIRES: lists of equal length, where present.
[[nodiscard]] std::vector<SliceAxis> SliceAxes(const Attributes& attributes);

}  // namespace rm::kernels

#endif  // RM_KERNELS_API_STRIDED_VIEW_H_
