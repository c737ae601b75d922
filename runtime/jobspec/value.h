// From the text of a key to its value, and back; what a value may be.
#ifndef RM_RUNTIME_JOBSPEC_VALUE_H_
#define RM_RUNTIME_JOBSPEC_VALUE_H_

#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/jobspec/key_table.h"
#include "runtime/jobspec/yaml_tree.h"

namespace rm::jobspec {

// Text, choice and path: string. Whole number and bytes: int64. Number and duration (in seconds):
// double.
using Value = std::variant<std::string, int64_t, double>;

// The value of a key that holds a single one (not a map, not ranks). InvalidArgument with a message
// that begins with the key's path: "'train.steps' must be a whole number, not 'many'". Ranges and
// choices are left to CheckValue.
[[nodiscard]] absl::StatusOr<Value> ReadValue(const Key& key, const YamlNode& node);

// A number that is no key of the table: a parameter, a part of ranks. `what` names it in messages.
[[nodiscard]] absl::StatusOr<double> ReadNumber(absl::string_view what, const YamlNode& node);
[[nodiscard]] absl::StatusOr<int64_t> ReadWhole(absl::string_view what, const YamlNode& node);
// true or false.
[[nodiscard]] absl::StatusOr<bool> ReadFlag(absl::string_view what, const YamlNode& node);
// Any text, quoted or not.
[[nodiscard]] absl::StatusOr<std::string> ReadText(absl::string_view what, const YamlNode& node);

// OK when a value of the right type is one that the key may have; else InvalidArgument with a whole
// sentence.
[[nodiscard]] absl::Status CheckValue(const Key& key, const Value& value);
[[nodiscard]] absl::Status CheckRange(absl::string_view what, const Range& range, double value);

// The value as one would write it in a job file ("8388608", "0.5s", "\"yes: no\"").
[[nodiscard]] std::string WriteValue(const Key& key, const Value& value);
[[nodiscard]] std::string WriteText(absl::string_view text);
// With as many digits as it takes to read the same number again, and no more.
[[nodiscard]] std::string WriteNumber(double number);

}  // namespace rm::jobspec

#endif  // RM_RUNTIME_JOBSPEC_VALUE_H_
