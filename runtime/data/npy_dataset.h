// A folder of .npy files: `<input>.npy` for each input of the model, and target.npy.
#ifndef RM_RUNTIME_DATA_NPY_DATASET_H_
#define RM_RUNTIME_DATA_NPY_DATASET_H_

#include <memory>

#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "proto/job.pb.h"
#include "runtime/data/dataset.h"

namespace rm::data {

// The format "npy" of Dataset::Open. Holds the files' bytes as they are; numbers take the type that
// the model wants when a sample is read. The first dimension counts samples; a file of one dimension
// has samples of shape {1}. Whole numbers may become floats, and whole numbers of another width;
// floats never become whole. Bad records: NaN, infinity or a number beyond float32, a whole number
// that the input's type or table does not hold, a class below 0 or not below the model's classes, a
// share outside of 0 to 1.
// InvalidArgument names the file: types that do not go together, files of different length, a target
// of another shape than the model's, an input whose name no file can have.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Dataset>> OpenNpy(const pb::DataSource& source,
                                                               const base::FileSystem& files,
                                                               const DatasetOptions& options);

}  // namespace rm::data

#endif  // RM_RUNTIME_DATA_NPY_DATASET_H_
