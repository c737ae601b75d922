// Order of events, each of which relies on the ones before it:
//   names         every name is defined once; what no node writes is known
//   sort          nodes follow their operands, there is no circle
//   inputs        dimensions and element types
//   initializers  tensors are decoded and let go of, roles are told
//   constants     leaves that come as nodes
//   nodes         by then every name has a value
//   outputs
// All leaves are in the graph before the first node, so that only names of nodes have to give way
// when a file calls a node like a tensor.
#include "runtime/onnx/import.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/training.h"
#include "runtime/onnx/attributes.h"
#include "runtime/onnx/model_file.h"
#include "runtime/onnx/roles.h"
#include "runtime/onnx/sort.h"

namespace rm::onnx {
namespace {

using graph::ValueId;
using kernels::DType;
using kernels::Misfit;
using ringmaster::onnx::AttributeProto;
using ringmaster::onnx::GraphProto;
using ringmaster::onnx::ModelProto;
using ringmaster::onnx::NodeProto;
using ringmaster::onnx::TensorProto;
using ringmaster::onnx::TensorShapeProto;
using ringmaster::onnx::ValueInfoProto;

bool IsOnnxDomain(absl::string_view domain) { return domain.empty() || domain == "ai.onnx"; }

absl::Status CheckOpset(const ModelProto& model) {
  for (const auto& opset : model.opset_import()) {
    if (!IsOnnxDomain(opset.domain())) continue;
    if (opset.version() >= kOpsetMin && opset.version() <= kOpsetMax) return absl::OkStatus();
    return Misfit("the model is of opset ", opset.version(), "; ", kOpsetMin, " to ", kOpsetMax,
                  " are known");
  }
  return Misfit("the model does not say its opset");
}

// A dimension that is no number: "'seq'" or "unknown".
bool IsOpen(const TensorShapeProto::Dimension& dimension) {
  return dimension.value_case() != TensorShapeProto::Dimension::kDimValue;
}

std::string OpenName(const TensorShapeProto::Dimension& dimension) {
  return dimension.dim_param().empty() ? "unknown"
                                       : absl::StrCat("symbolic ('", dimension.dim_param(), "')");
}

graph::ValueKind KindOf(Role role) {
  switch (role) {
    case Role::kParameter:
      return graph::ValueKind::kParameter;
    case Role::kBuffer:
      return graph::ValueKind::kBuffer;
    case Role::kConstant:
      break;
  }
  return graph::ValueKind::kConstant;
}

// Builds one graph from one message.
class Importer {
 public:
  Importer(ModelProto model, const ExternalFiles& external)
      : model_(std::move(model)), external_(external) {}

  absl::StatusOr<ImportedModel> Run() {
    RM_RETURN_IF_ERROR(CheckOpset(model_));
    RM_RETURN_IF_ERROR(CollectNames());
    RM_ASSIGN_OR_RETURN(order_, SortNodes(graph(), known_));
    RM_RETURN_IF_ERROR(AddInputs());
    RM_RETURN_IF_ERROR(AddInitializers());
    for (int i : order_) RM_RETURN_IF_ERROR(AddConstants(graph().node(i)));
    for (int i : order_) RM_RETURN_IF_ERROR(AddNode(graph().node(i)));
    RM_RETURN_IF_ERROR(MarkOutputs());
    return std::move(result_);
  }

 private:
  const GraphProto& graph() const { return model_.graph(); }

  // Names that no node writes, each once.
  absl::Status CollectNames() {
    for (const TensorProto& initializer : graph().initializer()) {
      if (initializer.name().empty()) return Misfit("an initializer without a name");
      if (!known_.insert(initializer.name()).second) {
        return Misfit("initializer '", initializer.name(), "' is there twice");
      }
    }
    initializers_ = known_;
    std::set<std::string> inputs;
    for (const ValueInfoProto& input : graph().input()) {
      if (input.name().empty() || !inputs.insert(input.name()).second) {
        return Misfit("input '", input.name(), "' is there twice, or has no name");
      }
      known_.insert(input.name());
    }
    return absl::OkStatus();
  }

