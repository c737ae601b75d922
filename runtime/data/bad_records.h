// Records of a data source that cannot be used: which, where, why, and what the job does about it.
// The rules are those of docs/data.md, "Bad records".
#ifndef RM_RUNTIME_DATA_BAD_RECORDS_H_
#define RM_RUNTIME_DATA_BAD_RECORDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/file_system.h"

namespace rm::data {

// One record that cannot be used. All texts are valid UTF-8 without control characters.
struct BadRecord {
  // Its number in the source, from 0: bad records keep their numbers.
  int64_t sample = 0;
  std::string file;
  // Of text files: where the field begins, both from 1, the column in characters. 0: a binary file.
  int64_t line = 0;
  int64_t column = 0;
  // Of binary files: the byte that is wrong. Meaningless where there is a line.
  int64_t offset = 0;
  // The column's name; "label", "input" or "target" in formats without names; empty when the record
  // as a whole is wrong.
  std::string field;
  // As it stands in the file, shortened.
  std::string value;
  // What is wrong, to be read behind the value: "is not a float".
  std::string reason;

  // "data.csv:12:5: field 'age': 'abc' is not a float"; "labels at offset 18: label 10 …".
  [[nodiscard]] std::string ToString() const;
};

// `value` as it is shown in messages: at most 64 bytes, valid UTF-8, control characters as '?'.
[[nodiscard]] std::string ShownValue(absl::string_view value);

// What on_bad_record asks for.
enum class BadRecordRule { kFail, kSkip, kQuarantine };
// "" is fail. InvalidArgument for any other word.
[[nodiscard]] absl::StatusOr<BadRecordRule> ParseBadRecordRule(absl::string_view text);

// The bad records of one source. Thread-compatible; grows by one flag a sample and at most kKeptMax
// descriptions, whatever the file.
class BadRecords {
 public:
  static constexpr size_t kKeptMax = 100'000;

  // REQUIRES: record.sample ≥ that of the record added before. A second one of the same sample
  // counts for nothing.
  void Add(BadRecord record);

  // The same without a description, for whoever describes only what is kept.
  void AddUndescribed(int64_t sample);
  // True when a description would still be kept.
  [[nodiscard]] bool WantsDescription() const { return kept_.size() < kKeptMax; }

  [[nodiscard]] bool Has(int64_t sample) const {
    return static_cast<size_t>(sample) < flags_.size() && flags_[static_cast<size_t>(sample)];
  }
  [[nodiscard]] int64_t count() const { return count_; }
  // The first ones, by sample.
  [[nodiscard]] const std::vector<BadRecord>& kept() const { return kept_; }

 private:
  std::vector<bool> flags_;  // up to the last bad one
  std::vector<BadRecord> kept_;
  int64_t count_ = 0;
};

// What people read when bad records end a job: the first ten, one a line of the list, and then how
// many there are and what can be done. Empty when `rule` lets the job go on: there is none, or they
// are passed over and a good one is left. `samples`: of the source, good and bad.
[[nodiscard]] std::vector<std::string> Complaints(const BadRecords& records, int64_t samples,
                                                  BadRecordRule rule);

// "3 of 150 records are bad and have no weight; the first: …", for the notice. REQUIRES:
// records.count() > 0.
[[nodiscard]] std::string Summary(const BadRecords& records, int64_t samples);

// Writes the kept records as JSON lines to `path`, atomically; its folder is made.
[[nodiscard]] absl::Status WriteQuarantine(base::FileSystem& files, const std::string& path,
                                           const BadRecords& records);

}  // namespace rm::data

#endif  // RM_RUNTIME_DATA_BAD_RECORDS_H_
