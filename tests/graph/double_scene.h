// One node of the double interpreter at work, and the list of its families of operators.
//
// A family has a file double_<family>.cc with its functions and their table, which is declared here
// and has one line in double_interpreter.cc.
#ifndef RM_TESTS_GRAPH_DOUBLE_SCENE_H_
#define RM_TESTS_GRAPH_DOUBLE_SCENE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "runtime/graph/graph.h"

namespace rm::graph {

// An index or a count, for vectors.
inline size_t Size(int64_t x) { return static_cast<size_t>(x); }

// One node with the shapes and contents of its operands.
struct Scene {
  const Node* node;
  std::vector<kernels::Shape> in_shapes, out_shapes;
  std::vector<const std::vector<double>*> in;  // nullptr for an absent one
  std::vector<std::vector<double>*> out;

  [[nodiscard]] bool has_input(size_t i) const { return i < in.size() && in[i] != nullptr; }
};

// The element of `from` that broadcasts to place `flat` of `to`.
[[nodiscard]] size_t BroadcastIndex(const kernels::Shape& from, const kernels::Shape& to,
                                    int64_t flat);

// An operator's forward form. Attributes `activation` are applied behind it.
struct DoubleOperator {
  const char* op;
  void (*run)(const Scene& scene);
};

// A family's table. Lives for ever.
using DoubleOperators = absl::Span<const DoubleOperator>;

[[nodiscard]] DoubleOperators BatchNormDoubleOperators();    // double_batch_norm.cc
[[nodiscard]] DoubleOperators CoreDoubleOperators();         // double_interpreter.cc
[[nodiscard]] DoubleOperators ElementwiseDoubleOperators();  // double_elementwise.cc
[[nodiscard]] DoubleOperators MatMulDoubleOperators();       // double_matmul.cc
[[nodiscard]] DoubleOperators MovementDoubleOperators();     // double_movement.cc
[[nodiscard]] DoubleOperators NormalizeDoubleOperators();    // double_normalize.cc
[[nodiscard]] DoubleOperators RecurrentDoubleOperators();    // double_recurrent.cc
[[nodiscard]] DoubleOperators ReduceDoubleOperators();       // double_reduce.cc

}  // namespace rm::graph

#endif  // RM_TESTS_GRAPH_DOUBLE_SCENE_H_
