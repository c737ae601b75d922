// Does an instance mean anything? The rules of op.h, checked: operands, dtypes, ranks, shapes and
// attributes.
//
// Every kernel's `supports` asks this first, so that Run computes with shapes that fit and never
// checks them again. Layouts are left to the kernels, except that all but kPlain need rank 4.
#ifndef RM_KERNELS_API_CHECK_INSTANCE_H_
#define RM_KERNELS_API_CHECK_INSTANCE_H_

#include "absl/status/status.h"
#include "kernels/api/op.h"

namespace rm::kernels {

// OK when the outputs are what op_signature.h makes of the inputs. Otherwise InvalidArgument with the
// instance's text and what does not fit, as in
// "Conv([1, 3, 8, 8], [4, 2, 3, 3]) → [1, 4, 6, 6]: X has 3 channels, W takes 2".
// An unknown operator is NotFound. Thread-safe.
[[nodiscard]] absl::Status CheckInstance(const OpInstance& instance);

// True when every present operand is kPlain.
[[nodiscard]] bool AllPlain(const OpInstance& instance);

}  // namespace rm::kernels

#endif  // RM_KERNELS_API_CHECK_INSTANCE_H_
