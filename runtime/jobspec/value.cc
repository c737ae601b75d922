// Types first, ranges later: a value of the wrong type is told as such and has no range; a value of
// the right type is told its bounds. Messages are whole sentences that begin with the key, so that
// they can stand alone in an API error as well as under a line of the file.
#include "runtime/jobspec/value.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "base/json.h"
#include "base/units.h"
#include "runtime/jobspec/suggest.h"

namespace rm::jobspec {
namespace {

using Kind = YamlNode::Kind;

// The longest path that Linux takes.
constexpr size_t kTextBytesMax = 4096;
// Of a wrong value only so much is repeated in the message: enough to find it again.
constexpr size_t kShownBytesMax = 40;

// What stands there instead, for "…, not 'abc'".
std::string Shown(const YamlNode& node) {
  switch (node.kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kList:
      return "a list";
    case Kind::kMapping:
      return "a section";
    case Kind::kText:
      break;
  }
  std::string text = node.text.substr(0, kShownBytesMax);
  if (text.size() < node.text.size()) text += "…";
  return node.quoted ? absl::StrCat("the text \"", text, "\"") : absl::StrCat("'", text, "'");
}

// The one form of "wrong type", with what stands there instead.
absl::Status MustBe(absl::string_view what, absl::string_view kind, const YamlNode& node) {
  return absl::InvalidArgumentError(
      node.kind == Kind::kNull
          ? absl::StrCat("'", what, "' has no value; it must be ", kind)
          : absl::StrCat("'", what, "' must be ", kind, ", not ", Shown(node)));
}

// Quotes make a text of anything.
bool IsPlainText(const YamlNode& node) { return node.kind == Kind::kText && !node.quoted; }

// Decimal digits with a sign, without leading zeros (YAML 1.1 reads those as octal), other bases or
// underscores.
bool IsWholeNumber(absl::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  return digits && (text.size() == 1 || text[0] != '0');
}

// What JSON and YAML both call a number; neither 0x10 nor 1_000, nan or inf.
bool IsNumber(absl::string_view text) {
  return text.find_first_not_of("+-.0123456789eE") == absl::string_view::npos &&
         text.find_first_of("0123456789") != absl::string_view::npos;
}

// Durations and sizes: base/units.h knows the units, and says what is wrong with them.
absl::StatusOr<Value> ReadUnits(const Key& key, const YamlNode& node) {
  const bool is_duration = key.type == KeyType::kDuration;
  const char* const kind = is_duration ? "a duration, as in 30s" : "a size, as in 8MiB";
  if (node.kind != Kind::kText) return MustBe(key.path, kind, node);
  if (is_duration) {
    const auto duration = base::ParseDuration(node.text);
    if (duration.ok()) return absl::ToDoubleSeconds(*duration);
    return absl::InvalidArgumentError(
        absl::StrCat("'", key.path, "': ", duration.status().message()));
  }
  const auto bytes = base::ParseBytes(node.text);
  if (bytes.ok()) return *bytes;
  return absl::InvalidArgumentError(absl::StrCat("'", key.path, "': ", bytes.status().message()));
}

// "a|b|c" as a list.
std::vector<absl::string_view> Split(absl::string_view choices) {
  return absl::StrSplit(choices, '|', absl::SkipEmpty());
}

// Whether a list holds exactly this text.
bool Has(const std::vector<absl::string_view>& list, absl::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// Three answers: it may be this; it may be this in a later version; it was never heard of, but
// perhaps something like it was.
absl::Status CheckChoice(const Key& key, const std::string& value) {
  const std::vector<absl::string_view> choices = Split(key.choices);
  if (Has(choices, value)) return absl::OkStatus();
  const std::vector<absl::string_view> later = Split(key.later);
  const std::string possible = absl::StrJoin(choices, ", ");
  if (Has(later, value)) {
    return absl::InvalidArgumentError(absl::StrCat("'", key.path, "': '", value,
                                                   "' is not supported yet; possible: ", possible));
  }
  std::vector<absl::string_view> all = choices;
  all.insert(all.end(), later.begin(), later.end());
  YamlNode node;
  node.kind = Kind::kText;
  node.text = value;
  return absl::InvalidArgumentError(absl::StrCat("'", key.path, "' cannot be ", Shown(node),
                                                 DidYouMean(value, all), "; possible: ",
                                                 possible));
}

// "365d", "1s": in the longest unit that leaves no fraction.
std::string DurationText(double seconds) {
  constexpr std::pair<double, absl::string_view> kUnits[] = {{86400, "d"}, {3600, "h"}, {60, "m"}};
  for (const auto& [length, unit] : kUnits) {
    const double count = seconds / length;
    if (count >= 1 && count == std::floor(count)) return absl::StrCat(WriteNumber(count), unit);
  }
  return absl::StrCat(WriteNumber(seconds), "s");
}

// Exactly: rounded, a size that is out of bounds might read as the bound. More than an int64 holds
// is as much too large.
std::string BytesText(double bytes) {
  const auto whole = static_cast<int64_t>(std::min(bytes, 9e18));
  return whole % 1024 == 0 ? base::FormatBytes(whole) : absl::StrCat(whole, " bytes");
}

// Names the bounds that there are, in the words of the range and the units of the file.
absl::Status CheckRange(absl::string_view what, const Range& range, double value,
                        std::string (*write)(double)) {
  if (range.Contains(value)) return absl::OkStatus();
  std::vector<std::string> bounds;
  if (std::isfinite(range.min)) {
    bounds.push_back(absl::StrCat(range.above_min ? "above " : "at least ", write(range.min)));
  }
  if (std::isfinite(range.max)) {
    bounds.push_back(absl::StrCat(range.below_max ? "below " : "at most ", write(range.max)));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "'", what, "' must be ", absl::StrJoin(bounds, " and "), ", not ", write(value)));
}

// What is fit to be a path, a name or a line in a table.
absl::Status CheckText(const Key& key, const std::string& value) {
  if (value.size() > kTextBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", key.path, "' is longer than ", kTextBytesMax, " bytes"));
  }
  const bool printable = std::none_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
  if (printable) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("'", key.path, "' has a control character in it"));
}

}  // namespace

