#include "runtime/data/dataset.h"

#include <algorithm>

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

// A Dataset's samples are numbers with a class, and tokens are neither: TokenDataset reads them.
// The file is looked at all the same, so that a path that leads nowhere is told first.
absl::StatusOr<std::unique_ptr<Dataset>> RefuseTokens(const pb::DataSource& source,
                                                      const base::FileSystem& files,
                                                      const DatasetOptions&) {
  RM_RETURN_IF_ERROR(TokenDataset::Open(source.path(), /*window=*/1, files).status());
  return absl::InvalidArgumentError(
      absl::StrCat(source.path(), ": the format is tokens, but the model takes numbers and none of "
                                  "the built-in models takes tokens yet; use idx, csv or npy"));
}

constexpr Format kFormats[] = {
    {"idx", &OpenIdx},
    {"csv", &OpenCsv},
    {"npy", &OpenNpy},
    {"tokens", &RefuseTokens},
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

// Shapes come from files whose whole size was checked, so the product fits.
int64_t Dataset::sample_elements() const {
  int64_t elements = 1;
  for (const int64_t size : sample_shape()) elements *= size;
  return elements;
}

std::vector<std::string> DatasetFormats() {
  std::vector<std::string> names;
  for (const Format& format : kFormats) names.emplace_back(format.name);
  return names;
}

// One wording for all formats, with the key that can mend it: the data may be right and the model
// too small.
std::string LabelOutOfRange(int64_t classes) {
  return absl::StrCat("is out of range: the model has ", classes, " classes, 0 to ", classes - 1,
                      " (model.params.classes)");
}

}  // namespace rm::data
