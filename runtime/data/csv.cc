// One pass over the file. A record is first read as a whole, and only when all of it is good does
// it count: for categories, means, and the samples. Then, in the training file, categories get
// their places in sorted order and empty fields what stands in for them.
#include "runtime/data/csv.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/nearest_name.h"
#include "base/status.h"
#include "runtime/data/byte_stream.h"
#include "runtime/data/csv_reader.h"
#include "runtime/data/csv_schema.h"

namespace rm::data {
namespace {

using Type = CsvColumn::Type;

// The code of an empty field of a category. Empty numbers are kept as NaN, which no file can hold.
constexpr uint32_t kMissingCode = ~uint32_t{0};
constexpr float kMissingNumber = std::numeric_limits<float>::quiet_NaN();

// Of int labels where no model says how many classes there are.
constexpr int64_t kLabelsMax = int64_t{1} << 31;

// The fields of one column, one a record; one of the two is empty. By columns and not by records,
// since types belong to columns, and four bytes a field whatever the type.
struct ColumnData {
  std::vector<float> numbers;     // float and int
  std::vector<uint32_t> codes;    // category, and classes
  std::vector<int64_t> integers;  // int, for an input of whole numbers
};

// Where a column's numbers begin in a sample of its input.
struct Slot {
  size_t input = 0;
  int64_t offset = 0;
};

// What is stored of a target.
struct Targets {
  std::vector<uint32_t> classes;  // one of the two is empty
  std::vector<float> numbers;
};

// A whole number in the type that the model's input has; it was found to fit.
void StoreWhole(int64_t number, kernels::DType dtype, void* memory, int64_t at) {
  switch (dtype) {
    case kernels::DType::kInt64: static_cast<int64_t*>(memory)[at] = number; return;
    case kernels::DType::kInt32: static_cast<int32_t*>(memory)[at] = static_cast<int32_t>(number); return;
    case kernels::DType::kUInt8:
    case kernels::DType::kBool: static_cast<uint8_t*>(memory)[at] = static_cast<uint8_t>(number); return;
    case kernels::DType::kFloat32: static_cast<float*>(memory)[at] = static_cast<float>(number); return;
    case kernels::DType::kBfloat16: return;  // no input of a model is of it
  }
}

// Values of a category by the order in which they were met, and how often. While the file is read
// nobody can know the sorted order: codes are handed out as values come, and turned at the end.
struct Dictionary {
  absl::flat_hash_map<std::string, uint32_t> codes;
  std::vector<int64_t> counts;
};

// The file as columns; samples are put together when they are read. One-hot rows are never stored:
// a column of a thousand categories would turn a megabyte of file into gigabytes.
//
// Invariant: codes of good samples are below their column's number of categories, or kMissingCode
// where the column has a fallback; numbers are finite; classes are below layout().classes.
class CsvDataset final : public Dataset {
 public:
  CsvDataset(CsvEncoding encoding, std::vector<ColumnData> columns, Targets targets,
             SampleLayout layout, BadRecords bad_records)
      : Dataset(std::move(bad_records)),
        encoding_(std::move(encoding)),
        columns_(std::move(columns)),
        targets_(std::move(targets)),
        layout_(std::move(layout)) {
    // Features stand in the order of inputs, each input's in the order of its sample.
    std::vector<int64_t> used(layout_.inputs.size(), 0);
    for (const CsvColumn& column : encoding_.features) {
      slots_.push_back({column.input, used[column.input]});
      used[column.input] += static_cast<int64_t>(column.width());
    }
  }

  int64_t size() const override {
    return static_cast<int64_t>(std::max(targets_.classes.size(), targets_.numbers.size()));
  }
  const SampleLayout& layout() const override { return layout_; }
  const CsvEncoding* csv_encoding() const override { return &encoding_; }

