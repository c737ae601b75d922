// Everything here ends up before people or in protobuf messages, so every text that comes from a
// file is cut, made UTF-8 and put on one line when it is taken in, and can be trusted from there
// on.
#include "runtime/data/bad_records.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/json.h"
#include "base/nearest_name.h"
#include "base/status.h"
#include "base/utf8.h"

namespace rm::data {
namespace {

// Enough to find the value again in the file, little enough for a line on a terminal.
constexpr size_t kShownBytesMax = 64;
// The eleventh bad record teaches nobody what the first ten did not; the count says how bad it is.
constexpr size_t kComplaintsMax = 10;

// One line of the quarantine file. Keys in a fixed order, so that two runs write the same bytes.
std::string JsonLine(const BadRecord& record) {
  base::Json line;
  line.Set("file", record.file);
  if (record.line > 0) {
    line.Set("line", record.line).Set("column", record.column);
  } else {
    line.Set("offset", record.offset);
  }
  line.Set("sample", record.sample);
  if (!record.field.empty()) line.Set("field", record.field).Set("value", record.value);
  line.Set("reason", record.reason);
  return line.Dump() + "\n";
}

}  // namespace

// The form that editors and terminals know how to jump to. Binary files have no lines, so there the
// number of the sample stands beside the offset: it is what the user's own script counts by.
std::string BadRecord::ToString() const {
  const std::string place = line > 0
                                ? absl::StrCat(file, ":", line, ":", column)
                                : absl::StrCat(file, " at offset ", offset, ", sample ", sample);
  if (field.empty()) return absl::StrCat(place, ": ", reason);
  return absl::StrCat(place, ": field '", field, "': '", value, "' ", reason);
}

// Cut first, so that a field of a megabyte costs nothing; a character cut in two becomes '?'s.
std::string ShownValue(absl::string_view value) {
  std::string shown = base::ValidUtf8(value.substr(0, kShownBytesMax));
  for (char& c : shown) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = '?';
  }
  if (value.size() > kShownBytesMax) shown += "…";
  return shown;
}

// Jobs that come through the API did not pass the parser of job files, so the word is judged here
// as well.
absl::StatusOr<BadRecordRule> ParseBadRecordRule(absl::string_view text) {
  if (text.empty() || text == "fail") return BadRecordRule::kFail;
  if (text == "skip") return BadRecordRule::kSkip;
  if (text == "quarantine") return BadRecordRule::kQuarantine;
  const std::vector<std::string> known = {"fail", "skip", "quarantine"};
  return absl::InvalidArgumentError(absl::StrCat("data.on_bad_record cannot be '", ShownValue(text),
                                                 "'", base::Suggestion(text, known),
                                                 "; possible: fail, skip, quarantine"));
}

// A record may be found bad by more than one check; the first reason is the one that is kept.
void BadRecords::Add(BadRecord record) {
  const bool is_new = !Has(record.sample);
  AddUndescribed(record.sample);
  if (is_new && WantsDescription()) kept_.push_back(std::move(record));
}

// Flags grow only as far as the last bad sample: a good file costs nothing. The order makes it an
// append, and readers of the list can rely on it.
void BadRecords::AddUndescribed(int64_t sample) {
  RM_CHECK(sample >= 0 && static_cast<size_t>(sample) + 1 >= flags_.size(), "sample ", sample,
           " after ", flags_.size());
  if (Has(sample)) return;
  flags_.resize(static_cast<size_t>(sample) + 1, false);
  flags_.back() = true;
  ++count_;
}

// A source that is wholly bad ends the job whatever the rule: to train on nothing and succeed would
// be the worst answer.
std::vector<std::string> Complaints(const BadRecords& records, int64_t samples,
                                    BadRecordRule rule) {
  const bool none_left = records.count() == samples;
  if (records.count() == 0 || (rule != BadRecordRule::kFail && !none_left)) return {};
  std::vector<std::string> lines;
  for (const BadRecord& record : records.kept()) {
    if (lines.size() == kComplaintsMax) break;
    lines.push_back(record.ToString());
  }
  std::string total = absl::StrCat(records.count(), " of ", samples, " records are bad");
  if (static_cast<size_t>(records.count()) > lines.size()) {
    absl::StrAppend(&total, " (the first ", lines.size(), " are listed)");
  }
  total += none_left ? ": none is left to train or validate with"
                     : "; mend them, or set data.on_bad_record to skip or quarantine";
  lines.push_back(std::move(total));
  return lines;
}

// One sentence for the job's history; whoever wants all of them asks for the quarantine.
std::string Summary(const BadRecords& records, int64_t samples) {
  RM_CHECK(!records.kept().empty(), "no bad record to sum up");
  return absl::StrCat(records.count(), " of ", samples,
                      " records are bad and have no weight; the first: ",
                      records.kept().front().ToString());
}

// At most kKeptMax lines of a few hundred bytes, so the text is put together in memory and appears
// whole or not at all.
absl::Status WriteQuarantine(base::FileSystem& files, const std::string& path,
                             const BadRecords& records) {
  std::string text;
  for (const BadRecord& record : records.kept()) text += JsonLine(record);
  const int64_t more = records.count() - static_cast<int64_t>(records.kept().size());
  if (more > 0) text += base::Json().Set("more", more).Dump() + "\n";
  RM_RETURN_IF_ERROR(files.MakeFolders(base::ParentPath(path)));
  return base::WriteFileAtomically(files, path, text);
}

}  // namespace rm::data
