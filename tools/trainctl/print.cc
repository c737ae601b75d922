#include "tools/trainctl/print.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/units.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;
namespace {

// Columns are counted in characters, not bytes: "→" is one.
size_t CodePoints(absl::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// "SUCCEEDED" → "Succeeded".
std::string Capitalised(std::string name) {
  for (size_t i = 1; i < name.size(); ++i) {
    name[i] = absl::ascii_tolower(static_cast<unsigned char>(name[i]));
  }
  return name;
}

// A key as YAML: bare where every reader takes it for that text, else in quotes.
std::string YamlKey(const std::string& key) {
  const bool plain = !key.empty() && absl::ascii_isalpha(static_cast<unsigned char>(key[0])) &&
                     std::all_of(key.begin(), key.end(), [](char c) {
                       return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' ||
                              c == '/' || c == '-' || c == '.';
                     });
  static constexpr absl::string_view kWords[] = {"true", "false", "null", "yes", "no",
                                                 "on",   "off",   "y",    "n"};
  const bool word = std::any_of(std::begin(kWords), std::end(kWords), [&](absl::string_view w) {
    return absl::EqualsIgnoreCase(w, key);
  });
  return plain && !word ? key : base::JsonQuote(key);
}

bool IsBlock(const base::Json& value) {
  return !value.object().empty() || !value.array().empty();
}

void AppendYaml(const base::Json& value, int indent, std::string* out) {
  const std::string pad(static_cast<size_t>(indent), ' ');
  if (!IsBlock(value)) {  // JSON's scalars, and [] and {}, are YAML
    absl::StrAppend(out, pad, value.Dump(), "\n");
    return;
  }
  const auto append = [&](absl::string_view head, const base::Json& member) {
    absl::StrAppend(out, pad, head, IsBlock(member) ? "\n" : " ");
    AppendYaml(member, IsBlock(member) ? indent + 2 : 0, out);
  };
  for (const auto& [key, member] : value.object()) append(YamlKey(key) + ":", member);
  for (const base::Json& element : value.array()) append("-", element);
}

base::Json ToJson(const google::protobuf::Message& message) {
  auto value = base::Json::Parse(ToJsonText(message));
  return value.ok() ? *std::move(value) : base::Json();
}

std::string FormatJson(const base::Json& value, absl::string_view format) {
  return format == "yaml" ? ToYamlText(value) : value.Dump(2) + "\n";
}

}  // namespace

// Two passes: widths, then lines.
std::string FormatTable(std::vector<std::vector<std::string>> rows) {
  std::vector<size_t> widths;
  for (auto& row : rows) {
    for (std::string& cell : row) std::replace(cell.begin(), cell.end(), '\n', ' ');
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], CodePoints(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      absl::StrAppend(&line, row[i], std::string(widths[i] - CodePoints(row[i]) + 2, ' '));
    }
    absl::StrAppend(&text, absl::StripTrailingAsciiWhitespace(line), "\n");
  }
  return text;
}

// Unset scalars are printed, so that a script finds every key every time.
std::string ToJsonText(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) return "{}";
  return text;
}

// Enough of YAML for what JSON can say.
std::string ToYamlText(const base::Json& value) {
  std::string text;
  AppendYaml(value, 0, &text);
  return text;
}

bool IsStructured(absl::string_view format) { return format == "json" || format == "yaml"; }

std::string FormatMessage(const google::protobuf::Message& message, absl::string_view format) {
  return FormatJson(ToJson(message), format);
}

std::string FormatList(const std::vector<const google::protobuf::Message*>& messages,
                       absl::string_view format) {
  base::Json list{base::Json::Array()};
  for (const google::protobuf::Message* message : messages) list.Add(ToJson(*message));
  return FormatJson(list, format);
}

std::string CutToWidth(absl::string_view text, int width) {
  size_t end = 0;
  for (int point = 0; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (begins && ++point > width) break;
  }
  return std::string(text.substr(0, end));
}

std::string StateName(pb::JobState state) { return Capitalised(pb::JobState_Name(state)); }

std::string StateName(pb::WorkerState state) { return Capitalised(pb::WorkerState_Name(state)); }

// Any case, as people type it.
pb::JobState StateOfName(absl::string_view name) {
  pb::JobState state = pb::JOB_STATE_UNSPECIFIED;
  return pb::JobState_Parse(absl::AsciiStrToUpper(name), &state) ? state
                                                                 : pb::JOB_STATE_UNSPECIFIED;
}

bool IsFinal(pb::JobState state) {
  return state == pb::SUCCEEDED || state == pb::FAILED || state == pb::CANCELLED;
}

std::string FormatTimeNs(int64_t time_ns) {
  if (time_ns == 0) return "-";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixNanos(time_ns),
                          absl::LocalTimeZone());
}

std::string FormatAge(int64_t time_ns, int64_t now_ns) {
  if (time_ns == 0) return "-";
  return absl::StrCat(base::FormatDuration(absl::Nanoseconds(std::max<int64_t>(0, now_ns - time_ns))),
                      " ago");
}

}  // namespace rm::trainctl
