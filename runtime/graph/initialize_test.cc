#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "runtime/graph/graph.h"

namespace rm::graph {
namespace {

Value Parameter(const std::string& name, int64_t elements, Initializer::Kind kind, float scale) {
  Value value;
  value.name = name;
  value.kind = ValueKind::kParameter;
  value.shape = {elements};
  value.initializer.kind = kind;
  value.initializer.scale = scale;
  return value;
}

std::vector<float> Initialized(const Value& value, uint64_t seed) {
  std::vector<float> out(static_cast<size_t>(kernels::ElementCount(value.shape)), -7.0F);
  InitializeParameter(value, seed, absl::MakeSpan(out));
  return out;
}

double Mean(const std::vector<float>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double Deviation(const std::vector<float>& x) {
  double squares = 0;
  for (float v : x) squares += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(squares / static_cast<double>(x.size()) - Mean(x) * Mean(x));
}

TEST_CASE("fixed initialisers fill every element", "[initialize]") {
  CHECK(Initialized(Parameter("w", 3, Initializer::Kind::kZero, 5), 1) ==
        std::vector<float>{0, 0, 0});
  CHECK(Initialized(Parameter("w", 2, Initializer::Kind::kOne, 5), 1) == std::vector<float>{1, 1});
  Value given = Parameter("w", 2, Initializer::Kind::kValues, 0);
  given.initializer = Initializer::Of({0.5F, -0.25F});
  CHECK(Initialized(given, 1) == *given.initializer.values);
}

TEST_CASE("uniform values fill (−scale, scale) evenly", "[initialize]") {
  const std::vector<float> x =
      Initialized(Parameter("w", 20000, Initializer::Kind::kUniform, 0.5F), 3);
  const auto [least, most] = std::minmax_element(x.begin(), x.end());
  CHECK(*least >= -0.5F);
  CHECK(*least < -0.499F);
  CHECK(*most < 0.5F);
  CHECK(*most > 0.499F);
  CHECK(std::abs(Mean(x)) < 0.01);
  CHECK(Deviation(x) == Approx(0.5 / std::sqrt(3.0)).epsilon(0.02));
}

TEST_CASE("normal values have the standard deviation asked for", "[initialize]") {
  const std::vector<float> x =
      Initialized(Parameter("w", 20000, Initializer::Kind::kNormal, 0.02F), 3);
  CHECK(std::abs(Mean(x)) < 0.001);
  CHECK(Deviation(x) == Approx(0.02).epsilon(0.03));
}

TEST_CASE("the first values depend on seed and name alone", "[initialize]") {
  const Value w = Parameter("w", 64, Initializer::Kind::kUniform, 1);
  const Value longer = Parameter("w", 100, Initializer::Kind::kUniform, 1);
  const Value other = Parameter("v", 64, Initializer::Kind::kUniform, 1);
  CHECK(Initialized(w, 1) == Initialized(w, 1));
  CHECK(Initialized(w, 1) != Initialized(w, 2));
  CHECK(Initialized(w, 1) != Initialized(other, 1));
  std::vector<float> start = Initialized(longer, 1);
  start.resize(64);
  CHECK(start == Initialized(w, 1));
}

}  // namespace
}  // namespace rm::graph
