#include "kernels/api/check_instance.h"

#include <catch2/catch.hpp>

#include "kernels/api/testing.h"

namespace rm::kernels {
namespace {

using testing::Absent;
using testing::Bytes;
using testing::Floats;
using testing::Int64s;
using Ints = std::vector<int64_t>;

struct Case {
  std::string broken;  // end of the message; empty when the instance is legal
  OpInstance instance;
};

void Check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const absl::Status status = CheckInstance(c.instance);
    INFO(c.instance.ToString() << " gives " << status);
    if (c.broken.empty()) {
      CHECK(status.ok());
    } else {
      CHECK(status.code() == absl::StatusCode::kInvalidArgument);
      CHECK(status.message() == c.instance.ToString() + ": " + c.broken);
    }
  }
}

TEST_CASE("an unknown operator is named") {
  CHECK(CheckInstance({"Frobnicate", {}, {}, {}}) ==
        absl::NotFoundError("there is no operator Frobnicate"));
}

TEST_CASE("operands must be there, in number and in kind") {
  const Operand x = Floats({2, 3});
  Check({
      {"", {"Relu", {}, {x}, {x}}},
      {"wrong number of inputs", {"Relu", {}, {}, {x}}},
      {"wrong number of inputs", {"Relu", {}, {x, x}, {x}}},
      {"wrong number of outputs", {"Relu", {}, {x}, {}}},
      {"input 0 is missing", {"Relu", {}, {Absent()}, {x}}},
      {"input 0 may not be int64", {"Relu", {}, {Int64s({2, 3})}, {x}}},
      {"output 0 may not be uint8", {"Relu", {}, {x}, {Bytes({2, 3})}}},
      {"input 0 is no image and must be plain",
       {"Relu", {}, {Floats({2, 3}, Layout::kChannels8)}, {x}}},
      {"", {"Gemm", {}, {x, Floats({3, 4}), Absent()}, {Floats({2, 4})}}},
  });
}

TEST_CASE("Gemm's matrices must fit in the form they are given in") {
  const Attributes trans_a{{"transA", int64_t{1}}};
  const Attributes trans_b{{"transB", int64_t{1}}};
  const Operand a = Floats({2, 3});
  const Operand b = Floats({3, 4});
  const Operand y = Floats({2, 4});
  Check({
      {"", {"Gemm", {}, {a, b}, {y}}},
      {"", {"Gemm", trans_a, {Floats({3, 2}), b}, {y}}},
      {"", {"Gemm", trans_b, {a, Floats({4, 3})}, {y}}},
      {"the inner dimensions of A and B differ", {"Gemm", trans_a, {a, b}, {y}}},
      {"the inner dimensions of A and B differ", {"Gemm", trans_b, {a, b}, {y}}},
      {"Y has not the product's shape", {"Gemm", {}, {a, b}, {Floats({4, 2})}}},
      {"A, B and Y must be matrices", {"Gemm", {}, {Floats({6}), b}, {y}}},
      {"", {"Gemm", {}, {a, b, Floats({4})}, {y}}},
      {"", {"Gemm", {}, {a, b, Floats({2, 1})}, {y}}},
      {"", {"Gemm", {}, {a, b, Floats({})}, {y}}},
      {"C does not broadcast to Y", {"Gemm", {}, {a, b, Floats({2})}, {y}}},
      {"C does not broadcast to Y", {"Gemm", {}, {a, b, Floats({1, 2, 4})}, {y}}},
  });
}

TEST_CASE("MatMul follows numpy") {
  Check({
      {"", {"MatMul", {}, {Floats({2, 3}), Floats({3, 4})}, {Floats({2, 4})}}},
      {"", {"MatMul", {}, {Floats({5, 2, 3}), Floats({3, 4})}, {Floats({5, 2, 4})}}},
      {"", {"MatMul", {}, {Floats({3}), Floats({5, 3, 4})}, {Floats({5, 4})}}},
      {"", {"MatMul", {}, {Floats({3}), Floats({3})}, {Floats({})}}},
      {"Y must be [2, 4]", {"MatMul", {}, {Floats({2, 3}), Floats({3, 4})}, {Floats({8})}}},
      {"the inner dimensions of A and B differ",
       {"MatMul", {}, {Floats({2, 3}), Floats({2, 4})}, {Floats({2, 4})}}},
      {"the batch dimensions of A and B do not broadcast",
       {"MatMul", {}, {Floats({2, 1, 3}), Floats({3, 3, 1})}, {Floats({2, 1, 1})}}},
      {"A and B may not be scalars", {"MatMul", {}, {Floats({}), Floats({3})}, {Floats({})}}},
  });
}

