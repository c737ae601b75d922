// csv files with a header, read by the schema block of the job: docs/data.md has the rules.
//
// How the parts fit: csv_reader.h cuts the bytes into records and fields, csv_schema.h knows what
// the columns are and what their fields may be, and this file makes samples of them.
#ifndef RM_RUNTIME_DATA_CSV_H_
#define RM_RUNTIME_DATA_CSV_H_

#include <memory>

#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "proto/job.pb.h"
#include "runtime/data/dataset.h"

namespace rm::data {

// The format "csv" of Dataset::Open. A record that does not keep to the schema is a bad record,
// told by file:line:column; InvalidArgument where the file as a whole does not: no such column, a
// quote that is never closed, more label values than options.classes. Holds four bytes for each
// field that is used, so less than twice the file; one-hot numbers are made when a sample is read.
// A sample has one dimension.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Dataset>> OpenCsv(const pb::DataSource& source,
                                                               const base::FileSystem& files,
                                                               const DatasetOptions& options);

}  // namespace rm::data

#endif  // RM_RUNTIME_DATA_CSV_H_
