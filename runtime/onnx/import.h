// From an ONNX file to a graph that can be trained.
//
//   RM_ASSIGN_OR_RETURN(onnx::ImportedModel model, onnx::ImportModel(files, "resnet18.onnx"));
//   RM_ASSIGN_OR_RETURN(graph::Graph bound, graph::BindBatch(model.graph, batch));
//
// The graph still holds the file's operators in ONNX form, shape arithmetic included: what fits is
// seen when a batch size is bound, and which operators are not known is said by
// graph::CheckOperators. What import itself settles:
//   · the role of each initializer: parameter, buffer or constant (runtime/onnx/roles.h);
//   · the first dimension of inputs: where it is symbolic, or all inputs have the same, it is the
//     batch; every other dimension has to be a number;
//   · element types: float16, bfloat16 and double become float32, for values and for inputs;
//   · Constant and ConstantOfShape, which need the tensor in their attribute.
// Files may come from anywhere: whatever is in one, the answer is a graph or an error that names
// node, initializer or input, and no memory is taken beyond what the file's own bytes account for.
//
//   initializer 'fc.bias': it has 3 elements, FLOAT [4] asks for 4
//   input 'tokens': dimension 1 is symbolic ('seq'); only the first one, the batch, may be open: …
//   node 'y' (Cast): attribute to asks for STRING, which is not known
//   the graph has a circle: 2 nodes wait for each other, among them 'a', 'c'
//
// Names: inputs, parameters, buffers and constants are called as in the file. A node has its own name,
// or its first output's; where a tensor has that name already, a number is put behind it. Its
// outputs are then called after the node, as everywhere in a graph (runtime/graph/graph.h), and the
// file's names of values in between are gone; names of outputs of the model stay.
// docs/onnx.md is the page for users.
#ifndef RM_RUNTIME_ONNX_IMPORT_H_
#define RM_RUNTIME_ONNX_IMPORT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "proto/onnx.pb.h"
#include "runtime/graph/graph.h"
#include "runtime/onnx/tensor.h"

namespace rm::onnx {

// Operator sets whose operators are read as they are meant. Forms that changed in between (axes as
// attribute or operand) are told apart by themselves.
inline constexpr int64_t kOpsetMin = 13;
inline constexpr int64_t kOpsetMax = 23;

struct ImportedModel {
  // Inputs and outputs under the file's names. The first output is graph::kModelOutput as well, unless
  // another one is called so.
  graph::Graph graph;
  // In the file's order.
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  // What people should know, a sentence each; empty for a clean export.
  std::vector<std::string> warnings;
};

// InvalidArgument, naming the path, node, initializer or input, when the file is damaged or asks for
// what is not known.
[[nodiscard]] absl::StatusOr<ImportedModel> ImportModel(const base::FileSystem& files,
                                                        const std::string& path);

// The same of a message in memory, which is used up. `external` reads tensors in other files.
[[nodiscard]] absl::StatusOr<ImportedModel> ImportModel(ringmaster::onnx::ModelProto model,
                                                        const ExternalFiles& external);

}  // namespace rm::onnx

#endif  // RM_RUNTIME_ONNX_IMPORT_H_
