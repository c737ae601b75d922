// The files hold plain arrays, so the bytes stay as they are, and a table of types says how to make
// the model's numbers of them: one line a type, and no branch inside a loop over elements.
#include "runtime/data/npy_dataset.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "runtime/tensorfile/dtype.h"
#include "runtime/tensorfile/npy.h"

namespace rm::data {
namespace {

using kernels::DType;
using tensorfile::NpyFile;

// Labels above are slips, whatever the model.
constexpr int64_t kLabelsMax = int64_t{1} << 31;

// Element `index` of an array as it lies in the file: little-endian, at any address.
template <typename T>
T Element(const char* bytes, size_t index) {
  T value;
  std::memcpy(&value, bytes + index * sizeof(T), sizeof(T));
  return value;
}

// The loop that reading spends its time in; for float32 it is a copy.
template <typename T, typename U>
void ToNumbers(const char* bytes, size_t first, size_t count, void* numbers) {
  auto* const out = static_cast<U*>(numbers);
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<U>(Element<T>(bytes, first + i));
}

// Elements [first, first + count) as numbers of the model's type. Whole numbers were found to fit.
using Convert = void (*)(const char* bytes, size_t first, size_t count, void* numbers);

// Nothing: a uint64 beyond int64, which is too large for whatever is asked of it.
template <typename T>
std::optional<int64_t> ToWhole(const char* bytes, size_t index) {
  const T value = Element<T>(bytes, index);
  // Every other type fits an int64 whatever its value.
  if constexpr (sizeof(T) == sizeof(int64_t) && std::is_unsigned_v<T>) {
    if (value > static_cast<T>(std::numeric_limits<int64_t>::max())) return std::nullopt;
  }
  return static_cast<int64_t>(value);
}

// What can be read, by its name in tensorfile/dtype.h.
struct ElementType {
  const char* dtype;
  Convert to_floats;
  Convert to_int64s;  // nullptr, as the next ones: no whole number
  Convert to_int32s;
  Convert to_bytes;
  std::optional<int64_t> (*to_whole)(const char* bytes, size_t index);
};

template <typename T>
constexpr ElementType Whole(const char* dtype) {
  return {dtype,
          &ToNumbers<T, float>,
          &ToNumbers<T, int64_t>,
          &ToNumbers<T, int32_t>,
          &ToNumbers<T, uint8_t>,
          &ToWhole<T>};
}

// Floats are no labels and no rows of a table: 0.5 has no class.
template <typename T>
constexpr ElementType Real(const char* dtype) {
  return {dtype, &ToNumbers<T, float>, nullptr, nullptr, nullptr, nullptr};
}

// All that tensorfile/npy.h reads.
constexpr ElementType kTypes[] = {
    Real<float>("F32"),      Real<double>("F64"),     Whole<uint8_t>("U8"),
    Whole<int8_t>("I8"),     Whole<uint16_t>("U16"),  Whole<int16_t>("I16"),
    Whole<uint32_t>("U32"),  Whole<int32_t>("I32"),   Whole<uint64_t>("U64"),
    Whole<int64_t>("I64"),   Whole<uint8_t>("BOOL"),
};

// nullptr: such a file cannot feed such a tensor.
Convert ConvertTo(DType dtype, const ElementType& type) {
  switch (dtype) {
    case DType::kFloat32: return type.to_floats;
    case DType::kInt64: return type.to_int64s;
    case DType::kInt32: return type.to_int32s;
    case DType::kUInt8:
    case DType::kBool: return type.to_bytes;
    case DType::kBfloat16: break;  // no input of a model is of it
  }
  return nullptr;
}

// One array in memory, with what it takes to say where in the file an element was.
struct Array {
  std::string path;
  std::vector<int64_t> shape;
  std::string bytes;
  uint64_t data_offset = 0;
  uint64_t element_bytes = 0;
  const ElementType* type = nullptr;
  // What it is to the model, with the file's own shape of a sample.
  SampleTensor tensor;
  Convert convert = nullptr;

