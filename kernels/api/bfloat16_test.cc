#include "kernels/api/bfloat16.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

namespace rm::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST_CASE("bfloat16 is the upper half of a float32") {
  CHECK(ToBfloat16(1).bits == 0x3F80);
  CHECK(ToBfloat16(-3).bits == 0xC040);
  CHECK(ToFloat({0x3F80}) == 1);
  CHECK(ToFloat({0xC040}) == -3);
}

TEST_CASE("every bfloat16 that is a number comes back from float32 as it was") {
  int wrong = 0;
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const float value = ToFloat({static_cast<uint16_t>(bits)});
    if (std::isnan(value)) {
      if (!std::isnan(ToFloat(ToBfloat16(value)))) ++wrong;
    } else if (ToBfloat16(value).bits != bits) {
      ++wrong;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("a float32 goes to the nearest bfloat16, a tie to the even one") {
  const float unit = std::ldexp(1.0F, -7);  // between neighbours above 1
  CHECK(ToFloat(ToBfloat16(1 + 0.49F * unit)) == 1);
  CHECK(ToFloat(ToBfloat16(1 + 0.51F * unit)) == 1 + unit);
  CHECK(ToFloat(ToBfloat16(1 + 0.5F * unit)) == 1);
  CHECK(ToFloat(ToBfloat16(1 + 1.5F * unit)) == 1 + 2 * unit);
  CHECK(ToFloat(ToBfloat16(-1 - 1.5F * unit)) == -1 - 2 * unit);
}

TEST_CASE("what is too large becomes infinity, and the special numbers stay") {
  CHECK(ToFloat(ToBfloat16(std::numeric_limits<float>::max())) == kInfinity);
  CHECK(ToFloat(ToBfloat16(-kInfinity)) == -kInfinity);
  CHECK(ToBfloat16(-0.0F).bits == 0x8000);
  CHECK(std::isnan(ToFloat(ToBfloat16(std::nanf("")))));
}

}  // namespace
}  // namespace rm::kernels