  // Inputs that are initializers too are defaults of theirs: files of old versions list every weight
  // so.
  std::vector<const ValueInfoProto*> RealInputs() const {
    std::vector<const ValueInfoProto*> inputs;
    for (const ValueInfoProto& input : graph().input()) {
      if (initializers_.count(input.name()) == 0) inputs.push_back(&input);
    }
    return inputs;
  }

  // Whether the first dimensions are all one number, so that it must be the batch.
  static bool ShareFirst(const std::vector<const ValueInfoProto*>& inputs) {
    int64_t shared = -1;
    for (const ValueInfoProto* input : inputs) {
      const TensorShapeProto& shape = input->type().tensor_type().shape();
      if (shape.dim_size() == 0 || IsOpen(shape.dim(0))) return false;
      if (shared >= 0 && shape.dim(0).dim_value() != shared) return false;
      shared = shape.dim(0).dim_value();
    }
    return !inputs.empty();
  }

  absl::Status AddInputs() {
    const std::vector<const ValueInfoProto*> inputs = RealInputs();
    const bool shared = ShareFirst(inputs);
    for (const ValueInfoProto* input : inputs) {
      const absl::Status status = AddInput(*input, shared);
      if (!status.ok()) return base::Annotate(status, absl::StrCat("input '", input->name(), "'"));
    }
    return absl::OkStatus();
  }

  // Programs are compiled for one batch size and a fixed shape of a sample: a second open dimension
  // would need a program for each of its values.
  absl::Status AddInput(const ValueInfoProto& input, bool shared) {
    if (!input.type().has_tensor_type()) return Misfit("it is no tensor");
    const auto& tensor = input.type().tensor_type();
    const ElementType* type = FindElementType(tensor.elem_type());
    if (type == nullptr) return Misfit("it is ", ElementTypeName(tensor.elem_type()),
                                       ", which is not known");
    if (!tensor.has_shape()) return Misfit("it has no shape; export with fixed sizes");
    kernels::Shape shape;
    for (int i = 0; i < tensor.shape().dim_size(); ++i) {
      const TensorShapeProto::Dimension& dimension = tensor.shape().dim(i);
      const bool is_batch = i == 0 && (shared || IsOpen(dimension));
      if (!is_batch && IsOpen(dimension)) {
        return Misfit("dimension ", i, " is ", OpenName(dimension),
                      "; only the first one, the batch, may be open: export with a fixed size (leave "
                      "it out of dynamic_shapes or dynamic_axes)");
      }
      if (!is_batch && (dimension.dim_value() < 1 || dimension.dim_value() > (int64_t{1} << 31))) {
        return Misfit("dimension ", i, " is ", dimension.dim_value());
      }
      shape.push_back(is_batch ? graph::kBatch : dimension.dim_value());
    }
    result_.inputs.push_back(input.name());
    ids_[input.name()] = result_.graph.AddInput(input.name(), type->dtype, std::move(shape));
    return absl::OkStatus();
  }

  // A value of the file that no node writes.
  ValueId AddLeaf(const std::string& name, graph::ValueKind kind, const Tensor& tensor) {
    graph::Value value;
    value.name = name;
    value.kind = kind;
    value.dtype = tensor.dtype;
    value.shape = kernels::Shape(tensor.shape.begin(), tensor.shape.end());
    value.shape_known = true;
    value.initializer = tensor.content;
    return result_.graph.AddLeaf(value);
  }

  void AddWithRole(const std::string& name, const Tensor& tensor, const Readers& readers,
                   std::vector<std::string>* parameters) {
    const Role role = readers.RoleOf(name, tensor);
    if (role == Role::kParameter) parameters->push_back(name);
    ids_[name] = AddLeaf(name, KindOf(role), tensor);
  }

