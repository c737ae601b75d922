// csv files with a header, read by the schema block of the job: docs/data.md has the rules.
#ifndef RM_RUNTIME_DATA_CSV_H_
#define RM_RUNTIME_DATA_CSV_H_

#include <memory>

#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "proto/job.pb.h"
#include "runtime/data/dataset.h"

namespace rm::data {

// The format "csv" of Dataset::Open. Holds four bytes for each field that is used, so less than
// twice the file; one-hot numbers are made when a sample is read. A sample has one dimension.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Dataset>> OpenCsv(const pb::DataSource& source,
                                                               const base::FileSystem& files,
                                                               const DatasetOptions& options);

}  // namespace rm::data

#endif  // RM_RUNTIME_DATA_CSV_H_
