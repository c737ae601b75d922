#include "runtime/graph/graph.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace rm::graph {
namespace {

// Dimensions are known, but for a first one that stands for the batch.
void CheckShape(absl::string_view name, const kernels::Shape& shape, bool batch_allowed) {
  for (size_t i = 0; i < shape.size(); ++i) {
    const bool is_batch = i == 0 && batch_allowed && shape[i] == kBatch;
    RM_CHECK(shape[i] >= 0 || is_batch, "value '", name, "' of shape ",
             kernels::ShapeString(shape));
  }
}

// "pool", "pool:1", …: ONNX numbers the outputs of a node the same way.
std::string OutputName(absl::string_view node, size_t index) {
  return index == 0 ? std::string(node) : absl::StrCat(node, ":", index);
}

// In order of addition, which is that of ids.
std::vector<ValueId> IdsOfKind(const std::vector<Value>& values, ValueKind kind) {
  std::vector<ValueId> ids;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].kind == kind) ids.push_back(static_cast<ValueId>(i));
  }
  return ids;
}

// Whether a kernel that reads the constant in its dtype sees this element.
bool FitsDType(int64_t element, kernels::DType dtype) {
  switch (dtype) {
    case kernels::DType::kInt64:
      return true;
    case kernels::DType::kInt32:
      return element == static_cast<int32_t>(element);
    case kernels::DType::kUInt8:
      return element == static_cast<uint8_t>(element);
    case kernels::DType::kBool:
      return element == 0 || element == 1;
    case kernels::DType::kFloat32:
    case kernels::DType::kBfloat16:
      break;
  }
  return false;
}

}  // namespace

Initializer Initializer::Of(std::vector<float> values) {
  Initializer initializer;
  initializer.kind = Kind::kValues;
  initializer.values = std::make_shared<const std::vector<float>>(std::move(values));
  return initializer;
}

Initializer Initializer::OfIntegers(std::vector<int64_t> integers) {
  Initializer initializer;
  initializer.kind = Kind::kValues;
  initializer.integers = std::make_shared<const std::vector<int64_t>>(std::move(integers));
  return initializer;
}

// The one place where values come to be, so that a name can never be taken twice.
ValueId Graph::AddValue(Value value) {
  const ValueId id = static_cast<ValueId>(values_.size());
  const bool is_new = names_.emplace(value.name, id).second;
  RM_CHECK(is_new, "a second value named '", value.name, "'");
  values_.push_back(std::move(value));
  return id;
}

// Backward nodes are named after what they belong to, and a value may have several: two uses of a
// weight in one node, or a second pass over a graph that a pass has rewritten.
std::string Graph::UniqueName(absl::string_view name) const {
  std::string unique(name);
  for (int n = 2; names_.count(unique) > 0; ++n) unique = absl::StrCat(name, "#", n);
  return unique;
}

// Values that no node writes.
ValueId Graph::AddInput(absl::string_view name, kernels::DType dtype, kernels::Shape shape) {
  CheckShape(name, shape, /*batch_allowed=*/true);
  Value value;
  value.name = std::string(name);
  value.kind = ValueKind::kInput;
  value.dtype = dtype;
  value.shape = std::move(shape);
  value.shape_known = true;
  return AddValue(std::move(value));
}

ValueId Graph::AddParameter(absl::string_view name, kernels::Shape shape, Initializer initializer) {
  CheckShape(name, shape, /*batch_allowed=*/false);
  Value value;
  value.name = std::string(name);
  value.kind = ValueKind::kParameter;
  value.shape = std::move(shape);
  value.shape_known = true;
  value.initializer = std::move(initializer);
  return AddValue(std::move(value));
}

// A parameter but for its kind.
ValueId Graph::AddBuffer(absl::string_view name, kernels::Shape shape, Initializer initializer) {
  const ValueId id = AddParameter(name, std::move(shape), std::move(initializer));
  mutable_value(id).kind = ValueKind::kBuffer;
  return id;
}

ValueId Graph::AddConstant(absl::string_view name, kernels::Shape shape,
                           std::vector<float> values) {
  return AddGivenConstant(name, kernels::DType::kFloat32, std::move(shape),
                          Initializer::Of(std::move(values)));
}

ValueId Graph::AddIntegerConstant(absl::string_view name, kernels::DType dtype,
                                  kernels::Shape shape, std::vector<int64_t> integers) {
  for (int64_t element : integers) {
    RM_CHECK(FitsDType(element, dtype), "constant '", name, "' of ", kernels::DTypeName(dtype),
             " with an element ", element);
  }
  return AddGivenConstant(name, dtype, std::move(shape),
                          Initializer::OfIntegers(std::move(integers)));
}

ValueId Graph::AddGivenConstant(absl::string_view name, kernels::DType dtype, kernels::Shape shape,
                                Initializer initializer) {
  CheckShape(name, shape, /*batch_allowed=*/false);
  const size_t given = initializer.values != nullptr ? initializer.values->size()
                                                     : initializer.integers->size();
  RM_CHECK(static_cast<int64_t>(given) == kernels::ElementCount(shape), "constant '", name,
           "' of shape ", kernels::ShapeString(shape), " with ", given, " values");
  Value value;
  value.name = std::string(name);
  value.kind = ValueKind::kConstant;
  value.dtype = dtype;
  value.shape = std::move(shape);
  value.shape_known = true;
  value.initializer = std::move(initializer);
  return AddValue(std::move(value));
}

ValueId Graph::AddLeaf(const Value& value) {
  RM_CHECK(value.kind != ValueKind::kNode, "value '", value.name, "' is the result of a node");
  CheckShape(value.name, value.shape, /*batch_allowed=*/value.kind == ValueKind::kInput);
  return AddValue(value);
}

