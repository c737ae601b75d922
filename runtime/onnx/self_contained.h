// A model with all of its tensors inside, so that one file is the whole of it.
//
// Exporters put large weights into files beside the model. A model that travels (to the cluster's
// storage, where it is found by the hash of its content) must not leave them behind.
#ifndef RM_RUNTIME_ONNX_SELF_CONTAINED_H_
#define RM_RUNTIME_ONNX_SELF_CONTAINED_H_

#include "absl/status/status.h"
#include "proto/onnx.pb.h"
#include "runtime/onnx/tensor.h"

namespace rm::onnx {

// Whether a tensor of the model lies in another file: an initializer's, or a Constant's.
[[nodiscard]] bool HasExternalData(const ringmaster::onnx::ModelProto& model);

// Reads those tensors into the message. InvalidArgument, naming the tensor: its file is missing or
// does not fit, its path leaves the model's folder, or the model would grow beyond the 2 GiB that a
// message may have. After an error the model is of no more use.
[[nodiscard]] absl::Status TakeInExternalData(const ExternalFiles& external,
                                              ringmaster::onnx::ModelProto* model);

}  // namespace rm::onnx

#endif  // RM_RUNTIME_ONNX_SELF_CONTAINED_H_
