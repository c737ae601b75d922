// For tests of vector loops: every build that this CPU can run, not only the best one.
#ifndef RM_KERNELS_CPU_ISA_TESTING_H_
#define RM_KERNELS_CPU_ISA_TESTING_H_

#include <string>
#include <vector>

#include "base/cpu.h"

namespace rm::kernels::cpu {

template <typename Loops>
struct Build {
  std::string isa;  // "v3"
  const Loops* loops;
};

// The builds for base::CpuIsa() and below, lowest first.
template <typename Loops>
[[nodiscard]] std::vector<Build<Loops>> RunnableBuilds(const Loops& v1, const Loops& v3,
                                                       const Loops& v4) {
  std::vector<Build<Loops>> builds{{"v1", &v1}};
  if (base::CpuIsa() >= base::Isa::kV3) builds.push_back({"v3", &v3});
  if (base::CpuIsa() >= base::Isa::kV4) builds.push_back({"v4", &v4});
  return builds;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_ISA_TESTING_H_
