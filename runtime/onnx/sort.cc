#include "runtime/onnx/sort.h"

#include <algorithm>
#include <map>
#include <queue>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace rm::onnx {
namespace {

using ringmaster::onnx::GraphProto;
using ringmaster::onnx::NodeProto;

// Nodes of a circle that a message names.
constexpr size_t kNodesNamedMax = 5;

std::string Described(const NodeProto& node) {
  return absl::StrCat("node '", NodeName(node), "' (", node.op_type(), ")");
}

// The node that writes each value.
absl::StatusOr<std::map<std::string, int>> Writers(const GraphProto& graph,
                                                   const std::set<std::string>& known) {
  std::map<std::string, int> writers;
  for (int i = 0; i < graph.node_size(); ++i) {
    for (const std::string& output : graph.node(i).output()) {
      if (output.empty()) continue;
      const bool is_new = writers.emplace(output, i).second;
      if (is_new && known.count(output) == 0) continue;
      return absl::InvalidArgumentError(
          absl::StrCat(Described(graph.node(i)), " writes '", output, "', which exists already"));
    }
  }
  return writers;
}

// What is left when no node can go on: all of it lies on circles, or behind one.
absl::Status Circle(const GraphProto& graph, const std::vector<int>& waiting) {
  std::string names;
  size_t named = 0;
  for (int i = 0; i < graph.node_size(); ++i) {
    if (waiting[static_cast<size_t>(i)] == 0) continue;
    if (++named <= kNodesNamedMax) {
      absl::StrAppend(&names, names.empty() ? "'" : ", '", NodeName(graph.node(i)), "'");
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the graph has a circle: ", named, " nodes wait for each other, among them ",
                   names));
}

}  // namespace

std::string NodeName(const NodeProto& node) {
  if (!node.name().empty()) return node.name();
  for (const std::string& output : node.output()) {
    if (!output.empty()) return output;
  }
  return node.op_type();
}

// Kahn's algorithm: a node is ready when all that it reads is there. With a queue by position, a file
// in order comes out as it is. An operand that is read twice is waited for twice and comes twice.
absl::StatusOr<std::vector<int>> SortNodes(const GraphProto& graph,
                                           const std::set<std::string>& known) {
  RM_ASSIGN_OR_RETURN(const auto writers, Writers(graph, known));
  std::vector<int> waiting(static_cast<size_t>(graph.node_size()), 0);  // operands not yet there
  std::vector<std::vector<int>> readers(waiting.size());
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;  // the first in the file first
  for (int i = 0; i < graph.node_size(); ++i) {
    for (const std::string& input : graph.node(i).input()) {
      if (input.empty() || known.count(input) > 0) continue;
      const auto writer = writers.find(input);
      if (writer == writers.end()) {
        return absl::InvalidArgumentError(absl::StrCat(Described(graph.node(i)), " reads '", input,
                                                       "', which nothing in the file defines"));
      }
      ++waiting[static_cast<size_t>(i)];
      readers[static_cast<size_t>(writer->second)].push_back(i);
    }
    if (waiting[static_cast<size_t>(i)] == 0) ready.push(i);
  }
  std::vector<int> order;
  while (!ready.empty()) {
    const int i = ready.top();
    ready.pop();
    order.push_back(i);
    for (int reader : readers[static_cast<size_t>(i)]) {
      if (--waiting[static_cast<size_t>(reader)] == 0) ready.push(reader);
    }
  }
  if (order.size() < waiting.size()) return Circle(graph, waiting);
  return order;
}

}  // namespace rm::onnx