  void ReadRow(int64_t index, int64_t row, const BatchMemory& memory) const override {
    const auto sample = static_cast<size_t>(index);
    for (size_t i = 0; i < columns_.size(); ++i) {
      const Slot& slot = slots_[i];
      const SampleTensor& input = layout_.inputs[slot.input];
      const int64_t at = row * input.elements() + slot.offset;
      if (encoding_.features[i].is_whole) {
        StoreWhole(WholeAt(i, sample), input.dtype, memory.inputs[slot.input], at);
      } else {
        StoreFloats(i, sample, static_cast<float*>(memory.inputs[slot.input]) + at);
      }
    }
    if (layout_.has_classes()) {
      *RowOf<int64_t>(memory.target, row, 1) = targets_.classes[sample];
    } else {
      *RowOf<float>(memory.target, row, 1) = targets_.numbers[sample];
    }
  }

 private:
  int64_t WholeAt(size_t i, size_t sample) const {
    if (encoding_.features[i].type == Type::kCategory) return columns_[i].codes[sample];
    return columns_[i].integers[sample];
  }

  // A number, or the one-hot numbers of a category, or what stands in for them.
  void StoreFloats(size_t i, size_t sample, float* features) const {
    const CsvColumn& column = encoding_.features[i];
    if (column.type != Type::kCategory) {
      *features = columns_[i].numbers[sample];
      return;
    }
    const uint32_t code = columns_[i].codes[sample];
    if (code == kMissingCode) {
      std::copy(column.fallback.begin(), column.fallback.end(), features);
      return;
    }
    std::fill(features, features + column.width(), 0.0F);
    features[code] = 1.0F;
  }

  const CsvEncoding encoding_;
  const std::vector<ColumnData> columns_;  // as encoding_.features
  const Targets targets_;
  const SampleLayout layout_;
  std::vector<Slot> slots_;  // as columns_
};

// The loss and the inputs of the model, in words of a table. InvalidArgument: data.inputs names an
// input that the model does not have.
absl::StatusOr<CsvWishes> WishesOf(const DatasetOptions& options) {
  CsvWishes wishes;
  if (!options.model.has_classes()) {
    wishes.target = options.model.target_is_share ? CsvTarget::kShare : CsvTarget::kNumber;
  }
  if (options.model.inputs.empty()) return wishes;
  wishes.inputs.clear();
  std::vector<std::string> names;
  for (const SampleTensor& input : options.model.inputs) {
    const auto columns = options.inputs.find(input.name);
    const bool is_whole = input.dtype != kernels::DType::kFloat32;
    wishes.inputs.push_back(
        {input.name,
         columns == options.inputs.end() ? std::vector<std::string>() : columns->second, is_whole});
    names.push_back(input.name);
  }
  for (const auto& [name, columns] : options.inputs) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const std::string suggestion = base::Suggestion(name, names);
    return absl::InvalidArgumentError(
        absl::StrCat("data.inputs: the model has no input '", name, "'", suggestion,
                     suggestion.empty() ? "; it has " : " It has ", NamesOf(options.model.inputs)));
  }
  return wishes;
}

// Reads one file. Used once.
//
// A record is read into numbers_, codes_ and texts_, one entry a column that is used, and then
// either committed or, when something was found, left behind as a bad record with zeros in its
// place. Functions that return `const char*` return what is wrong, or nullptr: a status a field
// would cost more than reading the field.
class CsvLoader {
 public:
  CsvLoader(ByteStream& stream, const DatasetOptions& options)
      : stream_(stream), reader_(stream), options_(options) {}

  absl::StatusOr<std::unique_ptr<Dataset>> Load();

 private:
  absl::Status ReadHeader();
  absl::Status FindUsedColumns();
  absl::Status ReadRecords();
  const char* ReadRecord();
  const char* ReadField(size_t i);
  const char* ReadCategory(size_t i, absl::string_view text);
  const char* ReadLabel(absl::string_view text);
  const char* ReadTarget(absl::string_view text);
  const char* ReadWhole(size_t i, absl::string_view text);
  void Commit();
  void CommitBad(size_t field, const char* reason);
  [[nodiscard]] absl::Status TooManyValues(size_t i) const;
  [[nodiscard]] absl::Status CheckCategories() const;
  [[nodiscard]] Targets TakeTargets();
  [[nodiscard]] SampleLayout MakeLayout() const;
  void LearnCategories(size_t i);
  void FillFallback(size_t i);
  void ReplaceMissing(size_t i);
  absl::Status At(TextPlace place, absl::string_view what) const;

