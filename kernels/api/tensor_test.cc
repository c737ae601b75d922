#include "kernels/api/tensor.h"

#include <catch2/catch.hpp>

namespace rm::kernels {
namespace {

TEST_CASE("every dtype has its size and its name") {
  const struct {
    DType dtype;
    size_t bytes;
    std::string name;
  } cases[] = {
      {DType::kFloat32, 4, "float32"}, {DType::kInt64, 8, "int64"}, {DType::kInt32, 4, "int32"},
      {DType::kUInt8, 1, "uint8"},     {DType::kBool, 1, "bool"},
  };
  for (const auto& c : cases) {
    CHECK(ByteSize(c.dtype) == c.bytes);
    CHECK(DTypeName(c.dtype) == c.name);
  }
}

TEST_CASE("the element count is the product of the dimensions") {
  CHECK(ElementCount({}) == 1);
  CHECK(ElementCount({7}) == 7);
  CHECK(ElementCount({2, 3, 4, 5}) == 120);
  CHECK(ElementCount({2, 0, 4}) == 0);
  CHECK(ElementCount({1 << 20, 1 << 20}) == int64_t{1} << 40);
}

TEST_CASE("shapes are written as people write them") {
  CHECK(ShapeString({}) == "[]");
  CHECK(ShapeString({10}) == "[10]");
  CHECK(ShapeString({64, 1, 28, 28}) == "[64, 1, 28, 28]");
}

TEST_CASE("every layout has its name and its block") {
  const struct {
    Layout layout;
    std::string name;
    int64_t block;
  } cases[] = {
      {Layout::kPlain, "plain", 1},
      {Layout::kChannelsLast, "channels_last", 1},
      {Layout::kChannels8, "channels8", 8},
      {Layout::kChannels16, "channels16", 16},
  };
  for (const auto& c : cases) {
    CHECK(LayoutName(c.layout) == c.name);
    CHECK(ChannelBlock(c.layout) == c.block);
  }
}

TEST_CASE("blocked layouts hold padded channels, the others hold the elements alone") {
  const struct {
    Shape shape;
    Layout layout;
    int64_t physical;
  } cases[] = {
      {{2, 3, 4, 5}, Layout::kPlain, 120},       {{2, 3, 4, 5}, Layout::kChannelsLast, 120},
      {{2, 3, 4, 5}, Layout::kChannels8, 320},   {{2, 3, 4, 5}, Layout::kChannels16, 640},
      {{1, 8, 1, 1}, Layout::kChannels8, 8},     {{1, 9, 1, 1}, Layout::kChannels8, 16},
      {{1, 16, 1, 1}, Layout::kChannels16, 16},  {{1, 17, 2, 1}, Layout::kChannels16, 64},
      {{0, 17, 2, 1}, Layout::kChannels16, 0},   {{3, 5}, Layout::kPlain, 15},
  };
  for (const auto& c : cases) {
    const TensorType type{DType::kFloat32, c.shape, c.layout};
    INFO(type.ToString());
    CHECK(type.elements() == ElementCount(c.shape));
    CHECK(type.physical_elements() == c.physical);
    CHECK(type.bytes() == static_cast<size_t>(c.physical) * 4);
  }
}

TEST_CASE("the bytes follow the dtype") {
  CHECK(TensorType{DType::kInt64, {10}, Layout::kPlain}.bytes() == 80);
  CHECK(TensorType{DType::kUInt8, {1, 1, 2, 2}, Layout::kChannels16}.bytes() == 64);
}

TEST_CASE("a type's text says only what is unusual") {
  CHECK(TensorType{DType::kFloat32, {64, 10}, Layout::kPlain}.ToString() == "[64, 10]");
  CHECK(TensorType{DType::kInt64, {64}, Layout::kPlain}.ToString() == "int64 [64]");
  CHECK(TensorType{DType::kUInt8, {2, 3, 4, 5}, Layout::kChannels16}.ToString() ==
        "uint8 [2, 3, 4, 5] channels16");
}

TEST_CASE("types are equal when dtype, shape and layout are") {
  const TensorType type{DType::kFloat32, {2, 3, 4, 5}, Layout::kChannels8};
  TensorType other = type;
  CHECK(type == other);
  other.layout = Layout::kPlain;
  CHECK(type != other);
  other = type;
  other.shape[3] = 6;
  CHECK(type != other);
  other = type;
  other.dtype = DType::kInt32;
  CHECK(type != other);
}

TEST_CASE("a dtype is found by its name") {
  for (const DType dtype :
       {DType::kFloat32, DType::kInt64, DType::kInt32, DType::kUInt8, DType::kBool}) {
    CHECK(FindDType(DTypeName(dtype)) == dtype);
  }
  CHECK_FALSE(FindDType("float64").has_value());
}

}  // namespace
}  // namespace rm::kernels
