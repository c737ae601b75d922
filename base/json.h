// A small JSON value: enough for manifests, safetensors headers, `-o json` and log lines.
//
// Objects keep the order in which keys were set, so that what is written is the same every time. Numbers are int64
// where they were written without fraction or exponent and fit, else double. Thread-compatible.
#ifndef RM_BASE_JSON_H_
#define RM_BASE_JSON_H_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rm::base {

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;  // null
  Json(bool value) : value_(value) {}                          // NOLINT
  Json(int value) : value_(static_cast<int64_t>(value)) {}     // NOLINT
  Json(int64_t value) : value_(value) {}                       // NOLINT
  Json(double value) : value_(value) {}                        // NOLINT
  Json(const char* value) : value_(std::string(value)) {}      // NOLINT
  Json(absl::string_view value) : value_(std::string(value)) {}  // NOLINT
  Json(std::string value) : value_(std::move(value)) {}        // NOLINT
  Json(Array value) : value_(std::move(value)) {}              // NOLINT
  Json(Object value) : value_(std::move(value)) {}             // NOLINT

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  [[nodiscard]] bool is_bool() const { return std::holds_alternative<bool>(value_); }
  [[nodiscard]] bool is_int() const { return std::holds_alternative<int64_t>(value_); }
  [[nodiscard]] bool is_number() const {
    return is_int() || std::holds_alternative<double>(value_);
  }
  [[nodiscard]] bool is_string() const { return std::holds_alternative<std::string>(value_); }
  [[nodiscard]] bool is_array() const { return std::holds_alternative<Array>(value_); }
  [[nodiscard]] bool is_object() const { return std::holds_alternative<Object>(value_); }

  // The value, or the fallback when it is of another kind. int_or accepts only integers, number_or both kinds.
  [[nodiscard]] bool bool_or(bool fallback) const;
  [[nodiscard]] int64_t int_or(int64_t fallback) const;
  [[nodiscard]] double number_or(double fallback) const;
  [[nodiscard]] std::string string_or(absl::string_view fallback) const;

  // The elements or members; an empty list for other kinds. The reference lives as long as the value is not changed.
  [[nodiscard]] const Array& array() const;
  [[nodiscard]] const Object& object() const;

  // The member of an object, or nullptr.
  [[nodiscard]] const Json* Find(absl::string_view key) const;
  // Sets or replaces a member; a null value becomes an object first. Returns *this.
  Json& Set(absl::string_view key, Json value);
  // Appends to an array; a null value becomes an array first.
  Json& Add(Json value);

  // Compact JSON, or indented by `indent` spaces a level. NaN and infinities are written as null.
  [[nodiscard]] std::string Dump(int indent = 0) const;

  // Same kind, same content, members in the same order; 1 and 1.0 differ.
  friend bool operator==(const Json& a, const Json& b) { return a.value_ == b.value_; }
  friend bool operator!=(const Json& a, const Json& b) { return !(a == b); }

  // Strict RFC 8259. At most `depth_max` levels; duplicate keys are an error. Errors: "line:column: what".
  [[nodiscard]] static absl::StatusOr<Json> Parse(absl::string_view text, int depth_max = 64);

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

// "text" with JSON's escapes, in quotes. Invalid UTF-8 bytes become U+FFFD.
[[nodiscard]] std::string JsonQuote(absl::string_view text);

}  // namespace rm::base

#endif  // RM_BASE_JSON_H_
