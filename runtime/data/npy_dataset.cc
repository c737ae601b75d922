// The files hold plain arrays, so the bytes stay as they are, and a table of types says how to make
// float32 and class indices of them: one line a type, and no branch inside a loop over elements.
#include "runtime/data/npy_dataset.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/tensorfile/dtype.h"
#include "runtime/tensorfile/npy.h"

namespace rm::data {
namespace {

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

// The loop that Read spends its time in; for float32 it is a copy.
template <typename T>
void ToFloats(const char* bytes, size_t first, size_t count, float* floats) {
  for (size_t i = 0; i < count; ++i) floats[i] = static_cast<float>(Element<T>(bytes, first + i));
}

// A uint64 beyond int64 stays what it is: too large.
template <typename T>
int64_t ToLabel(const char* bytes, size_t index) {
  const T value = Element<T>(bytes, index);
  // Every other type fits an int64 whatever its value.
  if constexpr (sizeof(T) == sizeof(int64_t) && std::is_unsigned_v<T>) {
    if (value > static_cast<T>(std::numeric_limits<int64_t>::max())) {
      return std::numeric_limits<int64_t>::max();
    }
  }
  return static_cast<int64_t>(value);
}

// What can be read, by its name in tensorfile/dtype.h.
struct ElementType {
  const char* dtype;
  void (*to_floats)(const char* bytes, size_t first, size_t count, float* floats);
  int64_t (*to_label)(const char* bytes, size_t index);  // nullptr: no whole number
};

// All that tensorfile/npy.h reads. Floats are no labels: 0.5 has no class.
constexpr ElementType kTypes[] = {
    {"F32", &ToFloats<float>, nullptr},
    {"F64", &ToFloats<double>, nullptr},
    {"U8", &ToFloats<uint8_t>, &ToLabel<uint8_t>},
    {"I8", &ToFloats<int8_t>, &ToLabel<int8_t>},
    {"U16", &ToFloats<uint16_t>, &ToLabel<uint16_t>},
    {"I16", &ToFloats<int16_t>, &ToLabel<int16_t>},
    {"U32", &ToFloats<uint32_t>, &ToLabel<uint32_t>},
    {"I32", &ToFloats<int32_t>, &ToLabel<int32_t>},
    {"U64", &ToFloats<uint64_t>, &ToLabel<uint64_t>},
    {"I64", &ToFloats<int64_t>, &ToLabel<int64_t>},
    {"BOOL", &ToFloats<uint8_t>, &ToLabel<uint8_t>},
};

// One array in memory, with what it takes to say where in the file an element was.
struct Array {
  std::string path;
  std::vector<int64_t> shape;
  std::string bytes;
  uint64_t data_offset = 0;
  uint64_t element_bytes = 0;
  const ElementType* type = nullptr;
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

// Samples are rows of the input; labels were converted once, since there is one a sample and they
// are looked at more often.
class NpyDataset final : public Dataset {
 public:
  NpyDataset(Array input, std::vector<int64_t> labels, int64_t classes, BadRecords bad_records)
      : Dataset(std::move(bad_records)),
        input_(std::move(input)),
        labels_(std::move(labels)),
        classes_(classes),
        sample_shape_(input_.shape.begin() + 1, input_.shape.end()) {
    // A list of numbers is a table of one column.
    if (sample_shape_.empty()) sample_shape_.push_back(1);
    elements_ = static_cast<size_t>(sample_elements());
  }

  int64_t size() const override { return static_cast<int64_t>(labels_.size()); }
  const std::vector<int64_t>& sample_shape() const override { return sample_shape_; }
  int64_t classes() const override { return classes_; }

  void Read(int64_t index, float* features, int64_t* label) const override {
    const auto sample = static_cast<size_t>(index);
    input_.type->to_floats(input_.bytes.data(), sample * elements_, elements_, features);
    *label = labels_[sample];
  }

