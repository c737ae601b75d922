#include "tools/bench/schedule_synthetic.h"

#include <catch2/catch.hpp>

namespace rm::bench {
namespace {

SyntheticOptions Small(const std::string& policy) {
  SyntheticOptions options;
  options.nodes = 20;
  options.queued = 50;
  options.events = 300;
  options.policy = policy;
  return options;
}

TEST_CASE("the cluster stays full and the queue keeps its length") {
  const auto result = MeasureSynthetic(Small("first_fit"));
  REQUIRE(result.ok());
  CHECK(result->queued >= 50);
  CHECK(result->utilisation > 0.9);
  CHECK(result->placements > 200);
  CHECK(result->steps == 300);
  CHECK(result->placements_per_s > 0);
  CHECK(result->step_p99_us >= result->step_p50_us);
}

TEST_CASE("the same seed gives the same placements, and another one others") {
  const auto placements = [](uint64_t seed) {
    SyntheticOptions options = Small("first_fit");
    options.seed = seed;
    return MeasureSynthetic(options)->placements;
  };
  CHECK(placements(1) == placements(1));
  bool any_differs = false;
  for (uint64_t seed = 2; seed < 8; ++seed) any_differs |= placements(seed) != placements(1);
  CHECK(any_differs);
}

TEST_CASE("policies that preempt are measured, too") {
  const auto result = MeasureSynthetic(Small("adaptive"));
  REQUIRE(result.ok());
  CHECK(result->utilisation > 0.9);
  CHECK(result->queued >= 50);
}

TEST_CASE("an unknown policy is an error") {
  CHECK_FALSE(MeasureSynthetic(Small("best")).ok());
}

}  // namespace
}  // namespace rm::bench
