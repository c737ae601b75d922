// Which values share memory, and for how long each piece of memory is in use.
//
// Values that share memory form a group: a view with what it looks at, and the result of a kernel
// that works in place with its operand. Sharing in place is legal only where the operand is read by
// nobody afterwards.
//
//   step  0 conv   1 relu      2 flatten   3 fc    …   7 fc/dB (reads flatten)
//         a ─────► b (in place of a) ─► c (view of b) ───────►│
//         └──────────────── one group, steps 0 to 7 ──────────┘
//
// A value that callers write or read, or that is a parameter or its gradient, never gives its
// memory to a value that it is not.
#ifndef RM_RUNTIME_GRAPH_STORAGE_H_
#define RM_RUNTIME_GRAPH_STORAGE_H_

#include <cstdint>
#include <vector>

#include "kernels/api/kernel.h"
#include "runtime/graph/types.h"

namespace rm::graph {

// Memory that one or more values share.
struct StorageGroup {
  enum class Kind {
    kArena,      // the program's own, placed by the memory plan
    kParameter,  // the caller's: value of parameter `index`
    kGradient,   // the caller's: gradient of parameter `index`
    kBuffer,     // the caller's: value of buffer `index`
    kConstant,   // the program's own; `index` is the ValueId
  };
  Kind kind = Kind::kArena;
  int index = -1;
  int64_t bytes = 0;
  // Steps (node indices) of the first write and the last read. Memory that callers write or read
  // lives through the whole program.
  int first = 0;
  int last = 0;
};

struct Storage {
  std::vector<StorageGroup> groups;
  std::vector<int> group_of;  // by ValueId; −1 for a value without memory: nobody writes it
  std::vector<bool> is_view;  // by node: it needs no kernel
};

// Sharing of memory for a graph with settled layouts and kernels (`entries`, by node). Without
// `reuse`, only views of inputs, parameters and constants share; all else is apart.
// REQUIRES: gradients of parameters are isolated (runtime/graph/gradient_order.h).
[[nodiscard]] Storage AssignStorage(const TypedGraph& graph,
                                    const std::vector<const kernels::KernelEntry*>& entries,
                                    bool reuse);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_STORAGE_H_
