// Constants between a graph, which holds their elements as floats or integers, and the memory that
// kernels read, where they lie in their own dtype.
//
// Both ways: a program writes its constants into memory before its first step, and the binding of a
// batch size reads back what a kernel computed from constants.
//
// A graph widens integers of every kind to int64, so that passes which read a shape or an index need
// one piece of code; a program has thousands of times as many reads as a pass, and takes them in the
// type that its kernels were made for.
#ifndef RM_RUNTIME_GRAPH_CONSTANT_MEMORY_H_
#define RM_RUNTIME_GRAPH_CONSTANT_MEMORY_H_

#include <cstddef>

#include "kernels/api/tensor.h"
#include "runtime/graph/graph.h"

namespace rm::graph {

// Bytes of the constant's elements in plain layout.
[[nodiscard]] size_t ConstantBytes(const Value& constant);

// Writes the elements, row-major, in the constant's dtype.
// REQUIRES: a kConstant; ConstantBytes() of memory, aligned for the dtype.
void WriteConstant(const Value& constant, void* memory);

// The elements of a tensor in plain layout, as a constant of its dtype and shape holds them.
// REQUIRES: type.bytes() of memory, aligned for the dtype.
[[nodiscard]] Initializer ReadConstant(const kernels::TensorType& type, const void* memory);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_CONSTANT_MEMORY_H_
