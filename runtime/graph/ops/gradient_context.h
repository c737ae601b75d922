// What a gradient rule sees: one forward node, the gradients of its outputs, and a way to append
// backward nodes.
#ifndef RM_RUNTIME_GRAPH_OPS_GRADIENT_CONTEXT_H_
#define RM_RUNTIME_GRAPH_OPS_GRADIENT_CONTEXT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "kernels/api/op.h"
#include "runtime/graph/graph.h"

namespace rm::graph {

// Thread-compatible; borrows the graph and the types, which must outlive it.
class GradientContext {
 public:
  // `types` holds the type of every value of `graph` at a probe batch size, and is kept so.
  // `output_gradients` and `wanted` are by operand; kNoValue: no gradient arrives at that output.
  GradientContext(size_t node, std::vector<ValueId> output_gradients, std::vector<bool> wanted,
                  Graph* graph, std::vector<kernels::TensorType>* types);

  // The forward node. A copy: the graph's own nodes move when backward nodes are appended.
  [[nodiscard]] const Node& node() const { return node_; }
  [[nodiscard]] const kernels::Attributes& attributes() const { return node_.attributes; }
  // Operands; kNoValue for an absent one.
  [[nodiscard]] ValueId input(size_t i) const;
  [[nodiscard]] ValueId output(size_t i) const;
  // The gradient that arrives at output `i`; kNoValue for none.
  [[nodiscard]] ValueId output_gradient(size_t i) const { return output_gradients_[i]; }
  // True when the gradient of input `i` is needed: a parameter lies behind it.
  [[nodiscard]] bool wants(size_t i) const { return i < wanted_.size() && wanted_[i]; }
  // The shape of a value. Where the graph's batch is open, the first dimension is that of a probe:
  // rules look at ranks and at the other dimensions.
  [[nodiscard]] const kernels::Shape& shape(ValueId value) const;

  // Appends "node/suffix" with one output of the type of `like` (kNoValue: as inferred).
  ValueId Append(absl::string_view op, absl::string_view suffix, std::vector<ValueId> inputs,
                 ValueId like, kernels::Attributes attributes = {});
  // The same with one output for each of `likes`.
  std::vector<ValueId> AppendMany(absl::string_view op, absl::string_view suffix,
                                  std::vector<ValueId> inputs, std::vector<ValueId> likes,
                                  kernels::Attributes attributes = {});
  // Gives the forward node one more output, which its gradient reads.
  ValueId AppendForwardOutput();

  // `gradient` summed over the axes along which `of` was broadcast to it: it then has of's shape.
  // The gradient itself when nothing was broadcast.
  ValueId SumTo(ValueId gradient, ValueId of, absl::string_view suffix);
  // `value` as a matrix of `columns` columns: a view, or the value itself when it is one.
  ValueId AsMatrix(ValueId value, int64_t columns, absl::string_view suffix);
  // A constant scalar, one a graph and number.
  ValueId Number(float number);
  // factor · value. The value itself when the factor is 1.
  ValueId Scaled(ValueId value, float factor, absl::string_view suffix);
  // The gradient at output 0 before the node's own activation, where it has one.
  ValueId BeforeActivation();

  // States the gradient of input `i`, of that input's shape. At most once an input.
  void SetInputGradient(size_t i, ValueId gradient) { input_gradients_[i] = gradient; }
  [[nodiscard]] const std::vector<ValueId>& input_gradients() const { return input_gradients_; }

 private:
  const size_t index_;
  const Node node_;
  const std::vector<ValueId> output_gradients_;
  const std::vector<bool> wanted_;
  std::vector<ValueId> input_gradients_;
  Graph* const graph_;
  std::vector<kernels::TensorType>* const types_;
};

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_OPS_GRADIENT_CONTEXT_H_
