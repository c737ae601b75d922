// The table of rules, and the tidying up behind each.
#include "runtime/graph/recognize.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status.h"
#include "runtime/graph/recognize_rules.h"
#include "runtime/graph/types.h"

namespace rm::graph {
namespace {

// GELU first: its factors are looked for as they were written. Transposes before layers, which then
// read what those leave.
struct Rule {
  const char* name;
  void (*apply)(TypedGraph* typed);
};
constexpr Rule kRules[] = {
    {"gelu", &RecognizeGelu},
    {"split", &RecognizeSplit},
    {"transpose", &TurnTransposes},
    {"linear", &RecognizeLinear},
};

// From the end, so that what only a removed node read goes as well. Optional results of nodes that
// stay are left as they are: which of them are wanted is known when the backward pass is there.
void RemoveUnread(Graph* graph) {
  std::vector<bool> read(graph->values().size(), false);
  for (const auto& [name, id] : graph->outputs()) read[static_cast<size_t>(id)] = true;
  std::vector<Node> kept;
  for (size_t n = graph->nodes().size(); n-- > 0;) {
    Node& node = graph->mutable_nodes()[n];
    const bool wanted = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
      return id != kNoValue && read[static_cast<size_t>(id)];
    });
    if (!wanted) continue;
    for (ValueId id : node.inputs) {
      if (id != kNoValue) read[static_cast<size_t>(id)] = true;
    }
    kept.push_back(std::move(node));
  }
  std::reverse(kept.begin(), kept.end());
  graph->mutable_nodes() = std::move(kept);
}

}  // namespace

absl::Status Recognize(Graph* graph) {
  for (const Rule& rule : kRules) {
    TypedGraph typed;
    RM_ASSIGN_OR_RETURN(typed.types, InferTypes(*graph, /*batch=*/1));
    typed.graph = std::move(*graph);
    rule.apply(&typed);
    *graph = std::move(typed.graph);
    RemoveUnread(graph);
  }
  return absl::OkStatus();
}

}  // namespace rm::graph
