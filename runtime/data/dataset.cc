#include "runtime/data/dataset.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "runtime/data/csv.h"
#include "runtime/data/idx.h"
#include "runtime/data/npy_dataset.h"
#include "runtime/data/tokens.h"

namespace rm::data {
namespace {

// The table of formats: the name in a job file and the function that opens it. A new format is a
// file of its own and a line below; nothing else in the project names formats but the key table of
// runtime/jobspec.
struct Format {
  absl::string_view name;
  absl::StatusOr<std::unique_ptr<Dataset>> (*open)(const pb::DataSource& source,
                                                   const base::FileSystem& files,
                                                   const DatasetOptions& options);
};

constexpr Format kFormats[] = {
    {"idx", &OpenIdx},
    {"csv", &OpenCsv},
    {"npy", &OpenNpy},
    {"tokens", &OpenTokens},
};

}  // namespace

absl::StatusOr<std::unique_ptr<Dataset>> Dataset::Open(const pb::DataSource& source,
                                                       const base::FileSystem& files,
                                                       const DatasetOptions& options) {
  for (const Format& format : kFormats) {
    if (format.name == source.format()) return format.open(source, files, options);
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown data format '", source.format(),
                                                 "'; known: ",
                                                 absl::StrJoin(DatasetFormats(), ", ")));
}

void Dataset::Read(int64_t index, float* features, int64_t* label) const {
  void* const inputs[] = {features};
  ReadRow(index, 0, {inputs, label, nullptr});
}

std::vector<std::string> DatasetFormats() {
  std::vector<std::string> names;
  for (const Format& format : kFormats) names.emplace_back(format.name);
  return names;
}

}  // namespace rm::data
