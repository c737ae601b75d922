// The kernels of a CPU: oneDNN and vectorised ones first, then the reference for what they leave.
//
// Both tables are arrays without state that live for ever; asking for them is thread-safe and
// cheap. tests/parity checks each row of CpuKernels() against ReferenceKernels() on generated
// cases.
#ifndef RM_KERNELS_KERNELS_H_
#define RM_KERNELS_KERNELS_H_

#include <string>

#include "absl/status/status.h"
#include "kernels/api/kernel.h"

namespace rm::kernels {

// The table for `accelerator: cpu`: the fast kernels of kernels/cpu, then every row of
// ReferenceKernels(), so that whatever the fast ones do not support is still computed.
[[nodiscard]] KernelTable CpuKernels();

// The plain C++ kernels alone: slow, obvious, the truth the others are checked against.
[[nodiscard]] KernelTable ReferenceKernels();

// True when this CPU has instructions that multiply bfloat16 (avx512_bf16, amx_bf16) and the libraries
// use them. Without them the table computes bfloat16 as well, but slower than float32.
[[nodiscard]] bool CpuMultipliesBfloat16();

// FailedPrecondition, with what the CPU lacks and what to do, unless CpuMultipliesBfloat16(): a job that
// asks for bf16 wants speed.
[[nodiscard]] absl::Status CheckBfloat16();

// The libraries behind CpuKernels() with the version that is loaded: "oneDNN 2.7.2". Another version
// may compute other bits.
[[nodiscard]] std::string CpuLibraries();

}  // namespace rm::kernels

#endif  // RM_KERNELS_KERNELS_H_
