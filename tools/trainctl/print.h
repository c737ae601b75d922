// How results look: tables, JSON, YAML, names; colour only where a person sees it.
#ifndef RM_TOOLS_TRAINCTL_PRINT_H_
#define RM_TOOLS_TRAINCTL_PRINT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/json.h"
#include "google/protobuf/message.h"
#include "proto/scheduler.pb.h"

namespace rm::trainctl {

// Lines of text in aligned columns, two spaces apart; the first row is the head. Widths count code points. No trailing spaces.
[[nodiscard]] std::string FormatTable(const std::vector<std::vector<std::string>>& rows);

// A message as JSON by the proto3 mapping, fields by their proto names, unset scalars included.
[[nodiscard]] std::string ToJsonText(const google::protobuf::Message& message);

// A JSON value as block YAML.
[[nodiscard]] std::string ToYamlText(const base::Json& value);

// Messages as `format` json or yaml: one message alone, several as a list.
[[nodiscard]] std::string FormatMessages(
    const std::vector<const google::protobuf::Message*>& messages, bool as_list,
    absl::string_view format);

// "Running". The one way in which states are shown.
[[nodiscard]] std::string StateName(ringmaster::v1::JobState state);
[[nodiscard]] std::string StateName(ringmaster::v1::WorkerState state);
// The state that a name (any case) means; UNSPECIFIED for none.
[[nodiscard]] ringmaster::v1::JobState StateOfName(absl::string_view name);
[[nodiscard]] bool IsFinal(ringmaster::v1::JobState state);

// "2026-11-22 10:00:00" in local time; "-" for 0.
[[nodiscard]] std::string FormatTimeNs(int64_t time_ns);
// "3m 10s ago"; "-" for 0.
[[nodiscard]] std::string FormatAge(int64_t time_ns, int64_t now_ns);

// True when file descriptor `fd` is a terminal that may show colour (NO_COLOR and TERM=dumb respected).
[[nodiscard]] bool ColourAllowed(int fd);

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_PRINT_H_
