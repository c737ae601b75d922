#include "runtime/data/sample_layout.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

namespace rm::data {
namespace {

using kernels::DType;

// One float32 input of that shape, and so many classes.
SampleLayout Images(const std::vector<int64_t>& shape, int64_t classes) {
  SampleLayout layout;
  layout.inputs = {{"input", DType::kFloat32, shape, 0}};
  layout.classes = classes;
  return layout;
}

std::string Error(const SampleLayout& model, const SampleLayout& data) {
  return std::string(CheckLayout(model, data).message());
}

TEST_CASE("data that does not fit the model is refused with both sides named") {
  const SampleLayout model = Images({1, 28, 28}, 10);
  CHECK(CheckLayout(model, Images({1, 28, 28}, 10)).ok());
  CHECK(CheckLayout(model, Images({1, 28, 28}, 3)).ok());
  CHECK(Error(model, Images({3, 32, 32}, 10)) ==
        "the data's samples are [3, 32, 32], the model takes [1, 28, 28]; set the model's params "
        "(channels, height, width) or use other data");
  CHECK(Error(model, Images({1, 28, 28}, 11)) ==
        "the data has labels up to 10, the model has 10 classes; set model.params.classes");
}

TEST_CASE("a row of a table fits a model that takes as many numbers") {
  const SampleLayout model = Images({1, 1, 4}, 10);
  CHECK(CheckLayout(model, Images({4}, 10)).ok());
  CHECK(Error(model, Images({5}, 10)) ==
        "the data's samples are [5], the model takes [1, 1, 4]; set the model's params (channels: "
        "1, height: 1, width: 5) or use other data");
  CHECK_FALSE(CheckLayout(model, Images({2, 2}, 10)).ok());  // of two dimensions: no row
}

TEST_CASE("of a model from a file no parameter can be set") {
  SampleLayout model = Images({4}, 10);
  model.has_params = false;
  CHECK(Error(model, Images({5}, 10)) ==
        "the data's samples are [5], the model takes [4]; use other data, or export the model for "
        "this shape");
  CHECK(Error(model, Images({4}, 11)) ==
        "the data has labels up to 10, the model has 10 classes");
  CHECK(LabelOutOfRange(model) == "is out of range: the model has 10 classes, 0 to 9");
}

TEST_CASE("the number of inputs, their types and the target's kind and shape are compared") {
  SampleLayout model = Images({4}, 10);
  SampleLayout two = model;
  two.inputs.push_back({"ids", DType::kInt64, {2}, 0});
  CHECK(Error(two, model) ==
        "the model has 2 inputs ('input', 'ids'), this format fills one; use npy, or csv with "
        "data.inputs");
  SampleLayout whole = model;
  whole.inputs[0].dtype = DType::kInt32;
  CHECK(Error(whole, model) ==
        "the model's input 'input' is int32 [4], this format gives float32 [4]; use npy");
  SampleLayout numbers = model;
  numbers.target.dtype = DType::kFloat32;
  CHECK(Error(numbers, model) ==
        "the loss compares numbers with the model's output, this format has class indices; use npy "
        "or csv, or model.loss: softmax_cross_entropy");
  SampleLayout rows = model;
  rows.target.shape = {4};
  CHECK(Error(rows, model) ==
        "the model's output wants targets of shape [4] for each sample, the data's are []");
  rows.target.shape = {1};
  CHECK(CheckLayout(rows, model).ok());  // one column
}

TEST_CASE("dimensions of 1 are no difference between targets, the order of others is") {
  CHECK(IsSameTarget({}, {1}));
  CHECK(IsSameTarget({3}, {3, 1}));
  CHECK(IsSameTarget({1, 3, 1, 2}, {3, 2}));
  CHECK_FALSE(IsSameTarget({3, 2}, {2, 3}));
  CHECK_FALSE(IsSameTarget({3}, {}));
}

TEST_CASE("classes weigh one by one, numbers of a sample together") {
  SampleLayout layout = Images({4}, 10);
  CHECK(layout.weights() == 1);
  layout.target.shape = {16};
  CHECK(layout.weights() == 16);
  layout.target.dtype = DType::kFloat32;
  CHECK(layout.weights() == 1);
}

TEST_CASE("a tensor knows its size, and what whole numbers it may hold") {
  const SampleTensor tokens = {"tokens", DType::kInt64, {8, 2}, 65};
  CHECK(tokens.elements() == 16);
  CHECK(tokens.bytes() == 128);
  CHECK((tokens.least() == 0 && tokens.largest() == 64));
  CHECK(tokens.ToString() == "int64 [8, 2]");
  const SampleTensor number = {"n", DType::kInt32, {}, 0};
  CHECK(number.elements() == 1);
  CHECK(number.least() == std::numeric_limits<int32_t>::min());
  CHECK(number.largest() == std::numeric_limits<int32_t>::max());
  CHECK(SampleTensor{"m", DType::kBool, {}, 0}.largest() == 1);
  CHECK(SampleTensor{"u", DType::kUInt8, {}, 0}.least() == 0);
}

}  // namespace
}  // namespace rm::data
