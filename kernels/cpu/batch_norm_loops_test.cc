#include "kernels/cpu/batch_norm_loops.h"

#include <catch2/catch.hpp>
#include <vector>

#include "base/random.h"
#include "kernels/cpu/isa_testing.h"

namespace rm::kernels::cpu {
namespace {

using Values = std::vector<float>;

std::vector<Build<BatchNormLoops>> Builds() {
  return RunnableBuilds(v1::kBatchNormLoops, v3::kBatchNormLoops, v4::kBatchNormLoops);
}

// Groups as wide as a vector, half of one, and single channels occur in each build; so do runs that
// are cut short and more than one chunk.
constexpr BatchNormShape kShapes[] = {
    {1, 1, 1, 1},  {2, 3, 5, 1},   {3, 2, 7, 8},  {2, 2, 130, 16},
    {1, 1, 9, 29}, {1, 2, 1500, 8}, {2, 1, 257, 4},
};

int64_t Size(const BatchNormShape& s) { return s.images * s.channels() * s.pixels; }

// The offset of pixel i of image n of a channel.
size_t At(const BatchNormShape& s, int64_t n, int64_t channel, int64_t i) {
  const int64_t block = channel / s.inner;
  const int64_t plane = (n * s.blocks + block) * s.pixels + i;
  return static_cast<size_t>(plane * s.inner + channel % s.inner);
}

Values Random(int64_t n, uint64_t seed, float mean) {
  base::RandomStream random(seed, 1);
  Values values(static_cast<size_t>(n));
  for (float& value : values) value = mean + random.NextNormal();
  return values;
}

// Calls visit(offset) for all elements of a channel.
template <typename Visit>
void ForChannel(const BatchNormShape& s, int64_t channel, const Visit& visit) {
  for (int64_t n = 0; n < s.images; ++n) {
    for (int64_t i = 0; i < s.pixels; ++i) visit(At(s, n, channel, i));
  }
}

struct Moments {
  double mean = 0;
  double squares = 0;
};

Moments MomentsOf(const BatchNormShape& s, int64_t channel, const Values& x) {
  Moments moments;
  const auto count = static_cast<double>(s.images * s.pixels);
  ForChannel(s, channel, [&](size_t at) { moments.mean += static_cast<double>(x[at]) / count; });
  ForChannel(s, channel, [&](size_t at) {
    const double difference = static_cast<double>(x[at]) - moments.mean;
    moments.squares += difference * difference;
  });
  return moments;
}

TEST_CASE("each channel gets its own mean and squares, beside a large mean too") {
  for (const auto& build : Builds()) {
    for (const BatchNormShape& s : kShapes) {
      const Values x = Random(Size(s), 1, 50);
      std::vector<double> mean(static_cast<size_t>(s.channels()));
      std::vector<double> squares(mean.size());
      for (int64_t b = 0; b < s.blocks; ++b) {
        build.loops->statistics(s, b, x.data(), mean.data(), squares.data());
      }
      for (int64_t c = 0; c < s.channels(); ++c) {
        const Moments moments = MomentsOf(s, c, x);
        INFO(build.isa << " channel " << c << " of " << s.channels());
        REQUIRE(mean[static_cast<size_t>(c)] == Approx(moments.mean).epsilon(1e-6));
        REQUIRE(squares[static_cast<size_t>(c)] ==
                Approx(moments.squares).epsilon(1e-5).margin(1e-6));
      }
    }
  }
}

TEST_CASE("channels are normalised, with a residual and a relu where asked for") {
  for (const auto& build : Builds()) {
    for (const BatchNormShape& s : kShapes) {
      const Values x = Random(Size(s), 1, 0);
      const Values residual = Random(Size(s), 2, 0);
      const Values mean = Random(s.channels(), 3, 0);
      const Values factor = Random(s.channels(), 4, 1);
      const Values shift = Random(s.channels(), 5, 0);
      for (const bool full : {false, true}) {
        Values y(x.size());
        for (int64_t b = 0; b < s.blocks; ++b) {
          build.loops->normalize(s, b, x.data(), full ? residual.data() : nullptr,
                                 {mean.data(), factor.data(), shift.data()}, full, y.data());
        }
        for (int64_t c = 0; c < s.channels(); ++c) {
          const auto k = static_cast<size_t>(c);
          ForChannel(s, c, [&](size_t at) {
            float want = (x[at] - mean[k]) * factor[k] + shift[k];
            if (full) want += residual[at];
            if (full && want < 0) want = 0;
            REQUIRE(y[at] == Approx(want).margin(1e-5));
          });
        }
      }
    }
  }
}

TEST_CASE("sums and gradients are those of what a relu let pass") {
  for (const auto& build : Builds()) {
    for (const BatchNormShape& s : kShapes) {
      const Values x = Random(Size(s), 1, 0);
      const Values dy = Random(Size(s), 2, 0);
      const Values y = Random(Size(s), 3, 0);
      const Values mean = Random(s.channels(), 4, 0);
      for (const float* mask : {static_cast<const float*>(nullptr), y.data()}) {
        std::vector<double> sums(static_cast<size_t>(s.channels()));
        std::vector<double> products(sums.size());
        const Values twos(sums.size(), 2);
        const Values ones(sums.size(), 1);
        Values dx = dy;  // in place
        for (int64_t b = 0; b < s.blocks; ++b) {
          build.loops->gradient_sums(s, b, dy.data(), mask, x.data(), mean.data(), sums.data(),
                                     products.data());
          build.loops->gradient(s, b, dx.data(), mask, x.data(),
                                {mean.data(), twos.data(), ones.data(), twos.data()}, dx.data());
        }
        for (int64_t c = 0; c < s.channels(); ++c) {
          const auto k = static_cast<size_t>(c);
          double sum = 0;
          double product = 0;
          ForChannel(s, c, [&](size_t at) {
            const float gradient = mask == nullptr || y[at] > 0 ? dy[at] : 0;
            sum += static_cast<double>(gradient);
            product += static_cast<double>(gradient) * static_cast<double>(x[at] - mean[k]);
            REQUIRE(dx[at] == Approx(2 * gradient - 1 - 2 * (x[at] - mean[k])).margin(1e-5));
          });
          INFO(build.isa << " channel " << c);
          REQUIRE(sums[k] == Approx(sum).margin(1e-4));
          REQUIRE(products[k] == Approx(product).margin(1e-3));
        }
      }
    }
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