  [[nodiscard]] int64_t samples() const { return shape[0]; }
  [[nodiscard]] size_t row_elements() const { return static_cast<size_t>(tensor.elements()); }
  // Sample `index` into row `row` of memory of the model's type.
  void ReadRow(int64_t index, int64_t row, void* memory) const {
    const size_t count = row_elements();
    convert(bytes.data(), static_cast<size_t>(index) * count, count,
            static_cast<char*>(memory) + static_cast<size_t>(row) * tensor.bytes());
  }
};

// The whole of one file. Its length was compared with its header when it was opened, so the memory
// that is asked for is memory that the file fills.
absl::StatusOr<Array> ReadArray(const base::FileSystem& files, const std::string& path) {
  RM_ASSIGN_OR_RETURN(const auto file, NpyFile::Open(files, path));
  Array array;
  array.path = path;
  array.shape = file->shape();
  array.data_offset = file->data_offset();
  array.element_bytes = tensorfile::ElementBytes(file->dtype());
  for (const ElementType& type : kTypes) {
    if (type.dtype == file->dtype()) array.type = &type;
  }
  if (array.type == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", file->dtype(), " is not read"));
  }
  if (file->data_bytes() == 0 || array.shape.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", tensorfile::DescribeTensor(file->dtype(), array.shape),
                     " holds no samples; the first dimension counts them"));
  }
  // Read in one go: there is nothing to convert, and the operating system does the rest.
  array.bytes.resize(static_cast<size_t>(file->data_bytes()));
  RM_RETURN_IF_ERROR(
      base::Annotate(file->Read(0, file->data_bytes(), array.bytes.data()), path));
  return array;
}

// Samples are rows of the arrays, and nothing is stored twice.
class NpyDataset final : public Dataset {
 public:
  NpyDataset(std::vector<Array> inputs, Array target, int64_t classes, BadRecords bad_records)
      : Dataset(std::move(bad_records)), inputs_(std::move(inputs)), target_(std::move(target)) {
    for (const Array& input : inputs_) layout_.inputs.push_back(input.tensor);
    layout_.target = target_.tensor;
    layout_.classes = classes;
  }

  int64_t size() const override { return target_.samples(); }
  const SampleLayout& layout() const override { return layout_; }

  void ReadRow(int64_t index, int64_t row, const BatchMemory& memory) const override {
    for (size_t i = 0; i < inputs_.size(); ++i) inputs_[i].ReadRow(index, row, memory.inputs[i]);
    target_.ReadRow(index, row, memory.target);
  }

 private:
  const std::vector<Array> inputs_;  // each (n, …)
  const Array target_;               // (n, …)
  SampleLayout layout_;
};

// Something wrong with one element of a row: its place in the row, what it is, and why.
struct Flaw {
  size_t at = 0;
  std::string value;
  std::string reason;
};

// Looks for what is wrong with each sample, its inputs first. Every element is looked at once, here:
// a single NaN would make every weight of the model NaN within a step.
class Checker {
 public:
  Checker(const std::vector<Array>& inputs, const Array& target, const SampleLayout& model)
      : inputs_(inputs),
        target_(target),
        is_share_(model.target_is_share),
        classes_max_(model.classes > 0 ? model.classes : kLabelsMax),
        out_of_range_(model.classes > 0 ? LabelOutOfRange(model) : "is out of range") {
    size_t widest = target.row_elements();
    for (const Array& input : inputs) widest = std::max(widest, input.row_elements());
    row_.resize(widest);
  }

  void Run() {
    for (int64_t sample = 0; sample < target_.samples(); ++sample) CheckSample(sample);
  }

  // What Run finds: the good samples' highest class plus 1, and the samples left out.
  int64_t classes = 0;
  BadRecords bad;

