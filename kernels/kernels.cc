#include "kernels/kernels.h"

#include <vector>

#include "kernels/cpu/table.h"
#include "kernels/ref/table.h"

namespace rm::kernels {
namespace {

std::vector<KernelEntry> Concatenated(KernelTable first, KernelTable second) {
  std::vector<KernelEntry> table(first.begin(), first.end());
  table.insert(table.end(), second.begin(), second.end());
  return table;
}

}  // namespace

KernelTable CpuKernels() {
  static const auto& table = *new std::vector<KernelEntry>(Concatenated(cpu::Table(), ref::Table()));
  return table;
}

KernelTable ReferenceKernels() { return ref::Table(); }

}  // namespace rm::kernels
