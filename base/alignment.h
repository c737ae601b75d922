// Rounding up to whole cache lines, pages and vectors.
//
// A cache line is what cores fetch and fight over, and no vector of any instruction set is larger: so
// arrays begin at multiples of it, and what one thread writes shares no line with another's.
#ifndef RM_BASE_ALIGNMENT_H_
#define RM_BASE_ALIGNMENT_H_

#include <cstddef>
#include <cstdint>

namespace rm::base {

constexpr size_t kCacheLineBytes = 64;
constexpr size_t kCacheLineFloats = kCacheLineBytes / sizeof(float);

// The first multiple of `unit` from `count` on. REQUIRES: count ≥ 0, unit > 0, the result fits.
template <typename Count>
[[nodiscard]] constexpr Count RoundUp(Count count, size_t unit) {
  const auto whole = static_cast<Count>(unit);
  return (count + whole - 1) / whole * whole;
}

// The first cache line's beginning from `floats` on: as many as kCacheLineFloats − 1 of them are
// skipped. REQUIRES: floats lie at a multiple of their size, as all do.
[[nodiscard]] inline float* AlignToCacheLine(float* floats) {
  const auto address = reinterpret_cast<uintptr_t>(floats);
  return floats + (RoundUp(address, kCacheLineBytes) - address) / sizeof(float);
}

}  // namespace rm::base

#endif  // RM_BASE_ALIGNMENT_H_
