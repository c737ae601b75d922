#include "kernels/cpu/first_conv_loops.h"

#include <catch2/catch.hpp>
#include <vector>

#include "kernels/cpu/isa_testing.h"

namespace rm::kernels::cpu {
namespace {

using Values = std::vector<float>;

// Whole numbers, so that sums are exact in any order.
Values Pattern(int64_t size, int64_t period) {
  Values values(static_cast<size_t>(size));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(static_cast<int64_t>(i) % period - period / 2);
  }
  return values;
}

// An image of 9 × 17 pixels, padding included.
FirstConvShape Shape(int64_t block, int64_t kernel_h, int64_t kernel_w, int64_t stride,
                     int64_t dilation) {
  FirstConvShape s{};
  s.width = 17;
  s.block = block;
  s.kernel_h = kernel_h;
  s.kernel_w = kernel_w;
  s.stride_h = 1;
  s.stride_w = stride;
  s.dilation_h = 1;
  s.dilation_w = dilation;
  s.out_h = 9 - kernel_h + 1;
  s.out_w = (17 - dilation * (kernel_w - 1) - 1) / stride + 1;
  return s;
}

// What the tap (kh, kw) saw, times the gradient of channel o.
float Expected(const FirstConvShape& s, const Values& x, const Values& dy, int64_t o, int64_t kh,
               int64_t kw) {
  float sum = 0;
  for (int64_t i = 0; i < s.out_h * s.out_w; ++i) {
    const int64_t h = i / s.out_w * s.stride_h + kh * s.dilation_h;
    const int64_t w = i % s.out_w * s.stride_w + kw * s.dilation_w;
    sum += dy[static_cast<size_t>(i * s.block + o)] * x[static_cast<size_t>(h * s.width + w)];
  }
  return sum;
}

void CheckWeight(const FirstConvShape& s, const FirstConvLoops& loops) {
  const Values x = Pattern(9 * s.width, 7);
  const Values dy = Pattern(s.out_h * s.out_w * s.block, 11);
  Values dw(static_cast<size_t>(s.kernel_h * s.kernel_w * s.block), 1000);
  loops.add_weight(s, x.data(), dy.data(), dw.data());
  for (int64_t i = 0; i < static_cast<int64_t>(dw.size()); ++i) {
    const int64_t tap = i / s.block;
    const float sum = Expected(s, x, dy, i % s.block, tap / s.kernel_w, tap % s.kernel_w);
    REQUIRE(dw[static_cast<size_t>(i)] == 1000 + sum);
  }
}

std::vector<Build<FirstConvLoops>> Builds() {
  return RunnableBuilds(v1::kFirstConvLoops, v3::kFirstConvLoops, v4::kFirstConvLoops);
}

TEST_CASE("each tap adds what it saw, for every kernel, stride, dilation and block") {
  for (const auto& build : Builds()) {
    for (const int64_t block : {8, 16}) {
      for (const int64_t kernel_h : {1, 2, 3, 4, 5}) {
        for (const int64_t kernel_w : {1, 2, 3, 4, 7}) {
          for (const int64_t step : {1, 2}) {
            INFO(build.isa << " block " << block << " kernel " << kernel_h << "×" << kernel_w
                           << " step " << step);
            CheckWeight(Shape(block, kernel_h, kernel_w, step, 1), *build.loops);
            CheckWeight(Shape(block, kernel_h, kernel_w, 1, step), *build.loops);
          }
        }
      }
    }
  }
}

TEST_CASE("the bias adds every pixel") {
  for (const auto& build : Builds()) {
    for (const int64_t block : {8, 16}) {
      const FirstConvShape s = Shape(block, 3, 3, 1, 1);
      const Values dy = Pattern(s.out_h * s.out_w * s.block, 11);
      Values expected(static_cast<size_t>(block), 1000);
      for (size_t i = 0; i < dy.size(); ++i) expected[i % expected.size()] += dy[i];
      Values db(static_cast<size_t>(block), 1000);
      build.loops->add_bias(s, dy.data(), db.data());
      CHECK(db == expected);
    }
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
