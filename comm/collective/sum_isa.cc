// Compiled once for each instruction set; the loop is left to the compiler, which vectorises it.
#include "comm/collective/sum_isa.h"

namespace rm::comm::RM_ISA {

namespace {

// A float at any address, in memory that was written as bytes.
typedef float AnyFloat __attribute__((aligned(1), may_alias));

}  // namespace

void AddFloats(float* __restrict out, const char* __restrict in, int64_t n) {
  const AnyFloat* const floats = reinterpret_cast<const AnyFloat*>(in);
  for (int64_t i = 0; i < n; ++i) out[i] += floats[i];
}

}  // namespace rm::comm::RM_ISA
