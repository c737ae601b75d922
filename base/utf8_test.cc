#include "base/utf8.h"

#include <catch2/catch.hpp>

namespace rm::base {
namespace {

bool IsSurrogate(uint32_t code_point) { return code_point >= 0xD800 && code_point <= 0xDFFF; }

size_t LengthOf(uint32_t code_point) {
  if (code_point < 0x80) return 1;
  if (code_point < 0x800) return 2;
  return code_point < 0x10000 ? 3 : 4;
}

TEST_CASE("Every code point is written in a sequence that is recognised whole and unique") {
  std::string before;
  for (uint32_t code_point = 0; code_point <= 0x10FFFF; ++code_point) {
    if (IsSurrogate(code_point)) continue;
    std::string text;
    AppendUtf8(code_point, &text);
    const size_t expected = LengthOf(code_point);
    // Plain ifs: a million assertions of the test library would take half a minute.
    if (text.size() != expected) FAIL("length of " << code_point);
    if (Utf8SequenceLength(text) != expected) FAIL("recognition of " << code_point);
    if (Utf8SequenceLength(text + "x") != expected) FAIL("before text: " << code_point);
    if (Utf8SequenceLength(text.substr(0, expected - 1)) != 0) FAIL("half of " << code_point);
    if (code_point > 0 && text <= before) FAIL("order of " << code_point);  // UTF-8 keeps the order
    before = text;
  }
}

TEST_CASE("The known forms of a few characters") {
  struct Case {
    uint32_t code_point;
    std::string utf8;
  };
  const Case cases[] = {{0x24, "$"},
                        {0xA3, "\xC2\xA3"},
                        {0x20AC, "\xE2\x82\xAC"},
                        {0xFFFD, "\xEF\xBF\xBD"},
                        {0x1F600, "\xF0\x9F\x98\x80"}};
  for (const Case& c : cases) {
    std::string text;
    AppendUtf8(c.code_point, &text);
    CHECK(text == c.utf8);
  }
}

TEST_CASE("What is not UTF-8 has no sequence") {
  const char* const cases[] = {
      "\x80",              // a continuation without a lead
      "\xBF",              //
      "\xC0\x80",          // overlong NUL
      "\xC1\xBF",          // overlong
      "\xE0\x9F\xBF",      // overlong, three bytes
      "\xF0\x8F\xBF\xBF",  // overlong, four bytes
      "\xED\xA0\x80",      // U+D800
      "\xED\xBF\xBF",      // U+DFFF
      "\xF4\x90\x80\x80",  // U+110000
      "\xF5\x80\x80\x80",  // no such lead
      "\xFF",              //
      "\xC3(",             // a lead without its continuation
      "\xE2\x82(",         //
      "\xF0\x9F\x98(",     //
  };
  for (const char* text : cases) {
    CAPTURE(text);
    CHECK(Utf8SequenceLength(text) == 0);
  }
  CHECK(Utf8SequenceLength("") == 0);
}

TEST_CASE("What is not UTF-8 is replaced byte by byte, the rest stays") {
  const struct {
    std::string text;
    std::string valid;
  } cases[] = {
      {"", ""},
      {"plain", "plain"},
      {"a\u00e9\u20ac\U0001f600z", "a\u00e9\u20ac\U0001f600z"},
      {"\xff", "?"},
      {"a\xC3(b", "a?(b"},
      {"cut \xE2\x82", "cut ??"},
      {"\xED\xA0\x80.", "???."},
      {std::string("nul \0.", 6), std::string("nul \0.", 6)},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(ValidUtf8(c.text) == c.valid);
    CHECK(ValidUtf8(ValidUtf8(c.text)) == c.valid);
  }
}

}  // namespace
}  // namespace rm::base
