// --set, one override a line, on a good job file: every error names the override that it is about.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/testing.h"
#include "tests/fuzz/fuzz_target.h"

namespace rm::fuzz {

TargetOptions Options() {
  TargetOptions options;
  options.cases = 5000;
  options.input_bytes_max = 512;
  return options;
}

std::vector<std::string> Seeds() {
  return {"train.epochs=7", "resources.ranks={min: 2, max: 2}\nname=other",
          "train.optimizer.params={lr: 0.1}\ntrain.optimizer.params.nesterov=\nlabels.a.b=c",
          "train.steps=10\ntrain.epochs=1", "checkpoint.every={seconds: 30}\nmodel.weights=w"};
}

std::vector<std::string> Words() {
  return {"=",      ".",       "\n",     "{",    "}",     "train.", "data.schema.",  "[a, b]",
          "labels", "model.",  "params", "=~",   "={}",   "&a",     "scheduling.",   "*a",
          "=30s",   "resources", "..",   "ema",  "=.nan", "=1e99",  "checkpoint.keep.best=1"};
}

}  // namespace rm::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace jobspec = rm::jobspec;
  const std::vector<std::string> overrides =
      absl::StrSplit(rm::fuzz::TextOf(data, size), '\n', absl::SkipEmpty());
  const jobspec::ParseResult result = jobspec::Parse(jobspec::SmallJob(), overrides);
  for (const jobspec::Diagnostic& error : result.errors) {
    RM_CHECK(!error.message.empty(), "an error without a word");
    const bool names_it = absl::StrContains(error.message, "--set ");
    // An override may break a relation that stands in the file.
    RM_CHECK(names_it == (error.line == 0) || absl::StartsWith(error.message, "… and"),
             "nobody knows where: ", error.message);
  }
  if (!result.ok()) return 0;
  rm::fuzz::Accepted();
  RM_CHECK(jobspec::Validate(result.spec).empty(), "accepted, and not valid");
  RM_CHECK(jobspec::Parse(jobspec::ToYaml(result.spec)).ok(), jobspec::ToYaml(result.spec));
  return 0;
}