  [[nodiscard]] bool learns() const { return options_.training == nullptr; }
  // Features first, the label last.
  [[nodiscard]] const CsvColumn& column(size_t i) const {
    return i < encoding_.features.size() ? encoding_.features[i] : encoding_.label;
  }
  [[nodiscard]] CsvColumn& column(size_t i) {
    return i < encoding_.features.size() ? encoding_.features[i] : encoding_.label;
  }

  // What is asked for. The file is read through reader_ alone; stream_ knows its name.
  ByteStream& stream_;
  CsvReader reader_;
  const DatasetOptions& options_;
  // What the header says, and what is learned of its columns as records come.
  CsvEncoding encoding_;
  std::vector<std::string> header_;
  std::vector<size_t> positions_;         // of the columns used, in the file
  std::vector<ColumnData> columns_;       // as positions_; the label's has codes alone
  std::vector<Dictionary> dictionaries_;  // as positions_; of categories
  int64_t samples_ = 0;
  int64_t classes_ = 0;
  BadRecords bad_;
  size_t wrong_field_ = 0;  // of the file, when ReadRecord finds something
  std::string reason_;      // memory of a reason that is no literal

  // The record being read: one entry a column used.
  std::vector<float> numbers_;
  std::vector<uint32_t> codes_;
  std::vector<int64_t> integers_;
  std::vector<absl::string_view> texts_;  // of categories that are being learned
};

// Header, records, then what only the whole file can tell.
absl::StatusOr<std::unique_ptr<Dataset>> CsvLoader::Load() {
  RM_RETURN_IF_ERROR(ReadHeader());
  RM_RETURN_IF_ERROR(ReadRecords());
  if (samples_ == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(stream_.path(), ": there is no record behind the header"));
  }
  const size_t label = encoding_.features.size();
  RM_RETURN_IF_ERROR(CheckCategories());
  for (size_t i = 0; i <= label; ++i) {
    if (learns()) LearnCategories(i);
    if (i < label) ReplaceMissing(i);
  }
  // Also in a validation file that lacks some: the model must know all of the training file's.
  if (encoding_.target == CsvTarget::kClass && encoding_.label.type == Type::kCategory) {
    classes_ = static_cast<int64_t>(encoding_.label.categories.size());
  }
  Targets targets = TakeTargets();
  SampleLayout layout = MakeLayout();
  return std::make_unique<CsvDataset>(std::move(encoding_), std::move(columns_), std::move(targets),
                                      std::move(layout), std::move(bad_));
}

// Categories that the model has no room for: its classes, the two sides of a share, or the rows of a
// table that an input's numbers are looked up in.
absl::Status CsvLoader::CheckCategories() const {
  const size_t label = encoding_.features.size();
  // A label column that is no category has an empty dictionary.
  const auto label_values = static_cast<int64_t>(dictionaries_[label].codes.size());
  const bool is_share = encoding_.target == CsvTarget::kShare;
  if (is_share && label_values > 2) {
    return absl::InvalidArgumentError(
        absl::StrCat(stream_.path(), ": column '", ShownValue(encoding_.label.name), "' has ",
                     label_values, " different values; this loss tells two apart"));
  }
  if (!is_share && options_.model.classes > 0 && label_values > options_.model.classes) {
    return TooManyValues(label);
  }
  for (size_t i = 0; i < label; ++i) {
    if (!column(i).is_whole) continue;
    const SampleTensor& input = options_.model.inputs[column(i).input];
    const auto values = static_cast<int64_t>(dictionaries_[i].codes.size());
    if (values == 0 || values - 1 <= input.largest()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(stream_.path(), ": column '", ShownValue(column(i).name), "' has ", values,
                     " different values; the model's input '", input.name, "' takes 0 to ",
                     input.largest()));
  }
  return absl::OkStatus();
}

