// A kernel that is one oneDNN primitive, with the reorders that its operands need.
#ifndef RM_KERNELS_CPU_ONEDNN_KERNEL_H_
#define RM_KERNELS_CPU_ONEDNN_KERNEL_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "kernels/api/kernel.h"
#include "kernels/cpu/onednn.h"

namespace rm::kernels::cpu {

// An operand of the op and the argument of the primitive that it is. Where the two formats differ,
// the kernel reorders through scratch memory: inputs before the primitive runs, outputs after.
struct Port {
  int argument;    // DNNL_ARG_SRC, …
  size_t operand;  // among the op's inputs, or its outputs
  Desc ours;       // as it lies in the caller's memory
  Desc theirs;     // as the primitive wants it
};

// What the kernel is made of.
struct PrimitivePlan {
  dnnl::primitive primitive;
  Desc scratchpad;  // of the primitive
  std::vector<Port> inputs;
  std::vector<Port> outputs;
};

// True when oneDNN has generated code for what `plan` describes; false also where it has no code at
// all. For instances of which a version of oneDNN may lack either. Does not throw.
[[nodiscard]] bool IsFast(const OpInstance& instance,
                          absl::FunctionRef<PrimitivePlan(const OpInstance&)> plan);

// Makes the kernel for an instance from `plan`, which may throw dnnl::error; what it throws becomes
// the status. Inputs are never written: oneDNN's memory is not const, but it only reads them.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Kernel>> MakeOneDnnKernel(
    const OpInstance& instance, const KernelOptions& options,
    absl::FunctionRef<PrimitivePlan(const OpInstance&)> plan);

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_ONEDNN_KERNEL_H_
