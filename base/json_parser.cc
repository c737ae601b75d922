// Json::Parse: recursive descent over the grammar of RFC 8259, one function a production.
//
//   value  = object / array / string / number / "true" / "false" / "null"
//   object = "{" [ string ":" value *( "," string ":" value ) ] "}"
//   array  = "[" [ value *( "," value ) ] "]"
//
// White space (space, tab, LF, CR) may stand between any two tokens. Recursion is as deep as
// `depth_max` lets it be.
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/json.h"
#include "base/status.h"
#include "base/utf8.h"

namespace rm::base {
namespace {

// A parse of one text, used once. Each production begins at at_ (white space before it skipped
// where that is allowed) and leaves at_ behind what it has read, or returns the error that ends the
// parse.
class Parser {
 public:
  Parser(absl::string_view text, int depth_max) : text_(text), depth_max_(depth_max) {}

  absl::StatusOr<Json> Document() {
    RM_ASSIGN_OR_RETURN(Json value, Value());
    SkipSpace();
    if (at_ < text_.size()) return Error(at_, "unexpected text after the value");
    return value;
  }

 private:
  absl::StatusOr<Json> Value() {
    SkipSpace();
    if (at_ == text_.size()) return Error(at_, "a value is missing at the end of the text");
    switch (text_[at_]) {
      case '{': return Nested(&Parser::Object);
      case '[': return Nested(&Parser::Array);
      case '"': {
        RM_ASSIGN_OR_RETURN(std::string text, String());
        return Json(std::move(text));
      }
      case 't': return Word("true", Json(true));
      case 'f': return Word("false", Json(false));
      case 'n': return Word("null", Json());
      default: return Number();
    }
  }

  // One level deeper, unless that is too deep. The bracket is still to be read.
  absl::StatusOr<Json> Nested(absl::StatusOr<Json> (Parser::*production)()) {
    if (depth_ == depth_max_) {
      return Error(at_, absl::StrCat("nested deeper than ", depth_max_, " levels"));
    }
    ++depth_;
    ++at_;
    absl::StatusOr<Json> value = (this->*production)();
    --depth_;
    return value;
  }

  // After the "[".
  absl::StatusOr<Json> Array() {
    Json::Array elements;
    if (Accept(']')) return Json(std::move(elements));
    do {
      RM_ASSIGN_OR_RETURN(Json element, Value());
      elements.push_back(std::move(element));
    } while (Accept(','));
    RM_RETURN_IF_ERROR(Expect(']', "',' or ']'"));
    return Json(std::move(elements));
  }

  // After the "{". Keys are compared as they mean, not as they are written: "a" is "\u0061".
  absl::StatusOr<Json> Object() {
    Json::Object members;
    absl::flat_hash_set<std::string> keys;
    if (Accept('}')) return Json(std::move(members));
    do {
      SkipSpace();
      const size_t start = at_;
      RM_ASSIGN_OR_RETURN(std::string key, String());
      if (!keys.insert(key).second) {
        return Error(start, absl::StrCat("duplicate key ", JsonQuote(key)));
      }
      RM_RETURN_IF_ERROR(Expect(':', "':'"));
      RM_ASSIGN_OR_RETURN(Json value, Value());
      members.emplace_back(std::move(key), std::move(value));
    } while (Accept(','));
    RM_RETURN_IF_ERROR(Expect('}', "',' or '}'"));
    return Json(std::move(members));
  }

  // A string with its quotes.
  absl::StatusOr<std::string> String() {
    if (at_ == text_.size() || text_[at_] != '"') {
      return Error(at_, "expected a string in double quotes");
    }
    const size_t start = at_++;
    std::string value;
    while (at_ < text_.size() && text_[at_] != '"') {
      RM_RETURN_IF_ERROR(text_[at_] == '\\' ? Escape(&value) : Character(&value));
    }
    if (at_ == text_.size()) return Error(start, "the string has no closing quote");
    ++at_;
    return value;
  }

  // One unescaped character of a string.
  absl::Status Character(std::string* value) {
    const absl::string_view rest = text_.substr(at_);
    const size_t length = Utf8SequenceLength(rest);
    if (length == 0) return Error(at_, "the text is not valid UTF-8");
    if (length == 1 && rest[0] < 0x20) {
      return Error(at_, "control characters must be escaped in a string");
    }
    value->append(rest.data(), length);
    at_ += length;
    return absl::OkStatus();
  }

  // A backslash and what follows.
  absl::Status Escape(std::string* value) {
    constexpr absl::string_view kLetters = "\"\\/bfnrt";
    constexpr absl::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const size_t start = at_++;
    if (at_ < text_.size() && text_[at_] == 'u') return UnicodeEscape(start, value);
    const size_t which = at_ < text_.size() ? kLetters.find(text_[at_]) : absl::string_view::npos;
    if (which == absl::string_view::npos) return Error(start, "unknown escape in a string");
    value->push_back(kMeanings[which]);
    ++at_;
    return absl::OkStatus();
  }

