#include "runtime/graph/memory_plan.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/random.h"

namespace rm::graph {
namespace {

bool LiveTogether(const Buffer& a, const Buffer& b) {
  return std::max(a.first, b.first) <= std::min(a.last, b.last);
}

int64_t Aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// The most memory that is in use at one step: no plan can do with less.
int64_t FullestStep(const std::vector<Buffer>& buffers) {
  int64_t fullest = 0;
  for (const Buffer& at : buffers) {
    int64_t bytes = 0;
    for (const Buffer& buffer : buffers) {
      if (buffer.first <= at.first && at.first <= buffer.last) bytes += Aligned(buffer.bytes);
    }
    fullest = std::max(fullest, bytes);
  }
  return fullest;
}

void CheckPlan(const std::vector<Buffer>& buffers, const MemoryPlan& plan) {
  REQUIRE(plan.offsets.size() == buffers.size());
  int overlaps = 0, outside = 0, unaligned = 0;
  for (size_t i = 0; i < buffers.size(); ++i) {
    const int64_t begin = plan.offsets[i];
    const int64_t end = begin + buffers[i].bytes;
    if (begin % kArenaAlignment != 0) ++unaligned;
    if (begin < 0 || end > plan.bytes) ++outside;
    for (size_t j = 0; j < i; ++j) {
      const int64_t other = plan.offsets[j];
      const bool apart = end <= other || other + buffers[j].bytes <= begin;
      const bool empty = buffers[i].bytes == 0 || buffers[j].bytes == 0;
      if (LiveTogether(buffers[i], buffers[j]) && !apart && !empty) ++overlaps;
    }
  }
  CHECK(overlaps == 0);
  CHECK(outside == 0);
  CHECK(unaligned == 0);
}

std::vector<Buffer> RandomBuffers(uint64_t seed) {
  base::RandomStream random(seed, 7);
  const int steps = 1 + static_cast<int>(random.NextBelow(60));
  std::vector<Buffer> buffers(1 + random.NextBelow(120));
  for (Buffer& buffer : buffers) {
    buffer.bytes =
        static_cast<int64_t>(random.NextBelow(1 + (uint64_t{1} << random.NextBelow(16))));
    const int a = static_cast<int>(random.NextBelow(static_cast<uint64_t>(steps)));
    const int b = static_cast<int>(random.NextBelow(static_cast<uint64_t>(steps)));
    buffer.first = std::min(a, b);
    buffer.last = std::max(a, b);
  }
  return buffers;
}

TEST_CASE("no two live buffers overlap, whatever their lifetimes", "[memory_plan]") {
  double planned = 0, apart = 0, least = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    const std::vector<Buffer> buffers = RandomBuffers(seed);
    const MemoryPlan plan = PlanMemory(buffers);
    CheckPlan(buffers, plan);
    CHECK(plan.bytes >= FullestStep(buffers));
    const MemoryPlan separate = PlanMemoryApart(buffers);
    CheckPlan(buffers, separate);
    CHECK(plan.bytes <= separate.bytes);
    planned += static_cast<double>(plan.bytes);
    apart += static_cast<double>(separate.bytes);
    least += static_cast<double>(FullestStep(buffers));
  }
  CHECK(planned < 0.75 * apart);
  CHECK(planned < 1.1 * least);
}

TEST_CASE("memory is used again as soon as it is free", "[memory_plan]") {
  // A chain in which each buffer is read by the step that writes the next one.
  const std::vector<Buffer> chain = {{1000, 0, 1}, {1000, 1, 2}, {1000, 2, 3}, {1000, 3, 4}};
  CHECK(PlanMemory(chain).bytes == 2 * 1024);
  CHECK(PlanMemoryApart(chain).bytes == 4 * 1024);
}

TEST_CASE("a buffer takes the smallest gap that holds it", "[memory_plan]") {
  // Steps 0–9 hold three pillars with gaps of 128 and 64 bytes; the last buffer fits the second.
  const std::vector<Buffer> buffers = {{1024, 0, 9}, {512, 0, 4}, {256, 0, 9}, {192, 0, 4},
                                       {128, 0, 9},  {64, 5, 9},  {448, 5, 9}};
  const MemoryPlan plan = PlanMemory(buffers);
  CheckPlan(buffers, plan);
  CHECK(plan.bytes == 1024 + 512 + 256 + 192 + 128);
}

TEST_CASE("nothing needs no memory", "[memory_plan]") {
  CHECK(PlanMemory({}).bytes == 0);
  const std::vector<Buffer> empty = {{0, 0, 5}, {0, 1, 1}};
  CHECK(PlanMemory(empty).bytes == 0);
}

TEST_CASE("the same buffers give the same plan", "[memory_plan]") {
  const std::vector<Buffer> buffers = RandomBuffers(42);
  CHECK(PlanMemory(buffers).offsets == PlanMemory(buffers).offsets);
}

}  // namespace
}  // namespace rm::graph
