// JSON: what is read is written and read again as the same; what is refused is told with its place.
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "base/json.h"
#include "tests/fuzz/fuzz_target.h"

namespace rm::fuzz {
namespace {

// "line:column: what", both from 1.
void CheckPlace(const absl::Status& status) {
  const std::vector<std::string> parts =
      absl::StrSplit(std::string(status.message()), absl::MaxSplits(':', 2));
  int line = 0, column = 0;
  RM_CHECK(parts.size() == 3 && absl::SimpleAtoi(parts[0], &line) &&
               absl::SimpleAtoi(parts[1], &column) && line > 0 && column > 0,
           "no place: ", status.message());
}

}  // namespace

TargetOptions Options() {
  TargetOptions options;
  options.cases = 100'000;
  return options;
}

std::vector<std::string> Seeds() {
  return {R"({"a": [1, -2.5e3, true, false, null], "b": {"c": "d\u00e9\n", "": {}}})",
          R"([[[["deep"]]], 0, -0, 1e308, 123456789012345678, "\ud83d\ude00"])", "  17  ",
          R"({"F32": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}})"};
}

std::vector<std::string> Words() {
  return {"{",    "}",     "[",   "]",     ",",       ":",      "\"",     "\\u",   "\\ud800",
          "null", "true",  "NaN", "1e999", "-",       "0x",     "\\",     "\xff",  "\xc3\xa9",
          "//",   "[[[[[", "1.",  ".5",    "\\u0000", "{\"a\":", "1e-999", "\n",   "\t"};
}

}  // namespace rm::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto value = rm::base::Json::Parse(rm::fuzz::TextOf(data, size));
  if (!value.ok()) {
    rm::fuzz::CheckPlace(value.status());
    return 0;
  }
  rm::fuzz::Accepted();
  for (const int indent : {0, 2}) {
    const std::string written = value->Dump(indent);
    const auto again = rm::base::Json::Parse(written);
    RM_CHECK(again.ok(), "what was written is refused: ", again.status().message());
    RM_CHECK(*again == *value, "another value: ", written);
  }
  return 0;
}
