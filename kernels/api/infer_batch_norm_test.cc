#include <catch2/catch.hpp>

#include "kernels/api/infer_testing.h"

namespace rm::kernels {
namespace {

const TensorType kImage = Float({2, 3, 4, 5});
const TensorType kChannels = Float({3});
const Attributes kRelu{{"activation", std::string("relu")}};

TEST_CASE("BatchNormalization keeps X's shape", "[batch_norm]") {
  const char* op = "BatchNormalization";
  const TensorType c = kChannels;
  CHECK(Infer({op, {kImage, c, c, c, c}}) == "[2, 3, 4, 5]");
  CHECK(Infer({op, {Float({2, 3}), c, c, c, c}}) == "[2, 3]");
  CHECK(Infer({op, {kImage, c, c, c, Float({4})}}) == "var has shape [4], it must be [3]");
  CHECK(Infer({op, {Float({3}), c, c, c, c}}) ==
        "X has no dimension of channels: it must have at least 2");
  CHECK(Infer({op, {kImage, c, c, c, c}, {{"training_mode", int64_t{1}}}}) ==
        "training_mode 1 is BatchNormTraining here");
}

TEST_CASE("BatchNormTraining gives statistics of each channel", "[batch_norm]") {
  const char* op = "BatchNormTraining";
  CHECK(Infer({op, {kImage, kChannels, kChannels}, {}, 4}) == "[2, 3, 4, 5], [3], [3], [3]");
  CHECK(Infer({op, {kImage, kChannels, kChannels, kImage}, kRelu}) == "[2, 3, 4, 5]");
  CHECK(Infer({op, {kImage, kChannels, kChannels, kChannels}}) ==
        "residual has shape [3], it must be [2, 3, 4, 5]");
  CHECK(Infer({op, {Float({0, 3}), kChannels, kChannels}}) ==
        "X has no elements to take statistics of");
}

TEST_CASE("BatchNormGrad gives the gradients of X, scale and B", "[batch_norm]") {
  const char* op = "BatchNormGrad";
  const TensorType c = kChannels;
  CHECK(Infer({op, {kImage, kImage, c, c, c}, {}, 3}) == "[2, 3, 4, 5], [3], [3]");
  CHECK(Infer({op, {kImage, kImage, c, c, c, kImage}, kRelu, 3}) == "[2, 3, 4, 5], [3], [3]");
  CHECK(Infer({op, {c, kImage, c, c, c}}) == "dY has shape [3], it must be [2, 3, 4, 5]");
  CHECK(Infer({op, {kImage, kImage, c, c, c}, kRelu}) ==
        "Y is read exactly where there is a relu");
  CHECK(Infer({op, {kImage, kImage, c, Float({2}), c}}) ==
        "batch_mean has shape [2], it must be [3]");
}

}  // namespace
}  // namespace rm::kernels
