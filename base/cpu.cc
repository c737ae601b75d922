// Asked of the CPU and the kernel directly: no file is read, so it works before anything is set up.
#include "base/cpu.h"

#include <cpuid.h>
#include <sched.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace rm::base {
namespace {

// Three instructions of v3 that __builtin_cpu_supports has no name for in every compiler.
bool HasMovbeF16cLzcnt() {
  constexpr unsigned int kMovbe = 1U << 22, kF16c = 1U << 29;  // leaf 1, ECX
  constexpr unsigned int kLzcnt = 1U << 5;                     // leaf 0x80000001, ECX
  unsigned int a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kMovbe) == 0 || (c & kF16c) == 0) return false;
  return __get_cpuid(0x80000001, &a, &b, &c, &d) != 0 && (c & kLzcnt) != 0;
}

// The builtin asks CPUID and, for AVX and AVX-512, also whether the operating system saves the
// registers.
Isa BestIsa() {
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                  __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                  HasMovbeF16cLzcnt();
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  if (v4) return Isa::kV4;
  return v3 ? Isa::kV3 : Isa::kV1;
}

// With the cap of the environment. Said with stdio: the log is built on more than this file may
// use.
Isa ReadIsa() {
  const char* const cap = std::getenv("RINGMASTER_ISA");
  if (cap == nullptr) return BestIsa();
  Isa isa = BestIsa();
  if (!CapIsa(cap, &isa)) {
    std::fprintf(stderr, "RINGMASTER_ISA is '%s': it takes 1, 3 or 4; ignored\n", cap);
  }
  return isa;
}

}  // namespace

bool CapIsa(const char* cap, Isa* isa) {
  for (const Isa level : {Isa::kV1, Isa::kV3, Isa::kV4}) {
    if (std::to_string(static_cast<int>(level)) != cap) continue;
    if (level < *isa) *isa = level;
    return true;
  }
  return false;
}

Isa CpuIsa() {
  static const Isa isa = ReadIsa();
  return isa;
}

std::string IsaName(Isa isa) { return "v" + std::to_string(static_cast<int>(isa)); }

// CPUID's brand string: the same text as "model name" in /proc/cpuinfo, without the file.
std::string CpuModel() {
  constexpr unsigned int kBrandFirst = 0x80000002;  // three leaves of 16 characters each
  char brand[49] = "";
  for (unsigned int leaf = 0; leaf < 3; ++leaf) {
    unsigned int words[4];
    if (__get_cpuid(kBrandFirst + leaf, &words[0], &words[1], &words[2], &words[3]) == 0) break;
    std::memcpy(brand + 16 * leaf, words, sizeof(words));
  }
  const std::string padded = brand;
  const size_t first = padded.find_first_not_of(' ');
  if (first == std::string::npos) return "unknown CPU";
  return padded.substr(first, padded.find_last_not_of(' ') - first + 1);
}

int CpuCores() {
  // The kernel refuses a set smaller than its own (EINVAL), so grow until it fits.
  for (size_t cores = CPU_SETSIZE; cores <= (size_t{1} << 20); cores *= 2) {
    std::vector<unsigned char> bytes(CPU_ALLOC_SIZE(cores));
    // CPU_ALLOC without its free: a set is a plain array of bits.
    cpu_set_t* const set = reinterpret_cast<cpu_set_t*>(bytes.data());
    if (sched_getaffinity(0, bytes.size(), set) == 0) return CPU_COUNT_S(bytes.size(), set);
  }
  return 1;
}

}  // namespace rm::base
