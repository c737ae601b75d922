// Kernels with more than one thread: the same tolerances, and the same bits in every run.
#include <catch2/catch.hpp>

#include "kernels/kernels.h"
#include "tests/parity/kernel_check.h"

namespace rm::tests {
namespace {

TEST_CASE("every kernel equals the reference with two threads, and repeats its bits") {
  kernels::KernelOptions options;
  options.threads = 2;
  for (const kernels::KernelEntry& entry : kernels::CpuKernels()) {
    for (KernelCase kernel_case : CasesOf(entry.op)) {
      kernel_case.chosen_layouts_only = entry.choose_layouts != nullptr;
      const ExpectedCase expected = Expect(kernel_case);
      for (const kernels::OpInstance& instance : SupportedInstances(entry, kernel_case)) {
        INFO(entry.name << ": " << instance.ToString());
        CHECK(CheckKernel(entry, instance, expected, options) == "");
      }
    }
  }
}

}  // namespace
}  // namespace rm::tests
