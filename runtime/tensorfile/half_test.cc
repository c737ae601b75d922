#include "runtime/tensorfile/half.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

namespace rm::tensorfile {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST_CASE("numbers of half precision are read as they are written in the standard", "[half]") {
  CHECK(HalfToFloat(0x0000) == 0);
  CHECK(std::signbit(HalfToFloat(0x8000)));
  CHECK(HalfToFloat(0x3C00) == 1);
  CHECK(HalfToFloat(0xC000) == -2);
  CHECK(HalfToFloat(0x3555) == 0.333251953125F);
  CHECK(HalfToFloat(0x7BFF) == 65504);
  CHECK(HalfToFloat(0x0400) == std::ldexp(1.0F, -14));
  CHECK(HalfToFloat(0x0001) == std::ldexp(1.0F, -24));
  CHECK(HalfToFloat(0x7C00) == kInfinity);
  CHECK(HalfToFloat(0xFC00) == -kInfinity);
  CHECK(std::isnan(HalfToFloat(0x7E00)));
}

TEST_CASE("bfloat16 is the upper half of a float32", "[half]") {
  CHECK(Bfloat16ToFloat(0x3F80) == 1);
  CHECK(Bfloat16ToFloat(0xC040) == -3);
  CHECK(Bfloat16ToFloat(0x7F80) == kInfinity);
  CHECK(std::isnan(Bfloat16ToFloat(0x7FC0)));
}

TEST_CASE("every number of 16 bits survives the way to 32 bits and back", "[half]") {
  int wrong = 0;
  for (uint32_t i = 0; i < 0x10000; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    const float half = HalfToFloat(bits);
    if (!std::isnan(half) && FloatToHalf(half) != bits) ++wrong;
    if (std::isnan(half) && !std::isnan(HalfToFloat(FloatToHalf(half)))) ++wrong;
    const float brain = Bfloat16ToFloat(bits);
    if (!std::isnan(brain) && FloatToBfloat16(brain) != bits) ++wrong;
    if (std::isnan(brain) && !std::isnan(Bfloat16ToFloat(FloatToBfloat16(brain)))) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("numbers between are rounded to the nearest, ties to even", "[half]") {
  const float step = std::ldexp(1.0F, -10);  // between 1 and 2
  CHECK(FloatToHalf(1 + 0.49F * step) == 0x3C00);
  CHECK(FloatToHalf(1 + 0.5F * step) == 0x3C00);
  CHECK(FloatToHalf(1 + 0.51F * step) == 0x3C01);
  CHECK(FloatToHalf(1 + 1.5F * step) == 0x3C02);
  CHECK(FloatToHalf(2 - 0.25F * step) == 0x4000);
  CHECK(FloatToHalf(65519) == 0x7BFF);
  CHECK(FloatToHalf(65520) == 0x7C00);
  CHECK(FloatToHalf(1e30F) == 0x7C00);
  CHECK(FloatToHalf(std::ldexp(1.0F, -25)) == 0);
  CHECK(FloatToHalf(std::ldexp(1.5F, -25)) == 1);
  CHECK(FloatToHalf(-std::ldexp(1.0F, -30)) == 0x8000);
  CHECK(FloatToBfloat16(1 + std::ldexp(1.0F, -8)) == 0x3F80);
  CHECK(FloatToBfloat16(1 + 3 * std::ldexp(1.0F, -8)) == 0x3F82);
}

}  // namespace
}  // namespace rm::tensorfile
