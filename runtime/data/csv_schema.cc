// Names are compared as they are, bytes by bytes: a file with "Age" has no column "age", and the
// suggestion says so. To read them more kindly would make two files mean the same that other
// programs tell apart.
#include "runtime/data/csv_schema.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/charconv.h"
#include "absl/strings/str_cat.h"
#include "base/nearest_name.h"
#include "base/status.h"
#include "runtime/data/bad_records.h"

namespace rm::data {
namespace {

namespace pb = ::ringmaster::v1;

// The words of schema.types, and what they mean here; jobspec::Validate knows the same three.
constexpr std::pair<absl::string_view, CsvColumn::Type> kTypes[] = {
    {"float", CsvColumn::Type::kFloat},
    {"int", CsvColumn::Type::kInt},
    {"category", CsvColumn::Type::kCategory},
};

// Some of a file's columns, for messages; a table may have thousands.
std::string Listed(absl::Span<const std::string> header) {
  constexpr size_t kListedMax = 12;
  std::string list;
  for (size_t i = 0; i < std::min(header.size(), kListedMax); ++i) {
    absl::StrAppend(&list, i == 0 ? "" : ", ", ShownValue(header[i]));
  }
  if (header.size() > kListedMax) absl::StrAppend(&list, ", … (", header.size(), " in all)");
  return list;
}

// The one sentence for a name that the file does not have: what was looked for, what was probably
// meant, what there is. Names come from a file, so they are shown as values are.
absl::Status NoColumn(absl::string_view key, const std::string& name,
                      absl::Span<const std::string> header) {
  std::vector<std::string> names;
  for (const std::string& column : header) names.push_back(ShownValue(column));
  const std::string suggestion = base::Suggestion(name, names);
  return absl::InvalidArgumentError(absl::StrCat(
      key, ": the file has no column '", name, "'", suggestion,
      suggestion.empty() ? "; it has " : " It has ", Listed(header)));
}

// Headers are short, and each name is looked for once a file.
bool Has(absl::Span<const std::string> header, absl::string_view name) {
  return std::find(header.begin(), header.end(), name) != header.end();
}

// The type that the schema gives, or `fallback`.
absl::StatusOr<CsvColumn> MakeColumn(const pb::SchemaSpec& schema, const std::string& name,
                                     CsvColumn::Type fallback) {
  CsvColumn column;
  column.name = name;
  column.type = fallback;
  const auto named = schema.types().find(name);
  if (named == schema.types().end()) return column;
  for (const auto& [word, type] : kTypes) {
    if (word != named->second) continue;
    column.type = type;
    return column;
  }
  const std::vector<std::string> known = {"float", "int", "category"};
  return absl::InvalidArgumentError(absl::StrCat("data.schema.types.", name, " cannot be '",
                                                 named->second, "'",
                                                 base::Suggestion(named->second, known),
                                                 "; possible: float, int, category"));
}

// "" is what a job file without the key brings.
absl::StatusOr<CsvMissing> ParseMissing(const std::string& word) {
  if (word.empty() || word == "error") return CsvMissing::kError;
  if (word == "zero") return CsvMissing::kZero;
  if (word == "mean") return CsvMissing::kMean;
  return absl::InvalidArgumentError(absl::StrCat("data.schema.missing cannot be '", word,
                                                 "'; possible: error, zero, mean"));
}

// Spaces and a plus sign are what people and other programs write around numbers; from_chars takes
// neither.
absl::string_view Trimmed(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
  return text;
}

// What float32 does not hold: at its lower end it is rounded, to 0 if need be; at its upper end it
// is an error. absl's from_chars says which end it is, by the value that it leaves.
const char* ParseOutOfRange(absl::string_view text, float* value) {
  double wide = 0;
  absl::from_chars(text.data(), text.data() + text.size(), wide);
  constexpr double kFloatMax = static_cast<double>(std::numeric_limits<float>::max());
  if (std::fabs(wide) > kFloatMax) return "is beyond the range of float32";
  *value = static_cast<float>(wide);
  return nullptr;
}

// The columns of an input: its own, or those of the schema, or, without a list, every column but the
// label, which is what most tables are made for.
absl::StatusOr<std::vector<std::string>> ColumnsOf(const pb::SchemaSpec& schema,
                                                   absl::Span<const std::string> header,
                                                   const CsvWishes& wishes, size_t input) {
  if (!wishes.inputs[input].columns.empty()) return wishes.inputs[input].columns;
  if (wishes.inputs.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("data.inputs: the model's input '", wishes.inputs[input].name,
                     "' has no columns; the model has ", wishes.inputs.size(),
                     " inputs, and each needs some"));
  }
  std::vector<std::string> names(schema.features().begin(), schema.features().end());
  if (!names.empty()) return names;
  for (const std::string& column : header) {
    if (column != schema.label()) names.push_back(column);
  }
  if (!names.empty()) return names;
  return absl::InvalidArgumentError("data.schema: the file has no column but the label");
}

// Appends the features of one input. In a table of whole numbers there is no room for a fraction.
absl::Status AddFeatures(const pb::SchemaSpec& schema, absl::Span<const std::string> header,
                         const CsvWishes& wishes, size_t input, CsvEncoding* encoding) {
  const CsvWishes::Input& wish = wishes.inputs[input];
  const std::string key =
      wish.columns.empty() ? "data.schema.features" : absl::StrCat("data.inputs.", wish.name);
  RM_ASSIGN_OR_RETURN(const auto names, ColumnsOf(schema, header, wishes, input));
  for (const std::string& name : names) {
    if (!Has(header, name)) return NoColumn(key, name, header);
    if (name == schema.label()) {
      return absl::InvalidArgumentError(absl::StrCat(key, ": '", name, "' is the label"));
    }
    RM_ASSIGN_OR_RETURN(CsvColumn column,
                        MakeColumn(schema, name, CsvColumn::Type::kFloat));
    column.input = input;
    column.is_whole = wish.is_whole;
    if (column.is_whole && column.type == CsvColumn::Type::kFloat) {
      return absl::InvalidArgumentError(
          absl::StrCat("data.schema.types.", name, " is float, but the model's input '", wish.name,
                       "' takes whole numbers; give the column the type int or category"));
    }
    encoding->features.push_back(std::move(column));
  }
  return absl::OkStatus();
}

// A class is either an index or a word, and words must be announced; a number is a float unless it is
// said to be whole.
absl::Status ResolveLabel(const pb::SchemaSpec& schema, CsvTarget target, CsvEncoding* encoding) {
  using Type = CsvColumn::Type;
  encoding->target = target;
  RM_ASSIGN_OR_RETURN(
      encoding->label,
      MakeColumn(schema, schema.label(), target == CsvTarget::kClass ? Type::kInt : Type::kFloat));
  const Type type = encoding->label.type;
  if (target == CsvTarget::kClass && type == Type::kFloat) {
    return absl::InvalidArgumentError(absl::StrCat(
        "data.schema.types.", schema.label(), ": a label is int or category, not float"));
  }
  if (target == CsvTarget::kNumber && type == Type::kCategory) {
    return absl::InvalidArgumentError(
        absl::StrCat("data.schema.types.", schema.label(),
                     ": this loss compares numbers, so the label is float or int, not category"));
  }
  return absl::OkStatus();
}

}  // namespace

