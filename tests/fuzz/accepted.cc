#include "tests/fuzz/fuzz_target.h"

namespace rm::fuzz {
namespace {

int64_t accepted = 0;  // targets run on one thread

}  // namespace

void Accepted() { ++accepted; }
int64_t AcceptedCount() { return accepted; }

}  // namespace rm::fuzz