 private:
  void CheckSample(int64_t sample) {
    std::optional<Flaw> flaw;
    for (const Array& input : inputs_) {
      flaw = input.tensor.dtype == DType::kFloat32 ? FindBadFloat(input, sample, false)
                                                   : FindBadWhole(input, sample);
      if (flaw.has_value()) return Add(sample, input, *flaw);
    }
    flaw = target_.tensor.dtype == DType::kFloat32 ? FindBadFloat(target_, sample, is_share_)
                                                   : FindBadLabel(sample);
    if (flaw.has_value()) return Add(sample, target_, *flaw);
    if (target_.tensor.dtype != DType::kFloat32) CountClasses(sample);
  }

  // As float32, since that is what the model will see: a double may be finite and its float not.
  std::optional<Flaw> FindBadFloat(const Array& array, int64_t sample, bool is_share) {
    const size_t count = array.row_elements();
    array.convert(array.bytes.data(), static_cast<size_t>(sample) * count, count, row_.data());
    for (size_t i = 0; i < count; ++i) {
      if (!std::isfinite(row_[i])) {
        return Flaw{i, absl::StrCat(row_[i]), "is no finite float32"};
      }
      if (is_share && (row_[i] < 0 || row_[i] > 1)) {
        return Flaw{i, absl::StrCat(row_[i]), "must be from 0 to 1 (model.loss)"};
      }
    }
    return std::nullopt;
  }

  static std::optional<int64_t> WholeAt(const Array& array, int64_t sample, size_t i) {
    return array.type->to_whole(array.bytes.data(),
                                static_cast<size_t>(sample) * array.row_elements() + i);
  }

  // As the file has it: what no int64 holds is a uint64.
  static std::string TextAt(const Array& array, int64_t sample, size_t i) {
    const std::optional<int64_t> number = WholeAt(array, sample, i);
    if (number.has_value()) return absl::StrCat(*number);
    return absl::StrCat(Element<uint64_t>(
        array.bytes.data(), static_cast<size_t>(sample) * array.row_elements() + i));
  }

  // Kernels that look up rows trust what they are given here.
  static std::optional<Flaw> FindBadWhole(const Array& array, int64_t sample) {
    const int64_t least = array.tensor.least(), largest = array.tensor.largest();
    for (size_t i = 0; i < array.row_elements(); ++i) {
      const std::optional<int64_t> number = WholeAt(array, sample, i);
      if (number.has_value() && *number >= least && *number <= largest) continue;
      return Flaw{i, TextAt(array, sample, i),
                  absl::StrCat("is out of range: the model's input takes ", least, " to ", largest)};
    }
    return std::nullopt;
  }

  // Negative ones are told apart from those beyond the model: they are a coding of their own.
  std::optional<Flaw> FindBadLabel(int64_t sample) const {
    for (size_t i = 0; i < target_.row_elements(); ++i) {
      const int64_t label = WholeAt(target_, sample, i).value_or(classes_max_);
      if (label >= 0 && label < classes_max_) continue;
      return Flaw{i, TextAt(target_, sample, i),
                  label < 0 ? "is no class: they count from 0" : out_of_range_};
    }
    return std::nullopt;
  }

  // Of a sample whose labels were found to be good.
  void CountClasses(int64_t sample) {
    for (size_t i = 0; i < target_.row_elements(); ++i) {
      classes = std::max(classes, WholeAt(target_, sample, i).value_or(-1) + 1);
    }
  }

  // An offset in the file, so that the element can be found with any tool.
  void Add(int64_t sample, const Array& array, const Flaw& flaw) {
    if (!bad.WantsDescription()) return bad.AddUndescribed(sample);
    BadRecord record;
    record.sample = sample;
    record.file = array.path;
    const size_t element = static_cast<size_t>(sample) * array.row_elements() + flaw.at;
    record.offset = static_cast<int64_t>(array.data_offset + element * array.element_bytes);
    record.field = array.tensor.name;
    record.value = flaw.value;
    record.reason = flaw.reason;
    bad.Add(std::move(record));
  }

