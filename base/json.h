// A small JSON value: enough for manifests, safetensors headers, `-o json` and log lines.
//
//   Json record;
//   record.Set("bench", "allreduce").Set("ranks", 2).Set("us", Json(Json::Array{11.5, 12.0}));
//   std::puts(record.Dump().c_str());        // {"bench":"allreduce","ranks":2,"us":[11.5,12.0]}
//
//   RM_ASSIGN_OR_RETURN(const Json header, Json::Parse(text));
//   const Json* const shape = header.Find("shape");
//   if (shape == nullptr || !shape->is_array()) return absl::DataLossError("no shape");
//
// Objects keep the order in which keys were set, so that what is written is the same every time.
// Numbers are int64 where they were written without fraction or exponent and fit, else double. A
// member is found by walking the list: use a map of your own for thousands of look-ups.
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

// A value: null, boolean, number, string, array or object. Thread-compatible; copied deeply.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;  // null
  // Implicit, so that Set("rank", 1) and Array{1, "a"} read as they should. An unsigned number must
  // be cast: none of these fits it.
  Json(bool value) : value_(value) {}                            // NOLINT
  Json(int value) : value_(static_cast<int64_t>(value)) {}       // NOLINT
  Json(int64_t value) : value_(value) {}                         // NOLINT
  Json(double value) : value_(value) {}                          // NOLINT
  Json(const char* value) : value_(std::string(value)) {}        // NOLINT
  Json(absl::string_view value) : value_(std::string(value)) {}  // NOLINT
  Json(std::string value) : value_(std::move(value)) {}          // NOLINT
  Json(Array value) : value_(std::move(value)) {}                // NOLINT
  Json(Object value) : value_(std::move(value)) {}               // NOLINT

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  [[nodiscard]] bool is_bool() const { return std::holds_alternative<bool>(value_); }
  [[nodiscard]] bool is_int() const { return std::holds_alternative<int64_t>(value_); }
  [[nodiscard]] bool is_number() const {
    return is_int() || std::holds_alternative<double>(value_);
  }
  [[nodiscard]] bool is_string() const { return std::holds_alternative<std::string>(value_); }
  [[nodiscard]] bool is_array() const { return std::holds_alternative<Array>(value_); }
  [[nodiscard]] bool is_object() const { return std::holds_alternative<Object>(value_); }

  // The value, or the fallback when it is of another kind. int_or accepts only integers, number_or
  // both kinds of number.
  [[nodiscard]] bool bool_or(bool fallback) const;
  [[nodiscard]] int64_t int_or(int64_t fallback) const;
  [[nodiscard]] double number_or(double fallback) const;
  [[nodiscard]] std::string string_or(absl::string_view fallback) const;

  // The elements or members; an empty list for other kinds. The reference lives as long as the
  // value is not changed.
  [[nodiscard]] const Array& array() const;
  [[nodiscard]] const Object& object() const;

  // The member of an object, or nullptr when there is none (or this is no object). The pointer
  // lives as long as the object is not changed.
  [[nodiscard]] const Json* Find(absl::string_view key) const;
  // Sets a member, or replaces it where it stands; a null value becomes an object first.
  // REQUIRES: is_object() or is_null(). Returns *this.
  Json& Set(absl::string_view key, Json value);
  // Appends to an array; a null value becomes an array first. REQUIRES: is_array() or is_null().
  Json& Add(Json value);

  // Compact JSON, or indented by `indent` spaces a level. Doubles have the shortest form that reads
  // back as the same double (1.0, 0.1, 1e+30); NaN and infinities are written as null. Strings come
  // out as valid UTF-8 (see JsonQuote).
  [[nodiscard]] std::string Dump(int indent = 0) const;

  // Same kind, same content, members in the same order; 1 and 1.0 differ.
  friend bool operator==(const Json& a, const Json& b) { return a.value_ == b.value_; }
  friend bool operator!=(const Json& a, const Json& b) { return !(a == b); }

  // Strict RFC 8259: no comments, no trailing commas, no NaN, valid UTF-8 only. At most `depth_max`
  // levels of arrays and objects, so that no text can exhaust the stack; duplicate keys are an
  // error, and so are numbers beyond double's range. Errors are InvalidArgument "line:column:
  // what", both from 1, columns in characters. The file's name is the caller's to add.
  [[nodiscard]] static absl::StatusOr<Json> Parse(absl::string_view text, int depth_max = 64);

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

// "text" with JSON's escapes, in quotes: for JSON, and for quoting user input in messages (it stays
// one line). Invalid UTF-8 bytes become U+FFFD.
[[nodiscard]] std::string JsonQuote(absl::string_view text);

}  // namespace rm::base

#endif  // RM_BASE_JSON_H_