TEST_CASE("Conv's channels, groups, window and bias must fit") {
  const Operand x = Floats({1, 4, 8, 8});
  const Operand w = Floats({6, 4, 3, 3});
  const Operand y = Floats({1, 6, 6, 6});
  Check({
      {"", {"Conv", {}, {x, w}, {y}}},
      {"", {"Conv", {}, {x, w, Floats({6})}, {y}}},
      {"", {"Conv", {{"group", int64_t{2}}}, {x, Floats({6, 2, 3, 3})}, {y}}},
      {"", {"Conv", {{"pads", Ints{1, 1, 1, 1}}}, {x, w}, {Floats({1, 6, 8, 8})}}},
      {"B must have one element for each channel of Y",
       {"Conv", {}, {x, w, Floats({4})}, {y}}},
      {"W has 4 channels a group, X has 4 in 2", {"Conv", {{"group", int64_t{2}}}, {x, w}, {y}}},
      {"group must divide the channels of Y", {"Conv", {{"group", int64_t{4}}}, {x, w}, {y}}},
      {"Y must be [1, 6, 6, 6]", {"Conv", {}, {x, w}, {Floats({1, 6, 8, 8})}}},
      {"strides must be positive", {"Conv", {{"strides", Ints{0, 1}}}, {x, w}, {y}}},
      {"dilations must be positive", {"Conv", {{"dilations", Ints{1, -1}}}, {x, w}, {y}}},
      {"pads may not be negative", {"Conv", {{"pads", Ints{0, 0, -1, 0}}}, {x, w}, {y}}},
      {"kernel_shape is not that of W", {"Conv", {{"kernel_shape", Ints{5, 5}}}, {x, w}, {y}}},
      {"auto_pad must be NOTSET",
       {"Conv", {{"auto_pad", std::string("SAME_UPPER")}}, {x, w}, {y}}},
      {"X, W and Y must have rank 4", {"Conv", {}, {Floats({4, 8, 8}), w}, {y}}},
  });
}

TEST_CASE("the gradients of Conv obey Conv's rules") {
  const Operand x = Floats({1, 4, 8, 8});
  const Operand w = Floats({6, 4, 3, 3});
  const Operand y = Floats({1, 6, 6, 6});
  Check({
      {"", {"ConvGradInput", {}, {y, w}, {x}}},
      {"Y must be [1, 6, 6, 6]", {"ConvGradInput", {}, {x, w}, {x}}},
      {"", {"ConvGradWeight", {}, {x, y}, {w}}},
      {"", {"ConvGradWeight", {}, {x, y}, {w, Floats({6})}}},
      {"dB must have one element for each channel of Y",
       {"ConvGradWeight", {}, {x, y}, {w, Floats({4})}}},
      {"W has 3 channels a group, X has 4 in 1",
       {"ConvGradWeight", {}, {x, y}, {Floats({6, 3, 3, 3})}}},
  });
}

TEST_CASE("a pool's windows must fit and hold something") {
  const Attributes two{{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}};
  const Operand x = Floats({1, 3, 5, 4});
  const Operand y = Floats({1, 3, 2, 2});
  Attributes ceil = two;
  ceil.Set("ceil_mode", int64_t{1});
  Attributes padded = two;
  padded.Set("pads", Ints{2, 0, 0, 0});
  Check({
      {"", {"MaxPool", two, {x}, {y}}},
      {"", {"MaxPool", two, {x}, {y, Bytes({1, 3, 2, 2})}}},
      {"output 1 may not be int64", {"MaxPool", two, {x}, {y, Int64s({1, 3, 2, 2})}}},
      {"WindowIndex must have Y's shape", {"MaxPool", two, {x}, {y, Bytes({1, 3, 2, 1})}}},
      {"Y must be [1, 3, 2, 2]", {"MaxPool", two, {x}, {x}}},
      {"ceil_mode must be 0", {"MaxPool", ceil, {x}, {y}}},
      {"a window lies wholly in the padding",
       {"MaxPool", padded, {x}, {Floats({1, 3, 3, 2})}}},
      {"WindowIndex needs windows of at most 256 elements",
       {"MaxPool",
        {{"kernel_shape", Ints{1, 257}}},
        {Floats({1, 1, 1, 257})},
        {Floats({1, 1, 1, 1}), Bytes({1, 1, 1, 1})}}},
      {"", {"MaxPoolGrad", two, {y, Bytes({1, 3, 2, 2})}, {x}}},
      {"WindowIndex must have dY's shape", {"MaxPoolGrad", two, {y, Bytes({1, 3, 2, 1})}, {x}}},
      {"Y must be [1, 3, 2, 2]", {"MaxPoolGrad", two, {x, Bytes({1, 3, 5, 4})}, {x}}},
  });
}

TEST_CASE("element-wise operators want one shape, Add one that broadcasts") {
  const Operand x = Floats({2, 3});
  Check({
      {"", {"Add", {}, {x, Floats({3})}, {x}}},
      {"A and B do not broadcast", {"Add", {}, {x, Floats({2})}, {x}}},
      {"Y must be [2, 3]", {"Add", {}, {x, Floats({3})}, {Floats({3})}}},
      {"all operands must have one shape", {"Relu", {}, {x}, {Floats({3, 2})}}},
      {"", {"ReluGrad", {}, {x, x}, {x}}},
      {"all operands must have one shape", {"ReluGrad", {}, {x, Floats({6})}, {x}}},
  });
}

