// Gradients against central differences of the loss in double precision.
//
// The loss is piecewise smooth: with a step of 1e-6 a difference across a kink of Relu or MaxPool
// is rare, and cannot go unseen, as it would be far off; seeds are fixed, and none of them has one.
// Gradients are computed by the reference kernels. Failures are those of Catch2.
#ifndef RM_TESTS_GRAPH_GRADIENT_CHECK_H_
#define RM_TESTS_GRAPH_GRADIENT_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "runtime/graph/training.h"

namespace rm::graph {

using Ints = std::vector<int64_t>;

// A model of one operator between an input of a few numbers, or an image, and at least 2 classes:
// `build` makes a matrix of logits, (batch, classes), out of the input.
struct RuleCase {
  const char* what;
  kernels::Shape input;  // the first dimension may be kBatch
  ValueId (*build)(ValueId x, Graph* graph);
};

// Checks each rule with batches of 3 and some seeds, all elements of all parameters.
void CheckRules(absl::Span<const RuleCase> rules);

// Checks up to `samples` elements of every parameter's gradient. `graph` has loss and backward
// pass.
void CheckGradients(const Graph& graph, int64_t batch, uint64_t seed, size_t samples);

// The graph with softmax cross-entropy and its backward pass.
[[nodiscard]] Graph WithLoss(Graph graph, float label_smoothing);

// A parameter with uniform values in [−1, 1).
ValueId Parameter(const char* name, kernels::Shape shape, Graph* graph);

// (batch, everything else): what a rule with an image as its result ends with.
ValueId Flat(ValueId x, Graph* graph);

}  // namespace rm::graph

#endif  // RM_TESTS_GRAPH_GRADIENT_CHECK_H_
