// Tables of names and operators that the rules of roles.h speak of. A rule is only as good as the
// exports that it was tried on: those of PyTorch's two exporters, of convolutional networks,
// transformers with learnt and rotary positions, recurrent networks and tables of categories.
#include "runtime/onnx/roles.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rm::onnx {
namespace {

using ringmaster::onnx::GraphProto;
using ringmaster::onnx::NodeProto;

// Operands from this position on carry no gradient. 0: none of the operator's does.
struct Opaque {
  absl::string_view op;
  int from;
};

constexpr std::array<Opaque, 51> kOpaque = {{
    {"And", 0},          {"ArgMax", 0},      {"ArgMin", 0},         {"Bernoulli", 0},
    {"CastLike", 1},     {"Ceil", 0},        {"Clip", 1},           {"ConstantOfShape", 0},
    {"CumSum", 1},       {"Dropout", 1},      {"Equal", 0},       {"Expand", 1},         {"EyeLike", 0},
    {"Floor", 0},        {"Gather", 1},      {"GatherElements", 1}, {"GatherND", 1},
    {"Greater", 0},      {"IsInf", 0},       {"IsNaN", 0},          {"Less", 0},
    {"LessOrEqual", 0},  {"NonZero", 0},     {"Not", 0},            {"OneHot", 0},
    {"Or", 0},           {"Pad", 1},         {"Range", 0},          {"ReduceL1", 1},
    {"ReduceL2", 1},     {"ReduceLogSum", 1}, {"ReduceLogSumExp", 1}, {"ReduceMax", 1},
    {"ReduceMean", 1},   {"ReduceMin", 1},   {"ReduceProd", 1},     {"ReduceSumSquare", 1},
    {"ReduceSum", 1},    {"Reshape", 1},     {"Resize", 1},         {"Round", 0},
    {"Shape", 0},        {"Sign", 0},        {"Size", 0},           {"Slice", 1},
    {"Split", 1},        {"Tile", 1},        {"TopK", 1},           {"Trilu", 1},
    {"Upsample", 1},     {"Xor", 0},
}};

// Where gradients flow through operand `input` of the node.
bool CarriesGradient(const NodeProto& node, int input) {
  const std::string& op = node.op_type();
  if (op == "GreaterOrEqual") return false;
  if (op == "Where" && input == 0) return false;
  if (op == "BatchNormalization" && input >= 3) return false;
  for (const Opaque& opaque : kOpaque) {
    if (op == opaque.op) return input < opaque.from;
  }
  return true;
}

// Normalisations, by the operands that are trained.
bool IsNormalisation(absl::string_view op) {
  return op == "BatchNormalization" || op == "LayerNormalization" ||
         op == "InstanceNormalization" || op == "GroupNormalization" ||
         op == "RMSNormalization";
}

// The part of a name behind its last dot or slash, in small letters: "causal_mask".
std::string LastPart(absl::string_view name) {
  const size_t cut = name.find_last_of("./");
  return absl::AsciiStrToLower(cut == absl::string_view::npos ? name : name.substr(cut + 1));
}

// Names that models give to what is computed once and never trained.
bool IsConstantName(absl::string_view name) {
  constexpr std::array<absl::string_view, 8> kNames = {"mask", "inv_freq",   "freqs",      "freqs_cis",
                                                       "cos",  "cos_cached", "sin_cached", "sin"};
  const std::string last = LastPart(name);
  if (std::find(kNames.begin(), kNames.end(), last) != kNames.end()) return true;
  return absl::EndsWith(last, "_mask") || absl::EndsWith(last, "inv_freq") ||
         absl::StrContains(last, "lifted_tensor") || absl::EndsWith(last, "position_ids");
}

// Infinities; or zeros and one other number that switches on or off.
bool LooksLikeMask(const Tensor& tensor) {
  const std::vector<float>& values = *tensor.content.values;
  bool zero = false;
  bool other = false;
  float number = 0;
  bool two_alone = true;
  for (float value : values) {
    if (std::isinf(value)) return true;
    if (value == 0) {
      zero = true;
    } else if (!other) {
      other = true;
      number = value;
    } else {
      two_alone = two_alone && value == number;
    }
  }
  const bool switches = number == 1 || number <= -1e4F;
  return tensor.shape.size() >= 2 && values.size() >= 4 && zero && other && two_alone && switches;
}

// All elements are this number.
bool IsFilledWith(const Tensor& tensor, float number) {
  const std::vector<float>& values = *tensor.content.values;
  return std::all_of(values.begin(), values.end(), [=](float value) { return value == number; });
}

bool AllDigits(absl::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

constexpr char kAdvice[] =
    "export with torch.onnx.export(model.eval(), args, path, dynamo=True, optimize=False, "
    "external_data=False, dynamic_shapes=...), which keeps every parameter under its own name";

}  // namespace

std::map<std::string, std::string> FindAliases(const GraphProto& graph,
                                               const std::vector<int>& order) {
  std::set<std::string> initializers;
  for (const auto& initializer : graph.initializer()) initializers.insert(initializer.name());
  // A file that names its parameters hands one on by Identity only where the model itself did (a clone): that is the
  // parameter still, not a second one.
  const Signature signature(graph);
  std::map<std::string, std::string> aliases;
  for (int i : order) {
    const NodeProto& node = graph.node(i);
    if (node.op_type() != "Identity" || !node.domain().empty()) continue;
    if (node.input_size() != 1 || node.output_size() != 1) continue;
    if (signature.IsParameter(node.input(0))) continue;
    const auto known = aliases.find(node.input(0));
    if (known != aliases.end()) {
      aliases[node.output(0)] = known->second;
    } else if (initializers.count(node.input(0)) > 0) {
      aliases[node.output(0)] = node.input(0);
    }
  }
  return aliases;
}

bool IsGeneratedName(absl::string_view name) {
  if (AllDigits(name) || absl::StartsWith(name, "onnx::") || absl::StartsWith(name, "/")) {
    return true;
  }
  for (absl::string_view prefix : {"val_", "const_", "Constant_", "_val_", "t_"}) {
    if (absl::StartsWith(name, prefix) && AllDigits(name.substr(prefix.size()))) return true;
  }
  return absl::StrContains(name, "_output_") || absl::EndsWith(name, "_quantized");
}

// One walk from the outputs to the front: an operand can change an output if a result of its node can,
// and if the operator lets a gradient through to it. The order is topological, so one walk will do.
Readers::Readers(const GraphProto& graph, const std::vector<int>& order) : graph_(graph), signature_(graph) {
  for (int i : order) {
    for (int k = 0; k < graph.node(i).input_size(); ++k) {
      if (!graph.node(i).input(k).empty()) uses_[graph.node(i).input(k)].emplace_back(i, k);
    }
  }
  for (const auto& output : graph.output()) differentiable_.insert(output.name());
  for (size_t n = order.size(); n-- > 0;) {
    const NodeProto& node = graph.node(order[n]);
    const bool matters =
        std::any_of(node.output().begin(), node.output().end(), [this](const std::string& output) {
          return differentiable_.count(output) > 0;
        });
    if (!matters) continue;
    for (int k = 0; k < node.input_size(); ++k) {
      if (CarriesGradient(node, k)) differentiable_.insert(node.input(k));
    }
  }
}

const std::vector<Readers::Use>& Readers::uses(const std::string& name) const {
  static const auto& none = *new std::vector<Use>();
  const auto it = uses_.find(name);
  return it == uses_.end() ? none : it->second;
}

// A value with several uses is a buffer if any of them makes it one, and trained if any of them can
// train it. Scale and bias of a normalisation are trained whatever they look like: fresh ones are all
// ones and zeros.
Role Readers::RoleOf(const std::string& name, const Tensor& tensor) const {
  if (tensor.dtype != kernels::DType::kFloat32) return Role::kConstant;
  bool normalises = false;
  bool neutral = false;  // to an InstanceNormalization
  for (const auto& [node, input] : uses(name)) {
    const std::string& op = graph_.node(node).op_type();
    if (op == "BatchNormalization" && input >= 3) return Role::kBuffer;
    normalises = normalises || (IsNormalisation(op) && input >= 1);
    neutral = neutral || (op == "InstanceNormalization" && IsFilledWith(tensor, input == 1));
  }
  if (differentiable_.count(name) == 0 || signature_.IsConstant(name)) return Role::kConstant;
  // From here on by what the file says of itself, and only then by how things look.
  if (signature_.IsParameter(name)) return Role::kParameter;
  const bool single = tensor.content.values->size() <= 1;
  if (signature_.known() && (single || signature_.missing().empty())) return Role::kConstant;
  if (normalises) {
    return neutral && IsGeneratedName(name) ? Role::kConstant : Role::kParameter;
  }
  if (IsConstantName(name) || LooksLikeMask(tensor)) return Role::kConstant;
  return single && IsGeneratedName(name) ? Role::kConstant : Role::kParameter;
}

// Each signal is one of those that were found by comparing exports with the model they came from; none
// is proof, so that these are warnings and no errors.
std::vector<std::string> ExportWarnings(const GraphProto& graph, const Readers& readers,
                                        const std::vector<std::string>& parameters) {
  std::vector<std::string> warnings;
  size_t nameless = 0;
  std::string example;
  for (const std::string& name : parameters) {
    if (IsGeneratedName(name)) {
      ++nameless;
      if (example.empty()) example = name;
    }
    int norms = 0;
    for (const auto& [node, input] : readers.uses(name)) {
      if (IsNormalisation(graph.node(node).op_type()) && input >= 1) ++norms;
    }
    if (norms > 1) {
      warnings.push_back(absl::StrCat("parameter '", name, "' is shared by ", norms,
                                      " normalisations: the export has merged equal values, and "
                                      "they will be trained as one"));
    }
    // torch's optimizer calls the bias that it makes of a normalisation after the weight.
    if (absl::EndsWith(name, ".weight_bias")) {
      warnings.push_back(absl::StrCat("parameter '", name,
                                      "': the export has folded a BatchNormalization into a "
                                      "convolution, which will be trained without it"));
    }
  }
  if (nameless > 0) {
    warnings.push_back(absl::StrCat(nameless, " of ", parameters.size(),
                                    " parameters have no name of their own, such as '", example,
                                    "': the export has folded or renamed them"));
  }
  // Names that are kept can still hide a loss: a BatchNormalization folded into a convolution that had a
  // bias of its own leaves both of the convolution's names as they were.
  const Signature& signature = readers.signature();
  if (signature.rewritten() && !signature.missing().empty()) {
    warnings.push_back(absl::StrCat(signature.missing().size(), " of the model's ",
                                    signature.parameters(), " parameters are not in the file, such as '",
                                    signature.missing()[0],
                                    "': the export has folded, merged or renamed them"));
  }
  if (!warnings.empty()) warnings.emplace_back(kAdvice);
  return warnings;
}

}  // namespace rm::onnx
