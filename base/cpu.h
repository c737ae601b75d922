// Which instruction sets this machine has, and which of our per-ISA builds to run.
//
// A hot loop of ours is compiled once for each level (rm_isa_library) and chosen at run time by a
// switch over CpuIsa(), so that one binary serves every machine. All functions are thread-safe.
#ifndef RM_BASE_CPU_H_
#define RM_BASE_CPU_H_

#include <string>

namespace rm::base {

// x86-64 micro-architecture levels (System V psABI): v1 baseline, v3 = AVX2 + FMA, v4 = AVX-512
// F/BW/CD/DQ/VL. Ordered: a CPU of one level runs all the levels below it.
enum class Isa { kV1 = 1, kV3 = 3, kV4 = 4 };

// The best level this CPU (and its operating system) runs, capped by the environment variable
// RINGMASTER_ISA (1, 3 or 4; for tests and comparisons). Read once; a value that is none of these
// is said on standard error and ignored.
[[nodiscard]] Isa CpuIsa();

// Lowers *isa to the level that `cap` names ("1", "3" or "4"); a higher one changes nothing. False
// when `cap` names none.
[[nodiscard]] bool CapIsa(const char* cap, Isa* isa);

// "v4".
[[nodiscard]] std::string IsaName(Isa isa);

// "AMD EPYC 9B14": the model name that the CPU gives itself, or "unknown CPU". For benchmark
// records.
[[nodiscard]] std::string CpuModel();

// Cores this process may run on (its affinity mask): the threads worth starting.
[[nodiscard]] int CpuCores();

}  // namespace rm::base

#endif  // RM_BASE_CPU_H_
