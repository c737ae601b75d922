// Vectors of floats as wide as the instruction set a file is compiled for. For *_isa.cc files only.
//
// Everything here has internal linkage and is inlined, so nothing compiled for one instruction set
// can be linked into code for another. Loads and stores need no alignment. Arithmetic, comparisons
// and `mask ? a : b` are those of the compiler's vector extension (g++ and clang).
#ifndef RM_KERNELS_CPU_VECTOR_H_
#define RM_KERNELS_CPU_VECTOR_H_

#include <cstdint>

namespace rm::kernels::cpu::RM_ISA {
namespace {

// 16, 32 or 64: the compiler's widest vector for this -march.
constexpr int kVectorBytes = __BIGGEST_ALIGNMENT__;
constexpr int64_t kLanes = kVectorBytes / 4;

typedef float Floats __attribute__((vector_size(kVectorBytes)));    // kLanes floats
typedef int32_t Ints __attribute__((vector_size(kVectorBytes)));    // a mask is 0 or −1 a lane
typedef uint8_t Bytes __attribute__((vector_size(kVectorBytes / 4)));

inline Floats Load(const float* from) {
  Floats value;
  __builtin_memcpy(&value, from, sizeof(value));
  return value;
}

inline void Store(float* to, Floats value) { __builtin_memcpy(to, &value, sizeof(value)); }

inline Ints LoadBytes(const uint8_t* from) {
  Bytes value;
  __builtin_memcpy(&value, from, sizeof(value));
  return __builtin_convertvector(value, Ints);
}

inline void StoreBytes(uint8_t* to, Ints value) {
  const Bytes bytes = __builtin_convertvector(value, Bytes);
  __builtin_memcpy(to, &bytes, sizeof(bytes));
}

// Reads and writes one vector or one float, so that one template serves the vectors of a range and
// the floats that are left at its end.
template <typename T>
inline T LoadAs(const float* from) {
  T value;
  __builtin_memcpy(&value, from, sizeof(value));
  return value;
}

template <typename T>
inline void StoreAs(float* to, T value) {
  __builtin_memcpy(to, &value, sizeof(value));
}

// All lanes equal.
inline Floats Broadcast(float value) { return Floats{} + value; }

// The sum of all lanes, from the first to the last.
inline float SumLanes(Floats value) {
  float sum = 0;
  for (int64_t i = 0; i < kLanes; ++i) sum += value[i];
  return sum;
}

}  // namespace
}  // namespace rm::kernels::cpu::RM_ISA

#endif  // RM_KERNELS_CPU_VECTOR_H_
