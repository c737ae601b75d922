#include "scheduler/state/worker_state.h"

#include <set>
#include <utility>

#include <catch2/catch.hpp>

namespace rm::scheduler {
namespace {

constexpr pb::WorkerState kStates[] = {pb::WORKER_STATE_UNSPECIFIED, pb::READY, pb::SUSPECT,
                                       pb::ABSENT, pb::LOST};

TEST_CASE("each pair of states of a worker has one arrow at most, and each arrow says when") {
  std::set<std::pair<pb::WorkerState, pb::WorkerState>> seen;
  for (const WorkerArrow& arrow : WorkerArrows()) {
    CHECK(seen.insert({arrow.from, arrow.to}).second);
    CHECK(!arrow.when.empty());
    CHECK(IsLegal(arrow.from, arrow.to));
  }
  int legal = 0;
  for (const pb::WorkerState from : kStates) {
    for (const pb::WorkerState to : kStates) legal += IsLegal(from, to) ? 1 : 0;
  }
  CHECK(legal == static_cast<int>(WorkerArrows().size()));
}

TEST_CASE("a worker may attach in any state, and nothing becomes new again") {
  for (const pb::WorkerState state : kStates) {
    CHECK(IsLegal(state, pb::READY));
    CHECK_FALSE(IsLegal(state, pb::WORKER_STATE_UNSPECIFIED));
  }
}

// Who is not there can be neither silent nor lost once more, nor expected back.
TEST_CASE("what is lost or unknown can only attach") {
  for (const pb::WorkerState from : {pb::WORKER_STATE_UNSPECIFIED, pb::LOST}) {
    for (const pb::WorkerState to : {pb::SUSPECT, pb::ABSENT, pb::LOST}) {
      CHECK_FALSE(IsLegal(from, to));
    }
  }
  CHECK_FALSE(IsLegal(pb::ABSENT, pb::SUSPECT));
}

TEST_CASE("a state that there is not has no arrows") {
  CHECK_FALSE(IsLegal(static_cast<pb::WorkerState>(77), pb::READY));
  CHECK_FALSE(IsLegal(pb::READY, static_cast<pb::WorkerState>(77)));
}

}  // namespace
}  // namespace rm::scheduler
