// The forward pass of a graph in double precision, written from the ONNX definitions with nothing
// shared with the engine but its shapes: what gradients are checked against by finite differences.
#ifndef RM_TESTS_GRAPH_DOUBLE_INTERPRETER_H_
#define RM_TESTS_GRAPH_DOUBLE_INTERPRETER_H_

#include <cstdint>
#include <vector>

#include "runtime/graph/graph.h"
#include "runtime/graph/types.h"

namespace rm::graph {

// Values by ValueId, plain row-major; labels and other integers as doubles.
using DoubleValues = std::vector<std::vector<double>>;

class DoubleInterpreter {
 public:
  // REQUIRES: the forward part of `graph` has known operators only.
  DoubleInterpreter(const Graph& graph, int64_t batch);

  // Computes every node of the forward pass from the inputs, parameters and constants in `values`.
  void Run(DoubleValues* values) const;

  // Zeros of the right size for every value; constants have their content.
  [[nodiscard]] DoubleValues NewValues() const;

 private:
  const Graph graph_;
  std::vector<kernels::TensorType> types_;
};

}  // namespace rm::graph

#endif  // RM_TESTS_GRAPH_DOUBLE_INTERPRETER_H_
