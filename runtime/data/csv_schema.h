// What the columns of a csv file are, and what is learned of them from the training file.
#ifndef RM_RUNTIME_DATA_CSV_SCHEMA_H_
#define RM_RUNTIME_DATA_CSV_SCHEMA_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "proto/job.pb.h"

namespace rm::data {

// More columns than that are no table; more values than that no category. Both bound memory.
inline constexpr size_t kCsvColumnsMax = 16'384;
inline constexpr size_t kCsvCategoriesMax = 65'536;

// A column that is used.
struct CsvColumn {
  enum class Type { kFloat, kInt, kCategory };
  std::string name;
  Type type = Type::kFloat;
  // Of a category: its values, sorted by their bytes; learned from the training file.
  std::vector<std::string> categories;
  // What stands in for an empty field, width() numbers; learned, and empty when there is no
  // stand-in.
  std::vector<float> fallback;

  // Numbers that a field becomes.
  [[nodiscard]] size_t width() const {
    return type == Type::kCategory ? categories.size() : size_t{1};
  }
};

enum class CsvMissing { kError, kZero, kMean };

// How records become samples. After Resolve without what is learned; the training file's is used
// for the validation file.
struct CsvEncoding {
  std::vector<CsvColumn> features;
  CsvColumn label;
  CsvMissing missing = CsvMissing::kError;

  // Numbers of a sample.
  [[nodiscard]] int64_t width() const;
};

// The encoding that `schema` asks for of a file with these columns. InvalidArgument, naming the key
// of the job file, for names that the file does not have (with a suggestion), unknown types, a
// label that is a feature, and a schema without a label or without a feature.
[[nodiscard]] absl::StatusOr<CsvEncoding> ResolveSchema(const ringmaster::v1::SchemaSpec& schema,
                                                        absl::Span<const std::string> header);

// Where the features and, last, the label stand in a file with these columns. InvalidArgument for a
// column that it does not have.
[[nodiscard]] absl::StatusOr<std::vector<size_t>> FindColumns(const CsvEncoding& encoding,
                                                              absl::Span<const std::string> header);

// A field as a number: nullptr, or what is wrong with it ("is not a float"). Spaces around it are
// passed over; NaN, infinities and what float32 does not reach are refused.
[[nodiscard]] const char* ParseCsvFloat(absl::string_view text, float* value);
[[nodiscard]] const char* ParseCsvInt(absl::string_view text, int64_t* value);

}  // namespace rm::data

#endif  // RM_RUNTIME_DATA_CSV_SCHEMA_H_
