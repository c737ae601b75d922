// Every kernel of the CPU's table computes what the reference computes.
//
// The test goes over the table, so a new kernel is tested by being listed; an operator without a
// generator of cases, or a kernel that none of its cases fits, is a failure.
#include <catch2/catch.hpp>
#include <map>

#include "base/cpu.h"
#include "kernels/kernels.h"
#include "tests/parity/kernel_check.h"

namespace rm::tests {
namespace {

using kernels::KernelEntry;
using kernels::OpInstance;

// The cases of each operator with their expected outputs, computed once.
const std::vector<ExpectedCase>& ExpectedCasesOf(const std::string& op) {
  static auto& cache = *new std::map<std::string, std::vector<ExpectedCase>>();
  const auto found = cache.find(op);
  if (found != cache.end()) return found->second;
  std::vector<ExpectedCase>& cases = cache[op];
  for (const KernelCase& kernel_case : CasesOf(op)) cases.push_back(Expect(kernel_case));
  return cases;
}

// Runs the entry on all its cases in all its layouts; the number of runs.
int CheckEntry(const KernelEntry& entry, const kernels::KernelOptions& options) {
  int runs = 0;
  for (const ExpectedCase& expected : ExpectedCasesOf(entry.op)) {
    for (const OpInstance& instance : SupportedInstances(entry, expected.kernel_case)) {
      const std::string wrong = CheckKernel(entry, instance, expected, options);
      INFO(entry.name << ": " << instance.ToString());
      CHECK(wrong == "");
      ++runs;
    }
  }
  return runs;
}

TEST_CASE("every operator in the table has cases") {
  for (const KernelEntry& entry : kernels::CpuKernels()) {
    INFO(entry.op);
    CHECK_FALSE(CasesOf(entry.op).empty());
  }
}

TEST_CASE("every kernel equals the reference, twice, in all its layouts and in place") {
  for (const KernelEntry& entry : kernels::CpuKernels()) {
    const int runs = CheckEntry(entry, {});
    INFO(entry.name << " on " << base::IsaName(base::CpuIsa()));
    CHECK(runs > 0);
  }
}

TEST_CASE("an instance is never refused in the layouts that its entry chooses") {
  for (const KernelEntry& entry : kernels::CpuKernels()) {
    if (entry.choose_layouts == nullptr) continue;
    for (KernelCase kernel_case : CasesOf(entry.op)) {
      if (!entry.supports(kernel_case.instance)) continue;
      kernel_case.chosen_layouts_only = true;
      INFO(entry.name << ": " << kernel_case.instance.ToString());
      CHECK(SupportedInstances(entry, kernel_case).size() == 1);
    }
  }
}

}  // namespace
}  // namespace rm::tests
