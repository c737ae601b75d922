#include "kernels/api/strided_view.h"

namespace rm::kernels {

// Takes the index apart by divisions, one axis at a time: slow, but nothing can go wrong in it.
int64_t StridedView::At(int64_t i) const {
  int64_t place = offset;
  for (size_t axis = shape.size(); axis-- > 0;) {
    place += i % shape[axis] * strides[axis];
    i /= shape[axis];
  }
  return place;
}

Shape PlainStrides(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

StridedView TransposedView(const Shape& x, const std::vector<int64_t>& perm) {
  const Shape strides = PlainStrides(x);
  StridedView view;
  for (const int64_t axis : perm) {
    view.shape.push_back(x[static_cast<size_t>(axis)]);
    view.strides.push_back(strides[static_cast<size_t>(axis)]);
  }
  return view;
}

// Both shapes are aligned at their ends. Dimensions in front of all of x's keep their stride of 0.
StridedView BroadcastView(const Shape& x, const Shape& shape) {
  const Shape strides = PlainStrides(x);
  StridedView view{shape, Shape(shape.size(), 0), 0};
  for (size_t i = 1; i <= x.size(); ++i) {
    const bool repeated = x[x.size() - i] == 1;
    view.strides[shape.size() - i] = repeated ? 0 : strides[x.size() - i];
  }
  return view;
}

StridedView PartView(const Shape& x, int64_t axis, int64_t begin, int64_t size) {
  StridedView view{x, PlainStrides(x), 0};
  view.shape[static_cast<size_t>(axis)] = size;
  view.offset = begin * view.strides[static_cast<size_t>(axis)];
  return view;
}

StridedView SlicedView(const Shape& x, const Attributes& attributes) {
  StridedView view{x, PlainStrides(x), 0};
  for (const SliceAxis& slice : SliceAxes(attributes)) {
    const auto axis = static_cast<size_t>(slice.axis);
    view.shape[axis] = SliceCount(slice.start, slice.end, slice.step);
    view.offset += slice.start * view.strides[axis];
    // Of one element there is no next one, and the product might overflow.
    view.strides[axis] = view.shape[axis] > 1 ? view.strides[axis] * slice.step : 0;
  }
  return view;
}

// Written so that no step, however large, overflows.
int64_t SliceCount(int64_t start, int64_t end, int64_t step) {
  if (start == end) return 0;
  return step > 0 ? (end - start - 1) / step + 1 : (end - start + 1) / step + 1;
}

std::vector<int64_t> Permutation(const Attributes& attributes, size_t rank) {
  std::vector<int64_t> reversed;
  for (size_t i = rank; i-- > 0;) reversed.push_back(static_cast<int64_t>(i));
  return attributes.Ints("perm", reversed);
}

// Missing axes are 0, 1, …; missing steps are 1.
std::vector<SliceAxis> SliceAxes(const Attributes& attributes) {
  const std::vector<int64_t> starts = attributes.Ints("starts", {});
  const std::vector<int64_t> ends = attributes.Ints("ends", {});
  const std::vector<int64_t> axes = attributes.Ints("axes", {});
  const std::vector<int64_t> steps = attributes.Ints("steps", {});
  std::vector<SliceAxis> slices;
  for (size_t i = 0; i < starts.size(); ++i) {
    slices.push_back({axes.empty() ? static_cast<int64_t>(i) : axes[i], starts[i], ends[i],
                      steps.empty() ? 1 : steps[i]});
  }
  return slices;
}

}  // namespace rm::kernels