  // What nobody reads is no parameter: only initializers that reach something are added. A tensor is
  // let go of as soon as it is read, as there may be gigabytes of them.
  absl::Status AddInitializers() {
    const std::map<std::string, std::string> aliases = FindAliases(graph(), order_);
    std::map<std::string, std::vector<std::string>> names_of;
    for (const auto& [alias, root] : aliases) names_of[root].push_back(alias);
    const Readers readers(graph(), order_);
    std::vector<std::string> parameters;
    for (TensorProto& proto : *model_.mutable_graph()->mutable_initializer()) {
      const std::string& name = proto.name();
      absl::StatusOr<Tensor> tensor = ReadTensor(proto, external_);
      if (!tensor.ok()) {
        return base::Annotate(tensor.status(), absl::StrCat("initializer '", name, "'"));
      }
      proto.clear_raw_data();
      AddWithRole(name, *tensor, readers, &parameters);
      for (const std::string& alias : names_of[name]) {
        AddWithRole(alias, *tensor, readers, &parameters);
      }
    }
    result_.warnings = ExportWarnings(graph(), readers, parameters);
    return absl::OkStatus();
  }

  // The tensor in a node's attribute `value`.
  absl::StatusOr<Tensor> ValueAttribute(const AttributeProto& attribute) const {
    Tensor tensor;
    if (attribute.has_t()) return ReadTensor(attribute.t(), external_);
    if (attribute.name() == "value_float") {
      tensor.content = graph::Initializer::Of({attribute.f()});
    } else if (attribute.name() == "value_floats") {
      tensor.shape = {attribute.floats_size()};
      tensor.content = graph::Initializer::Of({attribute.floats().begin(), attribute.floats().end()});
    } else if (attribute.name() == "value_int") {
      tensor.dtype = DType::kInt64;
      tensor.content = graph::Initializer::OfIntegers({attribute.i()});
    } else if (attribute.name() == "value_ints") {
      tensor.dtype = DType::kInt64;
      tensor.shape = {attribute.ints_size()};
      tensor.content =
          graph::Initializer::OfIntegers({attribute.ints().begin(), attribute.ints().end()});
    } else {
      return Misfit("attribute ", attribute.name(), " is not known");
    }
    return tensor;
  }

  // Constant is a leaf under its output's name.
  absl::Status AddConstants(const NodeProto& node) {
    if (node.op_type() != "Constant" || !IsOnnxDomain(node.domain())) return absl::OkStatus();
    const auto fail = [&node](const absl::Status& status) {
      return base::Annotate(status, absl::StrCat("node '", NodeName(node), "' (Constant)"));
    };
    if (node.attribute_size() != 1 || node.output_size() != 1 || node.output(0).empty()) {
      return fail(Misfit("it must have one attribute and one output"));
    }
    absl::StatusOr<Tensor> tensor = ValueAttribute(node.attribute(0));
    if (!tensor.ok()) return fail(tensor.status());
    ids_[node.output(0)] = AddLeaf(node.output(0), graph::ValueKind::kConstant, *tensor);
    return absl::OkStatus();
  }

  // Nodes that have been dealt with (constants, aliases) and those without a result are passed over.
  absl::Status AddNode(const NodeProto& node) {
    if (node.op_type() == "Constant" && IsOnnxDomain(node.domain())) return absl::OkStatus();
    if (node.output_size() == 0) return absl::OkStatus();
    if (ids_.count(node.output(0)) > 0) return absl::OkStatus();  // the alias of an initializer
    const absl::Status status = AddOperator(node);
    if (status.ok()) return status;
    return base::Annotate(status,
                          absl::StrCat("node '", NodeName(node), "' (", node.op_type(), ")"));
  }

