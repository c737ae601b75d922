// Choice among the builds of our own vector loops, one for each instruction set.
//
// A family of loops is a struct of function pointers (element_loops.h, …). Its source file is
// compiled three times by rm_isa_library, each time in another namespace (v1, v3, v4), and each
// time it defines one constant of that struct. No caller runs code of an instruction set the CPU
// lacks.
#ifndef RM_KERNELS_CPU_ISA_H_
#define RM_KERNELS_CPU_ISA_H_

#include "base/cpu.h"

namespace rm::kernels::cpu {

// The build for base::CpuIsa(): the best one this CPU runs, or less when RINGMASTER_ISA says so.
// Thread-safe.
template <typename Loops>
[[nodiscard]] const Loops& ChooseIsa(const Loops& v1, const Loops& v3, const Loops& v4) {
  switch (base::CpuIsa()) {
    case base::Isa::kV4: return v4;
    case base::Isa::kV3: return v3;
    case base::Isa::kV1: break;
  }
  return v1;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_ISA_H_
