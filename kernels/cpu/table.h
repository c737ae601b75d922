// The table of the fast CPU kernels.
#ifndef RM_KERNELS_CPU_TABLE_H_
#define RM_KERNELS_CPU_TABLE_H_

#include "kernels/api/kernel.h"

namespace rm::kernels::cpu {

// Kernels by oneDNN and by our own vector loops; an instance that none of them supports is left to
// kernels/ref. Lives for ever. Thread-safe.
[[nodiscard]] KernelTable Table();

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_TABLE_H_
