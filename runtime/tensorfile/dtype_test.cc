#include "runtime/tensorfile/dtype.h"

#include <catch2/catch.hpp>
#include <limits>
#include <vector>

namespace rm::tensorfile {
namespace {

TEST_CASE("elements have the size their name says") {
  CHECK(ElementBytes("F32") == 4);
  CHECK(ElementBytes("BF16") == 2);
  CHECK(ElementBytes("I64") == 8);
  CHECK(ElementBytes("BOOL") == 1);
  CHECK(ElementBytes("F8_E4M3") == 1);
  CHECK(ElementBytes("f32") == 0);
  CHECK(ElementBytes("F4") == 0);
  CHECK(ElementBytes("") == 0);
}

TEST_CASE("a tensor's bytes are its elements times their size") {
  const struct {
    const char* dtype;
    std::vector<int64_t> shape;
    uint64_t bytes;
  } cases[] = {
      {"F32", {}, 4},
      {"F32", {2, 3}, 24},
      {"U8", {0}, 0},
      {"F64", {5, 0, 7}, 0},
      // An empty tensor is empty, however large its other dimensions are.
      {"F64", {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max(), 0}, 0},
      {"U8", {std::numeric_limits<int64_t>::max()}, (uint64_t{1} << 63) - 1},
  };
  for (const auto& test : cases) {
    const auto bytes = TensorBytes(test.dtype, test.shape);
    REQUIRE(bytes.ok());
    CHECK(*bytes == test.bytes);
  }
}

TEST_CASE("shapes without a size are refused") {
  const std::vector<int64_t> shapes[] = {
      {-1}, {0, -1}, {int64_t{1} << 32, int64_t{1} << 32},
      {std::numeric_limits<int64_t>::max(), 2}};
  for (const std::vector<int64_t>& shape : shapes) {
    CHECK(absl::IsInvalidArgument(TensorBytes("F32", shape).status()));
  }
  CHECK(absl::IsInvalidArgument(TensorBytes("float", {1}).status()));
}

TEST_CASE("a tensor is described as people write it") {
  CHECK(DescribeTensor("F32", {2, 3}) == "F32 [2, 3]");
  CHECK(DescribeTensor("I64", {}) == "I64 []");
}

}  // namespace
}  // namespace rm::tensorfile
