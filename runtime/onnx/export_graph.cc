// A graph of ours as an ONNX model: canonical forms are turned back into the operands of the format.
//
// It is the reverse of binding, and much less: graphs of the zoo only use a few forms, and every one of
// them is what some exporter would have written. Constants for operands are named after their node,
// "pool/axes", so that a person who looks at the file finds his way.
#include <array>
#include <numeric>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/types.h"
#include "runtime/onnx/export.h"

namespace rm::onnx {
namespace {

using graph::Graph;
using graph::Value;
using graph::ValueId;
using graph::ValueKind;
using kernels::DType;
using kernels::Misfit;
using ringmaster::onnx::AttributeProto;
using ringmaster::onnx::GraphProto;
using ringmaster::onnx::ModelProto;
using ringmaster::onnx::NodeProto;
using ringmaster::onnx::TensorProto;
using ringmaster::onnx::ValueInfoProto;

// IR version 9 came with opset 20.
constexpr int64_t kIrVersion = 9;

// An attribute that the format has as an operand.
struct OperandForm {
  absl::string_view op;
  const char* attribute;
  int operand;
};

constexpr std::array<OperandForm, 15> kOperandForms = {{
    {"Clip", "min", 1},        {"Clip", "max", 2},       {"Dropout", "ratio", 1}, {"Expand", "shape", 1},
    {"ReduceMax", "axes", 1},  {"ReduceMean", "axes", 1}, {"ReduceMin", "axes", 1},
    {"ReduceSum", "axes", 1},  {"Reshape", "shape", 1},  {"Slice", "starts", 1},
    {"Slice", "ends", 2},      {"Slice", "axes", 3},     {"Slice", "steps", 4},
    {"Split", "split", 1},     {"Trilu", "k", 1},
}};

// Operators of training, and of our own making.
bool IsOurs(absl::string_view op) {
  constexpr std::array<absl::string_view, 6> kOurs = {"BatchNormTraining", "CountCorrect", "Reorder",
                                                      "SgdUpdate",         "Silu",         "AdamUpdate"};
  for (absl::string_view ours : kOurs) {
    if (op == ours) return true;
  }
  return absl::EndsWith(op, "Grad") || absl::StartsWith(op, "SoftmaxCrossEntropy") ||
         absl::StartsWith(op, "ConvGrad");
}

// Forms of ONNX operators that only fusion makes.
bool IsFused(const graph::Node& node) { return node.attributes.Has("activation"); }

// A MatMul that turns an operand or scales its result: three operators of the format.
bool IsExtendedProduct(const graph::Node& node) {
  return node.op == "MatMul" && !node.attributes.all().empty();
}

int DataType(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return TensorProto::FLOAT;
    case DType::kInt64:
      return TensorProto::INT64;
    case DType::kInt32:
      return TensorProto::INT32;
    case DType::kUInt8:
      return TensorProto::UINT8;
    case DType::kBool:
      return TensorProto::BOOL;
    case DType::kBfloat16:  // of compiled programs, not of models
      break;
  }
  return TensorProto::UNDEFINED;
}

// The format's number of the type that a Cast names.
int DataTypeNamed(absl::string_view name) {
  for (const DType dtype :
       {DType::kFloat32, DType::kInt64, DType::kInt32, DType::kUInt8, DType::kBool}) {
    if (name == kernels::DTypeName(dtype)) return DataType(dtype);
  }
  return TensorProto::UNDEFINED;
}

void SetAttribute(const std::string& name, const kernels::Attribute& value,
                  AttributeProto* attribute) {
  attribute->set_name(name);
  if (const auto* i = std::get_if<int64_t>(&value)) {
    attribute->set_type(AttributeProto::INT);
    attribute->set_i(*i);
  } else if (const auto* f = std::get_if<float>(&value)) {
    attribute->set_type(AttributeProto::FLOAT);
    attribute->set_f(*f);
  } else if (const auto* s = std::get_if<std::string>(&value)) {
    attribute->set_type(AttributeProto::STRING);
    attribute->set_s(*s);
  } else if (const auto* ints = std::get_if<std::vector<int64_t>>(&value)) {
    attribute->set_type(AttributeProto::INTS);
    for (int64_t x : *ints) attribute->add_ints(x);
  } else if (const auto* floats = std::get_if<std::vector<float>>(&value)) {
    attribute->set_type(AttributeProto::FLOATS);
    for (float x : *floats) attribute->add_floats(x);
  }
}

// Makes one model from one graph.
class Exporter {
 public:
  Exporter(const Graph& graph, const Weights& weights) : graph_(graph), weights_(weights) {}

