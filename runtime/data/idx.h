// The IDX format of the MNIST family: images and labels as bytes.
//
//   <path>-images-idx3-ubyte[.gz]   0x00000803  n  height  width   then n · height · width bytes
//   <path>-labels-idx1-ubyte[.gz]   0x00000801  n                  then n bytes
//
// Numbers are big-endian uint32; in the magic number, 0x08 is the type (unsigned byte) and the last
// byte the number of dimensions (http://yann.lecun.com/exdb/mnist, "The IDX file format").
#ifndef RM_RUNTIME_DATA_IDX_H_
#define RM_RUNTIME_DATA_IDX_H_

#include <memory>

#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "proto/job.pb.h"
#include "runtime/data/dataset.h"

namespace rm::data {

// The format "idx" of Dataset::Open. Holds the files' bytes as they are: a sample takes height ·
// width + 1 bytes; pixels are scaled to 0…1 (byte / 255) when a sample is read.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Dataset>> OpenIdx(const pb::DataSource& source,
                                                               const base::FileSystem& files,
                                                               const DatasetOptions& options);

}  // namespace rm::data

#endif  // RM_RUNTIME_DATA_IDX_H_
