// The value and its writer; json_parser.cc has the reader.
#include "base/json.h"

#include <charconv>
#include <cmath>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/utf8.h"

namespace rm::base {
namespace {

// The shortest text that reads back as the same double, always with a '.' or an exponent, so that
// it stays a double when it is parsed. JSON has no NaN and no infinities: null.
std::string DoubleText(double value) {
  if (!std::isfinite(value)) return "null";
  char buffer[32];  // the longest shortest form is 24 characters: -2.2250738585072014e-308
  const std::to_chars_result end = std::to_chars(buffer, buffer + sizeof(buffer), value);
  std::string text(buffer, end.ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// The two-letter escapes for the common ones, \u00XX for the other control characters, U+FFFD for
// each byte that is not UTF-8, and everything else as it is (RFC 8259 asks for no more).
void AppendQuoted(absl::string_view text, std::string* out) {
  out->push_back('"');
  while (!text.empty()) {
    const size_t length = Utf8SequenceLength(text);
    const char c = text[0];
    if (length == 0) {
      AppendUtf8(0xFFFD, out);
    } else if (c == '"' || c == '\\') {
      out->append({'\\', c});
    } else if (c == '\n') {
      out->append("\\n");
    } else if (c == '\t') {
      out->append("\\t");
    } else if (c == '\r') {
      out->append("\\r");
    } else if (length == 1 && (c < 0x20 || c == 0x7F)) {
      absl::StrAppendFormat(out, "\\u%04x", static_cast<int>(c));
    } else {
      out->append(text.data(), length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out->push_back('"');
}

// Writes a value and what it holds; indent 0 is compact.
class Writer {
 public:
  Writer(int indent, std::string* out) : indent_(indent), out_(out) {}

  void Write(const Json& value) {
    if (value.is_array()) {
      WriteArray(value.array());
    } else if (value.is_object()) {
      WriteObject(value.object());
    } else {
      WriteScalar(value);
    }
  }

 private:
  // A value that holds no others.
  void WriteScalar(const Json& value) {
    if (value.is_null()) {
      out_->append("null");
    } else if (value.is_bool()) {
      out_->append(value.bool_or(false) ? "true" : "false");
    } else if (value.is_int()) {
      out_->append(std::to_string(value.int_or(0)));
    } else if (value.is_number()) {
      out_->append(DoubleText(value.number_or(0)));
    } else {
      AppendQuoted(value.string_or(""), out_);
    }
  }

  void WriteArray(const Json::Array& elements) {
    Open('[');
    for (size_t i = 0; i < elements.size(); ++i) {
      NextElement(i);
      Write(elements[i]);
    }
    Close(']', elements.empty());
  }

  void WriteObject(const Json::Object& members) {
    Open('{');
    for (size_t i = 0; i < members.size(); ++i) {
      NextElement(i);
      AppendQuoted(members[i].first, out_);
      out_->append(indent_ > 0 ? ": " : ":");
      Write(members[i].second);
    }
    Close('}', members.empty());
  }

  // The brackets around elements, the comma and the line break before each, and the line break
  // after the last. An empty list is "[]" at any indent.
  void Open(char bracket) {
    out_->push_back(bracket);
    ++depth_;
  }
  void NextElement(size_t index) {
    if (index > 0) out_->push_back(',');
    NewLine();
  }
  void Close(char bracket, bool empty) {
    --depth_;
    if (!empty) NewLine();
    out_->push_back(bracket);
  }
  void NewLine() {
    if (indent_ == 0) return;
    out_->push_back('\n');
    out_->append(static_cast<size_t>(indent_) * static_cast<size_t>(depth_), ' ');
  }

  const int indent_;
  int depth_ = 0;
  std::string* const out_;
};

}  // namespace

bool Json::bool_or(bool fallback) const {
  const bool* value = std::get_if<bool>(&value_);
  return value == nullptr ? fallback : *value;
}

int64_t Json::int_or(int64_t fallback) const {
  const int64_t* value = std::get_if<int64_t>(&value_);
  return value == nullptr ? fallback : *value;
}

double Json::number_or(double fallback) const {
  if (const int64_t* value = std::get_if<int64_t>(&value_)) return static_cast<double>(*value);
  const double* value = std::get_if<double>(&value_);
  return value == nullptr ? fallback : *value;
}

std::string Json::string_or(absl::string_view fallback) const {
  const std::string* value = std::get_if<std::string>(&value_);
  return value == nullptr ? std::string(fallback) : *value;
}

// The empty lists below are never destroyed, so that they outlive every static that reads them.
const Json::Array& Json::array() const {
  static const Array& empty = *new Array();
  const Array* value = std::get_if<Array>(&value_);
  return value == nullptr ? empty : *value;
}

const Json::Object& Json::object() const {
  static const Object& empty = *new Object();
  const Object* value = std::get_if<Object>(&value_);
  return value == nullptr ? empty : *value;
}

const Json* Json::Find(absl::string_view key) const {
  for (const auto& [name, value] : object()) {
    if (name == key) return &value;
  }
  return nullptr;
}

Json& Json::Set(absl::string_view key, Json value) {
  if (is_null()) value_ = Object();
  RM_CHECK(is_object(), "Set(\"", key, "\") on ", Dump());
  Object& members = std::get<Object>(value_);
  for (auto& [name, old] : members) {
    if (name != key) continue;
    old = std::move(value);
    return *this;
  }
  members.emplace_back(std::string(key), std::move(value));
  return *this;
}

Json& Json::Add(Json value) {
  if (is_null()) value_ = Array();
  RM_CHECK(is_array(), "Add on ", Dump());
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

std::string Json::Dump(int indent) const {
  std::string text;
  Writer(indent, &text).Write(*this);
  return text;
}

std::string JsonQuote(absl::string_view text) {
  std::string quoted;
  AppendQuoted(text, &quoted);
  return quoted;
}

}  // namespace rm::base
