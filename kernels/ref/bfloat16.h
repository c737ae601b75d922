// The reference in bfloat16: one row for every operator that has such a form.
#ifndef RM_KERNELS_REF_BFLOAT16_H_
#define RM_KERNELS_REF_BFLOAT16_H_

#include "kernels/api/kernel.h"

namespace rm::kernels::ref {

// Supports every instance of a form (kernels/api/bfloat16_form.h) whose operands are all plain: what
// is rounded is rounded element by element, the rest is computed by the reference in float32. Lives
// for ever. Thread-safe.
[[nodiscard]] KernelTable Bfloat16Table();

}  // namespace rm::kernels::ref

#endif  // RM_KERNELS_REF_BFLOAT16_H_
