// For tests of single kernels of the CPU's table: hand-computed cases in any layout.
#ifndef RM_KERNELS_CPU_KERNEL_TESTING_H_
#define RM_KERNELS_CPU_KERNEL_TESTING_H_

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "kernels/api/testing.h"
#include "kernels/cpu/table.h"

namespace rm::kernels::cpu {

using Values = std::vector<float>;
using Ints = std::vector<int64_t>;

constexpr Layout kAllLayouts[] = {Layout::kPlain, Layout::kChannelsLast, Layout::kChannels8,
                                  Layout::kChannels16};

// Runs the instance, whatever its layouts, by the first row of the CPU's table that supports it;
// inputs and outputs are in logical order. REQUIREs that there is one and that it succeeds.
inline std::vector<Values> RunOnCpu(const OpInstance& instance,
                                    const std::vector<Values>& inputs) {
  INFO(instance.ToString());
  const auto outputs = testing::Compute(Table(), instance, inputs);
  INFO(outputs.status());
  REQUIRE(outputs.ok());
  return *outputs;
}

// The name of the row that takes the instance, or "" when none of the fast kernels does.
inline std::string TakenBy(const OpInstance& instance) {
  const KernelEntry* entry = FindKernel(Table(), instance);
  return entry != nullptr ? entry->name : "";
}

// 0, 1, 2, … modulo `period`, less half of it: small whole numbers, whose sums are exact.
inline Values Pattern(int64_t count, int64_t period) {
  Values values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(static_cast<int64_t>(i) % period - period / 2);
  }
  return values;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_KERNEL_TESTING_H_