  // \uXXXX, or two of them that make a surrogate pair. at_ is at the 'u'.
  absl::Status UnicodeEscape(size_t start, std::string* value) {
    int unit = HexUnit();
    if (unit < 0) return Error(start, "\\u needs four hexadecimal digits");
    uint32_t code_point = static_cast<uint32_t>(unit);
    if (code_point >= 0xD800 && code_point <= 0xDBFF && text_.substr(at_, 2) == "\\u") {
      ++at_;
      unit = HexUnit();
      if (unit < 0xDC00 || unit > 0xDFFF) return Error(start, "half of a surrogate pair");
      code_point = 0x10000 + ((code_point - 0xD800) << 10) + (static_cast<uint32_t>(unit) - 0xDC00);
    }
    if (code_point >= 0xD800 && code_point <= 0xDFFF) {
      return Error(start, "half of a surrogate pair");
    }
    AppendUtf8(code_point, value);
    return absl::OkStatus();
  }

  // Reads 'u' and four hexadecimal digits; -1 when they are not there.
  int HexUnit() {
    const absl::string_view digits = text_.substr(at_ + 1, 4);
    int unit = 0;
    const std::from_chars_result end =
        std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    const bool whole = digits.size() == 4 && end.ptr == digits.data() + 4;
    if (!whole || !absl::ascii_isxdigit(static_cast<unsigned char>(digits[0]))) return -1;
    at_ += 5;
    return unit;
  }

  // number   = [ "-" ] ( "0" / digit1-9 *digit ) [ "." 1*digit ] [ exponent ]
  // exponent = ( "e" / "E" ) [ "+" / "-" ] 1*digit
  absl::StatusOr<Json> Number() {
    const size_t start = at_;
    if (Peek() == '-') ++at_;
    const bool leading_zero = Peek() == '0';
    const size_t digits = SkipDigits();
    if (digits == 0) return Error(start, "expected a value");
    if (leading_zero && digits > 1) return Error(start, "a number may not begin with 0");
    bool integer = true;
    if (Peek() == '.') {
      integer = false;
      ++at_;
      if (SkipDigits() == 0) return Error(start, "a number needs digits after its '.'");
    }
    if (Peek() == 'e' || Peek() == 'E') {
      integer = false;
      ++at_;
      if (Peek() == '+' || Peek() == '-') ++at_;
      if (SkipDigits() == 0) return Error(start, "a number needs digits in its exponent");
    }
    return NumberFrom(text_.substr(start, at_ - start), integer, start);
  }

  // The value of a well-formed number. An integer that does not fit becomes a double, as in other
  // readers; a double that does not fit is an error, since infinity could not be written again.
  absl::StatusOr<Json> NumberFrom(absl::string_view digits, bool integer, size_t start) {
    const char* const end = digits.data() + digits.size();
    int64_t whole = 0;
    if (integer && std::from_chars(digits.data(), end, whole).ec == std::errc()) return Json(whole);
    double value = 0;
    if (std::from_chars(digits.data(), end, value).ec == std::errc()) return Json(value);
    // Too large or too small for from_chars; strtod says which, and rounds a tiny one to a
    // subnormal or zero.
    value = std::strtod(std::string(digits).c_str(), nullptr);
    if (std::isinf(value)) return Error(start, "the number is too large");
    return Json(value);
  }

  // true, false, null: `word` has the value `value`.
  absl::StatusOr<Json> Word(absl::string_view word, Json value) {
    if (text_.substr(at_, word.size()) != word) return Error(at_, "expected a value");
    at_ += word.size();
    return value;
  }

  // The present character; NUL at the end (which no production accepts).
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  // How many there were.
  size_t SkipDigits() {
    const size_t start = at_;
    while (absl::ascii_isdigit(static_cast<unsigned char>(Peek()))) ++at_;
    return at_ - start;
  }

  // RFC 8259's white space, which is less than that of isspace.
  void SkipSpace() {
    while (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' || Peek() == '\r') ++at_;
  }

  // Takes `c`, after any space, if it is next.
  bool Accept(char c) {
    SkipSpace();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // Takes `c` or says what should have been there.
  absl::Status Expect(char c, absl::string_view expected) {
    if (Accept(c)) return absl::OkStatus();
    return Error(at_, absl::StrCat("expected ", expected));
  }

  // "line:column: what", both from 1; columns count characters, not bytes.
  absl::Status Error(size_t at, absl::string_view what) const {
    int64_t line = 1, column = 1;
    for (const char c : text_.substr(0, at)) {
      const bool continuation = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
      if (c == '\n') {
        ++line;
        column = 1;
      } else if (!continuation) {
        ++column;
      }
    }
    return absl::InvalidArgumentError(absl::StrCat(line, ":", column, ": ", what));
  }

  const absl::string_view text_;
  const int depth_max_;
  size_t at_ = 0;  // Invariant: at_ ≤ text_.size().
  int depth_ = 0;
};

}  // namespace

absl::StatusOr<Json> Json::Parse(absl::string_view text, int depth_max) {
  return Parser(text, depth_max).Document();
}

}  // namespace rm::base
