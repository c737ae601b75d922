#include "kernels/cpu/pool_loops.h"

#include <catch2/catch.hpp>
#include <vector>

#include "base/random.h"
#include "kernels/cpu/isa_testing.h"

namespace rm::kernels::cpu {
namespace {

using Values = std::vector<float>;

std::vector<Build<PoolLoops>> Builds() {
  return RunnableBuilds(v1::kPoolLoops, v3::kPoolLoops, v4::kPoolLoops);
}

// Two planes of 5 × 6 pixels under windows of 2 × 3.
PoolShape Shape(int64_t inner) {
  PoolShape s{};
  s.planes = 2;
  s.inner = inner;
  s.in_h = 5;
  s.in_w = 6;
  s.kernel_h = 2;
  s.kernel_w = 3;
  s.stride_h = s.stride_w = 1;
  s.dilation_h = s.dilation_w = 1;
  s.out_h = 4;
  s.out_w = 4;
  return s;
}

PoolShape Tiles(int64_t inner) {
  PoolShape s = Shape(inner);
  s.in_h = 4;
  s.stride_h = 2;
  s.stride_w = 3;
  s.out_h = 2;
  s.out_w = 2;
  return s;
}

size_t InSize(const PoolShape& s) {
  return static_cast<size_t>(s.planes * s.in_h * s.in_w * s.inner);
}
size_t OutSize(const PoolShape& s) {
  return static_cast<size_t>(s.planes * s.out_h * s.out_w * s.inner);
}

// Few different values, so that many windows have equal maxima.
Values Random(size_t size) {
  base::RandomStream random(1, 1);
  Values values(size);
  for (float& value : values) value = static_cast<float>(random.NextBelow(5)) - 2;
  return values;
}

size_t InputAt(const PoolShape& s, int64_t plane, int64_t h, int64_t w, int64_t c) {
  return static_cast<size_t>(((plane * s.in_h + h) * s.in_w + w) * s.inner + c);
}

TEST_CASE("every output is its window's maximum and the index is the first of them") {
  for (const auto& build : Builds()) {
    for (const int64_t inner : {1, 3, 8, 16, 20}) {
      const PoolShape s = Shape(inner);
      const Values x = Random(InSize(s));
      Values y(OutSize(s));
      std::vector<uint8_t> index(OutSize(s));
      build.loops->max(s, 0, s.planes, x.data(), y.data(), index.data());
      for (int64_t i = 0; i < static_cast<int64_t>(y.size()); ++i) {
        const int64_t c = i % inner;
        const int64_t ow = i / inner % s.out_w;
        const int64_t oh = i / inner / s.out_w % s.out_h;
        const int64_t plane = i / inner / s.out_w / s.out_h;
        const int64_t tap = index[static_cast<size_t>(i)];
        const float maximum = y[static_cast<size_t>(i)];
        INFO(build.isa << " inner " << inner << " output " << i);
        REQUIRE(tap < 6);
        for (int64_t t = 0; t < 6; ++t) {
          const float value = x[InputAt(s, plane, oh + t / 3, ow + t % 3, c)];
          REQUIRE(value <= maximum);
          if (t < tap) REQUIRE(value < maximum);
          if (t == tap) REQUIRE(value == maximum);
        }
      }
    }
  }
}

TEST_CASE("the index may be left out") {
  for (const auto& build : Builds()) {
    for (const int64_t inner : {1, 8}) {
      const PoolShape s = Shape(inner);
      const Values x = Random(InSize(s));
      Values with(OutSize(s));
      Values without(OutSize(s));
      std::vector<uint8_t> index(OutSize(s));
      build.loops->max(s, 0, s.planes, x.data(), with.data(), index.data());
      build.loops->max(s, 0, s.planes, x.data(), without.data(), nullptr);
      CHECK(with == without);
    }
  }
}

TEST_CASE("planes may be done one by one") {
  for (const auto& build : Builds()) {
    const PoolShape s = Shape(8);
    const Values x = Random(InSize(s));
    Values whole(OutSize(s));
    Values parts(OutSize(s));
    build.loops->max(s, 0, 2, x.data(), whole.data(), nullptr);
    build.loops->max(s, 1, 2, x.data(), parts.data(), nullptr);
    build.loops->max(s, 0, 1, x.data(), parts.data(), nullptr);
    CHECK(whole == parts);
  }
}

TEST_CASE("gradients go to the index and nowhere else, whether windows tile or overlap") {
  for (const auto& build : Builds()) {
    for (const int64_t inner : {1, 3, 8, 16, 20}) {
      for (const PoolShape& s : {Shape(inner), Tiles(inner)}) {
        const Values dy = Random(OutSize(s));
        std::vector<uint8_t> index(OutSize(s));
        for (size_t i = 0; i < index.size(); ++i) index[i] = static_cast<uint8_t>(i % 6);
        Values expected(InSize(s), 0);
        for (int64_t i = 0; i < static_cast<int64_t>(dy.size()); ++i) {
          const int64_t tap = i % 6;
          const int64_t w = i / inner % s.out_w * s.stride_w + tap % 3;
          const int64_t h = i / inner / s.out_w % s.out_h * s.stride_h + tap / 3;
          const int64_t plane = i / inner / s.out_w / s.out_h;
          expected[InputAt(s, plane, h, w, i % inner)] += dy[static_cast<size_t>(i)];
        }
        Values dx(InSize(s), 99);
        build.loops->max_grad(s, 0, s.planes, dy.data(), index.data(), dx.data());
        INFO(build.isa << " inner " << inner << " stride " << s.stride_h);
        CHECK(dx == expected);
      }
    }
  }
}

std::vector<Bfloat16> Rounded(const Values& values) {
  std::vector<Bfloat16> halves;
  for (const float value : values) halves.push_back(ToBfloat16(value));
  return halves;
}

Values Widened(const std::vector<Bfloat16>& halves) {
  Values values;
  for (const Bfloat16 half : halves) values.push_back(ToFloat(half));
  return values;
}

// The values are small whole numbers, which bfloat16 has.
TEST_CASE("in bfloat16 maxima, indexes and gradients of tiles are those of float32") {
  for (const auto& build : Builds()) {
    for (const int64_t inner : {3, 8, 16, 20, 40}) {
      for (const PoolShape& s : {Shape(inner), Tiles(inner)}) {
        INFO(build.isa << " inner " << inner << " stride " << s.stride_h);
        const Values x = Random(InSize(s));
        Values y(OutSize(s));
        std::vector<uint8_t> index(OutSize(s));
        build.loops->max(s, 0, s.planes, x.data(), y.data(), index.data());
        std::vector<Bfloat16> narrow_y(OutSize(s));
        std::vector<uint8_t> narrow_index(OutSize(s));
        build.loops->max_bfloat16(s, 0, s.planes, Rounded(x).data(), narrow_y.data(),
                                  narrow_index.data());
        CHECK(Widened(narrow_y) == y);
        CHECK(narrow_index == index);
        if (!s.tiles()) continue;
        Values dx(InSize(s));
        build.loops->max_grad(s, 0, s.planes, y.data(), index.data(), dx.data());
        std::vector<Bfloat16> narrow_dx(InSize(s));
        build.loops->max_grad_bfloat16(s, 0, s.planes, narrow_y.data(), index.data(),
                                       narrow_dx.data());
        CHECK(Widened(narrow_dx) == dx);
      }
    }
  }
}

TEST_CASE("an index that points outside writes nothing") {
  for (const auto& build : Builds()) {
    for (const int64_t inner : {1, 8, 16}) {
      const PoolShape s = Tiles(inner);
      const std::vector<uint8_t> index(OutSize(s), 255);
      Values dx(InSize(s), 99);
      build.loops->max_grad(s, 0, s.planes, Values(OutSize(s), 1).data(), index.data(),
                            dx.data());
      CHECK(dx == Values(InSize(s), 0));
    }
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