  const std::vector<Array>& inputs_;
  const Array& target_;
  const bool is_share_;
  const int64_t classes_max_;
  const std::string out_of_range_;
  std::vector<float> row_;
};

// Gives the array its meaning: the model's name and type, the file's shape.
absl::Status Bind(const SampleTensor& wanted, Array* array) {
  array->tensor = wanted;
  array->tensor.shape.assign(array->shape.begin() + 1, array->shape.end());
  array->convert = ConvertTo(wanted.dtype, *array->type);
  if (array->convert != nullptr) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(array->path, ": the input is ", array->type->dtype, "; the model's input '",
                   wanted.name, "' takes whole numbers (", kernels::DTypeName(wanted.dtype), ")"));
}

// The file that is called as the input. A list of numbers is a table of one column.
absl::StatusOr<Array> ReadInput(const base::FileSystem& files, const std::string& folder,
                                const SampleTensor& input) {
  if (input.name.find('/') != std::string::npos || input.name == "target") {
    return absl::InvalidArgumentError(
        absl::StrCat("the model's input '", input.name, "' cannot have a file of its name in ",
                     folder, "; rename the input when the model is exported"));
  }
  RM_ASSIGN_OR_RETURN(Array array, ReadArray(files, base::JoinPath(folder, input.name + ".npy")));
  RM_RETURN_IF_ERROR(Bind(input, &array));
  if (array.tensor.shape.empty()) array.tensor.shape.push_back(1);
  return array;
}

// Whether the target has what the model's loss compares with, for each sample. A column is what other
// libraries make of a list of targets, and means the same.
absl::Status CheckTarget(const Array& target, const SampleTensor& wanted) {
  if (wanted.dtype != DType::kFloat32 && target.type->to_whole == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(target.path, ": the target is ", target.type->dtype,
                     "; it must be class indices, whole numbers from 0"));
  }
  if (IsSameTarget({target.shape.begin() + 1, target.shape.end()}, wanted.shape)) {
    return absl::OkStatus();
  }
  const std::string expected =
      wanted.elements() == 1
          ? "one number for each sample, shape [n] or [n, 1]"
          : absl::StrCat(wanted.elements(), " numbers for each sample, shape [n, ",
                         absl::StrJoin(wanted.shape, ", "), "]");
  return absl::InvalidArgumentError(
      absl::StrCat(target.path, ": the target is ",
                   tensorfile::DescribeTensor(target.type->dtype, target.shape),
                   "; it must have ", expected));
}

}  // namespace

// Files are named after the model's inputs, so that a model of two inputs finds two files.
absl::StatusOr<std::unique_ptr<Dataset>> OpenNpy(const pb::DataSource& source,
                                                 const base::FileSystem& files,
                                                 const DatasetOptions& options) {
  std::vector<SampleTensor> wanted = options.model.inputs;
  if (wanted.empty()) wanted.push_back(FirstInput(options));
  std::vector<Array> inputs;
  for (const SampleTensor& input : wanted) {
    RM_ASSIGN_OR_RETURN(inputs.emplace_back(), ReadInput(files, source.path(), input));
  }
  RM_ASSIGN_OR_RETURN(Array target,
                      ReadArray(files, base::JoinPath(source.path(), "target.npy")));
  RM_RETURN_IF_ERROR(CheckTarget(target, options.model.target));
  RM_RETURN_IF_ERROR(Bind(options.model.target, &target));
  for (const Array& input : inputs) {
    if (input.samples() == target.samples()) continue;
    return absl::InvalidArgumentError(absl::StrCat(input.path, " has ", input.samples(),
                                                   " samples, but ", target.path, " has ",
                                                   target.samples(), " targets"));
  }
  Checker checker(inputs, target, options.model);
  checker.Run();
  return std::make_unique<NpyDataset>(std::move(inputs), std::move(target), checker.classes,
                                      std::move(checker.bad));
}

}  // namespace rm::data
