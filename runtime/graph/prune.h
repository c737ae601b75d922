// Dead code: nodes and optional results that nobody reads.
//
// Models from a file bring some along, fusion leaves some behind, and a program for inference drops
// the whole backward pass; passes need not tidy up after themselves, this one does it for all.
#ifndef RM_RUNTIME_GRAPH_PRUNE_H_
#define RM_RUNTIME_GRAPH_PRUNE_H_

#include "runtime/graph/graph.h"

namespace rm::graph {

// Removes all nodes of the backward pass and every gradient: what is left computes outputs.
void DropBackward(Graph* graph);

// Removes nodes that neither an output nor a parameter's gradient needs, and marks optional outputs
// that nobody reads as absent, so that kernels do not compute them.
void EliminateDeadNodes(Graph* graph);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_PRUNE_H_
