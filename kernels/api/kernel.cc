#include "kernels/api/kernel.h"

namespace rm::kernels {

// The order of the table is the order of preference: whoever writes a table puts the faster kernel
// first. A linear walk is enough, as tables have some dozens of rows and are asked once a node,
// when a graph is compiled.
const KernelEntry* FindKernel(KernelTable table, const OpInstance& instance) {
  for (const KernelEntry& entry : table) {
    if (instance.op == entry.op && entry.supports(instance)) return &entry;
  }
  return nullptr;
}

}  // namespace rm::kernels
