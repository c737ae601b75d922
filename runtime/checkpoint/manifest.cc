#include "runtime/checkpoint/manifest.h"

#include <limits>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/status.h"
#include "runtime/checkpoint/names.h"

namespace rm::checkpoint {
namespace {

using base::Json;

// What a manifest says it is, so that another JSON file is not taken for one.
constexpr char kFormat[] = "ringmaster-checkpoint";
constexpr int64_t kVersion = 1;
constexpr int kIndent = 1;

// The text ends with kSumBegin, 64 digits, kSumEnd; the digits are the SHA-256 of all that lies
// before kSumBegin.
constexpr absl::string_view kSumBegin = ",\n \"manifest_sha256\": \"";
constexpr absl::string_view kSumEnd = "\"\n}\n";
constexpr size_t kSumDigits = 64;
constexpr size_t kTailBytes = kSumBegin.size() + kSumDigits + kSumEnd.size();

// Damage to a manifest has no better place than its beginning: one sum covers all of it.
absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("0: ", what));
}

// Pairs and not objects: the list grows by an entry a generation and is read by people.
Json FormatLineage(const Lineage& lineage) {
  Json::Array list;
  for (const LineageEntry& entry : lineage) {
    list.push_back(Json::Array{entry.generation, entry.first_step});
  }
  return list;
}

// An entry is a pair of a generation ≥ 1 and a step ≥ 0, and nothing more.
absl::StatusOr<Lineage> ParseLineage(const Json& list) {
  Lineage lineage;
  for (const Json& entry : list.array()) {
    if (entry.array().size() != 2 || entry.array()[0].int_or(-1) < 1 ||
        entry.array()[1].int_or(-1) < 0) {
      return Damaged("lineage is malformed");
    }
    lineage.push_back({entry.array()[0].int_or(0), entry.array()[1].int_or(0)});
  }
  return lineage;
}

// The members of a manifest, read with one error for all that are missing or of a wrong kind.
class Members {
 public:
  explicit Members(const Json& json) : json_(json) {}

  // A whole number in [min, max]; `min` stands in for a bad one until status() is asked.
  int64_t Number(absl::string_view key, int64_t min, int64_t max) {
    const Json* member = json_.Find(key);
    const bool valid = member != nullptr && member->is_int() && member->int_or(0) >= min &&
                       member->int_or(0) <= max;
    if (!valid) bad_ = std::string(key);
    return valid ? member->int_or(0) : min;
  }

  // Any string.
  std::string Text(absl::string_view key) {
    const Json* member = json_.Find(key);
    if (member == nullptr || !member->is_string()) bad_ = std::string(key);
    return member == nullptr ? "" : member->string_or("");
  }

  // A member of a kind, as in Of("files", &Json::is_array); an empty value for a bad one.
  const Json& Of(absl::string_view key, bool (Json::*is_kind)() const) {
    static const Json& empty = *new Json();
    const Json* member = json_.Find(key);
    if (member != nullptr && (member->*is_kind)()) return *member;
    bad_ = std::string(key);
    return empty;
  }

  [[nodiscard]] absl::Status status() const {
    if (bad_.empty()) return absl::OkStatus();
    return Damaged(absl::StrCat("member '", bad_, "' is missing or of a wrong kind"));
  }

 private:
  const Json& json_;
  std::string bad_;
};

// The text before its tail, once the tail's checksum has been found right.
absl::StatusOr<absl::string_view> CheckSum(absl::string_view text) {
  if (text.size() < kTailBytes) return Damaged("it is cut off");
  const absl::string_view body = text.substr(0, text.size() - kTailBytes);
  const absl::string_view tail = text.substr(body.size());
  const absl::string_view sum = tail.substr(kSumBegin.size(), kSumDigits);
  if (!absl::StartsWith(tail, kSumBegin) || !absl::EndsWith(tail, kSumEnd) ||
      sum != base::Sha256Hex(body)) {
    return Damaged("it does not match its own checksum");
  }
  return body;
}

// Asked before anything else is looked at: a later version may mean something else by every other
// member.
absl::Status CheckVersion(const Json& json) {
  Members members(json);
  const std::string format = members.Text("format");
  const int64_t version = members.Number("version", 1, std::numeric_limits<int64_t>::max());
  RM_RETURN_IF_ERROR(members.status());
  if (format != kFormat) return Damaged(absl::StrCat("format is '", format, "'"));
  if (version == kVersion) return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat(
      "0: version ", version, " of the format; this program reads version ", kVersion));
}

}  // namespace

