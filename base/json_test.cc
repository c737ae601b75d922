#include "base/json.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"

namespace rm::base {
namespace {

// Parses what must be right.
Json Parsed(absl::string_view text) {
  absl::StatusOr<Json> value = Json::Parse(text);
  INFO(text << ": " << value.status());
  REQUIRE(value.ok());
  return *std::move(value);
}

// The error that a text gives.
std::string ErrorOf(absl::string_view text, int depth_max = 64) {
  const absl::StatusOr<Json> value = Json::Parse(text, depth_max);
  if (value.ok()) return "no error";
  CHECK(value.status().code() == absl::StatusCode::kInvalidArgument);
  return std::string(value.status().message());
}

TEST_CASE("Values are read as what they are") {
  CHECK(Parsed("null").is_null());
  CHECK(Parsed("true").bool_or(false));
  CHECK_FALSE(Parsed("false").bool_or(true));
  CHECK(Parsed(" \t\r\n 7 ").int_or(0) == 7);
  CHECK(Parsed("\"a b\"").string_or("") == "a b");
  CHECK(Parsed("[]").is_array());
  CHECK(Parsed("{}").is_object());
  CHECK(Parsed("[1, [2], {\"a\": 3}]").array().size() == 3);
  const Json object = Parsed(R"({"b": 1, "a": {"c": [true, null]}})");
  REQUIRE(object.Find("a") != nullptr);
  REQUIRE(object.Find("a")->Find("c") != nullptr);
  CHECK(object.Find("a")->Find("c")->array()[1].is_null());
  CHECK(object.Find("missing") == nullptr);
}

TEST_CASE("A number is an integer where it is written as one and fits, else a double") {
  struct Case {
    std::string text;
    bool is_int;
    double value;
  };
  const Case cases[] = {
      {"0", true, 0},
      {"-0", true, 0},
      {"-7", true, -7},
      {"9223372036854775807", true, 9223372036854775807.0},
      {"-9223372036854775808", true, -9223372036854775808.0},
      {"9223372036854775808", false, 9223372036854775808.0},
      {"-9223372036854775809", false, -9223372036854775809.0},
      {"1.0", false, 1},
      {"1e2", false, 100},
      {"1E+2", false, 100},
      {"25e-2", false, 0.25},
      {"-0.5", false, -0.5},
      {"1.7976931348623157e308", false, std::numeric_limits<double>::max()},
      {"5e-324", false, std::numeric_limits<double>::denorm_min()},
      {"1e-999", false, 0},
      {"0e999", false, 0},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const Json value = Parsed(c.text);
    CHECK(value.is_number());
    CHECK(value.is_int() == c.is_int);
    CHECK(value.number_or(-1) == c.value);
  }
  CHECK(Parsed("9223372036854775807").int_or(0) == std::numeric_limits<int64_t>::max());
  CHECK(Parsed("-9223372036854775808").int_or(0) == std::numeric_limits<int64_t>::min());
}

TEST_CASE("A value of another kind gives the fallback") {
  const Json text = "seven";
  CHECK(text.bool_or(true));
  CHECK(text.int_or(7) == 7);
  CHECK(text.number_or(7.5) == 7.5);
  CHECK(Json(7.0).int_or(1) == 1);
  CHECK(Json(7).number_or(1) == 7.0);
  CHECK(Json(7).string_or("x") == "x");
  CHECK(text.array().empty());
  CHECK(text.object().empty());
  CHECK(text.Find("a") == nullptr);
}

TEST_CASE("Strings are read with all their escapes") {
  struct Case {
    std::string text;
    std::string value;
  };
  const Case cases[] = {
      {R"("")", ""},
      {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
      {R"("\u0041\u00e9\u20AC")", "A\xC3\xA9\xE2\x82\xAC"},
      {R"("\ud83d\ude00")", "\xF0\x9F\x98\x80"},
      {R"("\uDBFF\uDFFF")", "\xF4\x8F\xBF\xBF"},
      {R"("a\u0000b")", std::string("a\0b", 3)},
      {"\"\xE2\x82\xAC\"", "\xE2\x82\xAC"},
      {"\"\x7F\"", "\x7F"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(Parsed(c.text).string_or("error") == c.value);
  }
}

TEST_CASE("What RFC 8259 does not allow is an error with its line and column") {
  struct Case {
    std::string text;
    std::string error;
  };
  const Case cases[] = {
      {"", "1:1: a value is missing at the end of the text"},
      {"  \n ", "2:2: a value is missing at the end of the text"},
      {"[1,", "1:4: a value is missing at the end of the text"},
      {"nul", "1:1: expected a value"},
      {"True", "1:1: expected a value"},
      {"NaN", "1:1: expected a value"},
      {"Infinity", "1:1: expected a value"},
      {"-", "1:1: expected a value"},
      {"+1", "1:1: expected a value"},
      {".5", "1:1: expected a value"},
      {"01", "1:1: a number may not begin with 0"},
      {"-01", "1:1: a number may not begin with 0"},
      {"1.", "1:1: a number needs digits after its '.'"},
      {"1.e5", "1:1: a number needs digits after its '.'"},
      {"1e", "1:1: a number needs digits in its exponent"},
      {"1e+", "1:1: a number needs digits in its exponent"},
      {"1e999", "1:1: the number is too large"},
      {"0x10", "1:2: unexpected text after the value"},
      {"1 2", "1:3: unexpected text after the value"},
      {"nullx", "1:5: unexpected text after the value"},
      {"[1 2]", "1:4: expected ',' or ']'"},
      {"[1,]", "1:4: expected a value"},
      {"[,1]", "1:2: expected a value"},
      {"[1", "1:3: expected ',' or ']'"},
      {"{1: 2}", "1:2: expected a string in double quotes"},
      {"{'a': 2}", "1:2: expected a string in double quotes"},
      {"{\"a\" 2}", "1:6: expected ':'"},
      {"{\"a\": 1,}", "1:9: expected a string in double quotes"},
      {"{\"a\": 1", "1:8: expected ',' or '}'"},
      {"{\"a\": 1, \"b\": 2,\n \"a\": 3}", "2:2: duplicate key \"a\""},
      {"{\"\\u0061\": 1, \"a\": 3}", "1:15: duplicate key \"a\""},
      {"\"abc", "1:1: the string has no closing quote"},
      {"\"a\nb\"", "1:3: control characters must be escaped in a string"},
      {"\"a\tb\"", "1:3: control characters must be escaped in a string"},
      {"\"\\x41\"", "1:2: unknown escape in a string"},
      {"\"\\", "1:2: unknown escape in a string"},
      {"\"\\u12\"", "1:2: \\u needs four hexadecimal digits"},
      {"\"\\u12g4\"", "1:2: \\u needs four hexadecimal digits"},
      {"\"\\u-123\"", "1:2: \\u needs four hexadecimal digits"},
      {"\"\\u", "1:2: \\u needs four hexadecimal digits"},
      {"\"\\ud800\"", "1:2: half of a surrogate pair"},
      {"\"\\udc00\"", "1:2: half of a surrogate pair"},
      {"\"\\ud800\\u0041\"", "1:2: half of a surrogate pair"},
      {"\"\\ud800\\ud800\"", "1:2: half of a surrogate pair"},
      {"\"\xFF\"", "1:2: the text is not valid UTF-8"},
      {"\"\xED\xA0\x80\"", "1:2: the text is not valid UTF-8"},
      {"\"\xC3", "1:2: the text is not valid UTF-8"},
      {"\xEF\xBB\xBF{}", "1:1: expected a value"},
      {"[1] // no comments", "1:5: unexpected text after the value"},
      {"[\"\xC3\xA9\", x]", "1:7: expected a value"},  // columns count characters, not bytes
      {std::string("1\0", 2), "1:2: unexpected text after the value"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(ErrorOf(c.text) == c.error);
  }
}

// After the names of Nicolas Seriot's JSON test suite: what every reader must take.
TEST_CASE("Unusual but right texts are accepted") {
  const std::string texts[] = {
      R"([[]   ])",
      R"([""])",
      R"([null, 1, "1", {}])",
      "[1\n]",
      " [1]",
      "[1,null,null,null,2]",
      "[2] ",
      "[0e+1]",
      "[0e1]",
      "[-0]",
      "[-1]",
      "[20e1]",
      "[1E22]",
      "[123.456e78]",
      "[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]",
      R"({"asd":"sdf", "dfg":"fgh"})",
      R"({"":0})",
      R"({"foo\u0000bar": 42})",
      R"({"min": -1.0e+28, "max": 1.0e+28})",
      R"({"a":[]})",
      "{\n\"a\": \"b\"\n}",
      R"(["\u0060\u012a\u12AB"])",
      R"(["\uD801\udc37"])",
      R"(["\"\\\/\b\f\n\r\t"])",
      R"(["\\u0000"])",
      R"(["a/*b*/c/*d//e"])",
      R"(["\uFFFF"])",
      "[\"\xF4\x8F\xBF\xBF\"]",
      "[\"\xEF\xBF\xBF\"]",
      "[\"\xE2\x80\xA8\"]",
      "\"\x7F\"",
      "[true]\n",
      "42",
      "\"\"",
      "\t\r\n{}\t\r\n",
  };
  for (const std::string& text : texts) {
    CAPTURE(text);
    CHECK(Json::Parse(text).ok());
  }
}

// And what none may take.
TEST_CASE("Texts that other readers let pass are refused") {
  const std::string texts[] = {
      "[1 true]",
      "[a\xE5]",
      "[\"\": 1]",
      "[\"\"],",
      "[,]",
      "[1,,2]",
      "[\"x\"]]",
      "[\"\",]",
      "[   , \"\"]",
      "[*]",
      "[++1234]",
      "[-01]",
      "[-1.0.]",
      "[-2.]",
      "[-NaN]",
      "[.-1]",
      "[.2e-3]",
      "[0.1.2]",
      "[0.3e+]",
      "[0.e1]",
      "[0E]",
      "[1.0e-]",
      "[1 000.0]",
      "[1eE2]",
      "[9.e+3]",
      "[Inf]",
      "[1+2]",
      "[0x1]",
      "[-foo]",
      "[1ea]",
      "[1a]",
      "[012]",
      "[\xEF\xBC\x91]",
      "{\"x\", null}",
      "{\"x\"::\"b\"}",
      "{\"a\":\"a\" 123}",
      "{key: 'value'}",
      "{\"a\" b}",
      "{:\"b\"}",
      "{\"a\"",
      "{\"a\":",
      "{\"id\":0,,}",
      "{\"a\":/*comment*/\"b\"}",
      "{\"a\":\"b\"}#",
      "{\"a\":\"b\",,\"c\":\"d\"}",
      "{\"a\":true} \"x\"",
      "[\"\\uD800\\u1\"]",
      "[\"\\\xE5\"]",
      "[\"\\a\"]",
      "[\"\\x00\"]",
      "[\"\\\\\\\"]",
      "[\\u0020\"asd\"]",
      "abc",
      "<.>",
      "[<null>]",
      "[1]x",
      "\x0C[]",
      "\xC2\xA0[]",
      "[\xE2\x81\xA0]",
      "{}}",
      "]",
      "*",
      "[True]",
      "é",
  };
  for (const std::string& text : texts) {
    CAPTURE(text);
    CHECK_FALSE(Json::Parse(text).ok());
  }
}

TEST_CASE("Nesting is limited, so that no text can exhaust the stack") {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(Json::Parse(nested(64)).ok());
  CHECK(ErrorOf(nested(65)) == "1:65: nested deeper than 64 levels");
  CHECK(ErrorOf(std::string(1'000'000, '[')) == "1:65: nested deeper than 64 levels");
  CHECK(ErrorOf("{\"a\": {\"b\": [1]}}", 2) == "1:13: nested deeper than 2 levels");
  CHECK(Json::Parse("[[1], [2], [3]]", 2).ok());  // siblings are not deeper
  CHECK(ErrorOf("[]", 0) == "1:1: nested deeper than 0 levels");
  CHECK(Json::Parse("1", 0).ok());
}

TEST_CASE("Values are built and written in the order in which they were set") {
  Json object;
  object.Set("z", 1).Set("a", "text").Set("list", Json(Json::Array{1, 2.5, true, Json()}));
  object.Set("z", 2);  // replaced where it is
  CHECK(object.Dump() == R"({"z":2,"a":"text","list":[1,2.5,true,null]})");
  Json list;
  list.Add(1).Add(Json(Json::Object{{"k", "v"}})).Add(Json(Json::Array{}));
  CHECK(list.Dump() == R"([1,{"k":"v"},[]])");
}

TEST_CASE("Indented text has one element a line") {
  const Json value = Parsed(R"({"a":[1,{"b":null}],"c":{},"d":[]})");
  CHECK(value.Dump(2) ==
        "{\n"
        "  \"a\": [\n"
        "    1,\n"
        "    {\n"
        "      \"b\": null\n"
        "    }\n"
        "  ],\n"
        "  \"c\": {},\n"
        "  \"d\": []\n"
        "}");
}

TEST_CASE("Doubles are written in the shortest form that reads back as the same double") {
  struct Case {
    double value;
    std::string text;
  };
  const Case cases[] = {
      {0.1, "0.1"},
      {1.0 / 3, "0.3333333333333333"},
      {1, "1.0"},
      {-0.0, "-0.0"},
      {100, "100.0"},
      {1e30, "1e+30"},
      {1e-7, "1e-07"},
      {5e-324, "5e-324"},
      {std::numeric_limits<double>::max(), "1.7976931348623157e+308"},
      {std::nan(""), "null"},
      {std::numeric_limits<double>::infinity(), "null"},
      {-std::numeric_limits<double>::infinity(), "null"},
  };
  for (const Case& c : cases) CHECK(Json(c.value).Dump() == c.text);
}

TEST_CASE("Any finite double survives writing and reading, bit by bit") {
  RandomStream random(11, 0);
  for (int i = 0; i < 200'000; ++i) {
    const uint64_t bits = random.NextBits();
    double value;
    std::memcpy(&value, &bits, sizeof(value));
    if (!std::isfinite(value)) continue;
    const absl::StatusOr<Json> back = Json::Parse(Json(value).Dump());
    const double again = back.ok() && !back->is_int() ? back->number_or(0) : std::nan("");
    if (std::memcmp(&again, &value, sizeof(value)) != 0) FAIL(Json(value).Dump());
  }
}

TEST_CASE("JsonQuote escapes what must be and replaces bytes that are not UTF-8") {
  struct Case {
    std::string text;
    std::string quoted;
  };
  const Case cases[] = {
      {"", R"("")"},
      {"a/b", R"("a/b")"},
      {"\"\\", R"("\"\\")"},
      {"\n\t\r", R"("\n\t\r")"},
      {std::string("\0\x01\x1F\x7F", 4), R"("\u0000\u0001\u001f\u007f")"},
      {"\xC3\xA9\xF0\x9F\x98\x80", "\"\xC3\xA9\xF0\x9F\x98\x80\""},
      {"a\xFFz", "\"a\xEF\xBF\xBDz\""},
      {"\xE2\x82", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
  };
  for (const Case& c : cases) CHECK(JsonQuote(c.text) == c.quoted);
}

TEST_CASE("Equality is by kind and content, and by the order of members") {
  CHECK(Parsed("[1, {\"a\": \"b\"}]") == Parsed("[1,{\"a\":\"b\"}]"));
  CHECK(Json(1) != Json(1.0));
  CHECK(Json() != Json(false));
  CHECK(Parsed(R"({"a":1,"b":2})") != Parsed(R"({"b":2,"a":1})"));
}

// A random value at most `depth` levels deep.
Json RandomJson(RandomStream& random, int depth) {
  const uint64_t kind = random.NextBelow(depth > 0 ? 7 : 5);
  Json value;
  std::string text;
  switch (kind) {
    case 0: return value;
    case 1: return random.NextBelow(2) == 1;
    case 2: return static_cast<int64_t>(random.NextBits());
    case 3: return static_cast<double>(random.NextNormal()) * 1e10;
    case 4:
      while (random.NextBelow(8) != 0) text.push_back(static_cast<char>(random.NextBelow(128)));
      return text;
    case 5:
      value = Json(Json::Array{});
      while (random.NextBelow(4) != 0) value.Add(RandomJson(random, depth - 1));
      return value;
    default:
      value = Json(Json::Object{});
      while (random.NextBelow(4) != 0) {
        value.Set(absl::StrCat("key", random.NextBelow(50)), RandomJson(random, depth - 1));
      }
      return value;
  }
}

TEST_CASE("Any value survives writing and reading, compact and indented") {
  RandomStream random(12, 0);
  for (int i = 0; i < 3000; ++i) {
    const Json value = RandomJson(random, 6);
    for (const int indent : {0, 1, 2, 7}) {
      const std::string text = value.Dump(indent);
      const absl::StatusOr<Json> back = Json::Parse(text);
      if (!back.ok() || *back != value) FAIL(text << " " << back.status());
    }
  }
}

// Reads any text; what is accepted must mean the same when it is written and read again.
void ReadAnything(const std::string& text) {
  const absl::StatusOr<Json> value = Json::Parse(text);
  if (!value.ok()) {
    if (value.status().message().empty()) FAIL("an error without a word for " << JsonQuote(text));
    return;
  }
  const absl::StatusOr<Json> again = Json::Parse(value->Dump());
  if (!again.ok() || *again != *value) FAIL(JsonQuote(text));
}

TEST_CASE("No bytes whatsoever bring the parser down") {
  RandomStream random(13, 0);
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    const uint64_t size = random.NextBelow(40);
    for (uint64_t k = 0; k < size; ++k) text.push_back(static_cast<char>(random.NextBits()));
    ReadAnything(text);
  }
}

TEST_CASE("No sequence of JSON's own characters brings the parser down") {
  constexpr absl::string_view kLetters = "{}[]\",:\\u0d8-+.eE19truefalsn \n\t\xC3\xA9\x01";
  RandomStream random(14, 0);
  for (int i = 0; i < 100'000; ++i) {
    std::string text;
    const uint64_t size = random.NextBelow(24);
    for (uint64_t k = 0; k < size; ++k) text.push_back(kLetters[random.NextBelow(kLetters.size())]);
    ReadAnything(text);
  }
}

TEST_CASE("No damage to a good text brings the parser down") {
  RandomStream random(15, 0);
  for (int i = 0; i < 20'000; ++i) {
    std::string text = RandomJson(random, 4).Dump(static_cast<int>(random.NextBelow(3)));
    for (uint64_t k = random.NextBelow(3); k <= 3 && !text.empty(); ++k) {
      const size_t at = random.NextBelow(text.size());
      if (random.NextBelow(2) == 0) {
        text[at] = static_cast<char>(random.NextBits());
      } else {
        text.erase(at, 1 + random.NextBelow(3));
      }
    }
    ReadAnything(text);
  }
}

}  // namespace
}  // namespace rm::base
