// The weights of a program that runs by itself: without a trainer that keeps, averages and saves them.
//
// Measuring a model, or comparing it with another form of itself, takes nothing but its first values:
//
//   RM_ASSIGN_OR_RETURN(auto program, Program::Compile(graph, options));
//   RM_ASSIGN_OR_RETURN(const OwnWeights weights, OwnWeights::Bind(graph, seed, program.get()));
//   fill InputMemory(…); program->Forward();
#ifndef RM_RUNTIME_GRAPH_OWN_WEIGHTS_H_
#define RM_RUNTIME_GRAPH_OWN_WEIGHTS_H_

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "runtime/graph/aligned_memory.h"
#include "runtime/graph/graph.h"
#include "runtime/graph/program.h"

namespace rm::graph {

// Owns the memory of parameters, their gradients and buffers, which must outlive the last call of the
// program. Movable: the memory stays where it is.
class OwnWeights {
 public:
  // Gives every parameter and buffer of `program` memory and its first value (InitializeParameter
  // with `seed`), and every parameter room for a gradient, whether the program is for training or not.
  // `graph` is what the program was compiled from. ResourceExhausted: no memory. NotFound: a
  // parameter that the graph lacks.
  [[nodiscard]] static absl::StatusOr<OwnWeights> Bind(const Graph& graph, uint64_t seed,
                                                       Program* program);

 private:
  explicit OwnWeights(AlignedMemory memory) : memory_(std::move(memory)) {}

  AlignedMemory memory_;
};

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_OWN_WEIGHTS_H_
