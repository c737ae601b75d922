// Counter-based random streams: any draw of any stream is computed from its key, nothing is
// stored.
//
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC
// 2011). A stream is keyed by (seed, stream); draw i of a stream is a pure function of
// (seed, stream, i), so initialisation, dropout and augmentation give the same values at any world
// size and after any restart. The same on every machine, to the last bit: where a draw needs ln or
// cos, they are our own, as those of C libraries differ.
//
//   RandomStream weights(seed, StableHash("conv1.weight"));
//   for (float& w : values) w = 0.02F * weights.NextNormal();
//
// Not for secrets.
#ifndef RM_BASE_RANDOM_H_
#define RM_BASE_RANDOM_H_

#include <array>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace rm::base {

// The Philox4x32-10 block function: 128 random bits from a 128-bit counter and a 64-bit key.
[[nodiscard]] std::array<uint32_t, 4> Philox(const std::array<uint32_t, 4>& counter,
                                             const std::array<uint32_t, 2>& key);

// A 64-bit hash of a name that is the same in every process and version (FNV-1a, then a
// finaliser): stream ids.
[[nodiscard]] uint64_t StableHash(absl::string_view name);

// One random stream. Cheap to make and copy; thread-compatible. At(i) is random access, Next…()
// walks from draw 0 on. Invariant: draws 2b and 2b + 1 are the two halves of the Philox block with
// counter (b, stream) and key seed.
class RandomStream {
 public:
  // Streams with different (seed, stream) are independent.
  RandomStream(uint64_t seed, uint64_t stream) : seed_(seed), stream_(stream) {}

  // Draw `index` of the stream: 64 uniform bits.
  [[nodiscard]] uint64_t At(uint64_t index) const;

  // The next 64 uniform bits.
  uint64_t NextBits() { return At(next_++); }

  // Uniform in [0, 1), a multiple of 2^-24. One draw.
  float NextUniform();

  // Uniform in [0, bound) without bias. REQUIRES: bound > 0. One draw, rarely more.
  uint64_t NextBelow(uint64_t bound);

  // Standard normal (Box–Muller, of whose pair one value is kept). Two draws.
  float NextNormal();

 private:
  uint64_t seed_;
  uint64_t stream_;
  uint64_t next_ = 0;
};

// A keyed pseudo-random permutation of [0, size): computed, not stored, O(1) at any position.
//
// A balanced Feistel network over the least power of four that is no smaller than size, with cycle
// walking; round keys are draws of the stream (seed, stream). Sizes near each other have similar
// permutations for the same key. Thread-safe (immutable).
class Permutation {
 public:
  // REQUIRES: size > 0. The same (size, seed, stream) gives the same permutation on every machine.
  Permutation(uint64_t size, uint64_t seed, uint64_t stream);

  // The element at `position`. REQUIRES: position < size.
  [[nodiscard]] uint64_t operator()(uint64_t position) const;

  [[nodiscard]] uint64_t size() const { return size_; }

 private:
  // The Feistel network: a bijection of [0, 4^half_bits_).
  [[nodiscard]] uint64_t Encrypt(uint64_t value) const;

  static constexpr int kRounds = 6;
  uint64_t size_;
  int half_bits_;
  std::array<uint64_t, kRounds> round_keys_;
};

}  // namespace rm::base

#endif  // RM_BASE_RANDOM_H_
