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

// Two images of two channels, padded on three sides; windows of 3 × kernel_w.
FirstConvShape Shape(int64_t block, int64_t kernel_w, int64_t stride_w, int64_t dilation_w) {
  FirstConvShape s{};
  s.n = 2;
  s.c = 2;
  s.in_h = 5;
  s.in_w = 17;
  s.out_blocks = 2;
  s.block = block;
  s.kernel_h = 3;
  s.kernel_w = kernel_w;
  s.stride_h = 2;
  s.stride_w = stride_w;
  s.pad_top = 1;
  s.pad_left = 2;
  s.pad_right = 1;
  s.dilation_h = 1;
  s.dilation_w = dilation_w;
  s.out_h = (s.in_h + s.pad_top - s.kernel_h) / s.stride_h + 1;
  s.out_w = (s.row() - dilation_w * (kernel_w - 1) - 1) / stride_w + 1;
  return s;
}

// The gradient of tap (c, kh, kw) for channel o of block b, or of the bias when kh is −1.
float Expected(const FirstConvShape& s, const Values& x, const Values& dy, int64_t b, int64_t o,
               int64_t c, int64_t kh, int64_t kw) {
  float sum = 0;
  for (int64_t n = 0; n < s.n; ++n) {
    for (int64_t i = 0; i < s.out_h * s.out_w; ++i) {
      const float gradient =
          dy[static_cast<size_t>((((n * s.out_blocks + b) * s.out_h * s.out_w) + i) * s.block + o)];
      const int64_t h = i / s.out_w * s.stride_h - s.pad_top + kh * s.dilation_h;
      const int64_t w = i % s.out_w * s.stride_w - s.pad_left + kw * s.dilation_w;
      if (kh < 0) sum += gradient;
      if (kh < 0 || h < 0 || h >= s.in_h || w < 0 || w >= s.in_w) continue;
      sum += gradient * x[static_cast<size_t>(((n * s.c + c) * s.in_h + h) * s.in_w + w)];
    }
  }
  return sum;
}

void Check(const FirstConvShape& s, const FirstConvLoops& loops) {
  const Values x = Pattern(s.n * s.c * s.in_h * s.in_w, 7);
  const Values dy = Pattern(s.n * s.out_blocks * s.out_h * s.out_w * s.block, 11);
  Values row(static_cast<size_t>(s.row()));
  Values dw(static_cast<size_t>(s.c * s.kernel_h * s.kernel_w * s.block), 99);
  Values db(static_cast<size_t>(s.block), 99);
  for (int64_t b = 0; b < s.out_blocks; ++b) {
    loops.grad_weight(s, b, x.data(), dy.data(), row.data(), dw.data(), db.data());
    for (int64_t i = 0; i < static_cast<int64_t>(dw.size()); ++i) {
      const int64_t o = i % s.block;
      const int64_t kw = i / s.block % s.kernel_w;
      const int64_t kh = i / s.block / s.kernel_w % s.kernel_h;
      const int64_t c = i / s.block / s.kernel_w / s.kernel_h;
      REQUIRE(dw[static_cast<size_t>(i)] == Expected(s, x, dy, b, o, c, kh, kw));
    }
    for (int64_t o = 0; o < s.block; ++o) {
      REQUIRE(db[static_cast<size_t>(o)] == Expected(s, x, dy, b, o, 0, -1, 0));
    }
  }
}

TEST_CASE("each tap gathers what it saw, for every width, stride, dilation and block") {
  for (const auto& build :
       RunnableBuilds(v1::kFirstConvLoops, v3::kFirstConvLoops, v4::kFirstConvLoops)) {
    for (const int64_t block : {8, 16}) {
      for (const int64_t kernel_w : {1, 2, 3, 4, 5, 6, 7, 8}) {
        for (const int64_t stride_w : {1, 2}) {
          for (const int64_t dilation_w : {1, 2}) {
            INFO(build.isa << " block " << block << " kernel " << kernel_w << " stride "
                           << stride_w << " dilation " << dilation_w);
            Check(Shape(block, kernel_w, stride_w, dilation_w), *build.loops);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
