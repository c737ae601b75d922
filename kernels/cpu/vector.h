// Vectors of floats as wide as the instruction set a file is compiled for. For *_isa.cc files only.
//
// Everything here has internal linkage and is inlined, so nothing compiled for one instruction set
// can be linked into code for another. Loads and stores need no alignment. Arithmetic, comparisons
// and `mask ? a : b` are those of the compiler's vector extension (g++ and clang).
#ifndef RM_KERNELS_CPU_VECTOR_H_
#define RM_KERNELS_CPU_VECTOR_H_

#include <cstdint>

#include "kernels/api/bfloat16.h"

namespace rm::kernels::cpu::RM_ISA {
namespace {

// 16, 32 or 64: the compiler's widest vector for this -march.
constexpr int kVectorBytes = __BIGGEST_ALIGNMENT__;
constexpr int64_t kLanes = kVectorBytes / 4;

typedef float Floats __attribute__((vector_size(kVectorBytes)));  // kLanes floats
typedef int32_t Ints __attribute__((vector_size(kVectorBytes)));  // a mask is 0 or −1 a lane
typedef uint8_t Bytes __attribute__((vector_size(kVectorBytes / 4)));

// Half as wide, for what is narrower than a vector: 8 channels where there are 16 lanes.
typedef float HalfFloats __attribute__((vector_size(kVectorBytes / 2)));
typedef int32_t HalfInts __attribute__((vector_size(kVectorBytes / 2)));
typedef uint8_t HalfBytes __attribute__((vector_size(kVectorBytes / 8)));

// Reads and writes a value of type T: one vector, half of one or a single float. One template then
// serves the vectors of a range and what is left at its end.
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

// The bits of a T as whole numbers, and those of as many bfloat16.
template <typename T>
struct Bfloat16Bits;
template <>
struct Bfloat16Bits<Floats> {
  typedef uint32_t Wide __attribute__((vector_size(kVectorBytes)));
  typedef uint16_t Narrow __attribute__((vector_size(kVectorBytes / 2)));
  static Wide Widened(Narrow bits) { return __builtin_convertvector(bits, Wide); }
  static Narrow Narrowed(Wide bits) { return __builtin_convertvector(bits, Narrow); }
};
template <>
struct Bfloat16Bits<HalfFloats> {
  typedef uint32_t Wide __attribute__((vector_size(kVectorBytes / 2)));
  typedef uint16_t Narrow __attribute__((vector_size(kVectorBytes / 4)));
  static Wide Widened(Narrow bits) { return __builtin_convertvector(bits, Wide); }
  static Narrow Narrowed(Wide bits) { return __builtin_convertvector(bits, Narrow); }
};
template <>
struct Bfloat16Bits<float> {
  using Wide = uint32_t;
  using Narrow = uint16_t;
  static Wide Widened(Narrow bits) { return bits; }
  static Narrow Narrowed(Wide bits) { return static_cast<Narrow>(bits); }
};

// The same from and to bfloat16, with the bits of kernels/api/bfloat16.h. Its functions are not called
// here: they are inline without being of one instruction set.
template <typename T>
inline T LoadAs(const Bfloat16* from) {
  typename Bfloat16Bits<T>::Narrow narrow;
  __builtin_memcpy(&narrow, from, sizeof(narrow));
  const typename Bfloat16Bits<T>::Wide wide = Bfloat16Bits<T>::Widened(narrow) << 16;
  T value;
  __builtin_memcpy(&value, &wide, sizeof(value));
  return value;
}

template <typename T>
inline void StoreAs(Bfloat16* to, T value) {
  typename Bfloat16Bits<T>::Wide bits;
  __builtin_memcpy(&bits, &value, sizeof(bits));
  const typename Bfloat16Bits<T>::Wide rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  const typename Bfloat16Bits<T>::Wide quiet = (bits >> 16) | 0x40;
  const auto narrow = Bfloat16Bits<T>::Narrowed(value != value ? quiet : rounded);
  __builtin_memcpy(to, &narrow, sizeof(narrow));
}

inline Floats Load(const float* from) { return LoadAs<Floats>(from); }
inline void Store(float* to, Floats value) { StoreAs(to, value); }

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
