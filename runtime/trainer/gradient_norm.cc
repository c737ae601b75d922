#include "runtime/trainer/gradient_norm.h"

#include <cmath>
#include <cstddef>

namespace rm::trainer {
namespace {

// Sums beside each other, so that an addition need not wait for the one before it. How many is part of the result's bits.
constexpr size_t kLanes = 8;

double SumOfSquares(absl::Span<const float> values) {
  double lanes[kLanes] = {};
  const size_t whole = values.size() / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const auto value = static_cast<double>(values[i + lane]);
      lanes[lane] += value * value;
    }
  }
  for (size_t i = whole; i < values.size(); ++i) {
    const auto value = static_cast<double>(values[i]);
    lanes[i - whole] += value * value;
  }
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

}  // namespace

double GradientNorm(absl::Span<const absl::Span<float>> buckets) {
  double sum = 0;
  for (const absl::Span<const float> bucket : buckets) sum += SumOfSquares(bucket);
  return std::sqrt(sum);
}

float ClipScale(double norm, double clip) {
  constexpr double kBesideZero = 1e-6;  // keeps the division away from 0
  if (!(clip > 0)) return 1.0F;
  const double scale = clip / (norm + kBesideZero);
  return scale < 1 ? static_cast<float>(scale) : 1.0F;
}

}  // namespace rm::trainer
