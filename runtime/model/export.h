// A job's model with the weights that training has made of it, in forms that others read.
//
//   Weights weights;                       // parameters and buffers: from a replica or a checkpoint
//   RM_ASSIGN_OR_RETURN(const auto onnx, ToOnnx(spec, files, weights));
//   RM_RETURN_IF_ERROR(onnx::WriteModel(onnx, "trained.onnx", files));
//
// A model that came from a file goes back into that file's own graph (model.onnx must still be readable), a built-in one is
// written as the graph that its params make. What the exported file computes is the model in use: dropout passes everything on,
// normalisations use their running statistics. Functions are thread-safe.
#ifndef RM_RUNTIME_MODEL_EXPORT_H_
#define RM_RUNTIME_MODEL_EXPORT_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "proto/job.pb.h"
#include "proto/onnx.pb.h"
#include "runtime/graph/graph.h"
#include "runtime/onnx/export.h"
#include "runtime/onnx/tensor.h"

namespace rm::model {

// Whether `weights` are those of `graph`: a tensor of the right size for each parameter and buffer, frozen ones among them, and no
// other. InvalidArgument names every tensor that is missing, left over or of another size (the first kWeightProblemsMax).
[[nodiscard]] absl::Status CheckFits(const graph::Graph& graph, const onnx::Weights& weights);

// The model of `spec` with these weights as an ONNX model; its batch stays open. `files` holds the file that model.onnx names, and
// what lies beside it. InvalidArgument: as CheckFits, or a spec that BuildGraph refuses.
[[nodiscard]] absl::StatusOr<ringmaster::onnx::ModelProto> ToOnnx(
    const ringmaster::v1::ModelSpec& spec, const base::FileSystem& files,
    const onnx::Weights& weights);

// The same for a model that came from the file whose content is `original`; `external` reads what lies beside it.
[[nodiscard]] absl::StatusOr<ringmaster::onnx::ModelProto> ToOnnx(
    ringmaster::onnx::ModelProto original, const onnx::ExternalFiles& external,
    const onnx::Weights& weights);

}  // namespace rm::model

#endif  // RM_RUNTIME_MODEL_EXPORT_H_
