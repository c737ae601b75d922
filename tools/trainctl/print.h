// How results look: tables, JSON, YAML, names. All functions are pure but FormatTimeNs, which reads
// the machine's time zone.
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

// Lines of text in aligned columns, two spaces apart; the first row is the head. Widths count code
// points. No trailing spaces; a line break in a cell becomes a space, so that a row is a line.
[[nodiscard]] std::string FormatTable(std::vector<std::vector<std::string>> rows);

// A message as one line of JSON by the proto3 mapping (64-bit integers are strings), fields by their
// proto names, unset scalars included.
[[nodiscard]] std::string ToJsonText(const google::protobuf::Message& message);

// A JSON value as block YAML; parsers of YAML read the same value back.
[[nodiscard]] std::string ToYamlText(const base::Json& value);

// Whether this -o is for programs: json or yaml.
[[nodiscard]] bool IsStructured(absl::string_view format);

// As `format` json or yaml: one message, or a list of them ("[]" when there is none).
[[nodiscard]] std::string FormatMessage(const google::protobuf::Message& message,
                                        absl::string_view format);
[[nodiscard]] std::string FormatList(const std::vector<const google::protobuf::Message*>& messages,
                                     absl::string_view format);

// The text, cut to `width` code points.
[[nodiscard]] std::string CutToWidth(absl::string_view text, int width);

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

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_PRINT_H_
