// Rows for operators in bfloat16 that have fast code in float32 alone.
#ifndef RM_KERNELS_CPU_WIDENED_H_
#define RM_KERNELS_CPU_WIDENED_H_

#include "kernels/api/kernel.h"

namespace rm::kernels::cpu {

// Each row runs a row of Table() on float32 copies (kernels/api/widened_kernel.h). They stand behind
// Table(): for a shape that its rows do not take in bfloat16, and on CPUs that do not multiply
// bfloat16, where this is what computes in it at all. Lives for ever. Thread-safe.
[[nodiscard]] KernelTable WidenedTable();

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_WIDENED_H_
