// Attention's Kᵀ is written as one transpose of (batch, position, head, width) to (batch, head,
// width, position): it takes every row of `width` numbers apart. The product can read K itself:
//
//   before   t = Transpose(k) {perm = [0, 2, 3, 1]}   s = MatMul(q, t)
//   after    t = Transpose(k) {perm = [0, 2, 1, 3]}   s = MatMul(q, t) {transB = 1}
#include <string>
#include <utility>
#include <vector>

#include "kernels/api/strided_view.h"
#include "runtime/graph/recognize_rules.h"
#include "runtime/graph/uses.h"

namespace rm::graph {
namespace {

const char* const kTransposes[] = {"transA", "transB"};

// A Transpose that has put the innermost dimension next to the last place.
bool TakesRowsApart(const TypedGraph& typed, const Node& node) {
  if (node.op != "Transpose") return false;
  const size_t rank = typed.type(node.inputs[0]).shape.size();
  if (rank < 3) return false;
  const std::vector<int64_t> perm = kernels::Permutation(node.attributes, rank);
  return perm[rank - 2] == static_cast<int64_t>(rank) - 1;
}

// Both operands are stacks of matrices: a product of rows by one matrix wants its A as it is.
bool OfStacks(const TypedGraph& typed, const Node& product) {
  return product.op == "MatMul" && typed.type(product.inputs[0]).shape.size() >= 3 &&
         typed.type(product.inputs[1]).shape.size() >= 3;
}

}  // namespace

void TurnTransposes(TypedGraph* typed) {
  std::vector<Node>& nodes = typed->graph.mutable_nodes();
  const Uses uses = FindUses(typed->graph);
  for (size_t n = 0; n < nodes.size(); ++n) {
    if (!OfStacks(*typed, nodes[n]) || nodes[n].inputs[0] == nodes[n].inputs[1]) continue;
    for (size_t i : {size_t{0}, size_t{1}}) {
      const ValueId operand = nodes[n].inputs[i];
      const int writer = uses.writer_of(operand);
      if (writer == kNoNode || !uses.only_read_by(operand, static_cast<int>(n))) continue;
      Node& transpose = nodes[static_cast<size_t>(writer)];
      if (!TakesRowsApart(*typed, transpose)) continue;
      std::vector<int64_t> perm =
          kernels::Permutation(transpose.attributes, typed->type(operand).shape.size());
      std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
      transpose.attributes.Set("perm", perm);
      if (nodes[n].attributes.Int(kTransposes[i], 0) != 0) {
        nodes[n].attributes.Remove(kTransposes[i]);
      } else {
        nodes[n].attributes.Set(kTransposes[i], int64_t{1});
      }
    }
  }
}

}  // namespace rm::graph
