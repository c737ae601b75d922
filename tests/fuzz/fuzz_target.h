// A fuzz target: one parser, fed any bytes.
//
// A target is one file that defines the four functions below. Linked with driver_test.cc it is a
// test with a fixed number of cases; linked with clang's libFuzzer, which brings a main() of its own
// and calls the same function, it looks for new inputs until it is stopped (docs/style.md says how).
#ifndef RM_TESTS_FUZZ_FUZZ_TARGET_H_
#define RM_TESTS_FUZZ_FUZZ_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// One case. Returns 0 after whatever bytes; a broken invariant ends the process (RM_CHECK), so that
// both drivers see it in the same way.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace rm::fuzz {

// What the driver needs to know of a target.
struct TargetOptions {
  // Cases of one test run: one to three seconds' worth.
  int cases = 20'000;
  // Longer inputs are cut.
  size_t input_bytes_max = 4096;
  // What may be alive at any time of a case: this and `live_bytes_a_byte` for each byte of input. A
  // parser that believes a length in its input breaks this bound at once.
  size_t live_bytes_max = size_t{4} << 20;
  size_t live_bytes_a_byte = 1024;
  // The target counts what it accepts (Accepted below); false where nothing can be.
  bool accepts_some = true;
};
[[nodiscard]] TargetOptions Options();

// Inputs that the target accepts: where mutations begin.
[[nodiscard]] std::vector<std::string> Seeds();
// Pieces that mean something in its format: mutations insert them.
[[nodiscard]] std::vector<std::string> Words();

// A target calls this for each input that it accepts. The driver tells by it that seeds are good
// ones, and that mutated inputs are neither all refused nor all accepted: either would test nothing.
void Accepted();
// How often that was.
[[nodiscard]] int64_t AcceptedCount();

// The bytes of a case as text.
[[nodiscard]] inline absl::string_view TextOf(const uint8_t* data, size_t size) {
  return size == 0 ? absl::string_view()
                   : absl::string_view(reinterpret_cast<const char*>(data), size);
}

}  // namespace rm::fuzz

#endif  // RM_TESTS_FUZZ_FUZZ_TARGET_H_
