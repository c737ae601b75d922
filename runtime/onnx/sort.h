// The order in which nodes can be computed.
//
// The format asks for nodes in that order, and most writers keep to it. Those who edit files by hand, or
// join two of them, do not always; and a damaged file may have nodes that read each other's results.
#ifndef RM_RUNTIME_ONNX_SORT_H_
#define RM_RUNTIME_ONNX_SORT_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/onnx.pb.h"

namespace rm::onnx {

// Positions of the nodes, each after those whose results it reads; the file's own order where that
// will do, as the format asks for. `known` are the names that no node writes: inputs and
// initializers. InvalidArgument: a value that is written twice or by nobody (the node is named), or
// nodes in a circle (some of them are named).
[[nodiscard]] absl::StatusOr<std::vector<int>> SortNodes(const ringmaster::onnx::GraphProto& graph,
                                                         const std::set<std::string>& known);

// How a node is called in messages: its name, or its first output's where it has none.
[[nodiscard]] std::string NodeName(const ringmaster::onnx::NodeProto& node);

}  // namespace rm::onnx

#endif  // RM_RUNTIME_ONNX_SORT_H_