// The only type for which quotes make no difference.
absl::StatusOr<std::string> ReadText(absl::string_view what, const YamlNode& node) {
  if (node.kind != Kind::kText) return MustBe(what, "a text", node);
  return node.text;
}

// The characters are looked at first: the conversion alone would also take nan, inf and white
// space.
absl::StatusOr<double> ReadNumber(absl::string_view what, const YamlNode& node) {
  double number = 0;
  if (!IsPlainText(node) || !IsNumber(node.text) || !absl::SimpleAtod(node.text, &number)) {
    return MustBe(what, "a number", node);
  }
  if (!std::isfinite(number)) return MustBe(what, "a finite number", node);
  return number;
}

// 1e3 and 1.0 are refused as well: who counts steps can write 1000.
absl::StatusOr<int64_t> ReadWhole(absl::string_view what, const YamlNode& node) {
  int64_t number = 0;
  if (!IsPlainText(node) || !IsWholeNumber(node.text)) return MustBe(what, "a whole number", node);
  if (!absl::SimpleAtoi(node.text, &number)) {
    return MustBe(what, "a whole number of at most 19 digits", node);
  }
  return number;
}

// yes, no, on and off are left out: YAML 1.1 and 1.2 differ about them.
absl::StatusOr<bool> ReadFlag(absl::string_view what, const YamlNode& node) {
  if (IsPlainText(node)) {
    const std::string text = absl::AsciiStrToLower(node.text);
    if (text == "true" || text == "false") return text == "true";
  }
  return MustBe(what, "true or false", node);
}

absl::StatusOr<Value> ReadValue(const Key& key, const YamlNode& node) {
  switch (key.type) {
    case KeyType::kWhole:
      return ReadWhole(key.path, node);
    case KeyType::kNumber:
      return ReadNumber(key.path, node);
    case KeyType::kDuration:
    case KeyType::kBytes:
      return ReadUnits(key, node);
    default:
      return ReadText(key.path, node);
  }
}

absl::Status CheckRange(absl::string_view what, const Range& range, double value) {
  return CheckRange(what, range, value, WriteNumber);
}

// Text by its choices, numbers by their range.
absl::Status CheckValue(const Key& key, const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return key.type == KeyType::kChoice ? CheckChoice(key, *text) : CheckText(key, *text);
  }
  const auto* whole = std::get_if<int64_t>(&value);
  const double number = whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value);
  if (!key.later.empty() && number > key.range.max) {
    return absl::InvalidArgumentError(absl::StrCat("'", key.path, "' above ",
                                                   WriteNumber(key.range.max),
                                                   " is not supported yet"));
  }
  switch (key.type) {
    case KeyType::kDuration: return CheckRange(key.path, key.range, number, DurationText);
    case KeyType::kBytes: return CheckRange(key.path, key.range, number, BytesText);
    default: return CheckRange(key.path, key.range, number);
  }
}

// The shortest of all forms that read back as the same number.
std::string WriteNumber(double number) {
  for (int digits = 1; digits <= 17; ++digits) {
    const std::string text = absl::StrFormat("%.*g", digits, number);
    double read = 0;
    // 1e+06 reads better as 1000000.
    if (absl::SimpleAtod(text, &read) && read == number) {
      return std::fabs(number) < 1e15 && number == std::floor(number)
                 ? absl::StrCat(static_cast<int64_t>(number))
                 : text;
    }
  }
  return absl::StrFormat("%.17g", number);
}

// Plain where every YAML reader takes it for text, else in double quotes: a JSON string is a YAML
// string.
std::string WriteText(absl::string_view text) {
  constexpr absl::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+";
  const bool plain = !text.empty() && absl::ascii_isalpha(static_cast<unsigned char>(text[0])) &&
                     text.find_first_not_of(kPlain) == absl::string_view::npos;
  const std::string lower = absl::AsciiStrToLower(text);
  // Words that some YAML readers take for something else.
  const bool reserved = lower == "null" || lower == "true" || lower == "false" || lower == "yes" ||
                        lower == "no" || lower == "on" || lower == "off" || lower == "y" ||
                        lower == "n";
  const bool path = !text.empty() && text[0] == '/' &&
                    text.find_first_not_of(kPlain) == absl::string_view::npos;
  return (plain && !reserved) || path ? std::string(text) : base::JsonQuote(text);
}

std::string WriteValue(const Key& key, const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return WriteText(*text);
  if (const auto* whole = std::get_if<int64_t>(&value)) return absl::StrCat(*whole);
  const double number = std::get<double>(value);
  if (key.type != KeyType::kDuration) return WriteNumber(number);
  // Durations take no exponent; nine digits are nanoseconds.
  std::string text = absl::StrFormat("%.9f", number);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + "s";
}

}  // namespace rm::jobspec
