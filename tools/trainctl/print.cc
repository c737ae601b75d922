#include "tools/trainctl/print.h"

#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/units.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;
namespace {

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

void AppendYaml(const base::Json& value, int indent, std::string* out);

// "- " or "key:" has been written: the value follows on the same line, or as a block below.
void AppendYamlValue(const base::Json& value, int indent, std::string* out) {
  const bool block = (value.is_object() && !value.object().empty()) ||
                     (value.is_array() && !value.array().empty());
  if (!block) {
    absl::StrAppend(out, " ", value.Dump(), "\n");
    return;
  }
  absl::StrAppend(out, "\n");
  AppendYaml(value, indent, out);
}

void AppendYaml(const base::Json& value, int indent, std::string* out) {
  const std::string pad(static_cast<size_t>(indent), ' ');
  if (value.is_object()) {
    for (const auto& [key, member] : value.object()) {
      absl::StrAppend(out, pad, key, ":");
      AppendYamlValue(member, indent + 2, out);
    }
  } else if (value.is_array()) {
    for (const base::Json& element : value.array()) {
      absl::StrAppend(out, pad, "-");
      AppendYamlValue(element, indent + 2, out);
    }
  } else {
    absl::StrAppend(out, pad, value.Dump(), "\n");
  }
}

}  // namespace

std::string FormatTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
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

std::string ToJsonText(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) return "{}";
  return text;
}

std::string ToYamlText(const base::Json& value) {
  std::string text;
  AppendYaml(value, 0, &text);
  return text;
}

std::string FormatMessages(const std::vector<const google::protobuf::Message*>& messages,
                           bool as_list, absl::string_view format) {
  base::Json list{base::Json::Array()};
  for (const google::protobuf::Message* message : messages) {
    auto value = base::Json::Parse(ToJsonText(*message));
    list.Add(value.ok() ? *std::move(value) : base::Json());
  }
  const base::Json result = as_list || list.array().empty() ? list : list.array().front();
  return format == "yaml" ? ToYamlText(result) : result.Dump(2) + "\n";
}

std::string StateName(pb::JobState state) { return Capitalised(pb::JobState_Name(state)); }

std::string StateName(pb::WorkerState state) { return Capitalised(pb::WorkerState_Name(state)); }

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

bool ColourAllowed(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe)
  const char* terminal = std::getenv("TERM");       // NOLINT(concurrency-mt-unsafe)
  if (no_colour != nullptr && *no_colour != 0) return false;
  if (terminal == nullptr || absl::string_view(terminal) == "dumb") return false;
  return ::isatty(fd) == 1;
}

}  // namespace rm::trainctl
