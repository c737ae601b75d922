// The job file: whatever is in it, it is read into a valid spec that survives being written and read
// again, or refused with errors that each have a place and can be shown.
#include <google/protobuf/util/message_differencer.h>

#include "base/check.h"
#include "runtime/jobspec/diagnostic.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/testing.h"
#include "tests/fuzz/fuzz_target.h"

namespace rm::fuzz {
namespace {

using google::protobuf::util::MessageDifferencer;

void CheckErrors(const jobspec::ParseResult& result, absl::string_view text) {
  RM_CHECK(result.errors.size() <= static_cast<size_t>(jobspec::kErrorsMax), "too many errors");
  for (const jobspec::Diagnostic& error : result.errors) {
    // The last of too many says how many were left out, and stands nowhere.
    const bool is_rest = &error == &result.errors.back() &&
                         result.errors.size() == static_cast<size_t>(jobspec::kErrorsMax);
    RM_CHECK(is_rest || (error.line > 0 && error.column > 0), "no place: ", error.message);
    RM_CHECK(!error.message.empty(), "an error without a word");
    RM_CHECK(!jobspec::Render(error, "job.yaml", text).empty(), "cannot be shown");
  }
}

}  // namespace

TargetOptions Options() {
  TargetOptions options;
  options.cases = 6000;
  return options;
}

std::vector<std::string> Seeds() { return {jobspec::SmallJob(), jobspec::FullJob()}; }

std::vector<std::string> Words() {
  return {": ",   "- ",   "\n  ",  "\t",   "{",     "}",     "[",    "]",      ",",     "&a ",
          "*a",   "<<: *a", "!!str ", "? ", "| ",   ">",     "'",    "\"",     "#",     "%",
          "---\n", "...\n", "~",   "null", ".nan",  "-1",    "1e999", "0x1",   "\xff",  "\xc3",
          "\r",   "ö",    "train", "steps: 3", "ranks", "type", "lr",  "labels", "every", "30s"};
}

}  // namespace rm::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace jobspec = rm::jobspec;
  const absl::string_view text = rm::fuzz::TextOf(data, size);
  const jobspec::ParseResult result = jobspec::Parse(text);
  rm::fuzz::CheckErrors(result, text);
  if (!result.ok()) return 0;
  rm::fuzz::Accepted();
  RM_CHECK(jobspec::Validate(result.spec).empty(), "accepted, and not valid");
  const std::string written = jobspec::ToYaml(result.spec);
  const jobspec::ParseResult again = jobspec::Parse(written);
  RM_CHECK(again.ok(), "what was written is refused:\n", written);
  RM_CHECK(rm::fuzz::MessageDifferencer::Equals(again.spec, result.spec), "another job:\n", written);
  return 0;
}
