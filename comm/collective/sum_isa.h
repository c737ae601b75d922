// The per-ISA builds of sum_isa.cc; see sum.h for what they do and which to call.
#ifndef RM_COMM_COLLECTIVE_SUM_ISA_H_
#define RM_COMM_COLLECTIVE_SUM_ISA_H_

#include <cstdint>

namespace rm::comm {

namespace v1 {
void AddFloats(float* out, const char* in, int64_t n);
}
namespace v3 {
void AddFloats(float* out, const char* in, int64_t n);
}
namespace v4 {
void AddFloats(float* out, const char* in, int64_t n);
}

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_SUM_ISA_H_
