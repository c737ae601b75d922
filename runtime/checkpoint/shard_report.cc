#include "runtime/checkpoint/shard_report.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"

namespace rm::checkpoint {
namespace {

using base::Json;

// Sums are written in lower-case hexadecimal, of fixed width: the text has one form for one value.
constexpr size_t kCrcDigits = 8;
constexpr size_t kSha256Digits = 64;

// All that can be wrong with an entry is told in this form; who reads a manifest adds its name.
absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("file entry: ", what));
}

// Lower case only, so that two manifests are equal when their contents are.
bool IsHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return ('0' <= c && c <= '9') || ('a' <= c && c <= 'f');
  });
}

// A name in the checkpoint's own folder, and nothing that leads out of it.
bool IsPlainName(absl::string_view name) {
  return !name.empty() && name[0] != '.' && !absl::StrContains(name, '/') &&
         !absl::StrContains(name, absl::string_view("\0", 1));
}

// One string for all blocks: a list of numbers would take a line a block in an indented manifest.
std::string FormatCrcs(absl::Span<const uint32_t> crcs) {
  std::string text;
  text.reserve(crcs.size() * kCrcDigits);
  for (const uint32_t crc : crcs) absl::StrAppendFormat(&text, "%08x", crc);
  return text;
}

// The digits were checked before, so that the conversion accepts no prefix, sign or space.
absl::StatusOr<std::vector<uint32_t>> ParseCrcs(absl::string_view text) {
  if (text.size() % kCrcDigits != 0 || !IsHex(text)) return Malformed("crc32c is malformed");
  std::vector<uint32_t> crcs;
  crcs.reserve(text.size() / kCrcDigits);
  for (size_t at = 0; at < text.size(); at += kCrcDigits) {
    uint32_t crc = 0;
    if (!absl::SimpleHexAtoi(text.substr(at, kCrcDigits), &crc)) {
      return Malformed("crc32c is malformed");
    }
    crcs.push_back(crc);
  }
  return crcs;
}

// How many blocks a file has; none when it is empty, and the last may be short.
uint64_t BlockCount(uint64_t bytes, uint64_t block_bytes) {
  return bytes / block_bytes + (bytes % block_bytes > 0 ? 1 : 0);
}

// A member that is a whole number ≥ 0; nothing otherwise.
absl::StatusOr<uint64_t> Number(const Json& entry, absl::string_view key) {
  const Json* number = entry.Find(key);
  if (number == nullptr || number->int_or(-1) < 0) {
    return Malformed(absl::StrCat(key, " is no whole number ≥ 0"));
  }
  return static_cast<uint64_t>(number->int_or(-1));
}

// A member that is a string; nothing else is turned into one.
absl::StatusOr<std::string> Text(const Json& entry, absl::string_view key) {
  const Json* text = entry.Find(key);
  if (text == nullptr || !text->is_string()) return Malformed(absl::StrCat(key, " is no string"));
  return text->string_or("");
}

}  // namespace

// The order of members is the order in docs/checkpoint_format.md: people read manifests, too.
Json FileEntry(const ShardReport& report) {
  Json entry;
  entry.Set("file", report.file);
  entry.Set("bytes", static_cast<int64_t>(report.bytes));
  entry.Set("sha256", report.sha256);
  entry.Set("block_bytes", static_cast<int64_t>(report.block_bytes));
  entry.Set("crc32c", FormatCrcs(report.crc32c));
  return entry;
}

// Every number is checked against the others here, so that readers can use them without a thought:
// a file of `bytes` bytes has exactly as many blocks as there are sums.
absl::StatusOr<ShardReport> ParseFileEntry(const Json& entry) {
  ShardReport report;
  RM_ASSIGN_OR_RETURN(report.file, Text(entry, "file"));
  RM_ASSIGN_OR_RETURN(report.bytes, Number(entry, "bytes"));
  RM_ASSIGN_OR_RETURN(report.sha256, Text(entry, "sha256"));
  RM_ASSIGN_OR_RETURN(report.block_bytes, Number(entry, "block_bytes"));
  RM_ASSIGN_OR_RETURN(const std::string crcs, Text(entry, "crc32c"));
  RM_ASSIGN_OR_RETURN(report.crc32c, ParseCrcs(crcs));
  if (!IsPlainName(report.file)) return Malformed("file is no plain name");
  if (report.sha256.size() != kSha256Digits || !IsHex(report.sha256)) {
    return Malformed("sha256 is malformed");
  }
  // A reader holds one block in memory.
  if (report.block_bytes == 0 || report.block_bytes > kBlockBytesMax) {
    return Malformed(absl::StrCat("block_bytes is not in 1…", kBlockBytesMax));
  }
  if (report.crc32c.size() != BlockCount(report.bytes, report.block_bytes)) {
    return Malformed(absl::StrCat("crc32c has ", report.crc32c.size(), " sums for ",
                                  BlockCount(report.bytes, report.block_bytes), " blocks"));
  }
  return report;
}

// A report is an entry of a manifest and the save that it belongs to.
std::string SerializeReports(absl::Span<const ShardReport> reports) {
  Json::Array list;
  for (const ShardReport& report : reports) {
    Json entry = FileEntry(report);
    entry.Set("save", report.save);
    list.push_back(std::move(entry));
  }
  return Json(std::move(list)).Dump();
}

// What another rank sent is as little trusted as what lies on a disk.
absl::StatusOr<std::vector<ShardReport>> ParseReports(absl::string_view text) {
  RM_ASSIGN_OR_RETURN(const Json list, Json::Parse(text));
  if (!list.is_array()) return absl::InvalidArgumentError("reports are no list");
  std::vector<ShardReport> reports;
  for (const Json& entry : list.array()) {
    RM_ASSIGN_OR_RETURN(ShardReport report, ParseFileEntry(entry));
    RM_ASSIGN_OR_RETURN(report.save, Text(entry, "save"));
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace rm::checkpoint
