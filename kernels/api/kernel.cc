#include "kernels/api/kernel.h"

namespace rm::kernels {

const KernelEntry* FindKernel(KernelTable table, const OpInstance& instance) {
  for (const KernelEntry& entry : table) {
    if (instance.op == entry.op && entry.supports(instance)) return &entry;
  }
  return nullptr;
}

}  // namespace rm::kernels
