// The format has three places for the same elements: lists of numbers by kind (small tensors, and
// what people write by hand), raw bytes (every exporter), other files (large models). Each type of
// element has one reading for raw bytes and one for its list; which list holds it is the
// specification's choice (int32_data holds the bits of a float16).
#include "runtime/onnx/tensor.h"

#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/tensorfile/half.h"

namespace rm::onnx {
namespace {

using kernels::DType;
using kernels::Misfit;
using ringmaster::onnx::StringStringEntryProto;
using ringmaster::onnx::TensorProto;

// One line adds a type.
constexpr std::array<ElementType, 12> kElementTypes = {{
    {TensorProto::FLOAT, "FLOAT", DType::kFloat32, 4},
    {TensorProto::UINT8, "UINT8", DType::kUInt8, 1},
    {TensorProto::INT8, "INT8", DType::kInt32, 1},
    {TensorProto::UINT16, "UINT16", DType::kInt32, 2},
    {TensorProto::INT16, "INT16", DType::kInt32, 2},
    {TensorProto::INT32, "INT32", DType::kInt32, 4},
    {TensorProto::INT64, "INT64", DType::kInt64, 8},
    {TensorProto::BOOL, "BOOL", DType::kBool, 1},
    {TensorProto::FLOAT16, "FLOAT16", DType::kFloat32, 2},
    {TensorProto::DOUBLE, "DOUBLE", DType::kFloat32, 8},
    {TensorProto::UINT32, "UINT32", DType::kInt64, 4},
    {TensorProto::BFLOAT16, "BFLOAT16", DType::kFloat32, 2},
}};

// The format is little-endian, and so are all machines this runs on. A tensor may begin at any byte.
template <typename T>
T Load(const std::string& bytes, size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

// `elements` of raw bytes, each read as a T and made an Out.
template <typename T, typename Out, typename Convert>
std::vector<Out> Decode(const std::string& bytes, size_t elements, const Convert& convert) {
  std::vector<Out> out(elements);
  for (size_t i = 0; i < elements; ++i) out[i] = convert(Load<T>(bytes, i));
  return out;
}

template <typename T>
graph::Initializer Integers(const std::string& bytes, size_t elements) {
  return graph::Initializer::OfIntegers(
      Decode<T, int64_t>(bytes, elements, [](T x) { return static_cast<int64_t>(x); }));
}

template <typename T, typename Convert>
graph::Initializer Floats(const std::string& bytes, size_t elements, const Convert& convert) {
  return graph::Initializer::Of(Decode<T, float>(bytes, elements, convert));
}

graph::Initializer FromRaw(int data_type, const std::string& bytes, size_t elements) {
  switch (data_type) {
    case TensorProto::UINT8:
      return Integers<uint8_t>(bytes, elements);
    case TensorProto::INT8:
      return Integers<int8_t>(bytes, elements);
    case TensorProto::UINT16:
      return Integers<uint16_t>(bytes, elements);
    case TensorProto::INT16:
      return Integers<int16_t>(bytes, elements);
    case TensorProto::INT32:
      return Integers<int32_t>(bytes, elements);
    case TensorProto::INT64:
      return Integers<int64_t>(bytes, elements);
    case TensorProto::UINT32:
      return Integers<uint32_t>(bytes, elements);
    case TensorProto::BOOL:
      return graph::Initializer::OfIntegers(
          Decode<uint8_t, int64_t>(bytes, elements, [](uint8_t x) { return x != 0 ? 1 : 0; }));
    case TensorProto::FLOAT16:
      return Floats<uint16_t>(bytes, elements, &tensorfile::HalfToFloat);
    case TensorProto::BFLOAT16:
      return Floats<uint16_t>(bytes, elements, &tensorfile::Bfloat16ToFloat);
    case TensorProto::DOUBLE:
      return Floats<double>(bytes, elements, [](double x) { return static_cast<float>(x); });
    default:
      return Floats<float>(bytes, elements, [](float x) { return x; });
  }
}

// A whole number in a list that is wider than its type.
int64_t Narrowed(int data_type, int64_t x) {
  switch (data_type) {
    case TensorProto::UINT8:
      return static_cast<uint8_t>(x);
    case TensorProto::INT8:
      return static_cast<int8_t>(x);
    case TensorProto::UINT16:
      return static_cast<uint16_t>(x);
    case TensorProto::INT16:
      return static_cast<int16_t>(x);
    case TensorProto::UINT32:
      return static_cast<uint32_t>(x);
    case TensorProto::BOOL:
      return x != 0 ? 1 : 0;
    default:
      return x;
  }
}

template <typename List>
graph::Initializer IntegersOf(int data_type, const List& list) {
  std::vector<int64_t> out;
  out.reserve(static_cast<size_t>(list.size()));
  for (const auto x : list) out.push_back(Narrowed(data_type, static_cast<int64_t>(x)));
  return graph::Initializer::OfIntegers(std::move(out));
}

// The bits of a 16-bit float lie in the list of int32.
graph::Initializer HalvesOf(const TensorProto& proto) {
  const bool brain = proto.data_type() == TensorProto::BFLOAT16;
  std::vector<float> out;
  out.reserve(static_cast<size_t>(proto.int32_data_size()));
  for (int32_t x : proto.int32_data()) {
    const auto bits = static_cast<uint16_t>(x);
    out.push_back(brain ? tensorfile::Bfloat16ToFloat(bits) : tensorfile::HalfToFloat(bits));
  }
  return graph::Initializer::Of(std::move(out));
}

// Which list of numbers holds a type, and how many are in it.
int ListSize(const TensorProto& proto) {
  switch (proto.data_type()) {
    case TensorProto::FLOAT:
      return proto.float_data_size();
    case TensorProto::DOUBLE:
      return proto.double_data_size();
    case TensorProto::INT64:
      return proto.int64_data_size();
    case TensorProto::UINT32:
      return proto.uint64_data_size();
    default:
      return proto.int32_data_size();
  }
}

graph::Initializer FromList(const TensorProto& proto) {
  const int data_type = proto.data_type();
  switch (data_type) {
    case TensorProto::FLOAT:
      return graph::Initializer::Of({proto.float_data().begin(), proto.float_data().end()});
    case TensorProto::DOUBLE: {
      std::vector<float> out;
      for (double x : proto.double_data()) out.push_back(static_cast<float>(x));
      return graph::Initializer::Of(std::move(out));
    }
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16:
      return HalvesOf(proto);
    case TensorProto::INT64:
      return IntegersOf(data_type, proto.int64_data());
    case TensorProto::UINT32:
      return IntegersOf(data_type, proto.uint64_data());
    default:
      return IntegersOf(data_type, proto.int32_data());
  }
}

// Elements of the shape, so few that their bytes can be counted.
absl::StatusOr<uint64_t> Elements(const std::vector<int64_t>& shape) {
  constexpr uint64_t kMost = uint64_t{1} << 48;
  uint64_t elements = 1;
  bool empty = false;
  for (int64_t dimension : shape) {
    if (dimension < 0) return Misfit("it has a dimension of ", dimension);
    empty = empty || dimension == 0;
    if (dimension == 0 || elements == kMost) continue;
    const auto factor = static_cast<uint64_t>(dimension);
    elements = factor > kMost / elements ? kMost : elements * factor;
  }
  return empty ? 0 : elements;
}

std::string ShapeString(const std::vector<int64_t>& shape) {
  return kernels::ShapeString(kernels::Shape(shape.begin(), shape.end()));
}

// A path below the model's folder and nothing else: a file from a stranger must not make a worker read
// what lies elsewhere on the machine. A backslash is a separator for those who wrote it.
absl::Status CheckLocation(absl::string_view location) {
  if (location.empty()) return Misfit("its external data has no location");
  bool leaves = location[0] == '/' || absl::StrContains(location, '\\') ||
                absl::StrContains(location, '\0');
  for (absl::string_view part : absl::StrSplit(location, '/')) leaves = leaves || part == "..";
  if (!leaves) return absl::OkStatus();
  return Misfit("its external data lies in '", location,
                "'; it must be a path within the model's folder, without '..'");
}

}  // namespace

// Keys that are not known (checksums, hints of other tools) are passed over.
absl::StatusOr<std::string> ExternalFiles::Read(const TensorProto& tensor, uint64_t bytes) const {
  if (files_ == nullptr) return Misfit("its data lies in another file");
  std::string location;
  uint64_t offset = 0;
  uint64_t length = bytes;
  for (const StringStringEntryProto& entry : tensor.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() != "offset" && entry.key() != "length") continue;
    uint64_t* number = entry.key() == "offset" ? &offset : &length;
    if (!absl::SimpleAtoi(entry.value(), number)) {
      return Misfit("its external ", entry.key(), " is '", entry.value(), "'");
    }
  }
  RM_RETURN_IF_ERROR(CheckLocation(location));
  if (length != bytes) {
    return Misfit("its external data has ", length, " bytes, its shape asks for ", bytes);
  }
  RM_ASSIGN_OR_RETURN(const auto file, files_->Open(base::JoinPath(folder_, location)));
  if (offset > file->size() || bytes > file->size() - offset) {
    return Misfit("its ", bytes, " bytes at ", offset, " do not fit '", location, "', which has ",
                  file->size());
  }
  std::string data(static_cast<size_t>(bytes), '\0');
  RM_RETURN_IF_ERROR(file->Read(offset, bytes, data.data()));
  return data;
}

absl::StatusOr<std::string> ExternalFiles::ReadAll(const TensorProto& tensor) const {
  const ElementType* type = FindElementType(tensor.data_type());
  if (type == nullptr) {
    return Misfit("it is ", ElementTypeName(tensor.data_type()), ", which is not known");
  }
  RM_ASSIGN_OR_RETURN(const uint64_t elements,
                      Elements({tensor.dims().begin(), tensor.dims().end()}));
  return Read(tensor, elements * type->width);
}

const ElementType* FindElementType(int data_type) {
  for (const ElementType& type : kElementTypes) {
    if (type.data_type == data_type) return &type;
  }
  return nullptr;
}

std::string ElementTypeName(int data_type) {
  const ElementType* type = FindElementType(data_type);
  if (type != nullptr) return type->name;
  if (TensorProto::DataType_IsValid(data_type)) {
    return TensorProto::DataType_Name(static_cast<TensorProto::DataType>(data_type));
  }
  return absl::StrCat("type ", data_type);
}

// The number of elements is known to be what the shape says before anything is allocated for them.
absl::StatusOr<Tensor> ReadTensor(const TensorProto& proto, const ExternalFiles& external) {
  const ElementType* type = FindElementType(proto.data_type());
  if (type == nullptr) return Misfit("it is ", ElementTypeName(proto.data_type()),
                                     ", which is not known");
  Tensor tensor;
  tensor.dtype = type->dtype;
  tensor.shape.assign(proto.dims().begin(), proto.dims().end());
  RM_ASSIGN_OR_RETURN(const uint64_t elements, Elements(tensor.shape));
  const uint64_t bytes = elements * type->width;
  if (proto.data_location() == TensorProto::EXTERNAL) {
    RM_ASSIGN_OR_RETURN(const std::string data, external.Read(proto, bytes));
    tensor.content = FromRaw(proto.data_type(), data, static_cast<size_t>(elements));
    return tensor;
  }
  if (!proto.raw_data().empty()) {
    if (proto.raw_data().size() != bytes) {
      return Misfit("it has ", proto.raw_data().size(), " bytes, ", type->name, " ",
                    ShapeString(tensor.shape), " asks for ", bytes);
    }
    tensor.content = FromRaw(proto.data_type(), proto.raw_data(), static_cast<size_t>(elements));
    return tensor;
  }
  if (static_cast<uint64_t>(ListSize(proto)) != elements) {
    return Misfit("it has ", ListSize(proto), " elements, ", type->name, " ",
                  ShapeString(tensor.shape), " asks for ", elements);
  }
  tensor.content = FromList(proto);
  return tensor;
}

}  // namespace rm::onnx
