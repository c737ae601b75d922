// The bound graph grows at its end and nothing in it is ever changed: a value that turns out to be of
// no use (the operands of what was folded, helpers of a binder that found a shorter way) stays until
// the graph is copied without it (bind.cc). So ids stay valid, and types can be kept beside them.
//
// Three numberings meet here: values of the model, values of the bound graph, and the node at hand.
// bound_of_ leads from the first to the second; a binder sees the second alone.
#include "runtime/graph/bind/bind_context.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "kernels/api/op_signature.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/bind/fold.h"

namespace rm::graph {
namespace {

using kernels::DType;
using kernels::Misfit;
using kernels::OpInstance;
using kernels::Shape;

// Kernels and shape rules multiply window sizes and pads: numbers within 32 bits keep that exact.
absl::Status CheckSmall(absl::string_view name, int64_t number) {
  if (number >= std::numeric_limits<int32_t>::min() &&
      number <= std::numeric_limits<int32_t>::max()) {
    return absl::OkStatus();
  }
  return Misfit("attribute ", name, " holds ", number, ", which is beyond 32 bits");
}

absl::Status CheckAttributes(const kernels::Attributes& attributes) {
  for (const auto& [name, attribute] : attributes.all()) {
    if (const auto* number = std::get_if<int64_t>(&attribute)) {
      RM_RETURN_IF_ERROR(CheckSmall(name, *number));
    }
    if (const auto* list = std::get_if<std::vector<int64_t>>(&attribute)) {
      for (int64_t number : *list) RM_RETURN_IF_ERROR(CheckSmall(name, number));
    }
  }
  return absl::OkStatus();
}

// A value that a file makes too large is refused before anybody multiplies its dimensions.
absl::Status CheckSizes(const OpInstance& instance) {
  for (const kernels::Operand& operand : instance.outputs) {
    const Shape& shape = operand.type.shape;
    RM_RETURN_IF_ERROR(CheckedElements({shape.begin(), shape.end()}).status());
  }
  return absl::OkStatus();
}

Shape ToShape(const std::vector<int64_t>& dimensions) {
  return Shape(dimensions.begin(), dimensions.end());
}

}  // namespace

absl::StatusOr<int64_t> CheckedElements(const std::vector<int64_t>& dimensions) {
  int64_t elements = 1;
  bool too_many = false;
  // A dimension of 0 does not excuse the others: shapes lose dimensions, and what is left is multiplied.
  bool empty = false;
  for (int64_t dimension : dimensions) {
    if (dimension < 0) return Misfit("a dimension of ", dimension);
    empty = empty || dimension == 0;
    if (dimension == 0) continue;
    too_many = too_many || dimension > kElementsMax / elements;
    if (!too_many) elements *= dimension;
  }
  if (too_many) return Misfit(kernels::ShapeString(ToShape(dimensions)), " has too many elements");
  return empty ? 0 : elements;
}

// Leaves come first, all of them and in the model's order: names of nodes that are made later give way
// to theirs, and parameters keep the order in which checkpoints and buckets count them.
BindContext::BindContext(const Graph& model, int64_t batch, int64_t folded_bytes_max)
    : model_(model),
      bound_of_(model.values().size(), kNoValue),
      used_(model.values().size(), false),
      folded_bytes_left_(folded_bytes_max) {
  for (size_t i = 0; i < model.values().size(); ++i) {
    if (model.values()[i].kind == ValueKind::kNode) continue;
    Value leaf = model.values()[i];
    if (!leaf.shape.empty() && leaf.shape[0] == kBatch) leaf.shape[0] = batch;
    bound_of_[i] = bound_.AddLeaf(leaf);
    types_.push_back({leaf.dtype, leaf.shape, kernels::Layout::kPlain});
  }
  for (const Node& node : model.nodes()) {
    for (ValueId id : node.inputs) {
      if (id != kNoValue) used_[static_cast<size_t>(id)] = true;
    }
  }
  for (const auto& [name, id] : model.outputs()) used_[static_cast<size_t>(id)] = true;
}

void BindContext::Begin(const Node& node) { node_ = &node; }

// The node as the model has it.
ValueId BindContext::input(size_t i) const {
  if (i >= node_->inputs.size() || node_->inputs[i] == kNoValue) return kNoValue;
  return bound(node_->inputs[i]);
}

std::vector<ValueId> BindContext::inputs() const {
  std::vector<ValueId> ids;
  for (size_t i = 0; i < node_->inputs.size(); ++i) ids.push_back(input(i));
  while (!ids.empty() && ids.back() == kNoValue) ids.pop_back();
  return ids;
}

absl::Status BindContext::RequireInputs(size_t count) const {
  for (size_t i = 0; i < count; ++i) {
    if (i >= node_->inputs.size() || node_->inputs[i] == kNoValue) {
      return Misfit("it lacks input ", i);
    }
    if (input(i) == kNoValue) return Misfit("input ", i, " is not a tensor");
  }
  return absl::OkStatus();
}

bool BindContext::output_is_used(size_t i) const {
  if (i >= node_->outputs.size() || node_->outputs[i] == kNoValue) return false;
  return used_[static_cast<size_t>(node_->outputs[i])];
}

ValueId BindContext::bound(ValueId model_value) const {
  return bound_of_[static_cast<size_t>(model_value)];
}

// What is known of values.
std::vector<int64_t> BindContext::shape(ValueId id) const {
  const Shape& shape = type(id).shape;
  return {shape.begin(), shape.end()};
}

bool BindContext::is_constant(ValueId id) const {
  return bound_.value(id).kind == ValueKind::kConstant;
}

// The leaf that keeps a value from being known: what a person has to look at.
std::string BindContext::Origin(ValueId value) const {
  ValueId at = value;
  while (bound_.value(at).kind == ValueKind::kNode) {
    ValueId next = at;
    for (ValueId id : bound_.nodes()[node_of_.at(at)].inputs) {
      if (id != kNoValue && !is_constant(id)) next = id;
    }
    if (next == at) return absl::StrCat("node '", bound_.value(at).name, "'");
    at = next;
  }
  const Value& leaf = bound_.value(at);
  return absl::StrCat(leaf.kind == ValueKind::kInput ? "the data in input '" : "parameter '",
                      leaf.name, "'");
}

// The heart of binding: what is known by now can be an attribute. What is not is a mistake of the model
// as far as this engine goes, and the message leads to where it comes from.
absl::StatusOr<std::vector<int64_t>> BindContext::Integers(size_t i, absl::string_view name) const {
  if (!has_input(i)) return Misfit("it lacks its input '", name, "'");
  const ValueId id = input(i);
  if (type(id).dtype == DType::kFloat32) {
    return Misfit("its input '", name, "' is float32, it must be int64");
  }
  if (!is_constant(id)) {
    return Misfit("its input '", name, "' depends on ", Origin(id),
                  "; it must follow from shapes and constants alone");
  }
  return *bound_.value(id).initializer.integers;
}

absl::StatusOr<std::vector<int64_t>> BindContext::IntegersOrAttribute(
    size_t i, absl::string_view name, const std::vector<int64_t>& fallback) const {
  if (i < node_->inputs.size() && node_->inputs[i] != kNoValue) return Integers(i, name);
  return node_->attributes.Ints(name, fallback);
}

absl::StatusOr<std::vector<double>> BindContext::Numbers(size_t i, absl::string_view name) const {
  if (!has_input(i)) return Misfit("it lacks its input '", name, "'");
  const ValueId id = input(i);
  if (!is_constant(id)) {
    return Misfit("its input '", name, "' depends on ", Origin(id), "; it must be a constant");
  }
  const Initializer& content = bound_.value(id).initializer;
  std::vector<double> numbers;
  if (content.values != nullptr) numbers.assign(content.values->begin(), content.values->end());
  if (content.integers != nullptr) {
    for (const int64_t number : *content.integers) numbers.push_back(static_cast<double>(number));
  }
  return numbers;
}

// Exporters write scalars as tensors of rank 0 and of one element alike.
absl::StatusOr<double> BindContext::Number(size_t i, absl::string_view name) const {
  RM_ASSIGN_OR_RETURN(const std::vector<double> numbers, Numbers(i, name));
  if (numbers.size() == 1) return numbers[0];
  return Misfit("its input '", name, "' must be one number, not ", type(input(i)).ToString());
}

// Names of nodes are those of the model; what a binder adds to them is told by a suffix. The further
// outputs of a node are called name:1, name:2, …, which a file may have taken for something else.
std::string BindContext::FreeName(absl::string_view suffix, size_t outputs) const {
  return bound_.FreeNodeName(absl::StrCat(node_->name, suffix), outputs);
}

absl::StatusOr<ValueId> BindContext::Append(absl::string_view op, std::vector<ValueId> inputs,
                                            kernels::Attributes attributes,
                                            absl::string_view suffix) {
  RM_ASSIGN_OR_RETURN(const std::vector<ValueId> outputs,
                      AppendMany(op, std::move(inputs), 1, std::move(attributes), suffix));
  return outputs[0];
}

// Shape rules see the instance before it is a node: what they refuse leaves no trace in the graph. The
// attributes are checked before them and the result after them, because rules multiply what they are
// given and trust it not to overflow.
absl::StatusOr<std::vector<ValueId>> BindContext::AppendMany(absl::string_view op,
                                                             std::vector<ValueId> inputs,
                                                             size_t outputs,
                                                             kernels::Attributes attributes,
                                                             absl::string_view suffix) {
  OpInstance instance;
  instance.op = std::string(op);
  instance.attributes = std::move(attributes);
  instance.outputs.resize(outputs);
  for (ValueId id : inputs) {
    instance.inputs.push_back(id == kNoValue ? kernels::Operand{{}, false}
                                             : kernels::Operand{type(id), true});
  }
  RM_RETURN_IF_ERROR(CheckAttributes(instance.attributes));
  RM_RETURN_IF_ERROR(kernels::InferOutputs(&instance));
  RM_RETURN_IF_ERROR(CheckSizes(instance));
  return Place(instance, FreeName(suffix, outputs), inputs);
}

// As constants when everything it reads is known, as a node otherwise.
absl::StatusOr<std::vector<ValueId>> BindContext::Place(const OpInstance& instance,
                                                        const std::string& name,
                                                        const std::vector<ValueId>& inputs) {
  bool known = true;
  std::vector<const Value*> contents;
  for (ValueId id : inputs) {
    known = known && (id == kNoValue || is_constant(id));
    contents.push_back(id == kNoValue ? nullptr : &bound_.value(id));
  }
  if (!known || !IsFoldable(instance, folded_bytes_left_)) {
    const std::vector<ValueId> ids = bound_.AddNodeWithOutputs(
        instance.op, name, inputs, static_cast<int>(instance.outputs.size()), instance.attributes);
    for (size_t i = 0; i < ids.size(); ++i) {
      types_.push_back(instance.outputs[i].type);
      node_of_[ids[i]] = bound_.nodes().size() - 1;
    }
    return ids;
  }
  RM_ASSIGN_OR_RETURN(std::vector<Initializer> results, Fold(instance, contents));
  std::vector<ValueId> ids;
  for (size_t i = 0; i < results.size(); ++i) {
    const kernels::TensorType& type = instance.outputs[i].type;
    ids.push_back(Constant(absl::StrCat("/folded", i), type.dtype,
                           {type.shape.begin(), type.shape.end()}, std::move(results[i])));
  }
  return ids;
}

ValueId BindContext::AppendLike(absl::string_view op, ValueId input,
                                kernels::Attributes attributes) {
  const ValueId id = bound_.AddNode(op, FreeName("", 1), {input}, std::move(attributes));
  types_.push_back(kernels::TensorType(type(input)));
  node_of_[id] = bound_.nodes().size() - 1;
  return id;
}

// Many ONNX operators are a reshape by another name, and many of those change nothing: no node then.
absl::StatusOr<ValueId> BindContext::Reshaped(ValueId value, const std::vector<int64_t>& to,
                                              absl::string_view suffix) {
  if (shape(value) == to) return value;
  RM_ASSIGN_OR_RETURN(const int64_t elements, CheckedElements(to));
  if (elements != kernels::ElementCount(type(value).shape)) {
    return Misfit(type(value).ToString(), " does not fill ", kernels::ShapeString(ToShape(to)));
  }
  // A dimension of no elements is written as it is: 0 would mean to copy one.
  if (elements == 0) {
    if (!is_constant(value)) return Misfit("a tensor without elements is reshaped");
    return Constant(suffix, type(value).dtype, to, bound_.value(value).initializer);
  }
  return Append("Reshape", {value}, {{"shape", to}}, suffix);
}

absl::Status BindContext::CheckRoom(int64_t bytes) const {
  if (bytes <= folded_bytes_left_) return absl::OkStatus();
  return Misfit("it needs ", bytes, " bytes of constants, ", folded_bytes_left_, " may still be made");
}

// A node with its names, operands and types takes about this much, as the graphs of tests do.
absl::Status BindContext::TakeRoomForNodes(int64_t nodes) {
  constexpr int64_t kNodeBytes = 512;
  RM_RETURN_IF_ERROR(CheckRoom(nodes * kNodeBytes));
  folded_bytes_left_ -= nodes * kNodeBytes;
  return absl::OkStatus();
}

// Whatever is made here counts against the limit, also where nobody reads it in the end: a file that
// makes constants only to drop them may not have more of them than one that uses them.
ValueId BindContext::Constant(absl::string_view suffix, DType dtype,
                              const std::vector<int64_t>& shape, Initializer content) {
  Value value;
  value.name = FreeName(suffix, 1);
  value.kind = ValueKind::kConstant;
  value.dtype = dtype;
  value.shape = ToShape(shape);
  value.shape_known = true;
  value.initializer = std::move(content);
  types_.push_back({dtype, value.shape, kernels::Layout::kPlain});
  folded_bytes_left_ -= ConstantMemory(types_.back());
  return bound_.AddLeaf(value);
}

// One element and an Expand: folded where that is small, expanded in memory of the arena where not.
absl::StatusOr<ValueId> BindContext::Filled(absl::string_view suffix, DType dtype,
                                            const std::vector<int64_t>& shape, double element) {
  RM_RETURN_IF_ERROR(CheckedElements(shape).status());
  if (dtype != DType::kFloat32 && !(std::abs(element) <= kExactDoubleMax)) {
    return Misfit("there is no ", kernels::DTypeName(dtype), " of ", element);
  }
  Initializer one = dtype == DType::kFloat32
                        ? Initializer::Of({static_cast<float>(element)})
                        : Initializer::OfIntegers({static_cast<int64_t>(element)});
  const std::vector<int64_t> ones(shape.size(), 1);
  const ValueId value = Constant(suffix, dtype, ones, std::move(one));
  if (shape == ones) return value;
  return Append("Expand", {value}, {{"shape", shape}}, suffix);
}

// What stands for the node's outputs.
void BindContext::SetOutput(size_t i, ValueId value) {
  RM_CHECK(i < node_->outputs.size(), "output ", i, " of node '", node_->name, "'");
  if (node_->outputs[i] != kNoValue) bound_of_[static_cast<size_t>(node_->outputs[i])] = value;
}

absl::Status BindContext::Become(absl::string_view op, std::vector<ValueId> inputs,
                                 kernels::Attributes attributes) {
  RM_ASSIGN_OR_RETURN(const ValueId output, Append(op, std::move(inputs), std::move(attributes)));
  SetOutput(0, output);
  return absl::OkStatus();
}

absl::Status BindContext::BecomeReshaped(const std::vector<int64_t>& shape) {
  RM_ASSIGN_OR_RETURN(const ValueId output, Reshaped(input(0), shape));
  SetOutput(0, output);
  return absl::OkStatus();
}

void BindContext::SetSequence(std::vector<ValueId> elements) {
  if (node_->outputs[0] != kNoValue) sequences_[node_->outputs[0]] = std::move(elements);
}

const std::vector<ValueId>* BindContext::sequence() const {
  if (node_->inputs.empty()) return nullptr;
  const auto it = sequences_.find(node_->inputs[0]);
  return it == sequences_.end() ? nullptr : &it->second;
}

}  // namespace rm::graph