// Known only when the categories are: before, a category counts for nothing.
int64_t CsvEncoding::width(size_t input) const {
  size_t numbers = 0;
  for (const CsvColumn& column : features) {
    if (column.input == input) numbers += column.width();
  }
  return static_cast<int64_t>(numbers);
}

// Every name of the schema is looked for, so that a slip in any of them is told.
absl::StatusOr<CsvEncoding> ResolveSchema(const pb::SchemaSpec& schema,
                                          absl::Span<const std::string> header,
                                          const CsvWishes& wishes) {
  if (schema.label().empty()) {
    return absl::InvalidArgumentError("data.schema.label is missing: a csv file needs the name of "
                                      "the column that is to be predicted");
  }
  if (!Has(header, schema.label())) return NoColumn("data.schema.label", schema.label(), header);
  CsvEncoding encoding;
  RM_ASSIGN_OR_RETURN(encoding.missing, ParseMissing(schema.missing()));
  for (size_t i = 0; i < wishes.inputs.size(); ++i) {
    RM_RETURN_IF_ERROR(AddFeatures(schema, header, wishes, i, &encoding));
  }
  RM_RETURN_IF_ERROR(ResolveLabel(schema, wishes.target, &encoding));
  // A type for a column that is not there is a slip in its name, and the column meant has the wrong
  // type.
  for (const auto& [name, type] : schema.types()) {
    if (!Has(header, name)) return NoColumn("data.schema.types", name, header);
  }
  return encoding;
}

// By name: the validation file may have its columns in another order, and others besides.
absl::StatusOr<std::vector<size_t>> FindColumns(const CsvEncoding& encoding,
                                                absl::Span<const std::string> header) {
  std::vector<size_t> positions;
  const auto find = [&](const std::string& name, absl::string_view key) -> absl::Status {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found == header.end()) return NoColumn(key, name, header);
    positions.push_back(static_cast<size_t>(found - header.begin()));
    return absl::OkStatus();
  };
  for (const CsvColumn& column : encoding.features) {
    RM_RETURN_IF_ERROR(find(column.name, "data.schema.features"));
  }
  RM_RETURN_IF_ERROR(find(encoding.label.name, "data.schema.label"));
  return positions;
}

// std::from_chars knows no locale, takes neither hexadecimal numbers nor trailing text, and is
// several times faster than strtof. It does take "nan" and "inf", which no model learns from.
const char* ParseCsvFloat(absl::string_view text, float* value) {
  text = Trimmed(text);
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, *value);
  if (result.ptr != end || result.ec == std::errc::invalid_argument) return "is not a float";
  // Rare, and slow: one more look decides between too large and too small.
  if (result.ec == std::errc::result_out_of_range) return ParseOutOfRange(text, value);
  return std::isfinite(*value) ? nullptr : "is not a finite number";
}

// "1.0" and "1e3" are refused: a column of whole numbers that has them was written by something
// that took it for floats, and the next file may have 1.5.
const char* ParseCsvInt(absl::string_view text, int64_t* value) {
  text = Trimmed(text);
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, *value);
  if (result.ptr != end || result.ec == std::errc::invalid_argument) return "is not a whole number";
  return result.ec == std::errc() ? nullptr : "is beyond 64 bits";
}

}  // namespace rm::data
