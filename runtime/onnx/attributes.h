// Attributes of an ONNX node as those of a graph's node.
//
//   message AttributeProto                      kernels::Attribute
//   FLOAT, INT, STRING                          float, int64_t, std::string
//   FLOATS, INTS                                vectors of them
//   STRINGS "Sigmoid", "Tanh"                   "Sigmoid,Tanh"
//   TENSOR, GRAPH and lists of them             none
#ifndef RM_RUNTIME_ONNX_ATTRIBUTES_H_
#define RM_RUNTIME_ONNX_ATTRIBUTES_H_

#include "absl/status/statusor.h"
#include "kernels/api/op.h"
#include "proto/onnx.pb.h"

namespace rm::onnx {

// Numbers, texts and lists of numbers as they are; a list of texts as one, separated by commas.
// Tensors and graphs are left out: the few operators that have one read it themselves. The target
// type of a Cast becomes our name of it ("float32").
// InvalidArgument names the attribute: one without a value, or a target type that is not known.
[[nodiscard]] absl::StatusOr<kernels::Attributes> ReadAttributes(
    const ringmaster::onnx::NodeProto& node);

// nullptr when the node has none of that name.
[[nodiscard]] const ringmaster::onnx::AttributeProto* FindAttribute(
    const ringmaster::onnx::NodeProto& node, const char* name);

}  // namespace rm::onnx

#endif  // RM_RUNTIME_ONNX_ATTRIBUTES_H_
