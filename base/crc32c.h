// CRC-32C (Castagnoli, polynomial 0x1EDC6F41, RFC 3720 appendix B.4), with the CPU's instruction
// where it has one.
//
// The forms here give the same value for every input; they differ in speed only, by some hundred
// times from the reference to the fastest one, which is faster than memory. Nothing is allocated;
// all are thread-safe and work at any alignment and on any size, 0 included.
//
//   form             needs                    on one server core, in the cache
//   Crc32cExtend     AVX-512 and VPCLMULQDQ   61 GB/s; without them it is the next form
//   Crc32cLanes      SSE 4.2 and PCLMULQDQ    30 GB/s; without them it is the next form
//   Crc32cPortable   nothing                  2 GB/s
//   Crc32cReference  nothing                  0.14 GB/s
#ifndef RM_BASE_CRC32C_H_
#define RM_BASE_CRC32C_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace rm::base {

// The CRC of a followed by b, given Crc32c of a: Crc32cExtend(Crc32c(a), b) == Crc32c(a + b).
// The CRC of nothing is 0, so Crc32cExtend(0, a) == Crc32c(a).
[[nodiscard]] uint32_t Crc32cExtend(uint32_t crc, const void* data, size_t size);

[[nodiscard]] inline uint32_t Crc32c(const void* data, size_t size) {
  return Crc32cExtend(0, data, size);
}
[[nodiscard]] inline uint32_t Crc32c(absl::string_view bytes) {
  return Crc32cExtend(0, bytes.data(), bytes.size());
}

// The obvious bit-by-bit form: the reference that the others are tested against.
[[nodiscard]] uint32_t Crc32cReference(uint32_t crc, const void* data, size_t size);

// Three lanes of the crc32 instruction side by side: what Crc32cExtend is for short inputs and on
// CPUs without wide carry-less products.
[[nodiscard]] uint32_t Crc32cLanes(uint32_t crc, const void* data, size_t size);

// Eight table look-ups for eight bytes: what is left on a CPU without SSE 4.2 and PCLMULQDQ.
[[nodiscard]] uint32_t Crc32cPortable(uint32_t crc, const void* data, size_t size);

}  // namespace rm::base

#endif  // RM_BASE_CRC32C_H_
