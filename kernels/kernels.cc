#include "kernels/kernels.h"

#include <vector>

#include "kernels/cpu/onednn.h"
#include "kernels/cpu/table.h"
#include "kernels/ref/table.h"

namespace rm::kernels {
namespace {

// A span needs its rows side by side, so the two tables are copied once into one.
std::vector<KernelEntry> Concatenated(KernelTable first, KernelTable second) {
  std::vector<KernelEntry> table(first.begin(), first.end());
  table.insert(table.end(), second.begin(), second.end());
  return table;
}

}  // namespace

// Never destroyed: graphs that hold pointers into the table may outlive main's statics.
KernelTable CpuKernels() {
  static const auto& table =
      *new std::vector<KernelEntry>(Concatenated(cpu::Table(), ref::Table()));
  return table;
}

std::string CpuLibraries() { return cpu::OneDnnVersion(); }

KernelTable ReferenceKernels() { return ref::Table(); }

}  // namespace rm::kernels
