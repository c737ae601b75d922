// Rewrites look for a pattern around one node, with the uses of values as they were before the
// pass. What a rewrite does to one match never makes another match of the same pass wrong: both
// patterns claim values that nobody else reads.
#include "runtime/graph/fusion.h"

#include <string>
#include <utility>
#include <vector>

#include "runtime/graph/fusion_products.h"
#include "runtime/graph/uses.h"

namespace rm::graph {
namespace {

// Operators that have the extra attribute `activation` (kernels/api/op.h), where it is still free.
bool TakesActivation(const Node& node) {
  const bool op = node.op == "Conv" || node.op == "Gemm" || node.op == "BatchNormTraining" ||
                  node.op == "BatchNormalization";
  return op && node.attributes.String("activation", "").empty();
}

// The convolution's or product's result is rectified while it is still in registers, instead of in
// a pass of its own over memory.
void FuseReluEpilogues(TypedGraph* typed) {
  std::vector<Node>& nodes = typed->graph.mutable_nodes();
  const Uses uses = FindUses(typed->graph);
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].op != "Relu") continue;
    const ValueId operand = nodes[i].inputs[0];
    const int writer = uses.writer_of(operand);
    if (writer == kNoNode || !uses.only_read_by(operand, static_cast<int>(i))) continue;
    Node& producer = nodes[static_cast<size_t>(writer)];
    if (!TakesActivation(producer)) continue;
    producer.attributes.Set("activation", std::string("relu"));
    // The Relu now writes the value that nobody reads.
    std::swap(producer.outputs[0], nodes[i].outputs[0]);
    nodes[i].inputs[0] = producer.outputs[0];
  }
}

// Where the sum of a normalised image and a residual could be taken: the normalisation, when
// nobody else reads its result and the residual is there before it.
Node* NormBeforeAdd(TypedGraph* typed, const Uses& uses, int add, ValueId norm, ValueId residual) {
  std::vector<Node>& nodes = typed->graph.mutable_nodes();
  const int writer = uses.writer_of(norm);
  if (writer == kNoNode || uses.writer_of(residual) >= writer) return nullptr;
  Node& node = nodes[static_cast<size_t>(writer)];
  const bool takes = node.op == "BatchNormTraining" && node.inputs.size() == 3 &&
                     node.attributes.String("activation", "").empty();
  const bool alone = node.outputs[0] == norm && uses.only_read_by(norm, add);
  const bool same = typed->type(norm).shape == typed->type(residual).shape;
  return takes && alone && same ? &node : nullptr;
}

// The residual is added while the normalised image is in registers. The gradient of either operand
// of Add is that of its result, so the backward pass stays as it is.
void FuseResiduals(TypedGraph* typed) {
  std::vector<Node>& nodes = typed->graph.mutable_nodes();
  const Uses uses = FindUses(typed->graph);
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].op != "Add" || nodes[i].backward) continue;
    for (size_t operand : {size_t{0}, size_t{1}}) {
      const ValueId residual = nodes[i].inputs[1 - operand];
      Node* norm =
          NormBeforeAdd(typed, uses, static_cast<int>(i), nodes[i].inputs[operand], residual);
      if (norm == nullptr) continue;
      norm->inputs.push_back(residual);
      // The Add now writes the value that nobody reads, and reads nothing that a later rewrite could
      // want for itself.
      std::swap(norm->outputs[0], nodes[i].outputs[0]);
      nodes[i].inputs[operand] = residual;
      break;
    }
  }
}

// A node of the given operator that writes the value, or nullptr.
Node* WriterWithOp(std::vector<Node>* nodes, const Uses& uses, ValueId value, const char* op) {
  const int writer = uses.writer_of(value);
  if (writer == kNoNode || (*nodes)[static_cast<size_t>(writer)].op != op) return nullptr;
  return &(*nodes)[static_cast<size_t>(writer)];
}

// ReluGrad passes a gradient on where Y > 0. MaxPoolGrad puts each window's gradient to the place
// of the window's maximum, where Y is P; so asking Y > 0 behind it and P > 0 before it is the same,
// also where windows overlap: all gradients that meet at a place have that place's Y as their P.
void MoveReluBeforeUnpool(TypedGraph* typed) {
  std::vector<Node>& nodes = typed->graph.mutable_nodes();
  const Uses uses = FindUses(typed->graph);
  for (size_t i = 0; i < nodes.size(); ++i) {
    Node& second = nodes[i];
    if (second.op != "ReluGrad") continue;
    const ValueId between = second.inputs[0];
    Node* first = WriterWithOp(&nodes, uses, between, "MaxPoolGrad");
    if (first == nullptr || !uses.only_read_by(between, static_cast<int>(i))) continue;
    const Node* pool = WriterWithOp(&nodes, uses, first->inputs[1], "MaxPool");
    if (pool == nullptr || pool->inputs[0] != second.inputs[1]) continue;
    // The two nodes trade places: `between` is now the gradient on the pooled side.
    const ValueId pooled = pool->outputs[0];
    const ValueId window_index = first->inputs[1];
    std::swap(first->op, second.op);
    std::swap(first->name, second.name);
    std::swap(first->attributes, second.attributes);
    first->inputs = {first->inputs[0], pooled};
    second.inputs = {between, window_index};
    typed->type(between) = typed->type(pooled);
    typed->graph.mutable_value(between).like = pooled;
  }
}

// The gradient of a batch norm that reads dY through the mask of a relu takes the mask itself: one
// pass over the image less. Where somebody else reads the masked gradient, as a residual's way
// does, it exists anyway.
void FuseReluIntoBatchNormGrad(TypedGraph* typed) {
  std::vector<Node>& nodes = typed->graph.mutable_nodes();
  const Uses uses = FindUses(typed->graph);
  for (size_t i = 0; i < nodes.size(); ++i) {
    Node& node = nodes[i];
    if (node.op != "BatchNormGrad" || node.inputs.size() > 5) continue;
    const ValueId masked = node.inputs[0];
    const Node* mask = WriterWithOp(&nodes, uses, masked, "ReluGrad");
    if (mask == nullptr || !uses.only_read_by(masked, static_cast<int>(i))) continue;
    node.inputs[0] = mask->inputs[0];
    node.inputs.push_back(mask->inputs[1]);
    node.attributes.Set("activation", std::string("relu"));
  }
}

// A later rewrite may use what an earlier one has made.
struct Rewrite {
  const char* name;
  void (*apply)(TypedGraph* typed);
};

constexpr Rewrite kRewrites[] = {
    {"product_transposes", &FuseTransposesIntoProducts},
    {"product_scalars", &FuseScalarsIntoProducts},
    {"residual_epilogue", &FuseResiduals},
    {"relu_epilogue", &FuseReluEpilogues},
    {"relu_before_unpool", &MoveReluBeforeUnpool},
    {"relu_batch_norm_grad", &FuseReluIntoBatchNormGrad},
};

}  // namespace

void Fuse(TypedGraph* graph) {
  for (const Rewrite& rewrite : kRewrites) rewrite.apply(graph);
}

}  // namespace rm::graph
