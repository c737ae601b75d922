#include "runtime/graph/ops/gradient_context.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/check.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/ops/infer_node.h"

namespace rm::graph {
GradientContext::GradientContext(size_t node, std::vector<ValueId> output_gradients,
                                 std::vector<bool> wanted, Graph* graph,
                                 std::vector<kernels::TensorType>* types)
    : index_(node),
      node_(graph->nodes()[node]),
      output_gradients_(std::move(output_gradients)),
      wanted_(std::move(wanted)),
      input_gradients_(node_.inputs.size(), kNoValue),
      graph_(graph),
      types_(types) {}

ValueId GradientContext::input(size_t i) const {
  return i < node_.inputs.size() ? node_.inputs[i] : kNoValue;
}

ValueId GradientContext::output(size_t i) const {
  return i < node_.outputs.size() ? node_.outputs[i] : kNoValue;
}

const kernels::Shape& GradientContext::shape(ValueId value) const {
  return (*types_)[static_cast<size_t>(value)].shape;
}

ValueId GradientContext::Append(absl::string_view op, absl::string_view suffix,
                                std::vector<ValueId> inputs, ValueId like,
                                kernels::Attributes attributes) {
  return AppendMany(op, suffix, std::move(inputs), {like}, std::move(attributes))[0];
}

// The types of what was appended are inferred at once: later rules ask for them, and a rule that
// makes nodes which do not fit is found where it stands, not at the first compilation.
std::vector<ValueId> GradientContext::AppendMany(absl::string_view op, absl::string_view suffix,
                                                 std::vector<ValueId> inputs,
                                                 std::vector<ValueId> likes,
                                                 kernels::Attributes attributes) {
  const std::vector<ValueId> outputs =
      graph_->AddBackwardNode(op, absl::StrCat(node_.name, "/", suffix), std::move(inputs),
                              std::move(likes), std::move(attributes));
  const absl::Status status = InferNode(*graph_, graph_->nodes().back(), types_);
  RM_CHECK(status.ok(), "gradient rule of ", node_.op, ": ", status.ToString());
  return outputs;
}

ValueId GradientContext::AppendForwardOutput() {
  const ValueId output = graph_->AddOutput(index_);
  const absl::Status status = InferNode(*graph_, graph_->nodes()[index_], types_);
  RM_CHECK(status.ok(), "gradient rule of ", node_.op, ": ", status.ToString());
  return output;
}

// Dimensions that broadcasting added or repeated are summed away. ReduceSum drops them; a dimension
// of 1 that `of` does have is put back by a view.
ValueId GradientContext::SumTo(ValueId gradient, ValueId of, absl::string_view suffix) {
  const kernels::Shape from = shape(of);
  if (from == shape(gradient)) return gradient;
  kernels::Attributes attributes{{"axes", kernels::BroadcastAxes(from, shape(gradient))},
                                 {"keepdims", int64_t{0}}};
  const ValueId sum = Append("ReduceSum", suffix, {gradient}, kNoValue, std::move(attributes));
  if (shape(sum) == from) return sum;
  return Append("Reshape", absl::StrCat(suffix, "/shape"), {sum}, of);
}

ValueId GradientContext::AsMatrix(ValueId value, int64_t columns, absl::string_view suffix) {
  if (shape(value).size() == 2 && shape(value)[1] == columns) return value;
  return Append("Reshape", suffix, {value}, kNoValue,
                {{"shape", std::vector<int64_t>{-1, columns}}});
}

ValueId GradientContext::Number(float number) {
  // Nine digits tell any two floats apart.
  const std::string name = absl::StrFormat("constant/%.9g", number);
  const ValueId known = graph_->FindValue(name);
  if (known != kNoValue) return known;
  const ValueId constant = graph_->AddConstant(name, {}, {number});
  types_->resize(graph_->values().size());  // with a float scalar's type, which is the default
  return constant;
}

ValueId GradientContext::Scaled(ValueId value, float factor, absl::string_view suffix) {
  if (factor == 1.0F) return value;
  return Append("Mul", suffix, {value, Number(factor)}, value);
}

ValueId GradientContext::BeforeActivation() {
  const ValueId gradient = output_gradient(0);
  if (attributes().String("activation", "").empty()) return gradient;
  return Append("ReluGrad", "dActivation", {gradient, output(0)}, output(0));
}

}  // namespace rm::graph
