// Both rewrites run behind autodiff, and so find the products of the backward pass, too: the
// gradient of Transpose is a Transpose of the product that is the gradient of MatMul's operand.
//
//   before   t = Transpose(k)      s = MatMul(q, t)           z = Mul(s, c)
//   after                          z = MatMul(q, k) {transB = 1, alpha = c}
//
// A node that has lost its readers stays for the pass that removes dead nodes. Operands are taken
// over before results are: then a Transpose between two products goes to the one that reads it.
#include "runtime/graph/fusion_products.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "runtime/graph/uses.h"

namespace rm::graph {
namespace {

const char* const kTransposes[] = {"transA", "transB"};

// A product of matrices alone: nothing is added to it, nothing follows it in the same node.
bool IsProduct(const Node& node) {
  if (node.op != "MatMul" && node.op != "Gemm") return false;
  const bool added = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  return !added && node.attributes.String("activation", "").empty();
}

// Both operands are matrices, or stacks of them.
bool OfMatrices(const TypedGraph& typed, const Node& product) {
  for (size_t i : {size_t{0}, size_t{1}}) {
    if (typed.types[static_cast<size_t>(product.inputs[i])].shape.size() < 2) return false;
  }
  return true;
}

// A Transpose that swaps the last two dimensions and moves nothing else.
bool SwapsLastTwo(const TypedGraph& typed, const Node& node) {
  if (node.op != "Transpose") return false;
  const auto rank =
      static_cast<int64_t>(typed.types[static_cast<size_t>(node.inputs[0])].shape.size());
  if (rank < 2) return false;
  std::vector<int64_t> perm = node.attributes.Ints("perm", {});
  if (perm.empty()) return rank == 2;  // all dimensions in reverse
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  for (int64_t i = 0; i < rank; ++i) {
    if (perm[static_cast<size_t>(i)] != i) return false;
  }
  return true;
}

// nullptr for inputs, parameters and constants, which no node writes.
const Node* WriterOf(const std::vector<Node>& nodes, const Uses& uses, ValueId value) {
  const int writer = uses.writer_of(value);
  return writer == kNoNode ? nullptr : &nodes[static_cast<size_t>(writer)];
}

// The attribute is there or not; 0 is never written, so that equal nodes have equal texts.
void SetTransposed(Node* product, size_t operand, bool transposed) {
  if (transposed) {
    product->attributes.Set(kTransposes[operand], int64_t{1});
  } else {
    product->attributes.Remove(kTransposes[operand]);
  }
}

bool IsTransposed(const Node& product, size_t operand) {
  return product.attributes.Int(kTransposes[operand], 0) != 0;
}

// The product reads the operand of a Transpose instead of its result. A Gemm may have a C here: its
// operands are transposed all the same.
void TakeTransposedOperands(TypedGraph* typed) {
  std::vector<Node>& nodes = typed->graph.mutable_nodes();
  const Uses uses = FindUses(typed->graph);
  for (Node& node : nodes) {
    if ((node.op != "MatMul" && node.op != "Gemm") || !OfMatrices(*typed, node)) continue;
    for (size_t i : {size_t{0}, size_t{1}}) {
      const Node* writer = WriterOf(nodes, uses, node.inputs[i]);
      if (writer == nullptr || !SwapsLastTwo(*typed, *writer)) continue;
      node.inputs[i] = writer->inputs[0];
      SetTransposed(&node, i, !IsTransposed(node, i));
    }
  }
}

// (op(A) · op(B))ᵀ = op(B)ᵀ · op(A)ᵀ, where nobody wants the product itself.
void TransposeProducts(TypedGraph* typed) {
  std::vector<Node>& nodes = typed->graph.mutable_nodes();
  const Uses uses = FindUses(typed->graph);
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!SwapsLastTwo(*typed, nodes[i])) continue;
    const ValueId result = nodes[i].inputs[0];
    const int writer = uses.writer_of(result);
    if (writer == kNoNode || !uses.only_read_by(result, static_cast<int>(i))) continue;
    Node& product = nodes[static_cast<size_t>(writer)];
    if (!IsProduct(product) || !OfMatrices(*typed, product)) continue;
    const bool trans_a = IsTransposed(product, 0);
    const bool trans_b = IsTransposed(product, 1);
    std::swap(product.inputs[0], product.inputs[1]);
    SetTransposed(&product, 0, !trans_b);
    SetTransposed(&product, 1, !trans_a);
    // The Transpose now writes the value that nobody reads.
    std::swap(product.outputs[0], nodes[i].outputs[0]);
    nodes[i].inputs[0] = product.outputs[0];
  }
}

