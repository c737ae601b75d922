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

// OK when the instance obeys the rules of op.h. Otherwise InvalidArgument with the instance's text
// and the rule that it breaks, as in
// "Conv([1, 3, 8, 8], [4, 2, 3, 3]) → [1, 4, 6, 6]: W has 2 channels a group, X has 3 in 1".
// An unknown operator is NotFound. Thread-safe.
[[nodiscard]] absl::Status CheckInstance(const OpInstance& instance);

// True when every present operand is kPlain.
[[nodiscard]] bool AllPlain(const OpInstance& instance);

// The shape of a and b broadcast against each other by ONNX's rule (right-aligned; 1 stretches).
// False, with *result undefined, when they do not fit.
[[nodiscard]] bool BroadcastShape(const Shape& a, const Shape& b, Shape* result);

}  // namespace rm::kernels

#endif  // RM_KERNELS_API_CHECK_INSTANCE_H_