// The label was read like a column; from here on it stands apart.
Targets CsvLoader::TakeTargets() {
  Targets targets;
  ColumnData& column = columns_.back();
  if (encoding_.target == CsvTarget::kClass) {
    targets.classes = std::move(column.codes);
  } else if (encoding_.label.type == Type::kCategory) {
    // Of a bad record the code is no place at all.
    for (const uint32_t code : column.codes) targets.numbers.push_back(code == 1 ? 1.0F : 0.0F);
  } else {
    targets.numbers = std::move(column.numbers);
  }
  columns_.pop_back();
  return targets;
}

// One dimension an input: as many numbers as its columns become.
SampleLayout CsvLoader::MakeLayout() const {
  SampleLayout layout;
  layout.inputs = options_.model.inputs;
  if (layout.inputs.empty()) layout.inputs.push_back(FirstInput(options_));
  for (size_t i = 0; i < layout.inputs.size(); ++i) {
    layout.inputs[i].shape = {encoding_.width(i)};
  }
  layout.target.dtype = encoding_.target == CsvTarget::kClass ? kernels::DType::kInt64
                                                              : kernels::DType::kFloat32;
  layout.classes = classes_;
  return layout;
}

// The names, and which of them are used. Whatever is wrong with the header is wrong with the file:
// a table without its names cannot be read by a schema that names them.
absl::Status CsvLoader::ReadHeader() {
  // One more than may be, so that a header of a million commas is told from one of the largest size
  // and costs no more memory.
  reader_.SetFieldsMax(kCsvColumnsMax + 1);
  RM_ASSIGN_OR_RETURN(const bool found, reader_.Next());
  if (!found) {
    return absl::InvalidArgumentError(
        stream_.path() + ": the file is empty; it begins with the names of its columns");
  }
  if (reader_.field_count() > kCsvColumnsMax) {
    return At(reader_.place(), absl::StrCat(reader_.field_count(), " columns; at most ",
                                            kCsvColumnsMax, " are possible"));
  }
  if (reader_.problem() != nullptr) {
    return At(reader_.PlaceOf(reader_.problem_field()),
              absl::StrCat("a column's name ", reader_.problem()));
  }
  absl::flat_hash_set<std::string> seen;
  for (size_t i = 0; i < reader_.fields().size(); ++i) {
    const std::string name(reader_.fields()[i].text);
    if (name.empty()) return At(reader_.PlaceOf(i), "a column without a name");
    if (!seen.insert(name).second) {
      return At(reader_.PlaceOf(i), absl::StrCat("a second column '", ShownValue(name), "'"));
    }
    header_.push_back(name);
  }
  // From here on one field too many is enough to know, and to point at.
  reader_.SetFieldsMax(header_.size() + 1);
  return base::Annotate(FindUsedColumns(), stream_.path());
}

// By the schema, or by what was learned from the training file.
absl::Status CsvLoader::FindUsedColumns() {
  if (learns()) {
    RM_ASSIGN_OR_RETURN(const CsvWishes wishes, WishesOf(options_));
    RM_ASSIGN_OR_RETURN(encoding_, ResolveSchema(options_.schema, header_, wishes));
  } else {
    encoding_ = *options_.training->csv_encoding();
  }
  RM_ASSIGN_OR_RETURN(positions_, FindColumns(encoding_, header_));
  // The validation file: what its fields may be is known already, and nothing is learned.
  columns_.resize(positions_.size());
  dictionaries_.resize(positions_.size());
  if (!learns()) {
    for (size_t i = 0; i < positions_.size(); ++i) {
      // Codes are places in sorted order already, so what is found is final.
      const std::vector<std::string>& known = column(i).categories;
      for (size_t c = 0; c < known.size(); ++c) {
        dictionaries_[i].codes.emplace(known[c], static_cast<uint32_t>(c));
      }
    }
  }
  return absl::OkStatus();
}

