// The text is made for people, and no parser of it is part of PyTorch. What is relied on is the least that
// can be: a kind in capital letters, and a name in quotes behind "target=". It was read from exports with
// and without the optimizer, of tied weights, buffers that are saved or not, and lifted constants.
//
// Read from the words of PyTorch 2.5 to 2.15. What later versions write otherwise is not understood, and the
// rules by form and name take over.
#include "runtime/onnx/signature.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace rm::onnx {
namespace {

using ringmaster::onnx::GraphProto;

constexpr absl::string_view kSignatureKey = "pkg.torch.export.ExportedProgram.graph_signature";
constexpr absl::string_view kRewriterKey = "pkg.onnxscript.rewriter.";

// The name in "… KIND target='name' …"; empty when the line does not say so.
absl::string_view Target(absl::string_view line, absl::string_view kind) {
  const size_t at = line.find(kind);
  if (at == absl::string_view::npos) return {};
  const absl::string_view rest = line.substr(at + kind.size());
  return rest.substr(0, rest.find('\''));
}

// The optimizer signs the nodes that it makes.
bool HasRewrittenNodes(const GraphProto& graph) {
  for (const auto& node : graph.node()) {
    for (const auto& entry : node.metadata_props()) {
      if (absl::StartsWith(entry.key(), kRewriterKey)) return true;
    }
  }
  return false;
}

}  // namespace

Signature::Signature(const GraphProto& graph) {
  for (const auto& entry : graph.metadata_props()) {
    if (entry.key() != kSignatureKey) continue;
    for (const absl::string_view line : absl::StrSplit(entry.value(), '\n')) {
      const absl::string_view parameter = Target(line, ": PARAMETER target='");
      if (!parameter.empty()) parameters_.emplace(parameter);
      for (const absl::string_view kind : {": BUFFER target='", ": CONSTANT_TENSOR target='"}) {
        const absl::string_view constant = Target(line, kind);
        if (!constant.empty()) constants_.emplace(constant);
      }
    }
  }
  if (!known()) return;
  std::set<std::string> held;
  rewritten_ = HasRewrittenNodes(graph);
  for (const auto& initializer : graph.initializer()) {
    const std::string& name = initializer.name();
    held.insert(name);
    const bool own = IsParameter(name) || IsConstant(name);
    // Plain exports write the numbers that are none of the model's tensors as nodes.
    if (!own && initializer.data_type() == ringmaster::onnx::TensorProto::FLOAT) rewritten_ = true;
  }
  std::set_difference(parameters_.begin(), parameters_.end(), held.begin(), held.end(),
                      std::back_inserter(missing_));
}

}  // namespace rm::onnx