TEST_CASE("copies keep the number of elements and the dtype") {
  Check({
      {"", {"Flatten", {}, {Floats({2, 3, 4})}, {Floats({2, 12})}}},
      {"X and Y must have as many elements", {"Flatten", {}, {Floats({2, 3})}, {Floats({5})}}},
      {"X and Y must have one dtype", {"Reshape", {}, {Floats({6})}, {Int64s({6})}}},
      {"", {"Reshape", {}, {Int64s({6}), Int64s({2})}, {Int64s({2, 3})}}},
      {"", {"Reorder", {}, {Floats({1, 2, 3, 4})}, {Floats({1, 2, 3, 4}, Layout::kChannels8)}}},
      {"X and Y must have one shape",
       {"Reorder", {}, {Floats({1, 2, 3, 4})}, {Floats({1, 2, 4, 3})}}},
  });
}

TEST_CASE("ReduceSum's output follows axes and keepdims") {
  const Operand x = Floats({2, 3});
  const Attributes last{{"axes", Ints{-1}}};
  const Attributes dropped{{"axes", Ints{0}}, {"keepdims", int64_t{0}}};
  Check({
      {"", {"ReduceSum", last, {x}, {Floats({2, 1})}}},
      {"", {"ReduceSum", dropped, {x}, {Floats({3})}}},
      {"", {"ReduceSum", {}, {x}, {Floats({1, 1})}}},
      {"Y must be [2, 1]", {"ReduceSum", last, {x}, {Floats({2})}}},
      {"there is no axis 2", {"ReduceSum", {{"axes", Ints{2}}}, {x}, {Floats({2, 1})}}},
  });
}

TEST_CASE("losses want a label and a weight for each row") {
  const Operand x = Floats({5, 10});
  const Operand labels = Int64s({5});
  const Operand weights = Floats({5});
  const Operand one = Floats({1});
  Check({
      {"", {"SoftmaxCrossEntropy", {}, {x, labels, weights}, {one, x}}},
      {"", {"SoftmaxCrossEntropy", {}, {x, labels, weights}, {one}}},
      {"the loss must be (1)", {"SoftmaxCrossEntropy", {}, {x, labels, weights}, {weights, x}}},
      {"probabilities must be (B, C)",
       {"SoftmaxCrossEntropy", {}, {x, labels, weights}, {one, weights}}},
      {"labels and weights must be (B)",
       {"SoftmaxCrossEntropy", {}, {x, Int64s({10}), weights}, {one, x}}},
      {"the first input must be (B, C)",
       {"SoftmaxCrossEntropy", {}, {weights, labels, weights}, {one}}},
      {"", {"SoftmaxCrossEntropyGrad", {}, {x, labels, weights, one}, {x}}},
      {"scale must be (1)",
       {"SoftmaxCrossEntropyGrad", {}, {x, labels, weights, weights}, {x}}},
      {"dlogits must be (B, C)",
       {"SoftmaxCrossEntropyGrad", {}, {x, labels, weights, one}, {weights}}},
      {"", {"CountCorrect", {}, {x, labels, weights}, {one}}},
      {"the count must be (1)", {"CountCorrect", {}, {x, labels, weights}, {weights}}},
  });
}

TEST_CASE("SgdUpdate wants one shape and four hyperparameters") {
  const Operand w = Floats({7});
  Check({
      {"", {"SgdUpdate", {}, {w, w, w, Floats({4})}, {w, w}}},
      {"hyper must be (4)", {"SgdUpdate", {}, {w, w, w, Floats({3})}, {w, w}}},
      {"w, g and m must have one shape",
       {"SgdUpdate", {}, {w, Floats({8}), w, Floats({4})}, {w, w}}},
      {"wrong number of outputs", {"SgdUpdate", {}, {w, w, w, Floats({4})}, {w}}},
  });
}

TEST_CASE("plain instances are told from others, absent operands aside") {
  const Operand plain = Floats({1, 2, 3, 4});
  const Operand blocked = Floats({1, 2, 3, 4}, Layout::kChannels8);
  CHECK(AllPlain({"Relu", {}, {plain, Absent()}, {plain}}));
  CHECK_FALSE(AllPlain({"Relu", {}, {blocked}, {plain}}));
  CHECK_FALSE(AllPlain({"Relu", {}, {plain}, {blocked}}));
}

TEST_CASE("shapes broadcast from the right") {
  Shape result;
  CHECK((BroadcastShape({2, 3}, {3}, &result) && result == Shape{2, 3}));
  CHECK((BroadcastShape({2, 1}, {1, 3}, &result) && result == Shape{2, 3}));
  CHECK((BroadcastShape({}, {4}, &result) && result == Shape{4}));
  CHECK((BroadcastShape({0, 1}, {1, 3}, &result) && result == Shape{0, 3}));
  CHECK_FALSE(BroadcastShape({2, 3}, {2}, &result));
}

}  // namespace
}  // namespace rm::kernels
