// A layer of rows: one product of matrices with the bias inside, instead of a product and a pass
// over its result. Its gradient sums the bias's over the rows of one matrix.
//
//   before   m = MatMul(x, w)                    y = Add(m, b)
//   after    r = Reshape(x)   g = Gemm(r, w, b)  y = Reshape(g)
//
// The two views cost nothing (runtime/graph/view.h).
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/graph/recognize_rules.h"
#include "runtime/graph/uses.h"

namespace rm::graph {
namespace {

using Ints = std::vector<int64_t>;

// The product behind one operand of an Add, where the other one is a bias for it.
struct Layer {
  int product = kNoNode;
  ValueId bias = kNoValue;
};

// Rows of anything by one matrix, read by nobody but the sum.
bool IsLayer(const TypedGraph& typed, const Uses& uses, int product, int add) {
  const Node& node = typed.graph.nodes()[static_cast<size_t>(product)];
  if (node.op != "MatMul" || node.attributes.Int("transA", 0) != 0) return false;
  const bool shaped = typed.type(node.inputs[0]).shape.size() >= 2 &&
                      typed.type(node.inputs[1]).shape.size() == 2;
  return shaped && uses.only_read_by(node.outputs[0], add);
}

Layer FindLayer(const TypedGraph& typed, const Uses& uses, int add) {
  const Node& node = typed.graph.nodes()[static_cast<size_t>(add)];
  if (node.op != "Add") return {};
  for (size_t i : {size_t{0}, size_t{1}}) {
    const int product = uses.writer_of(node.inputs[i]);
    if (product == kNoNode || !IsLayer(typed, uses, product, add)) continue;
    const ValueId bias = node.inputs[1 - i];
    const kernels::Shape& shape = typed.type(bias).shape;
    if (shape.size() == 1 && shape[0] == typed.type(node.inputs[i]).shape.back()) {
      return {product, bias};
    }
  }
  return {};
}

// A matrix of `columns` columns over the same elements; a matrix stays what it is.
ValueId AsRows(ValueId x, const std::string& name, TypedGraph* typed) {
  const kernels::Shape& shape = typed->type(x).shape;
  if (shape.size() == 2) return x;
  return typed->graph.AddNode("Reshape", typed->graph.FreeNodeName(name, 1), {x},
                              {{"shape", Ints{-1, shape.back()}}});
}

// Turns the Add into the layer's last node; returns the number of nodes put in front of it.
size_t MakeLayer(const Layer& layer, size_t add, TypedGraph* typed) {
  Graph& graph = typed->graph;
  const Node product = graph.nodes()[static_cast<size_t>(layer.product)];
  const kernels::Shape shape = typed->type(graph.nodes()[add].outputs[0]).shape;
  const size_t nodes_before = graph.nodes().size();
  const ValueId rows = AsRows(product.inputs[0], absl::StrCat(product.name, "/rows"), typed);
  const std::vector<ValueId> operands = {rows, product.inputs[1], layer.bias};
  if (shape.size() == 2) {
    Node& node = graph.mutable_nodes()[add];
    node.op = "Gemm";
    node.inputs = operands;
    node.attributes = product.attributes;
  } else {
    const ValueId gemm =
        graph.AddNode("Gemm", graph.FreeNodeName(absl::StrCat(product.name, "/layer"), 1),
                      operands, product.attributes);
    Node& node = graph.mutable_nodes()[add];
    node.op = "Reshape";
    node.inputs = {gemm};
    node.attributes = {{"shape", Ints(shape.begin(), shape.end())}};
  }
  const size_t added = graph.nodes().size() - nodes_before;
  MoveLastNodes(added, add, &graph);
  // Values that were added have no type yet; no later match reads them.
  typed->types.resize(graph.values().size());
  return added;
}

}  // namespace

// Indices of nodes change with every layer that is made, so uses are found again.
void RecognizeLinear(TypedGraph* typed) {
  Uses uses = FindUses(typed->graph);
  for (size_t i = 0; i < typed->graph.nodes().size(); ++i) {
    const Layer layer = FindLayer(*typed, uses, static_cast<int>(i));
    if (layer.product == kNoNode) continue;
    i += MakeLayer(layer, i, typed);
    uses = FindUses(typed->graph);
  }
}

}  // namespace rm::graph
