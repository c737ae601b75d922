#include "kernels/cpu/parallel.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace rm::kernels::cpu {
namespace {

using Part = std::pair<int64_t, int64_t>;

std::set<Part> Parts(int threads, int64_t count, int64_t grain) {
  std::mutex mutex;
  std::set<Part> parts;
  ParallelFor(threads, count, grain, [&](int64_t begin, int64_t end) {
    const std::lock_guard<std::mutex> lock(mutex);
    parts.insert({begin, end});
  });
  return parts;
}

TEST_CASE("one thread gets the whole range") {
  CHECK(Parts(1, 100, 1) == std::set<Part>{{0, 100}});
}

TEST_CASE("an empty range calls nobody") { CHECK(Parts(4, 0, 1).empty()); }

TEST_CASE("parts are multiples of the grain, but for the last") {
  CHECK(Parts(2, 100, 16) == std::set<Part>{{0, 64}, {64, 100}});
  CHECK(Parts(3, 100, 16) == std::set<Part>{{0, 48}, {48, 96}, {96, 100}});
}

TEST_CASE("a short range uses fewer threads") {
  CHECK(Parts(8, 31, 16) == std::set<Part>{{0, 31}});
  CHECK(Parts(8, 32, 16) == std::set<Part>{{0, 16}, {16, 32}});
}

TEST_CASE("every element is visited once, however the range is cut") {
  for (const int threads : {1, 2, 3, 7}) {
    for (const int64_t count : {1, 2, 15, 16, 17, 1000}) {
      std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
      ParallelFor(threads, count, 4, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
      });
      for (const auto& visit : visits) REQUIRE(visit == 1);
    }
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