// To the end of the file, whatever becomes of single records. Too many values of a category end it
// early: such a column is a name or a number, and its dictionary would be as large as the file.
absl::Status CsvLoader::ReadRecords() {
  for (;;) {
    RM_ASSIGN_OR_RETURN(const bool found, reader_.Next());
    if (!found) return absl::OkStatus();
    // Of the record before nothing may be left: a field that is not reached stays empty.
    numbers_.assign(positions_.size(), 0.0F);
    codes_.assign(positions_.size(), kMissingCode);
    integers_.assign(positions_.size(), 0);
    texts_.assign(positions_.size(), absl::string_view());
    const char* const reason = ReadRecord();
    if (reason != nullptr) CommitBad(wrong_field_, reason);
    Commit();
    ++samples_;
    for (size_t i = 0; i < dictionaries_.size(); ++i) {
      if (dictionaries_[i].counts.size() > kCsvCategoriesMax) return TooManyValues(i);
    }
  }
}

// nullptr, or what is wrong, with wrong_field_ set: past the last column when it is the whole
// record. The number of fields comes first, since in a ragged record nobody knows which field is
// which. Columns without a use are not looked at: what they hold is none of the job's business.
const char* CsvLoader::ReadRecord() {
  wrong_field_ = header_.size();
  if (reader_.field_count() != header_.size()) {
    reason_ = absl::StrCat("the record has ", reader_.field_count(), " fields, the header has ",
                           header_.size(), " columns");
    return reason_.c_str();
  }
  if (reader_.problem() != nullptr) {
    wrong_field_ = reader_.problem_field();
    return reader_.problem();
  }
  for (size_t i = 0; i < positions_.size(); ++i) {
    if (const char* const reason = ReadField(i)) {
      wrong_field_ = positions_[i];
      return reason;
    }
  }
  return nullptr;
}

// Into numbers_, codes_ or texts_. Spaces alone count as nothing: programs that align columns write
// them. A label cannot be stood in for, whatever the rule: it is what the model is to learn.
const char* CsvLoader::ReadField(size_t i) {
  const absl::string_view text = reader_.fields()[positions_[i]].text;
  const bool is_label = i == encoding_.features.size();
  if (absl::StripAsciiWhitespace(text).empty()) {
    // In a table of whole numbers nothing can stand in: 0 is the first row, and a mean is none.
    const bool has_stand_in = !is_label && !column(i).is_whole;
    if (!has_stand_in || encoding_.missing == CsvMissing::kError) return "is missing";
    numbers_[i] = kMissingNumber;
    return nullptr;
  }
  if (is_label) return ReadTarget(text);
  switch (column(i).type) {
    case Type::kFloat:
      return ParseCsvFloat(text, &numbers_[i]);
    case Type::kCategory:
      return ReadCategory(i, text);
    case Type::kInt:
      break;
  }
  if (column(i).is_whole) return ReadWhole(i, text);
  // An int feature is checked as an int and computed with as a float, like every input of a model.
  int64_t number = 0;
  const char* const reason = ParseCsvInt(text, &number);
  numbers_[i] = static_cast<float>(number);
  return reason;
}

// A value that the training file does not have has no place in the sample. A value that is being
// learned gets its code when the whole record is good.
const char* CsvLoader::ReadCategory(size_t i, absl::string_view text) {
  if (learns()) {
    texts_[i] = text;
    return nullptr;
  }
  const auto known = dictionaries_[i].codes.find(text);
  if (known == dictionaries_[i].codes.end()) return "does not occur in the training file";
  codes_[i] = known->second;
  return nullptr;
}

// What the loss wants: a class, or a number.
const char* CsvLoader::ReadTarget(absl::string_view text) {
  if (encoding_.label.type == Type::kCategory) return ReadCategory(positions_.size() - 1, text);
  if (encoding_.target == CsvTarget::kClass) return ReadLabel(text);
  float& number = numbers_.back();
  if (encoding_.label.type == Type::kInt) {
    int64_t whole = 0;
    if (const char* const reason = ParseCsvInt(text, &whole)) return reason;
    number = static_cast<float>(whole);
  } else if (const char* const reason = ParseCsvFloat(text, &number)) {
    return reason;
  }
  const bool is_share = encoding_.target == CsvTarget::kShare;
  return is_share && (number < 0 || number > 1) ? "must be from 0 to 1 (model.loss)" : nullptr;
}

