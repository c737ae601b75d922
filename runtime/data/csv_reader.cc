// A record is scanned as a whole or not at all: when it runs out of memory's end, more is read and
// it is scanned again from its beginning. That happens once a megabyte, and saves a scanner that
// can stop anywhere.
#include "runtime/data/csv_reader.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/status.h"

namespace rm::data {
namespace {

// Of one read: large enough that its cost is lost in the parsing, small enough for any cache.
constexpr size_t kPieceBytes = size_t{1} << 20;
// What some editors put before UTF-8. It belongs to no name, and would make "age" another column.
constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Bytes at which an unquoted field ends, or is wrong. A table of 256 answers with one load a byte,
// whatever the three are.
struct Specials {
  std::array<bool, 256> is{};
  constexpr Specials() {
    is[static_cast<unsigned char>(',')] = true;
    is[static_cast<unsigned char>('\n')] = true;
    is[static_cast<unsigned char>('"')] = true;
  }
};
constexpr Specials kSpecials;

// The first special byte at or behind `at`, or `end`.
const char* FindSpecial(const char* at, const char* end) {
  while (at < end && !kSpecials.is[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

// The end of a field whose form is wrong already: quotes mean nothing any more, so that one bad
// field does not swallow the lines behind it.
const char* FindFieldEnd(const char* at, const char* end) {
  while (at < end && *at != ',' && *at != '\n') ++at;
  return at;
}

// CRLF ends a record as LF does.
absl::string_view WithoutReturn(absl::string_view text) {
  if (absl::EndsWith(text, "\r")) text.remove_suffix(1);
  return text;
}

}  // namespace

CsvReader::CsvReader(ByteStream& stream) : stream_(stream) {}

// Each round is one line of the file or one record; empty lines go round again. The line counter
// moves on only here, so that places inside the present record can be counted from its beginning.
absl::StatusOr<bool> CsvReader::Next() {
  for (;;) {
    // The record before is done with: its bytes may be overwritten from here on.
    begin_ = next_;
    line_ += lines_;
    lines_ = 0;
    Scan scan = ScanRecord();
    while (scan == Scan::kNeedsMore) {
      if (begin_ == end_ && at_end_) return false;
      if (at_end_) return Unusable(open_quote_, "a quote is opened here and never closed");
      if (end_ - begin_ > kCsvRecordBytesMax) return TooLong();
      RM_RETURN_IF_ERROR(Refill());
      scan = ScanRecord();
    }
    if (next_ - begin_ > kCsvRecordBytesMax) return TooLong();
    if (scan == Scan::kRecord) return true;
  }
}

// Moves the record to the front and reads behind it. Memory grows by doubling, and only when a
// record fills it; a file of less than a piece gets a buffer of its own size, so that a hundred
// bytes never cost a megabyte. One byte at least is asked for: only a short read tells the end.
absl::Status CsvReader::Refill() {
  buffer_.erase(0, begin_);
  end_ -= begin_;
  begin_ = next_ = 0;
  const size_t room = std::max(kPieceBytes, std::min(end_, kCsvRecordBytesMax - end_));
  const auto wanted =
      static_cast<size_t>(std::clamp<uint64_t>(stream_.bytes_max(), 1, uint64_t{room}));
  buffer_.resize(end_ + wanted);
  RM_ASSIGN_OR_RETURN(const uint64_t found, stream_.Read(wanted, buffer_.data() + end_));
  at_end_ = found < wanted;
  end_ += static_cast<size_t>(found);
  if (!started_ && absl::StartsWith(absl::string_view(buffer_.data(), end_), kByteOrderMark)) {
    begin_ = next_ = kByteOrderMark.size();
  }
  started_ = true;
  return absl::OkStatus();
}

// Field by field to the end of the record. A field ends at a comma, at a line end, or where the
// file does.
CsvReader::Scan CsvReader::ScanRecord() {
  // A second attempt at the same record begins anew, with the same line.
  fields_.clear();
  unescaped_.clear();
  field_count_ = 0;
  problem_ = open_quote_ = nullptr;
  lines_ = 0;
  const char* const end = buffer_.data() + end_;
  const char* at = buffer_.data() + begin_;
  if (at == end) return Scan::kNeedsMore;
  // The pieces return nullptr when the field's end is not in memory and there is more of the file.
  for (;;) {
    at = at < end && *at == '"' ? ScanQuoted(at) : ScanPlain(at);
    if (at == nullptr) return Scan::kNeedsMore;
    if (at == end || *at == '\n') break;
    ++at;  // the comma
  }
  if (at < end) ++lines_;
  next_ = static_cast<size_t>(at - buffer_.data()) + (at < end ? 1 : 0);
  // A line of two quotes is no empty line: somebody wrote an empty field.
  const bool is_empty = field_count_ == 1 && fields_.front().text.empty() &&
                        fields_.front().begin == buffer_.data() + begin_ &&
                        *fields_.front().begin != '"';
  return is_empty ? Scan::kEmptyLine : Scan::kRecord;
}

// From the opening quote; returns where the field ends, nullptr when that is not in memory.
const char* CsvReader::ScanQuoted(const char* at) {
  const char* const begin = at;
  const char* const end = buffer_.data() + end_;
  // Kept when the closing quote is not found: then it is the place that an error points at.
  open_quote_ = begin;
  bool doubled = false;
  const char* close = begin + 1;
  for (;; close += 2, doubled = true) {
    // memchr: inside quotes nothing else means anything.
    close = static_cast<const char*>(std::memchr(close, '"', static_cast<size_t>(end - close)));
    if (close == nullptr) return nullptr;
    // Whether a quote closes the field is told by the byte behind it.
    if (close + 1 == end && !at_end_) return nullptr;
    if (close + 1 == end || close[1] != '"') break;
  }
  const char* const field_end = FindFieldEnd(close + 1, end);
  if (field_end == end && !at_end_) return nullptr;
  open_quote_ = nullptr;
  // The only place where a line can end without the record ending with it.
  lines_ += std::count(begin, close, '\n');
  const absl::string_view behind(close + 1, static_cast<size_t>(field_end - close - 1));
  if (!WithoutReturn(behind).empty()) SetProblem("has text behind its closing quote");
  AddField(begin, absl::string_view(begin + 1, static_cast<size_t>(close - begin - 1)), doubled);
  return field_end;
}

// A quote in the middle is refused, not guessed at: readers differ in what they make of it, and a
// guess would move the columns of every field behind it. The CR before a line feed is part of the
// line's end and not of the field.
const char* CsvReader::ScanPlain(const char* at) {
  const char* const begin = at;
  const char* const end = buffer_.data() + end_;
  at = FindSpecial(at, end);
  if (at < end && *at == '"') {
    SetProblem("has a quote inside a field that does not begin with one");
    at = FindFieldEnd(at, end);
  }
  if (at == end && !at_end_) return nullptr;
  absl::string_view text(begin, static_cast<size_t>(at - begin));
  if (at == end || *at == '\n') text = WithoutReturn(text);
  AddField(begin, text, false);
  return at;
}

// Fields point into the buffer; only one with "" in it needs memory of its own.
void CsvReader::AddField(const char* begin, absl::string_view text, bool has_doubled_quotes) {
  if (text.size() > kCsvFieldBytesMax) SetProblem("is longer than 1048576 bytes");
  ++field_count_;
  if (fields_.size() >= fields_max_) return;
  if (has_doubled_quotes) {
    text = unescaped_.emplace_back(absl::StrReplaceAll(text, {{"\"\"", "\""}}));
  }
  fields_.push_back({text, begin});
}

// The first problem of a record is the one that is told.
void CsvReader::SetProblem(const char* what) {
  if (problem_ != nullptr) return;
  problem_ = what;
  problem_field_ = field_count_;
}

TextPlace CsvReader::PlaceOf(size_t field) const { return PlaceAt(fields_[field].begin); }

// Line ends inside quoted fields count; a code point is counted at its first byte.
TextPlace CsvReader::PlaceAt(const char* at) const {
  TextPlace place{line_, 1};
  for (const char* byte = buffer_.data() + begin_; byte < at; ++byte) {
    if (*byte == '\n') {
      ++place.line;
      place.column = 1;
    } else if ((static_cast<unsigned char>(*byte) & 0xC0) != 0x80) {
      ++place.column;
    }
  }
  return place;
}

// Most often it is a quote that was never closed, and then the place of the quote is what helps.
absl::Status CsvReader::TooLong() const {
  const bool is_open = open_quote_ != nullptr;
  return Unusable(is_open ? open_quote_ : buffer_.data() + begin_,
                  absl::StrCat(is_open ? "a quote is opened here and not closed within "
                                       : "the record is longer than ",
                               kCsvRecordBytesMax, " bytes"));
}

absl::Status CsvReader::Unusable(const char* at, absl::string_view what) const {
  const TextPlace place = PlaceAt(at);
  return absl::InvalidArgumentError(
      absl::StrCat(stream_.path(), ":", place.line, ":", place.column, ": ", what));
}

}  // namespace rm::data
