#include "base/utf8.h"

#include <algorithm>

#include "base/check.h"

namespace rm::base {
namespace {

// What may follow a lead byte (Unicode 15, table 3-7): the second byte is the one that tells
// overlong forms, surrogates and values above U+10FFFF from good ones; every later byte is
// 0x80–0xBF.
struct Lead {
  uint8_t first, last;                // lead bytes of this row
  uint8_t second_first, second_last;  // their second byte
  size_t length;
};
constexpr Lead kLeads[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

bool IsBetween(uint8_t byte, uint8_t first, uint8_t last) { return first <= byte && byte <= last; }

// Whether the whole sequence that `lead` begins is there.
bool Follows(absl::string_view text, const Lead& lead) {
  if (text.size() < lead.length) return false;
  if (!IsBetween(static_cast<uint8_t>(text[1]), lead.second_first, lead.second_last)) return false;
  for (size_t i = 2; i < lead.length; ++i) {
    if (!IsBetween(static_cast<uint8_t>(text[i]), 0x80, 0xBF)) return false;
  }
  return true;
}

// A continuation byte: the six bits of `code_point` from `shift` on.
char Continuation(uint32_t code_point, int shift) {
  return static_cast<char>(0x80 | ((code_point >> shift) & 0x3F));
}

}  // namespace

size_t Utf8SequenceLength(absl::string_view text) {
  if (text.empty()) return 0;
  const uint8_t byte = static_cast<uint8_t>(text[0]);
  if (byte < 0x80) return 1;
  for (const Lead& lead : kLeads) {
    if (IsBetween(byte, lead.first, lead.last)) return Follows(text, lead) ? lead.length : 0;
  }
  return 0;
}

std::string ValidUtf8(absl::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const size_t length = Utf8SequenceLength(text);
    if (length == 0) {
      valid.push_back('?');
    } else {
      valid.append(text.data(), length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return valid;
}

void AppendUtf8(uint32_t code_point, std::string* text) {
  RM_CHECK(code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF), "code point ",
           code_point);
  if (code_point < 0x80) {
    text->push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    text->push_back(static_cast<char>(0xC0 | (code_point >> 6)));
    text->push_back(Continuation(code_point, 0));
  } else if (code_point < 0x10000) {
    text->push_back(static_cast<char>(0xE0 | (code_point >> 12)));
    text->push_back(Continuation(code_point, 6));
    text->push_back(Continuation(code_point, 0));
  } else {
    text->push_back(static_cast<char>(0xF0 | (code_point >> 18)));
    text->push_back(Continuation(code_point, 12));
    text->push_back(Continuation(code_point, 6));
    text->push_back(Continuation(code_point, 0));
  }
}

}  // namespace rm::base
