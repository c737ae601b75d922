#include "kernels/cpu/onednn.h"

#include <catch2/catch.hpp>
#include <stdexcept>

namespace rm::kernels::cpu {
namespace {

TEST_CASE("a tensor's description has the tensor's size in memory") {
  const TensorType types[] = {
      {DType::kFloat32, {7}, Layout::kPlain},
      {DType::kFloat32, {2, 3}, Layout::kPlain},
      {DType::kFloat32, {2, 3, 4, 5, 6}, Layout::kPlain},
      {DType::kFloat32, {2, 3, 4, 5}, Layout::kPlain},
      {DType::kFloat32, {2, 3, 4, 5}, Layout::kChannelsLast},
      {DType::kFloat32, {2, 3, 4, 5}, Layout::kChannels8},
      {DType::kFloat32, {2, 17, 4, 5}, Layout::kChannels16},
      {DType::kUInt8, {2, 17, 4, 5}, Layout::kChannels16},
  };
  for (const TensorType& type : types) {
    INFO(type.ToString());
    CHECK(Describe(type).get_size() == type.bytes());
  }
}

TEST_CASE("layouts of one shape are told apart") {
  const Shape shape{2, 16, 4, 5};
  const Desc plain = Describe({DType::kFloat32, shape, Layout::kPlain});
  CHECK(plain != Describe({DType::kFloat32, shape, Layout::kChannelsLast}));
  CHECK(plain != Describe({DType::kFloat32, shape, Layout::kChannels8}));
  CHECK(plain == Describe({DType::kFloat32, shape, Layout::kPlain}));
}

TEST_CASE("layouts that are the same memory have one description") {
  for (const Shape& shape : {Shape{2, 1, 4, 5}, Shape{2, 16, 1, 1}}) {
    CHECK(Describe({DType::kFloat32, shape, Layout::kChannelsLast}) ==
          Describe({DType::kFloat32, shape, Layout::kPlain}));
  }
  const Shape row{2, 16, 1, 5};
  CHECK(Describe({DType::kFloat32, row, Layout::kChannelsLast}) !=
        Describe({DType::kFloat32, row, Layout::kPlain}));
}

TEST_CASE("a transposed matrix is described by its logical shape") {
  CHECK(DescribeMatrix(2, 3, false) == Describe({DType::kFloat32, {2, 3}, Layout::kPlain}));
  CHECK(DescribeMatrix(2, 3, true) != DescribeMatrix(2, 3, false));
  CHECK(DescribeMatrix(2, 3, true).get_size() == 24);
  CHECK(DescribeMatrix(1, 3, true) == DescribeMatrix(1, 3, false));
  CHECK(DescribeMatrix(3, 1, true) == DescribeMatrix(3, 1, false));
}

TEST_CASE("what oneDNN throws becomes a status that says what was tried") {
  const absl::Status dnnl_status = CatchOneDnn(
      "fly", [] { throw dnnl::error(dnnl_unimplemented, "could not create a wing"); });
  CHECK(dnnl_status.code() == absl::StatusCode::kInternal);
  CHECK(dnnl_status.message() ==
        "oneDNN could not fly: could not create a wing (status 3)");
  const absl::Status other = CatchOneDnn("fly", [] { throw std::runtime_error("no wind"); });
  CHECK(other == absl::InternalError("oneDNN could not fly: no wind"));
  CHECK(CatchOneDnn("fly", [] {}).ok());
}

TEST_CASE("a convolution of generated code is told from the reference loops") {
  Convolution conv;
  conv.x = Describe({DType::kFloat32, {1, 16, 8, 8}, Layout::kPlain});
  conv.y = Describe({DType::kFloat32, {1, 16, 6, 6}, Layout::kPlain});
  conv.w = DescribeAny({16, 16, 3, 3});
  conv.strides = {1, 1};
  conv.dilates = {0, 0};
  conv.pads_begin = {0, 0};
  conv.pads_end = {0, 0};
  CHECK_FALSE(IsSlow(DescribeForward(conv, PrimitiveAttributes(true))));
  // Nobody generates code for an image that changes its layout on the way.
  conv.y = Describe({DType::kFloat32, {1, 16, 6, 6}, Layout::kChannels8});
  CHECK(IsSlow(DescribeForward(conv, PrimitiveAttributes(true))));
}

}  // namespace
}  // namespace rm::kernels::cpu