// For an input of whole numbers, which may be rows of a table that is no longer than it is.
const char* CsvLoader::ReadWhole(size_t i, absl::string_view text) {
  if (const char* const reason = ParseCsvInt(text, &integers_[i])) return reason;
  const SampleTensor& input = options_.model.inputs[column(i).input];
  if (integers_[i] >= input.least() && integers_[i] <= input.largest()) return nullptr;
  reason_ = absl::StrCat("is out of range: the model's input '", input.name, "' takes ",
                         input.least(), " to ", input.largest());
  return reason_.c_str();
}

// Class indices as the loss wants them. Negative ones are told apart from those beyond the model:
// the first are a coding of their own (-1 for "unknown"), the second a wrong model.params.classes.
const char* CsvLoader::ReadLabel(absl::string_view text) {
  int64_t label = 0;
  if (const char* const reason = ParseCsvInt(text, &label)) return reason;
  if (label < 0) return "is no class: they count from 0";
  const int64_t classes = options_.model.classes;
  if (label >= (classes > 0 ? classes : kLabelsMax)) {
    reason_ = classes > 0 ? LabelOutOfRange(options_.model) : "is out of range";
    return reason_.c_str();
  }
  codes_.back() = static_cast<uint32_t>(label);
  return nullptr;
}

// Adds the record as it stands in numbers_ and codes_; a bad one as zeros, so that the numbers of
// the others do not shift.
void CsvLoader::Commit() {
  const size_t label = encoding_.features.size();
  const bool is_good = !bad_.Has(samples_);
  for (size_t i = 0; i < positions_.size(); ++i) {
    if (column(i).type == Type::kCategory) {
      // Only now, since the record is good, does its value count as one that the column has.
      if (is_good && texts_[i].data() != nullptr) {
        Dictionary& dictionary = dictionaries_[i];
        const auto next = static_cast<uint32_t>(dictionary.counts.size());
        const auto [entry, is_new] = dictionary.codes.try_emplace(texts_[i], next);
        if (is_new) dictionary.counts.push_back(0);
        ++dictionary.counts[entry->second];
        codes_[i] = entry->second;
      }
      columns_[i].codes.push_back(is_good ? codes_[i] : kMissingCode);
    } else if (i == label && encoding_.target == CsvTarget::kClass) {
      columns_[i].codes.push_back(is_good ? codes_[i] : 0);
      if (is_good) classes_ = std::max(classes_, int64_t{codes_[i]} + 1);
    } else if (column(i).is_whole) {
      columns_[i].integers.push_back(is_good ? integers_[i] : 0);
    } else {
      columns_[i].numbers.push_back(is_good ? numbers_[i] : 0.0F);
    }
  }
}

// With the place of the field, or of the record where no field is to blame: of the first field too
// many, so that the eye falls on the comma that should not be there. Looking for the place means
// going through the record again, which only those pay for that are kept.
void CsvLoader::CommitBad(size_t field, const char* reason) {
  if (!bad_.WantsDescription()) return bad_.AddUndescribed(samples_);
  BadRecord record;
  record.sample = samples_;
  record.file = stream_.path();
  const bool has_field = field < header_.size();
  // Too few fields: nobody knows which one is missing, so the whole record is pointed at.
  const bool has_surplus = !has_field && reader_.field_count() > header_.size();
  const TextPlace place = has_field     ? reader_.PlaceOf(field)
                          : has_surplus ? reader_.PlaceOf(header_.size())
                                        : reader_.place();
  record.line = place.line;
  record.column = place.column;
  if (has_field) {
    record.field = ShownValue(header_[field]);
    record.value = ShownValue(reader_.fields()[field].text);
  }
  record.reason = reason;
  bad_.Add(std::move(record));
}

