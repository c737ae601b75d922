// The rules of recognition, for the table (recognize.cc) and their tests; recognize.h says what each
// does.
//
// A rule reads `types` as they were before it and need not keep them: they are inferred anew for the
// next one. It may leave nodes without readers behind.
#ifndef RM_RUNTIME_GRAPH_RECOGNIZE_RULES_H_
#define RM_RUNTIME_GRAPH_RECOGNIZE_RULES_H_

#include <cstddef>

#include "runtime/graph/types.h"

namespace rm::graph {

// recognize_gelu.cc
void RecognizeGelu(TypedGraph* typed);
// recognize_linear.cc
void RecognizeLinear(TypedGraph* typed);
// recognize_split.cc
void RecognizeSplit(TypedGraph* typed);
// recognize_transpose.cc
void TurnTransposes(TypedGraph* typed);

// The number that a value always is: a float32 constant of one element. NaN for any other value.
[[nodiscard]] float NumberOf(const Graph& graph, ValueId id);

// Moves the last `count` nodes, just appended, in front of node `position`: what reads them there
// then comes behind them. REQUIRES: position + count ≤ number of nodes.
void MoveLastNodes(size_t count, size_t position, Graph* graph);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_RECOGNIZE_RULES_H_
