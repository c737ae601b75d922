// Runs one row of a kernel table on one case and compares it with the reference.
#ifndef RM_TESTS_PARITY_KERNEL_CHECK_H_
#define RM_TESTS_PARITY_KERNEL_CHECK_H_

#include <string>
#include <vector>

#include "kernels/api/kernel.h"
#include "tests/parity/kernel_cases.h"

namespace rm::tests {

// A case and what its outputs must be, by the reference kernels.
struct ExpectedCase {
  KernelCase kernel_case;
  std::vector<Values> outputs;
  std::vector<Values> magnitudes;  // what the tolerance is relative to, element by element
};

// RM_CHECKs that the reference takes the case.
[[nodiscard]] ExpectedCase Expect(const KernelCase& kernel_case);

// The instance of the case in each combination of layouts that the entry supports (images may have
// any of four); for a large case only in those the entry chooses, none when it does not choose.
[[nodiscard]] std::vector<kernels::OpInstance> SupportedInstances(
    const kernels::KernelEntry& entry, const KernelCase& kernel_case);

// Runs the entry on the case in the layouts of `instance`: once, again by a new kernel, and in
// place where the entry allows it. Returns "" or what is wrong: a status, an output that is off by
// more than the tolerance, a run with other bits, an input or memory outside the outputs that was
// written, padding that is not zero.
[[nodiscard]] std::string CheckKernel(const kernels::KernelEntry& entry,
                                      const kernels::OpInstance& instance,
                                      const ExpectedCase& expected,
                                      const kernels::KernelOptions& options);

}  // namespace rm::tests

#endif  // RM_TESTS_PARITY_KERNEL_CHECK_H_
