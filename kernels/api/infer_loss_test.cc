#include <catch2/catch.hpp>

#include "kernels/api/infer_testing.h"

namespace rm::kernels {
namespace {

const TensorType kLogits = Float({4, 10});
const TensorType kFourLabels = Int64({4});
const TensorType kFourWeights = Float({4});

TEST_CASE("SoftmaxCrossEntropy gives a sum and probabilities", "[loss]") {
  CHECK(Infer({"SoftmaxCrossEntropy", {kLogits, kFourLabels, kFourWeights}, {}, 2}) ==
        "[1], [4, 10]");
  CHECK(Infer({"CountCorrect", {kLogits, kFourLabels, kFourWeights}, {}}) == "[1]");
}

TEST_CASE("scores may have rows of any rank: a label for each token of a text", "[loss]") {
  CHECK(Infer({"SoftmaxCrossEntropy",
               {Float({2, 3, 10}), Int64({2, 3}), Float({2, 3})},
               {},
               2}) == "[1], [2, 3, 10]");
  CHECK(Infer({"CountCorrect", {Float({2, 3, 10}), Int64({2, 3}), Float({2, 3})}, {}}) == "[1]");
}

TEST_CASE("losses by element take targets of the output's shape and a weight a sample", "[loss]") {
  for (const std::string op : {"MeanSquaredError", "SigmoidCrossEntropy"}) {
    CHECK(Infer({op, {Float({4, 3}), Float({4, 3}), Float({4})}, {}}) == "[1]");
    CHECK(Infer({op, {Float({4}), Float({4}), Float({4})}, {}}) == "[1]");
    CHECK(Infer({op, {Float({4, 3}), Float({4}), Float({4})}, {}}) ==
          "targets has shape [4], it must be [4, 3]");
    CHECK(Infer({op, {Float({4, 3}), Int64({4, 3}), Float({4})}, {}}) ==
          "targets is int64, it must be float32");
    CHECK(Infer({op, {Float({4, 3}), Float({4, 3}), Float({3})}, {}}) ==
          "weights has shape [3], it must be [4]");
    CHECK(Infer({op, {Float({}), Float({}), Float({1})}, {}}) ==
          "Y has no first dimension that would count samples");
    CHECK(Infer({op + "Grad", {Float({4, 3}), Float({4, 3}), Float({4}), Float({1})}, {}}) ==
          "[4, 3]");
    CHECK(Infer({op + "Grad", {Float({4, 3}), Float({4, 3}), Float({4}), Float({2})}, {}}) ==
          "scale has shape [2], it must be [1]");
  }
}

struct BadLoss {
  const char* what;
  TensorType logits, labels, weights;
  const char* error;
};

TEST_CASE("labels and weights have one element a row", "[loss]") {
  const BadLoss cases[] = {
      {"labels too many", kLogits, Int64({5}), kFourWeights,
       "labels has shape [5], it must be [4]"},
      {"labels as floats", kLogits, Float({4}), kFourWeights,
       "labels is float32, it must be int64"},
      {"weights too few", kLogits, kFourLabels, Float({1}),
       "weights has shape [1], it must be [4]"},
      {"weights as a matrix", kLogits, kFourLabels, Float({4, 1}),
       "weights has shape [4, 1], it must be [4]"},
      {"labels of a row only", Float({4, 3, 10}), kFourLabels, kFourWeights,
       "labels has shape [4], it must be [4, 3]"},
      {"no rows", Float({10}), kFourLabels, kFourWeights,
       "logits has 1 dimensions, it must have 2 or more"},
      {"no classes", Float({4, 0}), kFourLabels, kFourWeights, "logits has no classes"},
  };
  for (const BadLoss& c : cases) {
    INFO(c.what);
    CHECK(Infer({"SoftmaxCrossEntropy", {c.logits, c.labels, c.weights}, {}, 2}) == c.error);
    CHECK(Infer({"CountCorrect", {c.logits, c.labels, c.weights}, {}}) == c.error);
  }
}

TEST_CASE("label smoothing is a share", "[loss]") {
  const auto infer = [](float smoothing) {
    return Infer({"SoftmaxCrossEntropy",
                  {kLogits, kFourLabels, kFourWeights},
                  {{"label_smoothing", smoothing}},
                  2});
  };
  CHECK(infer(0.0F) == "[1], [4, 10]");
  CHECK(infer(0.99F) == "[1], [4, 10]");
  CHECK(infer(1.0F) == "label_smoothing 1 is not in [0, 1)");
  CHECK(infer(-0.5F) == "label_smoothing -0.5 is not in [0, 1)");
}

TEST_CASE("the loss's gradient has the shape of the logits", "[loss]") {
  CHECK(Infer({"SoftmaxCrossEntropyGrad",
               {kLogits, kFourLabels, kFourWeights, Float({1})},
               {},
               1,
               {kLogits}}) == "[4, 10]");
  CHECK(Infer({"SoftmaxCrossEntropyGrad", {kLogits, kFourLabels, kFourWeights, Float({4})}, {}}) ==
        "scale has shape [4], it must be [1]");
}

}  // namespace
}  // namespace rm::kernels
