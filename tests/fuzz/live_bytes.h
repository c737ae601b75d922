// What the C++ heap holds, counted: linking this file's target replaces operator new and delete.
#ifndef RM_TESTS_FUZZ_LIVE_BYTES_H_
#define RM_TESTS_FUZZ_LIVE_BYTES_H_

#include <cstddef>
#include <cstdint>

namespace rm::fuzz {

// Begins to count: what is alive now counts as nothing.
void StartCounting();
// The most that was alive at once since then, in bytes as the allocator rounds them.
[[nodiscard]] int64_t PeakBytes();

}  // namespace rm::fuzz

#endif  // RM_TESTS_FUZZ_LIVE_BYTES_H_
