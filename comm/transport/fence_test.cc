#include "comm/transport/fence.h"

#include <catch2/catch.hpp>

#include "base/random.h"

namespace rm::comm {
namespace {

TransportMembership Member(const std::string& job, int64_t generation) {
  TransportMembership membership;
  membership.job = job;
  membership.generation = generation;
  membership.rank = 2;
  return membership;
}

FrameRoute Route(const std::string& job, int64_t generation) {
  return {base::StableHash(job), generation, 0, 2};
}

TEST_CASE("before the first membership every caller is of the future") {
  const Fence fence;
  CHECK_FALSE(fence.IsPast(Route("cats", 0)));
  CHECK_FALSE(fence.IsPresent(Route("cats", 0)));
  CHECK(fence.MayEnter(Member("cats", 0)).ok());
}

TEST_CASE("callers are told apart by job and generation") {
  Fence fence;
  fence.Enter(Member("cats", 3));
  struct Case {
    const char* job;
    int64_t generation;
    bool past, present;
  };
  const Case cases[] = {{"cats", 2, true, false},
                        {"cats", 3, false, true},
                        {"cats", 4, false, false},
                        {"dogs", 3, true, false},
                        {"dogs", 9, true, false}};
  for (const Case& c : cases) {
    INFO(c.job << " " << c.generation);
    CHECK(fence.IsPast(Route(c.job, c.generation)) == c.past);
    CHECK(fence.IsPresent(Route(c.job, c.generation)) == c.present);
  }
}

TEST_CASE("an endpoint never goes back, but may go on to another job") {
  Fence fence;
  fence.Enter(Member("cats", 3));
  CHECK(fence.MayEnter(Member("cats", 3)).ok());
  CHECK(fence.MayEnter(Member("cats", 4)).ok());
  CHECK(fence.MayEnter(Member("dogs", 0)).ok());
  const absl::Status back = fence.MayEnter(Member("cats", 2));
  CHECK(absl::IsFailedPrecondition(back));
  CHECK(back.message() == "generation 2 of job cats is over: rank 2 is in generation 3");
}

TEST_CASE("the past is told where everybody is now") {
  Fence fence;
  fence.Enter(Member("cats", 3));
  CHECK(fence.IsOver(Route("dogs", 1), "dogs", "here:1").message() ==
        "generation 1 of job dogs is over: rank 2 at here:1 is in generation 3 of job cats");
  CHECK(fence.LeftFor(4).message() == "rank 2 left generation 3 for 4");
}

}  // namespace
}  // namespace rm::comm