 private:
  const Array input_;  // (n, …)
  const std::vector<int64_t> labels_;
  const int64_t classes_;
  std::vector<int64_t> sample_shape_;
  size_t elements_ = 0;
};

// Looks for what is wrong with each sample, its input first. Every element is looked at once, here:
// a single NaN would make every weight of the model NaN within a step.
class Checker {
 public:
  Checker(const Array& input, const Array& target, const DatasetOptions& options)
      : input_(input),
        target_(target),
        limit_(options.classes > 0 ? options.classes : kLabelsMax),
        reason_(options.classes > 0 ? LabelOutOfRange(options.classes) : "is out of range"),
        samples_(static_cast<size_t>(input.shape[0])),
        elements_(input.bytes.size() / input.element_bytes / samples_) {}

  void Run() {
    // As float32, since that is what the model will see: a double may be finite and its float not.
    std::vector<float> row(elements_);
    labels.reserve(samples_);
    for (size_t sample = 0; sample < samples_; ++sample) {
      const int64_t label = target_.type->to_label(target_.bytes.data(), sample);
      labels.push_back(label);
      input_.type->to_floats(input_.bytes.data(), sample * elements_, elements_, row.data());
      const auto wrong =
          std::find_if(row.begin(), row.end(), [](float x) { return !std::isfinite(x); });
      if (wrong != row.end()) {
        const auto at = static_cast<size_t>(wrong - row.begin());
        Add(sample, input_, sample * elements_ + at, "input", absl::StrCat(row[at]),
            "is no finite float32");
      } else if (label < 0) {
        Add(sample, target_, sample, "target", absl::StrCat(label),
            "is no class: they count from 0");
      } else if (label >= limit_) {
        Add(sample, target_, sample, "target", absl::StrCat(label), reason_);
      } else {
        classes = std::max(classes, label + 1);
      }
    }
  }

  // What Run finds: a label a sample, the good ones' highest plus 1, and the samples left out.
  std::vector<int64_t> labels;
  int64_t classes = 0;
  BadRecords bad;

 private:
  // An offset in the file, so that the element can be found with any tool.
  void Add(size_t sample, const Array& array, size_t element, const char* field, std::string value,
           const std::string& reason) {
    BadRecord record;
    record.sample = static_cast<int64_t>(sample);
    if (!bad.WantsDescription()) return bad.AddUndescribed(record.sample);
    record.file = array.path;
    record.offset = static_cast<int64_t>(array.data_offset + element * array.element_bytes);
    record.field = field;
    record.value = std::move(value);
    record.reason = reason;
    bad.Add(std::move(record));
  }

  const Array& input_;
  const Array& target_;
  const int64_t limit_;
  const std::string reason_;
  const size_t samples_;
  const size_t elements_;  // of a sample
};

// Whether the target has one whole number for each sample. A column is what other libraries make of
// a list of targets, and means the same.
absl::Status CheckTarget(const Array& input, const Array& target) {
  if (target.type->to_label == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(target.path, ": the target is ", target.type->dtype,
                     "; it must be class indices, whole numbers from 0"));
  }
  const bool is_column = target.shape.size() == 2 && target.shape[1] == 1;
  if (target.shape.size() != 1 && !is_column) {
    return absl::InvalidArgumentError(
        absl::StrCat(target.path, ": the target is ",
                     tensorfile::DescribeTensor(target.type->dtype, target.shape),
                     "; it must have one number for each sample, shape [n] or [n, 1]"));
  }
  if (target.shape[0] == input.shape[0]) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(input.path, " has ", input.shape[0],
                                                 " samples, but ", target.path, " has ",
                                                 target.shape[0], " targets"));
}

}  // namespace

// The input is named after the model's, so that a model of two inputs will find two files.
absl::StatusOr<std::unique_ptr<Dataset>> OpenNpy(const pb::DataSource& source,
                                                 const base::FileSystem& files,
                                                 const DatasetOptions& options) {
  const std::string input_path = base::JoinPath(source.path(), options.input + ".npy");
  RM_ASSIGN_OR_RETURN(Array input, ReadArray(files, input_path));
  RM_ASSIGN_OR_RETURN(const Array target,
                      ReadArray(files, base::JoinPath(source.path(), "target.npy")));
  RM_RETURN_IF_ERROR(CheckTarget(input, target));
  Checker checker(input, target, options);
  checker.Run();
  return std::make_unique<NpyDataset>(std::move(input), std::move(checker.labels), checker.classes,
                                      std::move(checker.bad));
}

}  // namespace rm::data
