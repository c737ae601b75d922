// Sums, means and maxima along axes and over windows, in double.
#include <algorithm>
#include <limits>

#include "tests/graph/double_scene.h"

namespace rm::graph {
namespace {

using kernels::Shape;

// The element of Y that each element of X is reduced to, by place in X.
std::vector<size_t> Destinations(const Scene& s) {
  const Shape& x = s.in_shapes[0];
  const int64_t rank = static_cast<int64_t>(x.size());
  const std::vector<int64_t> axes = s.node->attributes.Ints("axes", {});
  Shape kept = x;  // with 1 along reduced axes, whatever keepdims says: it is the same memory
  for (int64_t i = 0; i < rank; ++i) {
    const bool named = std::count(axes.begin(), axes.end(), i) > 0 ||
                       std::count(axes.begin(), axes.end(), i - rank) > 0;
    if (axes.empty() || named) kept[Size(i)] = 1;
  }
  std::vector<size_t> places;
  for (int64_t i = 0; i < kernels::ElementCount(x); ++i) {
    places.push_back(BroadcastIndex(kept, x, i));
  }
  return places;
}

void RunReduceSum(const Scene& s) {
  std::fill(s.out[0]->begin(), s.out[0]->end(), 0.0);
  const std::vector<size_t> to = Destinations(s);
  for (size_t i = 0; i < to.size(); ++i) (*s.out[0])[to[i]] += (*s.in[0])[i];
}

void RunReduceMean(const Scene& s) {
  RunReduceSum(s);
  const double terms = static_cast<double>(s.in[0]->size() / s.out[0]->size());
  for (double& y : *s.out[0]) y /= terms;
}

void RunReduceMax(const Scene& s) {
  std::fill(s.out[0]->begin(), s.out[0]->end(), -std::numeric_limits<double>::infinity());
  const std::vector<size_t> to = Destinations(s);
  for (size_t i = 0; i < to.size(); ++i) {
    (*s.out[0])[to[i]] = std::max((*s.out[0])[to[i]], (*s.in[0])[i]);
  }
}

void RunGlobalAveragePool(const Scene& s) {
  const size_t pixels = s.in[0]->size() / s.out[0]->size();
  std::fill(s.out[0]->begin(), s.out[0]->end(), 0.0);
  for (size_t i = 0; i < s.in[0]->size(); ++i) {
    (*s.out[0])[i / pixels] += (*s.in[0])[i] / static_cast<double>(pixels);
  }
}

void RunAveragePool(const Scene& s) {
  const kernels::Window2d win = kernels::ReadWindow2d(s.node->attributes, {});
  const bool padding = s.node->attributes.Int("count_include_pad", 0) != 0;
  const Shape& x = s.in_shapes[0];
  const Shape& y = s.out_shapes[0];
  for (int64_t i = 0; i < kernels::ElementCount(y); ++i) {
    const int64_t top = i / y[3] % y[2] * win.stride_h - win.pad_top;
    const int64_t left = i % y[3] * win.stride_w - win.pad_left;
    const int64_t image = i / (y[2] * y[3]);
    double sum = 0, count = 0;
    for (int64_t k = 0; k < win.kernel_h * win.kernel_w; ++k) {
      const int64_t h = top + k / win.kernel_w * win.dilation_h;
      const int64_t w = left + k % win.kernel_w * win.dilation_w;
      const bool inside = h >= 0 && h < x[2] && w >= 0 && w < x[3];
      if (inside) sum += (*s.in[0])[Size((image * x[2] + h) * x[3] + w)];
      if (inside || padding) ++count;
    }
    (*s.out[0])[Size(i)] = sum / count;
  }
}

constexpr DoubleOperator kOperators[] = {
    {"AveragePool", &RunAveragePool},
    {"GlobalAveragePool", &RunGlobalAveragePool},
    {"ReduceMax", &RunReduceMax},
    {"ReduceMean", &RunReduceMean},
    {"ReduceSum", &RunReduceSum},
};

}  // namespace

DoubleOperators ReduceDoubleOperators() { return kOperators; }

}  // namespace rm::graph
