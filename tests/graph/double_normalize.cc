// Softmax, LogSoftmax and LayerNormalization in double.
#include <algorithm>
#include <cmath>

#include "tests/graph/double_scene.h"

namespace rm::graph {
namespace {

using kernels::Shape;

// Elements along the axis and behind it: an element's neighbours on its line are `inner` apart.
struct Line {
  int64_t n, inner;

  explicit Line(const Scene& s) : n(1), inner(1) {
    const Shape& x = s.in_shapes[0];
    const int64_t axis = s.node->attributes.Int("axis", -1);
    const size_t at = Size(axis < 0 ? axis + static_cast<int64_t>(x.size()) : axis);
    n = x[at];
    for (size_t i = at + 1; i < x.size(); ++i) inner *= x[i];
  }
  // The first element of the line that element i lies on.
  [[nodiscard]] int64_t First(int64_t i) const { return i / (n * inner) * n * inner + i % inner; }
};

// log Σ exp of the line of each element.
void RunLogSoftmax(const Scene& s) {
  const Line line(s);
  for (size_t i = 0; i < s.out[0]->size(); ++i) {
    const int64_t first = line.First(static_cast<int64_t>(i));
    double most = (*s.in[0])[Size(first)];
    for (int64_t k = 0; k < line.n; ++k) {
      most = std::max(most, (*s.in[0])[Size(first + k * line.inner)]);
    }
    double sum = 0;
    for (int64_t k = 0; k < line.n; ++k) {
      sum += std::exp((*s.in[0])[Size(first + k * line.inner)] - most);
    }
    (*s.out[0])[i] = (*s.in[0])[i] - most - std::log(sum);
  }
}

void RunSoftmax(const Scene& s) {
  RunLogSoftmax(s);
  for (double& y : *s.out[0]) y = std::exp(y);
}

void RunLayerNormalization(const Scene& s) {
  const Line line(s);
  const size_t n = Size(line.n * line.inner);
  const double epsilon = static_cast<double>(s.node->attributes.Float("epsilon", 1e-5F));
  for (size_t begin = 0; begin < s.in[0]->size(); begin += n) {
    double mean = 0, square = 0;
    for (size_t i = begin; i < begin + n; ++i) {
      mean += (*s.in[0])[i] / static_cast<double>(n);
      square += (*s.in[0])[i] * (*s.in[0])[i] / static_cast<double>(n);
    }
    const double deviation = std::sqrt(square - mean * mean + epsilon);
    for (size_t i = 0; i < n; ++i) {
      const double normal = ((*s.in[0])[begin + i] - mean) / deviation;
      (*s.out[0])[begin + i] =
          normal * (*s.in[1])[i] + (s.has_input(2) ? (*s.in[2])[i] : 0);
    }
  }
}

constexpr DoubleOperator kOperators[] = {
    {"LayerNormalization", &RunLayerNormalization},
    {"LogSoftmax", &RunLogSoftmax},
    {"Softmax", &RunSoftmax},
};

}  // namespace

DoubleOperators NormalizeDoubleOperators() { return kOperators; }

}  // namespace rm::graph