  absl::StatusOr<ModelProto> Run() {
    model_.set_ir_version(kIrVersion);
    model_.set_producer_name("ringmaster");
    model_.add_opset_import()->set_version(kExportOpset);
    proto().set_name("model");
    RM_RETURN_IF_ERROR(AddLeaves());
    for (const graph::Node& node : graph_.nodes()) RM_RETURN_IF_ERROR(AddNode(node));
    RM_RETURN_IF_ERROR(AddOutputs());
    return std::move(model_);
  }

 private:
  GraphProto& proto() { return *model_.mutable_graph(); }

  // The first dimension is open where two batch sizes tell it apart.
  static void SetType(const kernels::TensorType& one, const kernels::TensorType& other,
                      ValueInfoProto* info) {
    auto* tensor = info->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(DataType(one.dtype));
    tensor->mutable_shape();
    for (size_t i = 0; i < one.shape.size(); ++i) {
      auto* dimension = tensor->mutable_shape()->add_dim();
      if (one.shape[i] == other.shape[i]) {
        dimension->set_dim_value(one.shape[i]);
      } else {
        dimension->set_dim_param("batch");
      }
    }
  }

  absl::Status AddLeaves() {
    RM_ASSIGN_OR_RETURN(two_, graph::InferTypes(graph_, 2));
    RM_ASSIGN_OR_RETURN(three_, graph::InferTypes(graph_, 3));
    for (size_t i = 0; i < graph_.values().size(); ++i) {
      const Value& value = graph_.values()[i];
      if (value.kind == ValueKind::kInput) {
        auto* info = proto().add_input();
        info->set_name(value.name);
        SetType(two_[i], three_[i], info);
      } else if (value.kind != ValueKind::kNode) {
        RM_RETURN_IF_ERROR(AddInitializer(value));
      }
    }
    return absl::OkStatus();
  }

  TensorProto* NewTensor(const std::string& name, DType dtype, absl::Span<const int64_t> shape) {
    TensorProto* tensor = proto().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(DataType(dtype));
    for (int64_t dimension : shape) tensor->add_dims(dimension);
    return tensor;
  }

  static void SetFloats(absl::Span<const float> values, TensorProto* tensor) {
    tensor->set_raw_data(values.data(), values.size() * sizeof(float));
  }

  // Constants hold their values themselves; those of parameters and buffers are given from outside.
  absl::Status AddInitializer(const Value& value) {
    TensorProto* tensor = NewTensor(value.name, value.dtype, value.shape);
    if (value.kind == ValueKind::kConstant && value.dtype != DType::kFloat32) {
      for (int64_t x : *value.initializer.integers) {
        if (value.dtype == DType::kInt64) {
          tensor->add_int64_data(x);
        } else {
          tensor->add_int32_data(static_cast<int32_t>(x));
        }
      }
      return absl::OkStatus();
    }
    if (value.kind == ValueKind::kConstant) {
      SetFloats(*value.initializer.values, tensor);
      return absl::OkStatus();
    }
    const auto it = weights_.find(value.name);
    if (it == weights_.end()) return Misfit("there are no weights for '", value.name, "'");
    if (static_cast<int64_t>(it->second.size()) != kernels::ElementCount(value.shape)) {
      return Misfit("'", value.name, "' has ", kernels::ElementCount(value.shape),
                    " elements in the model, not ", it->second.size());
    }
    SetFloats(it->second, tensor);
    return absl::OkStatus();
  }

  // Names of values are the graph's: a node's first output is called like the node.
  absl::Status AddNode(const graph::Node& node) {
    if (node.backward || IsOurs(node.op) || IsFused(node)) {
      return Misfit("node '", node.name, "' (", node.op, ") has no form in ONNX");
    }
    if (IsExtendedProduct(node)) {
      AddProduct(node);
      return absl::OkStatus();
    }
    NodeProto* out = NewNode(node.op, node.name, {});
    for (ValueId id : node.inputs) {
      out->add_input(id == graph::kNoValue ? "" : graph_.value(id).name);
    }
    for (ValueId id : node.outputs) {
      out->add_output(id == graph::kNoValue ? "" : graph_.value(id).name);
    }
    for (const auto& [name, value] : node.attributes.all()) AddAttribute(node, name, value, out);
    return absl::OkStatus();
  }