  // The operator as it stands: whether it is known is not asked here, so that all missing ones can be
  // named together.
  absl::Status AddOperator(const NodeProto& node) {
    std::vector<ValueId> inputs;
    for (const std::string& input : node.input()) {
      inputs.push_back(input.empty() ? graph::kNoValue : ids_.at(input));
    }
    RM_ASSIGN_OR_RETURN(kernels::Attributes attributes, ReadAttributes(node));
    std::string op = IsOnnxDomain(node.domain())
                         ? node.op_type()
                         : absl::StrCat(node.domain(), "::", node.op_type());
    const auto outputs = static_cast<size_t>(node.output_size());
    const std::string name = result_.graph.FreeNodeName(NodeName(node), outputs);
    if (op == "ConstantOfShape") {
      RM_RETURN_IF_ERROR(RepeatValue(node, name, &inputs, &attributes));
      op = "Expand";
    }
    const std::vector<ValueId> ids = result_.graph.AddNodeWithOutputs(
        op, name, std::move(inputs), static_cast<int>(outputs), std::move(attributes));
    for (size_t i = 0; i < outputs; ++i) {
      const std::string& output = node.output(static_cast<int>(i));
      if (!output.empty()) ids_[output] = ids[i];
    }
    return absl::OkStatus();
  }

  // ConstantOfShape(shape) is Expand(value, shape) of its one element, by default a zero.
  absl::Status RepeatValue(const NodeProto& node, const std::string& name,
                           std::vector<ValueId>* inputs, kernels::Attributes* attributes) {
    Tensor tensor;
    tensor.content = graph::Initializer::Of({0.0F});
    const AttributeProto* value = FindAttribute(node, "value");
    if (value != nullptr) {
      RM_ASSIGN_OR_RETURN(tensor, ValueAttribute(*value));
    }
    if (tensor.shape.size() > 1 || (tensor.shape.size() == 1 && tensor.shape[0] != 1)) {
      return Misfit("attribute value must be one element");
    }
    if (inputs->size() != 1) return Misfit("it must have one input");
    tensor.shape.clear();
    const std::string leaf = result_.graph.FreeNodeName(absl::StrCat(name, "/value"), 1);
    *inputs = {AddLeaf(leaf, graph::ValueKind::kConstant, tensor), (*inputs)[0]};
    *attributes = kernels::Attributes();
    return absl::OkStatus();
  }

  // Losses are attached to the first output, or to the one called kModelOutput where there is one;
  // others are there for those who ask for them.
  absl::Status MarkOutputs() {
    for (const ValueInfoProto& output : graph().output()) {
      const auto id = ids_.find(output.name());
      if (id == ids_.end()) return Misfit("output '", output.name(), "' is computed by no node");
      result_.outputs.push_back(output.name());
      result_.graph.MarkOutput(output.name(), id->second);
    }
    if (result_.outputs.empty()) return Misfit("the model has no outputs");
    if (result_.graph.FindOutput(graph::kModelOutput) == graph::kNoValue) {
      result_.graph.MarkOutput(graph::kModelOutput, ids_.at(result_.outputs[0]));
    }
    if (result_.outputs.size() > 1) WarnOfOutputs();
    return absl::OkStatus();
  }

  // Which one is trained is a choice that people should hear of, as it may not be the one they mean.
  void WarnOfOutputs() {
    const auto& names = result_.outputs;
    const bool has_name =
        std::find(names.begin(), names.end(), graph::kModelOutput) != names.end();
    result_.warnings.push_back(absl::StrCat(
        "the model has ", names.size(), " outputs; the loss is computed of '",
        has_name ? graph::kModelOutput : names[0], "', the others are not trained"));
  }

  ModelProto model_;
  const ExternalFiles& external_;
  std::set<std::string> initializers_;
  std::set<std::string> known_;
  std::vector<int> order_;
  std::map<std::string, ValueId> ids_;  // by the file's names of values
  ImportedModel result_;
};

}  // namespace

absl::StatusOr<ImportedModel> ImportModel(ModelProto model, const ExternalFiles& external) {
  return Importer(std::move(model), external).Run();
}

absl::StatusOr<ImportedModel> ImportModel(const base::FileSystem& files, const std::string& path) {
  RM_ASSIGN_OR_RETURN(ModelProto model, ReadModel(files, path));
  const ExternalFiles external(&files, base::ParentPath(path));
  absl::StatusOr<ImportedModel> imported = ImportModel(std::move(model), external);
  if (!imported.ok()) return base::Annotate(imported.status(), path);
  return imported;
}

}  // namespace rm::onnx
