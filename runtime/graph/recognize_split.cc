// Parts that are cut out one by one. Each part alone has a gradient of the whole's size, zero but in
// its place, and all of them are added up; the gradient of Split is one Concat.
//
//   before   q = Slice(x, 0…128)   k = Slice(x, 128…256)   v = Slice(x, 256…384)
//   after    s, s:1, s:2 = Split(x)   q = Reshape(s)   k = Reshape(s:1)   v = Reshape(s:2)
//
// The parts' nodes stay as views, under their names; a part that was gathered by its index loses the
// axis there.
#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kernels/api/strided_view.h"
#include "runtime/graph/recognize_rules.h"
#include "runtime/graph/uses.h"

namespace rm::graph {
namespace {

using Ints = std::vector<int64_t>;

// What one node takes of its operand: [begin, end) along one axis.
struct Part {
  size_t node = 0;
  int64_t axis = -1;  // < 0: the node takes no such part
  int64_t begin = 0;
  int64_t end = 0;
};

Part PartOfSlice(const Node& slice) {
  const std::vector<kernels::SliceAxis> axes = kernels::SliceAxes(slice.attributes);
  if (axes.size() != 1 || axes[0].step != 1) return {};
  return {0, axes[0].axis, axes[0].start, axes[0].end};
}

// One index, known beforehand, that has no dimension of its own.
Part PartOfGather(const TypedGraph& typed, const Node& gather) {
  const Value& index = typed.graph.value(gather.inputs[1]);
  if (index.kind != ValueKind::kConstant || index.initializer.integers == nullptr ||
      !index.shape.empty()) {
    return {};
  }
  const int64_t axis = gather.attributes.Int("axis", 0);
  const int64_t size = typed.type(gather.inputs[0]).shape[static_cast<size_t>(axis)];
  int64_t place = index.initializer.integers->front();
  if (place < 0) place += size;
  return {0, axis, place, place + 1};
}

Part PartOf(const TypedGraph& typed, ValueId x, size_t n) {
  const Node& node = typed.graph.nodes()[n];
  Part part;
  if (node.inputs[0] != x) return part;
  if (node.op == "Slice") part = PartOfSlice(node);
  if (node.op == "Gather") part = PartOfGather(typed, node);
  part.node = n;
  return part;
}

// The parts of x that tile an axis, from its beginning to its end; empty when none do.
std::vector<Part> TilesOf(const TypedGraph& typed, const Uses& uses, ValueId x) {
  std::map<int64_t, std::vector<Part>> by_axis;
  for (const int reader : uses.readers_of(x)) {
    const Part part = PartOf(typed, x, static_cast<size_t>(reader));
    if (part.axis >= 0) by_axis[part.axis].push_back(part);
  }
  for (auto& [axis, parts] : by_axis) {
    std::sort(parts.begin(), parts.end(),
              [](const Part& a, const Part& b) { return a.begin < b.begin; });
    int64_t covered = 0;
    for (const Part& part : parts) covered = part.begin == covered ? part.end : -1;
    const bool whole = covered == typed.type(x).shape[static_cast<size_t>(axis)];
    if (whole && parts.size() > 1) return parts;
  }
  return {};
}

// The split stands where the first part was taken.
void MakeSplit(ValueId x, const std::vector<Part>& parts, TypedGraph* typed) {
  Graph& graph = typed->graph;
  size_t first = parts.front().node;
  Ints sizes;
  for (const Part& part : parts) {
    first = std::min(first, part.node);
    sizes.push_back(part.end - part.begin);
  }
  const int count = static_cast<int>(parts.size());
  const std::string name = graph.FreeNodeName(
      absl::StrCat(graph.nodes()[first].name, "/split"), parts.size());
  const std::vector<ValueId> outputs = graph.AddNodeWithOutputs(
      "Split", name, {x}, count, {{"axis", parts.front().axis}, {"split", sizes}});
  for (size_t i = 0; i < parts.size(); ++i) {
    Node& node = graph.mutable_nodes()[parts[i].node];
    const kernels::Shape& shape = typed->type(node.outputs[0]).shape;
    node.op = "Reshape";
    node.inputs = {outputs[i]};
    node.attributes = {{"shape", Ints(shape.begin(), shape.end())}};
  }
  MoveLastNodes(1, first, &graph);
  typed->types.resize(graph.values().size());
}

}  // namespace

// Nodes are added as we go, so uses are found again; values that are added are not looked at.
void RecognizeSplit(TypedGraph* typed) {
  const size_t values = typed->graph.values().size();
  Uses uses = FindUses(typed->graph);
  for (size_t v = 0; v < values; ++v) {
    const auto x = static_cast<ValueId>(v);
    if (uses.readers_of(x).size() < 2) continue;
    const std::vector<Part> parts = TilesOf(*typed, uses, x);
    if (parts.empty()) continue;
    MakeSplit(x, parts, typed);
    uses = FindUses(typed->graph);
  }
}

}  // namespace rm::graph
