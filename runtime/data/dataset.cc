#include "runtime/data/dataset.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/data/idx.h"

namespace rm::data {
namespace {

// The table of formats: the name in a job file and the function that opens it.
struct Format {
  absl::string_view name;
  absl::StatusOr<std::unique_ptr<Dataset>> (*open)(const pb::DataSource& source,
                                                   const base::FileSystem& files);
};

constexpr Format kFormats[] = {
    {"idx", &OpenIdx},
};

}  // namespace

absl::StatusOr<std::unique_ptr<Dataset>> Dataset::Open(const pb::DataSource& source,
                                                       const base::FileSystem& files) {
  for (const Format& format : kFormats) {
    if (format.name == source.format()) return format.open(source, files);
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown data format '", source.format(),
                                                 "'; known: ",
                                                 absl::StrJoin(DatasetFormats(), ", ")));
}

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

}  // namespace rm::data
