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
  // Of a feature: the input of the model that it goes to, and whether that takes whole numbers. Then
  // an int stays one, and a category is its place in the sorted order.
  size_t input = 0;
  bool is_whole = false;

  // Numbers that a field becomes.
  [[nodiscard]] size_t width() const {
    return type == Type::kCategory && !is_whole ? categories.size() : size_t{1};
  }
};

enum class CsvMissing { kError, kZero, kMean };

// What the label is to the loss.
enum class CsvTarget {
  kClass,   // one of a number of classes: int or category
  kNumber,  // any number: float or int
  kShare,   // a number from 0 to 1; of a category of two values, its place
};

// What the model asks of a table beside the schema.
struct CsvWishes {
  struct Input {
    std::string name;
    std::vector<std::string> columns;  // data.inputs; empty: the job does not say
    bool is_whole = false;             // it takes whole numbers
  };
  std::vector<Input> inputs = {Input()};
  CsvTarget target = CsvTarget::kClass;
};

// How records become samples. After Resolve without what is learned; the training file's is used
// for the validation file.
struct CsvEncoding {
  std::vector<CsvColumn> features;
  CsvColumn label;
  CsvMissing missing = CsvMissing::kError;
  CsvTarget target = CsvTarget::kClass;

  // Numbers of a sample that go to that input of the model; features stand in the order of inputs.
  [[nodiscard]] int64_t width(size_t input = 0) const;
};

// The encoding that `schema` and the model ask for of a file with these columns. Without columns of
// their own all features go to the only input. InvalidArgument, naming the key of the job file, for
// names that the file does not have (with a suggestion), unknown types, types that do not go with an
// input or the loss, a label that is a feature, and a schema without a label or without a feature.
[[nodiscard]] absl::StatusOr<CsvEncoding> ResolveSchema(const ringmaster::v1::SchemaSpec& schema,
                                                        absl::Span<const std::string> header,
                                                        const CsvWishes& wishes = {});

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
