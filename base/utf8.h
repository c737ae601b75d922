// UTF-8, one code point at a time (RFC 3629): no overlong forms, no surrogates, nothing above
// U+10FFFF. Pure functions.
//
//   while (!text.empty()) {
//     const size_t length = Utf8SequenceLength(text);
//     if (length == 0) …                       // text[0] is not UTF-8
//     text.remove_prefix(std::max<size_t>(length, 1));
//   }
#ifndef RM_BASE_UTF8_H_
#define RM_BASE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace rm::base {

// Bytes (1–4) of the valid sequence that `text` begins with; 0 when it begins with none (or is
// empty).
[[nodiscard]] size_t Utf8SequenceLength(absl::string_view text);

// The text with a '?' in place of each byte that belongs to no valid sequence: for what comes from
// outside and goes where only UTF-8 may go (a string of a protobuf message, JSON).
[[nodiscard]] std::string ValidUtf8(absl::string_view text);

// Appends the UTF-8 form of a code point. REQUIRES: code_point ≤ 0x10FFFF and not a surrogate.
void AppendUtf8(uint32_t code_point, std::string* text);

}  // namespace rm::base

#endif  // RM_BASE_UTF8_H_
