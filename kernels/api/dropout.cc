#include "kernels/api/dropout.h"

namespace rm::kernels {
namespace {

// SplitMix64's output function: any two keys that differ in one counter have nothing in common.
uint64_t Mix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

uint32_t Mix32(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7FEB352DU;
  x ^= x >> 15;
  x *= 0x846CA68BU;
  return x ^ (x >> 16);
}

}  // namespace

// Mixed in one after the other, so that equal sums or exclusive-ors of counters do not meet.
uint64_t DropoutKey(const DropoutCounters& counters, int64_t position, int64_t stream) {
  uint64_t key = Mix64(static_cast<uint64_t>(counters.seed));
  key = Mix64(key ^ static_cast<uint64_t>(counters.step));
  key = Mix64(key ^ static_cast<uint64_t>(position));
  return Mix64(key ^ static_cast<uint64_t>(stream));
}

uint32_t DropoutWord(uint64_t key, int64_t index) {
  const auto low = static_cast<uint32_t>(key);
  const auto high = static_cast<uint32_t>(key >> 32);
  return Mix32(Mix32(static_cast<uint32_t>(index) + low) ^ high);
}

uint32_t DropoutThreshold(float ratio) {
  return static_cast<uint32_t>(static_cast<double>(ratio) * 4294967296.0);
}

}  // namespace rm::kernels
