// A folder of .npy files: `<input>.npy` with the samples and target.npy with their classes.
#ifndef RM_RUNTIME_DATA_NPY_DATASET_H_
#define RM_RUNTIME_DATA_NPY_DATASET_H_

#include <memory>

#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "proto/job.pb.h"
#include "runtime/data/dataset.h"

namespace rm::data {

// The format "npy" of Dataset::Open. Holds the input's bytes as they are, and eight bytes a label;
// numbers become float32 when a sample is read. The sample's shape is the input's without its first
// dimension; an input of one dimension has samples of shape {1}. Bad records: NaN, infinity or a
// number beyond float32 in the input, a target below 0 or not below options.classes.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Dataset>> OpenNpy(const pb::DataSource& source,
                                                               const base::FileSystem& files,
                                                               const DatasetOptions& options);

}  // namespace rm::data

#endif  // RM_RUNTIME_DATA_NPY_DATASET_H_
