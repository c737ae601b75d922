// Batch normalisation in double, with the batch's statistics and with given ones.
#include <cmath>

#include "tests/graph/double_scene.h"

namespace rm::graph {
namespace {

// Channels of X (N, C, …): element i belongs to channel Of(i).
struct Channels {
  size_t count, pixels = 1;

  explicit Channels(const kernels::Shape& x) : count(Size(x[1])) {
    for (size_t i = 2; i < x.size(); ++i) pixels *= Size(x[i]);
  }
  [[nodiscard]] size_t Of(size_t i) const { return i / pixels % count; }
};

// (X − mean) / √(variance + epsilon) · scale + B [+ residual], by element.
void Normalize(const Scene& s, const std::vector<double>& mean,
               const std::vector<double>& variance) {
  const Channels channels(s.in_shapes[0]);
  const double epsilon = static_cast<double>(s.node->attributes.Float("epsilon", 1e-5F));
  for (size_t i = 0; i < s.out[0]->size(); ++i) {
    const size_t c = channels.Of(i);
    const double normal = ((*s.in[0])[i] - mean[c]) / std::sqrt(variance[c] + epsilon);
    (*s.out[0])[i] = normal * (*s.in[1])[c] + (*s.in[2])[c];
  }
}

void RunBatchNormalization(const Scene& s) { Normalize(s, *s.in[3], *s.in[4]); }

void RunBatchNormTraining(const Scene& s) {
  const Channels channels(s.in_shapes[0]);
  const double n = static_cast<double>(s.in[0]->size() / channels.count);
  std::vector<double> mean(channels.count), variance(channels.count);
  for (size_t i = 0; i < s.in[0]->size(); ++i) mean[channels.Of(i)] += (*s.in[0])[i] / n;
  for (size_t i = 0; i < s.in[0]->size(); ++i) {
    const double difference = (*s.in[0])[i] - mean[channels.Of(i)];
    variance[channels.Of(i)] += difference * difference / n;
  }
  Normalize(s, mean, variance);
  if (!s.has_input(3)) return;
  for (size_t i = 0; i < s.out[0]->size(); ++i) (*s.out[0])[i] += (*s.in[3])[i];
}

constexpr DoubleOperator kOperators[] = {
    {"BatchNormTraining", &RunBatchNormTraining},
    {"BatchNormalization", &RunBatchNormalization},
};

}  // namespace

DoubleOperators BatchNormDoubleOperators() { return kOperators; }

}  // namespace rm::graph