  // Without outputs yet.
  NodeProto* NewNode(const std::string& op, const std::string& name,
                     const std::vector<std::string>& inputs) {
    NodeProto* out = proto().add_node();
    out->set_name(name);
    out->set_op_type(op);
    for (const std::string& input : inputs) out->add_input(input);
    return out;
  }

  // A name for something that belongs to a node, which nothing in the graph has.
  std::string NameOf(const graph::Node& node, absl::string_view part) const {
    return graph_.FreeNodeName(absl::StrCat(node.name, "/", part), 1);
  }

  // Operand `i` of a product as it enters it: with its last two dimensions swapped where the
  // attribute says so.
  std::string ProductOperand(const graph::Node& node, size_t i, const char* attribute) {
    const ValueId id = node.inputs[i];
    const std::string& name = graph_.value(id).name;
    if (node.attributes.Int(attribute, 0) == 0) return name;
    const size_t rank = two_[static_cast<size_t>(id)].shape.size();
    std::vector<int64_t> order(rank);
    std::iota(order.begin(), order.end(), 0);
    std::swap(order[rank - 2], order[rank - 1]);
    const std::string turned = NameOf(node, attribute);
    NodeProto* transpose = NewNode("Transpose", turned, {name});
    transpose->add_output(turned);
    SetAttribute("perm", order, transpose->add_attribute());
    return turned;
  }

  // Transposes where needed, the product, and a Mul by the factor where there is one. The node's own
  // name stays with whatever gives its result.
  void AddProduct(const graph::Node& node) {
    const std::vector<std::string> operands = {ProductOperand(node, 0, "transA"),
                                               ProductOperand(node, 1, "transB")};
    const std::string& result = graph_.value(node.outputs[0]).name;
    const float alpha = node.attributes.Float("alpha", 1);
    if (alpha == 1) {
      NewNode("MatMul", node.name, operands)->add_output(result);
      return;
    }
    const std::string product = NameOf(node, "product");
    NewNode("MatMul", product, operands)->add_output(product);
    const std::string factor = NameOf(node, "alpha");
    AddOperand(factor, alpha);
    NewNode("Mul", node.name, {product, factor})->add_output(result);
  }

  // As an attribute, or as an operand with a constant of its own.
  void AddAttribute(const graph::Node& node, const std::string& name,
                    const kernels::Attribute& value, NodeProto* out) {
    if (node.op == "Cast" && name == "to") {
      SetAttribute(name, int64_t{DataTypeNamed(std::get<std::string>(value))}, out->add_attribute());
      return;
    }
    for (const OperandForm& form : kOperandForms) {
      if (node.op != form.op || name != form.attribute) continue;
      const std::string operand = NameOf(node, name);
      AddOperand(operand, value);
      while (out->input_size() <= form.operand) out->add_input("");
      out->set_input(form.operand, operand);
      return;
    }
    SetAttribute(name, value, out->add_attribute());
  }

  void AddOperand(const std::string& name, const kernels::Attribute& value) {
    if (const auto* list = std::get_if<std::vector<int64_t>>(&value)) {
      TensorProto* tensor = NewTensor(name, DType::kInt64, {static_cast<int64_t>(list->size())});
      for (int64_t x : *list) tensor->add_int64_data(x);
    } else if (const auto* number = std::get_if<int64_t>(&value)) {
      NewTensor(name, DType::kInt64, {})->add_int64_data(*number);
    } else if (const auto* real = std::get_if<float>(&value)) {
      SetFloats({real, 1}, NewTensor(name, DType::kFloat32, {}));
    }
  }

  // Outputs have names of their own, which an Identity gives them.
  absl::Status AddOutputs() {
    for (const auto& [name, id] : graph_.outputs()) {
      const std::string& value = graph_.value(id).name;
      if (name != value) {
        if (graph_.FindValue(name) != graph::kNoValue) {
          return Misfit("output '", name, "' has the name of another value");
        }
        NewNode("Identity", absl::StrCat(name, "/output"), {value})->add_output(name);
      }
      auto* info = proto().add_output();
      info->set_name(name);
      SetType(two_[static_cast<size_t>(id)], three_[static_cast<size_t>(id)], info);
    }
    return absl::OkStatus();
  }

  const Graph& graph_;
  const Weights& weights_;
  std::vector<kernels::TensorType> two_;    // of a batch of 2
  std::vector<kernels::TensorType> three_;  // of a batch of 3
  ModelProto model_;
};

}  // namespace

absl::StatusOr<ModelProto> ExportGraph(const Graph& graph, const Weights& weights) {
  return Exporter(graph, weights).Run();
}

}  // namespace rm::onnx
