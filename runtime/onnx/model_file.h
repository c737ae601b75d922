// ONNX files on disk: a serialised ModelProto, and perhaps tensors in files beside it.
//
// What the message means is import.h's business; here it is bytes.
#ifndef RM_RUNTIME_ONNX_MODEL_FILE_H_
#define RM_RUNTIME_ONNX_MODEL_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "proto/onnx.pb.h"

namespace rm::onnx {

// The message. InvalidArgument, naming the path: no ONNX file, a truncated one, or one of 2 GiB and
// more, which the format cannot hold (weights of that size go into external files). The file is
// read piece by piece: there is never a second copy of it.
[[nodiscard]] absl::StatusOr<ringmaster::onnx::ModelProto> ReadModel(const base::FileSystem& files,
                                                                     const std::string& path);

// The same of a file's bytes in memory; `name` stands for its path.
[[nodiscard]] absl::StatusOr<ringmaster::onnx::ModelProto> ParseModel(absl::string_view bytes,
                                                                      const std::string& name);

// Writes the file as a whole or not at all. InvalidArgument: 2 GiB and more.
[[nodiscard]] absl::Status WriteModel(const ringmaster::onnx::ModelProto& model,
                                      const std::string& path, base::FileSystem& files);

}  // namespace rm::onnx

#endif  // RM_RUNTIME_ONNX_MODEL_FILE_H_
