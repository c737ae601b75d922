#include "runtime/data/sample_layout.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"

namespace rm::data {
namespace {

using kernels::DType;

kernels::Shape ShapeOf(const std::vector<int64_t>& shape) {
  return {shape.begin(), shape.end()};
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  return kernels::ShapeString(ShapeOf(shape));
}

std::vector<int64_t> WithoutOnes(const std::vector<int64_t>& shape) {
  std::vector<int64_t> rest;
  for (const int64_t size : shape) {
    if (size != 1) rest.push_back(size);
  }
  return rest;
}

// What can be changed so that shapes agree: the model where it has parameters, else the data alone.
std::string Advice(const SampleLayout& model, const std::vector<int64_t>& given) {
  if (!model.has_params) return "use other data, or export the model for this shape";
  const std::string params = given.size() == 1
                                 ? absl::StrCat("channels: 1, height: 1, width: ", given[0])
                                 : "channels, height, width";
  return absl::StrCat("set the model's params (", params, ") or use other data");
}

absl::Status CheckInput(const SampleLayout& model, const SampleTensor& wanted,
                        const SampleTensor& given) {
  const bool is_only = model.inputs.size() == 1;
  const std::string at = is_only ? "" : absl::StrCat("input '", wanted.name, "': ");
  if (wanted.dtype != given.dtype) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model's input '", wanted.name, "' is ", wanted.ToString(),
                     ", this format gives ", given.ToString(), "; use npy"));
  }
  // A row of a table has no height or width of its own: it fits where there is room for as many
  // numbers.
  const bool is_row = given.shape.size() == 1;
  if (is_row ? wanted.elements() == given.elements() : wanted.shape == given.shape) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(at, "the data's samples are ",
                                                 ShapeText(given.shape), ", the model takes ",
                                                 ShapeText(wanted.shape), "; ",
                                                 Advice(model, given.shape)));
}

absl::Status CheckTarget(const SampleLayout& model, const SampleLayout& data) {
  if (model.has_classes() != data.has_classes()) {
    return absl::InvalidArgumentError(
        "the loss compares numbers with the model's output, this format has class indices; use npy "
        "or csv, or model.loss: softmax_cross_entropy");
  }
  if (!IsSameTarget(model.target.shape, data.target.shape)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the model's output wants targets of shape ", ShapeText(model.target.shape),
        " for each sample, the data's are ", ShapeText(data.target.shape)));
  }
  // Fewer classes than the model has are fine: a data set may lack some.
  if (!model.has_classes() || data.classes <= model.classes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the data has labels up to ", data.classes - 1, ", the model has ",
                   model.classes, " classes", model.has_params ? "; set model.params.classes" : ""));
}

}  // namespace

// Shapes come from models and files whose sizes were checked, so the product fits.
int64_t SampleTensor::elements() const {
  int64_t product = 1;
  for (const int64_t size : shape) product *= size;
  return product;
}

size_t SampleTensor::bytes() const {
  return static_cast<size_t>(elements()) * kernels::ByteSize(dtype);
}

int64_t SampleTensor::least() const {
  if (limit > 0) return 0;
  if (dtype == DType::kInt64) return std::numeric_limits<int64_t>::min();
  return dtype == DType::kInt32 ? std::numeric_limits<int32_t>::min() : 0;
}

int64_t SampleTensor::largest() const {
  if (limit > 0) return limit - 1;
  switch (dtype) {
    case DType::kInt32: return std::numeric_limits<int32_t>::max();
    case DType::kUInt8: return std::numeric_limits<uint8_t>::max();
    case DType::kBool: return 1;
    case DType::kInt64:
    case DType::kFloat32:
    case DType::kBfloat16: break;
  }
  return std::numeric_limits<int64_t>::max();
}

std::string SampleTensor::ToString() const {
  return absl::StrCat(kernels::DTypeName(dtype), " ", ShapeText(shape));
}

// Number, then each input, then the target: the first difference is the one that explains the rest.
bool IsSameTarget(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  return WithoutOnes(a) == WithoutOnes(b);
}

absl::Status CheckLayout(const SampleLayout& model, const SampleLayout& data) {
  if (model.inputs.size() != data.inputs.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model has ", model.inputs.size(), " inputs (", NamesOf(model.inputs),
                     "), this format fills one; use npy, or csv with data.inputs"));
  }
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    RM_RETURN_IF_ERROR(CheckInput(model, model.inputs[i], data.inputs[i]));
  }
  return CheckTarget(model, data);
}

// One wording for all formats, with the key that can mend it: the data may be right and the model
// too small.
std::string LabelOutOfRange(const SampleLayout& model) {
  return absl::StrCat("is out of range: the model has ", model.classes, " classes, 0 to ",
                      model.classes - 1, model.has_params ? " (model.params.classes)" : "");
}

std::string NamesOf(const std::vector<SampleTensor>& tensors) {
  return absl::StrJoin(tensors, ", ", [](std::string* out, const SampleTensor& tensor) {
    absl::StrAppend(out, "'", tensor.name, "'");
  });
}

}  // namespace rm::data