// What a node multiplies its operand by: a Mul or Div by a constant number.
struct Scaling {
  ValueId operand = kNoValue;  // kNoValue: the node is no scaling
  float factor = 1;
};

// The number that a value always is; NaN for what is no constant number.
float NumberOf(const TypedGraph& typed, ValueId id) {
  const Value& value = typed.graph.value(id);
  const bool number = value.kind == ValueKind::kConstant &&
                      value.dtype == kernels::DType::kFloat32 &&
                      value.initializer.values != nullptr &&
                      value.initializer.values->size() == 1;
  return number ? (*value.initializer.values)[0] : std::nanf("");
}

// The number may stand on either side of Mul, but only below in Div. It must not stretch its
// operand: the result has the operand's shape.
Scaling ScalingOf(const TypedGraph& typed, const Node& node) {
  if (node.op != "Mul" && node.op != "Div") return {};
  const auto same_shape = [&](ValueId operand) {
    return typed.types[static_cast<size_t>(operand)].shape ==
           typed.types[static_cast<size_t>(node.outputs[0])].shape;
  };
  const float right = NumberOf(typed, node.inputs[1]);
  if (!std::isnan(right) && same_shape(node.inputs[0]) && (node.op == "Mul" || right != 0)) {
    return {node.inputs[0], node.op == "Mul" ? right : 1 / right};
  }
  const float left = NumberOf(typed, node.inputs[0]);
  const bool by_left = node.op == "Mul" && !std::isnan(left) && same_shape(node.inputs[1]);
  return by_left ? Scaling{node.inputs[1], left} : Scaling{};
}

// A product may be scaled more than once: before it and behind it.
void MultiplyAlpha(Node* product, float factor) {
  product->attributes.Set("alpha", product->attributes.Float("alpha", 1) * factor);
}

// factor · (A · B), where nobody wants the product itself.
void ScaleProducts(TypedGraph* typed) {
  std::vector<Node>& nodes = typed->graph.mutable_nodes();
  const Uses uses = FindUses(typed->graph);
  for (size_t i = 0; i < nodes.size(); ++i) {
    const Scaling scaling = ScalingOf(*typed, nodes[i]);
    if (scaling.operand == kNoValue) continue;
    const int writer = uses.writer_of(scaling.operand);
    if (writer == kNoNode || !uses.only_read_by(scaling.operand, static_cast<int>(i))) continue;
    Node& product = nodes[static_cast<size_t>(writer)];
    if (!IsProduct(product)) continue;
    MultiplyAlpha(&product, scaling.factor);
    std::swap(product.outputs[0], nodes[i].outputs[0]);
    std::replace(nodes[i].inputs.begin(), nodes[i].inputs.end(), scaling.operand,
                 product.outputs[0]);
  }
}

// (factor · A) · B, where every reader of the scaled operand is a product: then nobody scales it.
void TakeScaledOperands(TypedGraph* typed) {
  std::vector<Node>& nodes = typed->graph.mutable_nodes();
  const Uses uses = FindUses(typed->graph);
  for (const Node& node : nodes) {
    const Scaling scaling = ScalingOf(*typed, node);
    if (scaling.operand == kNoValue || uses.is_kept(node.outputs[0])) continue;
    const ValueId scaled = node.outputs[0];
    const std::vector<int>& readers = uses.readers_of(scaled);
    const bool all = std::all_of(readers.begin(), readers.end(), [&](int reader) {
      return IsProduct(nodes[static_cast<size_t>(reader)]);
    });
    if (!all) continue;
    for (int reader : readers) {
      Node& product = nodes[static_cast<size_t>(reader)];
      for (ValueId& input : product.inputs) {
        if (input != scaled) continue;
        input = scaling.operand;
        MultiplyAlpha(&product, scaling.factor);
      }
    }
  }
}

}  // namespace

void FuseTransposesIntoProducts(TypedGraph* typed) {
  TakeTransposedOperands(typed);
  TransposeProducts(typed);
}

void FuseScalarsIntoProducts(TypedGraph* typed) {
  ScaleProducts(typed);
  TakeScaledOperands(typed);
}

}  // namespace rm::graph
