// A kernel in bfloat16 made of one in float32: widen the operands, compute, round the results.
//
// This is what the form of an operator means (kernels/api/bfloat16_form.h), executed step by step. It
// serves as the reference, and for operators that are too cheap to deserve loops of their own.
#ifndef RM_KERNELS_API_WIDENED_KERNEL_H_
#define RM_KERNELS_API_WIDENED_KERNEL_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "kernels/api/bfloat16.h"
#include "kernels/api/kernel.h"

namespace rm::kernels {

// Loops between the two dtypes, over n elements whose memory does not overlap. Thread-safe.
struct Bfloat16Conversions {
  void (*widen)(const Bfloat16* from, float* to, int64_t n);
  void (*narrow)(const float* from, Bfloat16* to, int64_t n);
};

// The kernel for `instance`, by the float32 kernel of `entry` on copies in scratch memory, padding
// included. Operands that are not bfloat16 are passed on as they are, but for those that the form
// rounds. REQUIRES: IsBfloat16Form(instance), entry.supports(Widened(instance)).
[[nodiscard]] absl::StatusOr<std::unique_ptr<Kernel>> MakeWidenedKernel(
    const OpInstance& instance, const KernelEntry& entry, const KernelOptions& options,
    const Bfloat16Conversions& conversions);

}  // namespace rm::kernels

#endif  // RM_KERNELS_API_WIDENED_KERNEL_H_
