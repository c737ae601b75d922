// ONNX files with other weights: what was trained, for any runtime.
//
// A model that came from a file goes back into that file's own graph: its nodes, names and metadata
// stay as they were, and the tensors take the new values. A model of the zoo is written as the
// graph that it is, in operators of opset 20.
//
//   Weights weights;                                   // names to spans over the replica's memory
//   RM_ASSIGN_OR_RETURN(auto original, ReadModel(files, "resnet18.onnx"));
//   RM_ASSIGN_OR_RETURN(auto trained, WithWeights(std::move(original), external, weights));
//   RM_RETURN_IF_ERROR(WriteModel(trained, "trained.onnx", files));
//
// Forms that differ between graph and format:
//   Reshape {shape}, Expand {shape}, Slice {starts, …}, Split {split}, Reduce… {axes},
//   Clip {min, max}, Trilu {k}, Dropout {ratio}     operands: constants called "node/shape" and so on
//   Cast {to = "int64"}                             the format's number of the type
//   MatMul {transA, transB, alpha}                  Transpose before it, Mul by a constant behind it
//   an output called otherwise than its value       an Identity
// Everything else is the same in both.
#ifndef RM_RUNTIME_ONNX_EXPORT_H_
#define RM_RUNTIME_ONNX_EXPORT_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "proto/onnx.pb.h"
#include "runtime/graph/graph.h"
#include "runtime/onnx/tensor.h"

namespace rm::onnx {

// Operator set of what ExportGraph writes.
inline constexpr int64_t kExportOpset = 20;

// Parameters and buffers by name, plain row-major. Borrowed.
using Weights = std::map<std::string, absl::Span<const float>>;

// `original` with these values in its initializers, in each one's own element type. An alias
// (runtime/onnx/roles.h) becomes an initializer of its own, whether it is among `weights` or not:
// it must not follow the one it was a copy of. Tensors in other files are taken in. Normalisations
// and dropouts that the export left in training are switched to use, as the engine has them.
// InvalidArgument: a name that is no initializer, or one of another number of elements.
[[nodiscard]] absl::StatusOr<ringmaster::onnx::ModelProto> WithWeights(
    ringmaster::onnx::ModelProto original, const ExternalFiles& external, const Weights& weights);

// A forward graph in canonical form (the zoo's) as a model; its first dimension stays open.
// InvalidArgument: an operator that ONNX does not have (of training, or made by fusion), or a
// parameter without weights.
[[nodiscard]] absl::StatusOr<ringmaster::onnx::ModelProto> ExportGraph(const graph::Graph& graph,
                                                                       const Weights& weights);

}  // namespace rm::onnx

#endif  // RM_RUNTIME_ONNX_EXPORT_H_
