// A csv file under a schema; the first byte chooses the schema's rules.
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/check.h"
#include "base/memory_file_system.h"
#include "runtime/data/dataset.h"
#include "runtime/data/testing.h"
#include "tests/fuzz/fuzz_target.h"

namespace rm::fuzz {
namespace {

// Features a and b, label y; what an empty field is and what y and a hold depends on `rules`.
data::DatasetOptions OptionsOf(uint8_t rules) {
  constexpr const char* kMissing[] = {"", "error", "zero", "mean"};
  data::DatasetOptions options;
  options.schema.set_label("y");
  options.schema.set_missing(kMissing[rules % 4]);
  if ((rules & 4) != 0) (*options.schema.mutable_types())["y"] = "category";
  if ((rules & 8) != 0) (*options.schema.mutable_types())["a"] = "category";
  if ((rules & 16) != 0) (*options.schema.mutable_types())["b"] = "int";
  if ((rules & 32) != 0) options.schema.add_features("b");
  if ((rules & 64) != 0) options.model.classes = 3;
  return options;
}

// What is good can be used: numbers that are numbers, labels that are classes.
void ReadAll(const data::Dataset& dataset) {
  std::vector<float> features(static_cast<size_t>(dataset.layout().inputs[0].elements()));
  for (int64_t i = 0; i < dataset.size(); ++i) {
    int64_t label = -1;
    dataset.Read(i, features.data(), &label);
    if (dataset.bad_records().Has(i)) continue;
    RM_CHECK(label >= 0 && label < dataset.classes(), "label ", label);
    for (const float value : features) RM_CHECK(std::isfinite(value), "feature ", value);
  }
}

}  // namespace

TargetOptions Options() {
  TargetOptions options;
  options.cases = 60'000;
  options.input_bytes_max = 1024;
  return options;
}

std::vector<std::string> Seeds() {
  return {std::string(1, '\0') + "a,b,y\n1,2,0\n-3.5,4e2,1\n0,0,2\n",
          "\x06" + std::string("y,\"a\",b\r\nred,1,2\r\n\"blue, \"\"light\"\"\",,3\r\n"),
          "\x0d" + std::string("\xEF\xBB\xBF" "a,b,y\nx,1,one\n\ny,2,two\n\"z\nz\",3,one")};
}

std::vector<std::string> Words() {
  return {",",  "\"", "\"\"", "\n",     "\r\n", "\r",   ",,",     "nan", "inf", "1e999", "-",
          "y",  "a",  "b",    "\xff",   "ö",    "+1",   "0x10",   " 1",  "1 ",  "\t",    "1e-400",
          ";",  "#",  "\xEF\xBB\xBF",   "99999999999999999999",   "1_0", "1.0", "a,a,y\n"};
}

}  // namespace rm::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  rm::base::MemoryFileSystem files;
  rm::data::WriteFile(files, "/d/t.csv", rm::fuzz::TextOf(data, size).substr(1));
  rm::data::pb::DataSource source;
  source.set_path("/d/t.csv");
  source.set_format("csv");
  const auto dataset = rm::data::Dataset::Open(source, files, rm::fuzz::OptionsOf(data[0]));
  if (!dataset.ok()) {
    RM_CHECK(absl::StrContains(dataset.status().message(), "/d/t.csv"), "which file? ",
             dataset.status().message());
    return 0;
  }
  rm::fuzz::Accepted();
  rm::fuzz::ReadAll(**dataset);
  return 0;
}
