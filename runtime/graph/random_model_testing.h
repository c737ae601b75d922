// Small models by seed, with every operator and the ways in which values can be shared: branches
// that meet again, weights used twice, views between layers.
#ifndef RM_RUNTIME_GRAPH_RANDOM_MODEL_TESTING_H_
#define RM_RUNTIME_GRAPH_RANDOM_MODEL_TESTING_H_

#include <cstdint>

#include "runtime/graph/graph.h"

namespace rm::graph {

// The forward graph of a model that classifies images: input "input", output kModelOutput. With
// `wide` some layers have as many channels as blocked layouts have in a block, more, or fewer.
[[nodiscard]] Graph RandomModel(uint64_t seed, bool wide);

// The same with the loss (label smoothing for some seeds) and the backward pass.
[[nodiscard]] Graph RandomTrainingGraph(uint64_t seed, bool wide);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_RANDOM_MODEL_TESTING_H_
