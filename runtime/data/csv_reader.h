// A csv file as records of fields, after RFC 4180: the grammar is docs/data.md's.
//
//   CsvReader reader(stream);
//   while (true) {
//     RM_ASSIGN_OR_RETURN(const bool found, reader.Next());
//     if (!found) break;
//     for (size_t i = 0; i < reader.fields().size(); ++i) Use(reader.fields()[i].text);
//   }
//
// It knows nothing of headers or types: that is runtime/data/csv.h.
#ifndef RM_RUNTIME_DATA_CSV_READER_H_
#define RM_RUNTIME_DATA_CSV_READER_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/data/byte_stream.h"

namespace rm::data {

// Bounds of a field and of a record, quotes and line ends included. A record must lie in memory as
// a whole; one that is longer is no record but a quote that somebody forgot to close.
inline constexpr size_t kCsvFieldBytesMax = size_t{1} << 20;
inline constexpr size_t kCsvRecordBytesMax = size_t{16} << 20;

struct CsvField {
  // Without quotes and with "" as one quote.
  absl::string_view text;
  // Its first byte in the file, the opening quote included.
  const char* begin = nullptr;
};

// A place in a text file, both numbers from 1; columns count characters (UTF-8 code points).
struct TextPlace {
  int64_t line = 1;
  int64_t column = 1;
};

// Not thread-safe. Borrows the stream. Holds one record and a piece of the file, at most
// kCsvRecordBytesMax bytes and what one read brings.
class CsvReader {
 public:
  explicit CsvReader(ByteStream& stream);

  // Goes to the next record, passing over empty lines; false at the end of the file. What the
  // record consists of is valid until the next call. InvalidArgument, with the place, when nothing
  // behind a place can be trusted: a quote that is never closed, a record beyond the bound.
  [[nodiscard]] absl::StatusOr<bool> Next();

  // The fields, in order, but no more than SetFieldsMax allows (so that a line of a million commas
  // costs no memory); field_count() counts all.
  [[nodiscard]] const std::vector<CsvField>& fields() const { return fields_; }
  [[nodiscard]] size_t field_count() const { return field_count_; }
  void SetFieldsMax(size_t count) { fields_max_ = count; }

  // What is wrong with the record's own form, and in which field: nullptr when nothing is.
  [[nodiscard]] const char* problem() const { return problem_; }
  [[nodiscard]] size_t problem_field() const { return problem_field_; }

  // Where a field of fields() begins. Looks through the record: for messages.
  [[nodiscard]] TextPlace PlaceOf(size_t field) const;
  // Where the record begins.
  [[nodiscard]] TextPlace place() const { return {line_, 1}; }

 private:
  // What became of an attempt to read a record from what is in memory.
  enum class Scan { kRecord, kEmptyLine, kNeedsMore };

  absl::Status Refill();
  Scan ScanRecord();
  const char* ScanQuoted(const char* at);
  const char* ScanPlain(const char* at);
  void AddField(const char* begin, absl::string_view text, bool has_doubled_quotes);
  void SetProblem(const char* what);
  [[nodiscard]] TextPlace PlaceAt(const char* at) const;
  [[nodiscard]] absl::Status TooLong() const;
  [[nodiscard]] absl::Status Unusable(const char* at, absl::string_view what) const;

  ByteStream& stream_;
  std::string buffer_;      // bytes [begin_, end_) are the file from the present record on
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t next_ = 0;         // where the record after this one begins
  bool at_end_ = false;     // the stream has nothing more
  bool started_ = false;    // a byte order mark was looked for
  int64_t line_ = 1;        // of begin_
  int64_t lines_ = 0;       // line ends in the present record, its own included
  std::vector<CsvField> fields_;
  size_t fields_max_ = ~size_t{0};
  size_t field_count_ = 0;
  std::deque<std::string> unescaped_;  // a deque: fields point into it
  const char* problem_ = nullptr;
  size_t problem_field_ = 0;
  const char* open_quote_ = nullptr;   // of a field whose end is not in memory
};

}  // namespace rm::data

#endif  // RM_RUNTIME_DATA_CSV_READER_H_
