#include "runtime/graph/debug_string.h"

#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rm::graph {
namespace {

using kernels::Attribute;
using kernels::TensorType;

// An attribute's value as it would be written in C++.
struct AttributeText {
  std::string operator()(int64_t x) const { return absl::StrCat(x); }
  std::string operator()(float x) const { return absl::StrCat(x); }
  std::string operator()(const std::string& x) const { return absl::StrCat("\"", x, "\""); }
  template <typename T>
  std::string operator()(const std::vector<T>& x) const {
    return absl::StrCat("[", absl::StrJoin(x, ", "), "]");
  }
};

// " {alpha = 0.5, transB = 1}", or nothing for a node without attributes.
std::string AttributesText(const kernels::Attributes& attributes) {
  if (attributes.all().empty()) return "";
  const auto format = [](std::string* out, const std::pair<const std::string, Attribute>& entry) {
    absl::StrAppend(out, entry.first, " = ", std::visit(AttributeText(), entry.second));
  };
  return absl::StrCat(" {", absl::StrJoin(attributes.all(), ", ", format), "}");
}

// The type as declared: an open batch by name.
std::string DeclaredType(const Value& value) {
  TensorType type{value.dtype, value.shape, kernels::Layout::kPlain};
  if (value.shape.empty() || value.shape[0] != kBatch) return type.ToString();
  type.shape[0] = 1;
  std::string text = type.ToString();
  const size_t bracket = text.find('[');
  return text.replace(bracket, 2, "[batch");
}

// Appends lines to one string; lives for one call of DebugString.
class Writer {
 public:
  Writer(const Graph& graph, const std::vector<TensorType>& types) : graph_(graph), types_(types) {}

  std::string Write() {
    for (size_t i = 0; i < graph_.values().size(); ++i) WriteValue(static_cast<ValueId>(i));
    for (const Node& node : graph_.nodes()) WriteNode(node);
    for (const auto& [name, value] : graph_.outputs()) {
      absl::StrAppend(&text_, "output ", name, " = ", Name(value), "\n");
    }
    for (const auto& [buffer, update] : graph_.buffer_updates()) {
      absl::StrAppend(&text_, "update ", Name(buffer), " = ", Name(update.statistic), " · ",
                      update.momentum, "\n");
    }
    for (ValueId parameter : graph_.parameters()) {
      const auto it = graph_.gradients().find(parameter);
      if (it == graph_.gradients().end()) continue;
      absl::StrAppend(&text_, "gradient ", Name(parameter), " = ", Name(it->second), "\n");
    }
    return text_;
  }

 private:
  std::string Name(ValueId id) const { return id == kNoValue ? "-" : graph_.value(id).name; }

  // The inferred type where there is one, else the declared one.
  std::string TypeText(ValueId id) const {
    return types_.empty() ? DeclaredType(graph_.value(id))
                          : types_[static_cast<size_t>(id)].ToString();
  }

  // "input x: [batch, 4]"; results of nodes are written with their node.
  void WriteValue(ValueId id) {
    const char* kind = nullptr;
    switch (graph_.value(id).kind) {
      case ValueKind::kInput:
        kind = "input ";
        break;
      case ValueKind::kParameter:
        kind = "parameter ";
        break;
      case ValueKind::kBuffer:
        kind = "buffer ";
        break;
      case ValueKind::kConstant:
        kind = "constant ";
        break;
      case ValueKind::kNode:
        return;
    }
    absl::StrAppend(&text_, kind, Name(id), ": ", TypeText(id), "\n");
  }

  // "pool, pool:1 = MaxPool(relu2) {kernel_shape = [2, 2]}".
  void WriteNode(const Node& node) {
    const auto input = [this](std::string* out, ValueId id) { absl::StrAppend(out, Name(id)); };
    const auto output = [this](std::string* out, ValueId id) {
      absl::StrAppend(out, Name(id));
      if (id != kNoValue && !types_.empty()) absl::StrAppend(out, ": ", TypeText(id));
    };
    absl::StrAppend(&text_, node.backward ? "  " : "", absl::StrJoin(node.outputs, ", ", output),
                    " = ", node.op, "(", absl::StrJoin(node.inputs, ", ", input), ")",
                    AttributesText(node.attributes), "\n");
  }

  const Graph& graph_;
  const std::vector<TensorType>& types_;
  std::string text_;
};

}  // namespace

std::string DebugString(const Graph& graph, const std::vector<kernels::TensorType>& types) {
  return Writer(graph, types).Write();
}

}  // namespace rm::graph