// Nodes: operands exist already, which keeps the list in topological order.
ValueId Graph::AddNode(absl::string_view op, absl::string_view name, std::vector<ValueId> inputs,
                       kernels::Attributes attributes) {
  return AddNodeWithOutputs(op, name, std::move(inputs), 1, std::move(attributes))[0];
}

std::vector<ValueId> Graph::AddNodeWithOutputs(absl::string_view op, absl::string_view name,
                                               std::vector<ValueId> inputs, int outputs,
                                               kernels::Attributes attributes) {
  RM_CHECK(outputs >= 1, "node '", name, "' without outputs");
  RM_CHECK(nodes_.empty() || !nodes_.back().backward, "forward node '", name,
           "' after the backward pass");
  for (ValueId input : inputs) {
    RM_CHECK(input >= kNoValue && input < static_cast<ValueId>(values_.size()), "node '", name,
             "' reads value ", input);
  }
  Node node;
  node.name = std::string(name);
  node.op = std::string(op);
  node.attributes = std::move(attributes);
  node.inputs = std::move(inputs);
  for (size_t i = 0; i < static_cast<size_t>(outputs); ++i) {
    Value value;
    value.name = OutputName(name, i);
    node.outputs.push_back(AddValue(std::move(value)));
  }
  nodes_.push_back(std::move(node));
  return nodes_.back().outputs;
}

std::vector<ValueId> Graph::AddBackwardNode(absl::string_view op, absl::string_view name,
                                            std::vector<ValueId> inputs, std::vector<ValueId> likes,
                                            kernels::Attributes attributes) {
  Node node;
  node.name = UniqueName(name);
  node.op = std::string(op);
  node.attributes = std::move(attributes);
  node.inputs = std::move(inputs);
  node.backward = true;
  for (size_t i = 0; i < likes.size(); ++i) {
    node.outputs.push_back(AddDetachedValue(OutputName(node.name, i), likes[i]));
  }
  nodes_.push_back(std::move(node));
  return nodes_.back().outputs;
}

ValueId Graph::AddOutput(size_t node) {
  RM_CHECK(node < nodes_.size(), "node ", node, " of ", nodes_.size());
  const std::string name = OutputName(nodes_[node].name, nodes_[node].outputs.size());
  const ValueId output = AddDetachedValue(name, kNoValue);
  nodes_[node].outputs.push_back(output);
  return output;
}

// A pass that inserts a node in the middle makes its value first and puts the node into the list
// itself: appending would break the topological order.
ValueId Graph::AddDetachedValue(absl::string_view name, ValueId like) {
  Value value;
  value.name = UniqueName(name);
  value.like = like;
  return AddValue(std::move(value));
}

// Shapes are compared when they are known: by whoever compiles.
void Graph::SetBufferUpdate(ValueId buffer, ValueId statistic, float momentum) {
  RM_CHECK(value(buffer).kind == ValueKind::kBuffer, "'", value(buffer).name, "' is no buffer");
  RM_CHECK(value(statistic).kind == ValueKind::kNode, "'", value(statistic).name,
           "' is not computed");
  RM_CHECK(momentum >= 0 && momentum <= 1, "momentum ", momentum);
  buffer_updates_[buffer] = {statistic, momentum};
}

void Graph::Freeze(ValueId parameter) {
  RM_CHECK(value(parameter).kind == ValueKind::kParameter && gradients_.empty(), "'",
           value(parameter).name, "' cannot be frozen");
  mutable_value(parameter).kind = ValueKind::kBuffer;
}

// Look-ups, for building and for callers; nothing in a step loop asks by name.
ValueId Graph::FindOutput(absl::string_view name) const {
  const auto it = outputs_.find(std::string(name));
  return it == outputs_.end() ? kNoValue : it->second;
}

ValueId Graph::FindValue(absl::string_view name) const {
  const auto it = names_.find(std::string(name));
  return it == names_.end() ? kNoValue : it->second;
}

std::string Graph::FreeNodeName(absl::string_view name, size_t outputs) const {
  const auto is_free = [&](const std::string& candidate) {
    for (size_t i = 0; i < outputs; ++i) {
      if (names_.count(OutputName(candidate, i)) > 0) return false;
    }
    return true;
  };
  std::string candidate(name);
  if (is_free(candidate)) return candidate;
  // Doubling, then halving: an unrolled network asks thousands of times for the same name. Where numbers are missing in
  // between, any free one is as good.
  const auto numbered = [&](int64_t n) { return absl::StrCat(name, "#", n); };
  int64_t taken = 1;
  int64_t free = 2;
  while (!is_free(numbered(free))) {
    taken = free;
    free *= 2;
  }
  while (free - taken > 1) {
    const int64_t middle = taken + (free - taken) / 2;
    (is_free(numbered(middle)) ? free : taken) = middle;
  }
  return numbered(free);
}

std::vector<ValueId> Graph::inputs() const { return IdsOfKind(values_, ValueKind::kInput); }

std::vector<ValueId> Graph::parameters() const { return IdsOfKind(values_, ValueKind::kParameter); }

std::vector<ValueId> Graph::buffers() const { return IdsOfKind(values_, ValueKind::kBuffer); }

// The copy shares the weights only until they are let go of: they may be most of the memory that a
// machine has, and the original may be dropped while the copy lives.
Graph Graph::WithoutInitialValues() const {
  Graph copy = *this;
  for (Value& value : copy.values_) {
    if (value.kind != ValueKind::kConstant) value.initializer = Initializer();
  }
  return copy;
}

}  // namespace rm::graph
