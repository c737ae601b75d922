// The table of the reference kernels: one row for every operator of kernels/api/op.h.
#ifndef RM_KERNELS_REF_TABLE_H_
#define RM_KERNELS_REF_TABLE_H_

#include "kernels/api/kernel.h"

namespace rm::kernels::ref {

// Supports every legal instance (kernels/api/check_instance.h) whose operands are all plain, and
// Reorder between any two layouts. Lives for ever. Thread-safe.
[[nodiscard]] KernelTable Table();

}  // namespace rm::kernels::ref

#endif  // RM_KERNELS_REF_TABLE_H_
