#include "kernels/kernels.h"

#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/cpu.h"
#include "kernels/cpu/onednn.h"
#include "kernels/cpu/table.h"
#include "kernels/cpu/widened.h"
#include "kernels/ref/bfloat16.h"
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
      *new std::vector<KernelEntry>(Concatenated(Concatenated(cpu::Table(), cpu::WidenedTable()),
                                             ReferenceKernels()));
  return table;
}

std::string CpuLibraries() { return cpu::OneDnnVersion(); }

bool CpuMultipliesBfloat16() { return cpu::OneDnnHasBfloat16(); }

absl::Status CheckBfloat16() {
  if (CpuMultipliesBfloat16()) return absl::OkStatus();
  const char* const cap = std::getenv("RINGMASTER_ISA");
  const std::string why =
      cap != nullptr && base::CpuIsa() < base::Isa::kV4
          ? absl::StrCat("RINGMASTER_ISA=", cap, " keeps it from using avx512_bf16")
          : std::string("it lacks avx512_bf16 and amx_bf16");
  return absl::FailedPreconditionError(
      absl::StrCat("bf16 needs a CPU that multiplies bfloat16, ", base::CpuModel(), " does not: ", why,
                   "; use fp32, or machines that have it"));
}

KernelTable ReferenceKernels() {
  static const auto& table =
      *new std::vector<KernelEntry>(Concatenated(ref::Table(), ref::Bfloat16Table()));
  return table;
}

}  // namespace rm::kernels
