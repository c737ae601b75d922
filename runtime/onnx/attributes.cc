// Attributes are taken over by name without asking whether the operator knows them: binders and shape
// rules read those they need, and files carry others ("seed", "storage_order") that change nothing.
#include "runtime/onnx/attributes.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "kernels/api/tensor.h"
#include "runtime/onnx/tensor.h"

namespace rm::onnx {
namespace {

using kernels::Attribute;
using ringmaster::onnx::AttributeProto;
using ringmaster::onnx::NodeProto;

// Old exporters leave the kind out: then the field that is there tells it.
AttributeProto::AttributeType KindOf(const AttributeProto& attribute) {
  if (attribute.type() != AttributeProto::UNDEFINED) return attribute.type();
  if (attribute.has_f()) return AttributeProto::FLOAT;
  if (attribute.has_i()) return AttributeProto::INT;
  if (attribute.has_s()) return AttributeProto::STRING;
  if (attribute.has_t()) return AttributeProto::TENSOR;
  if (attribute.floats_size() > 0) return AttributeProto::FLOATS;
  if (attribute.ints_size() > 0) return AttributeProto::INTS;
  if (attribute.strings_size() > 0) return AttributeProto::STRINGS;
  return AttributeProto::UNDEFINED;
}

// Nothing for kinds that are not kept.
std::optional<Attribute> Convert(const AttributeProto& attribute) {
  switch (KindOf(attribute)) {
    case AttributeProto::FLOAT:
      return attribute.f();
    case AttributeProto::INT:
      return int64_t{attribute.i()};
    case AttributeProto::STRING:
      return attribute.s();
    case AttributeProto::FLOATS:
      return std::vector<float>(attribute.floats().begin(), attribute.floats().end());
    case AttributeProto::INTS:
      return std::vector<int64_t>(attribute.ints().begin(), attribute.ints().end());
    case AttributeProto::STRINGS:
      return absl::StrJoin(attribute.strings(), ",");
    default:
      return std::nullopt;
  }
}

absl::StatusOr<Attribute> CastTarget(const AttributeProto& attribute) {
  const bool small = attribute.i() >= 0 && attribute.i() < 100;  // the numbers of types
  const int data_type = small ? static_cast<int>(attribute.i()) : -1;
  const ElementType* type = FindElementType(data_type);
  // Narrow whole numbers wrap around in a Cast, which ours do not.
  const bool exact = type != nullptr && type->data_type != ringmaster::onnx::TensorProto::INT8 &&
                     type->data_type != ringmaster::onnx::TensorProto::INT16 &&
                     type->data_type != ringmaster::onnx::TensorProto::UINT16 &&
                     type->data_type != ringmaster::onnx::TensorProto::UINT32;
  if (exact) return Attribute(std::string(kernels::DTypeName(type->dtype)));
  return absl::InvalidArgumentError(
      absl::StrCat("attribute to asks for ", ElementTypeName(data_type), ", which is not known"));
}

}  // namespace

absl::StatusOr<kernels::Attributes> ReadAttributes(const NodeProto& node) {
  kernels::Attributes attributes;
  for (const AttributeProto& attribute : node.attribute()) {
    if (node.op_type() == "Cast" && attribute.name() == "to") {
      RM_ASSIGN_OR_RETURN(Attribute target, CastTarget(attribute));
      attributes.Set("to", std::move(target));
      continue;
    }
    std::optional<Attribute> value = Convert(attribute);
    if (value.has_value()) attributes.Set(attribute.name(), *std::move(value));
  }
  return attributes;
}

const AttributeProto* FindAttribute(const NodeProto& node, const char* name) {
  for (const AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

}  // namespace rm::onnx