// A label may have as many values as the model has classes: which of them are the wrong ones,
// nobody can say, so this is no matter of bad records.
absl::Status CsvLoader::TooManyValues(size_t i) const {
  const bool is_label = i == encoding_.features.size();
  const size_t count = dictionaries_[i].codes.size();
  return absl::InvalidArgumentError(absl::StrCat(
      stream_.path(), ": column '", ShownValue(column(i).name), "' has ",
      is_label && count <= kCsvCategoriesMax
          ? absl::StrCat(count, " different values, the model has ", options_.model.classes,
                         " classes",
                         options_.model.has_params
                             ? absl::StrCat("; set model.params.classes to ", count)
                             : "")
          : absl::StrCat("more than ", kCsvCategoriesMax, " different values: it is no category")));
}

// Codes by order of appearance become places in sorted order, in the encoding and in the data: two
// files with the same records in another order train the same model.
void CsvLoader::LearnCategories(size_t i) {
  if (column(i).type == Type::kCategory) {
    const Dictionary& dictionary = dictionaries_[i];
    CsvColumn& learned = column(i);
    // The order of the hash map is another in every process; after the sort nothing of it is left.
    for (const auto& [value, code] : dictionary.codes) learned.categories.push_back(value);
    std::sort(learned.categories.begin(), learned.categories.end());
    std::vector<uint32_t> place_of(dictionary.codes.size());
    for (size_t c = 0; c < learned.categories.size(); ++c) {
      place_of[dictionary.codes.at(learned.categories[c])] = static_cast<uint32_t>(c);
    }
    for (uint32_t& code : columns_[i].codes) {
      if (code != kMissingCode) code = place_of[code];
    }
  }
  if (i < encoding_.features.size()) FillFallback(i);
}

// Zeros, or means over the good records that have the field: of a category, the share of each
// value, which is the mean of its one-hot numbers. A column that nobody ever filled has the mean 0.
// Sums are double and in the file's order, so that every rank finds the same bits.
void CsvLoader::FillFallback(size_t i) {
  CsvColumn& learned = column(i);
  if (encoding_.missing == CsvMissing::kError || learned.is_whole) return;
  learned.fallback.assign(learned.width(), 0.0F);
  if (encoding_.missing == CsvMissing::kZero) return;
  // One sum for each number that the column becomes, over the records that have it.
  std::vector<double> sums(learned.width(), 0.0);
  int64_t count = 0;
  for (int64_t sample = 0; sample < samples_; ++sample) {
    if (bad_.Has(sample)) continue;
    const auto at = static_cast<size_t>(sample);
    if (learned.type == Type::kCategory) {
      const uint32_t code = columns_[i].codes[at];
      if (code == kMissingCode) continue;
      sums[code] += 1;
    } else {
      const float number = columns_[i].numbers[at];
      if (std::isnan(number)) continue;
      sums[0] += static_cast<double>(number);
    }
    ++count;
  }
  for (size_t c = 0; c < sums.size() && count > 0; ++c) {
    learned.fallback[c] = static_cast<float>(sums[c] / static_cast<double>(count));
  }
}

// Numbers can hold their stand-in themselves; empty categories keep their code, since what stands
// in for them is as wide as the category.
void CsvLoader::ReplaceMissing(size_t i) {
  if (encoding_.missing == CsvMissing::kError) return;
  for (float& number : columns_[i].numbers) {
    if (std::isnan(number)) number = column(i).fallback[0];
  }
}

absl::Status CsvLoader::At(TextPlace place, absl::string_view what) const {
  return absl::InvalidArgumentError(
      absl::StrCat(stream_.path(), ":", place.line, ":", place.column, ": ", what));
}

}  // namespace

// The validator of job files refuses a csv validation set of another format's training set; the API
// may still bring one.
absl::StatusOr<std::unique_ptr<Dataset>> OpenCsv(const pb::DataSource& source,
                                                 const base::FileSystem& files,
                                                 const DatasetOptions& options) {
  if (options.training != nullptr && options.training->csv_encoding() == nullptr) {
    return absl::InvalidArgumentError(
        "data.validation.format is csv, data.train.format is not: both are csv or neither is");
  }
  RM_ASSIGN_OR_RETURN(const auto stream, OpenPlainOrGzip(files, source.path()));
  return CsvLoader(*stream, options).Load();
}

}  // namespace rm::data
