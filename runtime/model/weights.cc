#include "runtime/model/weights.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "kernels/api/tensor.h"
#include "runtime/tensorfile/dtype.h"
#include "runtime/tensorfile/half.h"
#include "runtime/tensorfile/safetensors.h"

namespace rm::model {
namespace {

using tensorfile::DescribeTensor;
using tensorfile::SafetensorsFile;
using tensorfile::TensorInfo;

// One element of a file, in its own type, as float32.
using ReadElement = float (*)(const char* bytes);

// The format is little-endian, and so are all machines this runs on.
template <typename T>
T Load(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(value));  // a tensor may begin at any byte
  return value;
}

// The type of our own parameters; float64 is rounded to the nearest.
float FromFloat32(const char* bytes) { return Load<float>(bytes); }
float FromFloat64(const char* bytes) { return static_cast<float>(Load<double>(bytes)); }

float FromBfloat16(const char* bytes) {
  return tensorfile::Bfloat16ToFloat(Load<uint16_t>(bytes));
}

float FromFloat16(const char* bytes) { return tensorfile::HalfToFloat(Load<uint16_t>(bytes)); }

// One line adds a type.
struct ElementType {
  const char* dtype;
  ReadElement read;
};

constexpr std::array<ElementType, 4> kElementTypes = {{
    {"F32", &FromFloat32},
    {"F64", &FromFloat64},
    {"F16", &FromFloat16},
    {"BF16", &FromBfloat16},
}};

// nullptr: not a floating-point type.
ReadElement ReaderOf(const std::string& dtype) {
  for (const ElementType& type : kElementTypes) {
    if (dtype == type.dtype) return type.read;
  }
  return nullptr;
}

// What a file of weights holds: parameters, and buffers beside them.
bool IsWeight(const graph::Value& value) {
  return value.kind == graph::ValueKind::kParameter || value.kind == graph::ValueKind::kBuffer;
}

std::vector<graph::ValueId> WeightsOf(const graph::Graph& graph) {
  std::vector<graph::ValueId> ids = graph.parameters();
  for (const graph::ValueId buffer : graph.buffers()) ids.push_back(buffer);
  return ids;
}

// Why this tensor cannot be the parameter's value; empty when it can.
std::string Mismatch(const graph::Value& parameter, const TensorInfo& tensor) {
  const std::vector<int64_t> wanted(parameter.shape.begin(), parameter.shape.end());
  if (tensor.shape == wanted && ReaderOf(tensor.dtype) != nullptr) return "";
  return absl::StrCat("'", parameter.name, "' is ", DescribeTensor(tensor.dtype, tensor.shape),
                      " there, the model's is ", kernels::ShapeString(parameter.shape),
                      ReaderOf(tensor.dtype) == nullptr ? " of F32, F64, F16 or BF16" : "");
}

// Both directions, so that one run of the check names everything there is to mend: parameters in
// the model's order, then what is left over in the file's.
absl::Status Compare(const graph::Graph& graph, const SafetensorsFile& file,
                     const std::string& path) {
  std::vector<std::string> problems;
  for (const graph::ValueId id : WeightsOf(graph)) {
    const graph::Value& parameter = graph.value(id);
    const TensorInfo* tensor = file.Find(parameter.name);
    std::string problem = tensor == nullptr ? absl::StrCat("'", parameter.name, "' is missing")
                                            : Mismatch(parameter, *tensor);
    if (!problem.empty()) problems.push_back(std::move(problem));
  }
  for (const TensorInfo& tensor : file.tensors()) {
    const graph::ValueId id = graph.FindValue(tensor.name);
    if (id != graph::kNoValue && IsWeight(graph.value(id))) continue;
    problems.push_back(absl::StrCat("'", tensor.name, "' is not a parameter of the model"));
  }
  if (problems.empty()) return absl::OkStatus();
  std::string more;
  if (problems.size() > kWeightProblemsMax) {
    more = absl::StrCat("; and ", problems.size() - kWeightProblemsMax, " more");
    problems.resize(kWeightProblemsMax);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      path, " does not fit the model: ", absl::StrJoin(problems, "; "), more));
}

// The shape has been compared, so the number of values is that of the parameter.
absl::StatusOr<std::vector<float>> ReadTensor(const SafetensorsFile& file,
                                              const TensorInfo& tensor) {
  std::vector<char> bytes(static_cast<size_t>(tensor.bytes));
  RM_RETURN_IF_ERROR(file.Read(tensor, bytes.data()));
  const ReadElement read = ReaderOf(tensor.dtype);
  const auto width = static_cast<size_t>(tensorfile::ElementBytes(tensor.dtype));
  std::vector<float> values(bytes.size() / width);
  for (size_t i = 0; i < values.size(); ++i) values[i] = read(bytes.data() + i * width);
  return values;
}

}  // namespace

// The header holds names, types and shapes: a file of gigabytes is checked in a millisecond.
absl::Status CheckWeights(const graph::Graph& graph, const base::FileSystem& files,
                          const std::string& path) {
  RM_ASSIGN_OR_RETURN(const auto file, SafetensorsFile::Open(files, path));
  return Compare(graph, *file, path);
}

// Everything is read before anything is changed.
absl::Status LoadWeights(const base::FileSystem& files, const std::string& path,
                         graph::Graph* graph) {
  RM_ASSIGN_OR_RETURN(const auto file, SafetensorsFile::Open(files, path));
  RM_RETURN_IF_ERROR(Compare(*graph, *file, path));
  std::vector<std::pair<graph::ValueId, std::vector<float>>> loaded;
  for (const graph::ValueId id : WeightsOf(*graph)) {
    RM_ASSIGN_OR_RETURN(auto values, ReadTensor(*file, *file->Find(graph->value(id).name)));
    loaded.emplace_back(id, std::move(values));
  }
  for (auto& [id, values] : loaded) {
    graph->mutable_value(id).initializer = graph::Initializer::Of(std::move(values));
  }
  return absl::OkStatus();
}

}  // namespace rm::model