// The manifest itself is not in it: it does not know its own length.
uint64_t Manifest::file_bytes() const {
  uint64_t bytes = 0;
  for (const ShardReport& file : files) bytes += file.bytes;
  return bytes;
}

// The text without its last two characters, then the tail: what is summed is a prefix of the file,
// so a reader needs no second serialisation to check it.
std::string FormatManifest(const Manifest& manifest) {
  Json json;
  json.Set("format", kFormat);
  json.Set("version", kVersion);
  json.Set("step", manifest.step);
  json.Set("generation", manifest.generation);
  json.Set("world_size", manifest.world_size);
  json.Set("nonce", manifest.nonce);
  json.Set("created_ns", absl::ToUnixNanos(manifest.created));
  json.Set("lineage", FormatLineage(manifest.lineage));
  Json metrics{Json::Object()};
  for (const auto& [name, value] : manifest.metrics) metrics.Set(name, value);
  json.Set("metrics", std::move(metrics));
  json.Set("weights_sha256", manifest.weights_sha256);
  Json::Array files;
  for (const ShardReport& file : manifest.files) files.push_back(FileEntry(file));
  json.Set("files", std::move(files));
  std::string body = json.Dump(kIndent);
  body.resize(body.size() - absl::string_view("\n}").size());
  return absl::StrCat(body, kSumBegin, base::Sha256Hex(body), kSumEnd);
}

// Sum, JSON, version, members, completeness: each step may trust the one before it.
absl::StatusOr<Manifest> ParseManifest(absl::string_view text) {
  RM_RETURN_IF_ERROR(CheckSum(text).status());
  const auto json = Json::Parse(text);
  if (!json.ok()) return Damaged(json.status().message());
  RM_RETURN_IF_ERROR(CheckVersion(*json));
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  Members members(*json);
  Manifest manifest;
  manifest.step = members.Number("step", 0, kMax);
  manifest.generation = members.Number("generation", 1, kMax);
  manifest.world_size =
      static_cast<int>(members.Number("world_size", 1, std::numeric_limits<int>::max()));
  manifest.nonce = members.Text("nonce");
  manifest.created = absl::FromUnixNanos(members.Number("created_ns", -kMax, kMax));
  manifest.weights_sha256 = members.Text("weights_sha256");
  RM_ASSIGN_OR_RETURN(manifest.lineage, ParseLineage(members.Of("lineage", &Json::is_array)));
  for (const auto& [name, value] : members.Of("metrics", &Json::is_object).object()) {
    manifest.metrics[name] = value.number_or(std::numeric_limits<double>::quiet_NaN());
  }
  for (const Json& entry : members.Of("files", &Json::is_array).array()) {
    const auto file = ParseFileEntry(entry);
    if (!file.ok()) return Damaged(file.status().message());
    manifest.files.push_back(*file);
  }
  RM_RETURN_IF_ERROR(members.status());
  const absl::Status complete = CheckComplete(manifest);
  if (!complete.ok()) return Damaged(complete.message());
  return manifest;
}

// With as many entries as names expected, and every name found, there is none too many and none
// twice.
absl::Status CheckComplete(const Manifest& manifest) {
  // Compared before the names are made: a world size that is a lie must not cost memory.
  const uint64_t expected_count = 2 * static_cast<uint64_t>(manifest.world_size) + 1;
  if (manifest.files.size() != expected_count) {
    return absl::InvalidArgumentError(absl::StrCat(manifest.files.size(), " files, but ",
                                                   manifest.world_size, " rank(s) make ",
                                                   expected_count));
  }
  std::set<std::string> found;
  for (const ShardReport& file : manifest.files) found.insert(file.file);
  std::vector<std::string> expected = ShardFiles(manifest.world_size);
  expected.emplace_back(kTrainerFile);
  for (const std::string& name : expected) {
    if (found.count(name) == 0) {
      return absl::InvalidArgumentError(absl::StrCat("there is no report of ", name));
    }
  }
  return absl::OkStatus();
}

}  // namespace rm::checkpoint
