#include "scheduler/state/job_state.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <utility>

namespace rm::scheduler {
namespace {

TEST_CASE("each pair of states has one arrow at most") {
  std::set<std::pair<pb::JobState, pb::JobState>> seen;
  for (const Arrow& arrow : Arrows()) {
    INFO(StateName(arrow.from) << " -> " << StateName(arrow.to));
    CHECK(seen.insert({arrow.from, arrow.to}).second);
    CHECK(IsLegal(arrow.from, arrow.to));
    CHECK(!arrow.when.empty());
  }
}

TEST_CASE("the arrows are those of the table of the architecture") {
  struct Row {
    pb::JobState from;
    std::set<pb::JobState> to;
  };
  const Row kRows[] = {
      {pb::JOB_STATE_UNSPECIFIED, {pb::QUEUED}},
      {pb::QUEUED, {pb::QUEUED, pb::STARTING, pb::PAUSED, pb::FAILED, pb::CANCELLED}},
      {pb::STARTING, {pb::QUEUED, pb::STARTING, pb::RUNNING, pb::STOPPING}},
      {pb::RUNNING, {pb::RECOVERING, pb::STOPPING, pb::SUCCEEDED}},
      {pb::RECOVERING, {pb::QUEUED, pb::RUNNING, pb::RECOVERING, pb::STOPPING}},
      {pb::STOPPING,
       {pb::QUEUED, pb::STOPPING, pb::PAUSED, pb::SUCCEEDED, pb::FAILED, pb::CANCELLED}},
      {pb::PAUSED, {pb::QUEUED, pb::CANCELLED}},
      {pb::SUCCEEDED, {}},
      {pb::FAILED, {}},
      {pb::CANCELLED, {}},
  };
  for (const Row& row : kRows) {
    for (int to = pb::JobState_MIN; to <= pb::JobState_MAX; ++to) {
      INFO(StateName(row.from) << " -> " << StateName(static_cast<pb::JobState>(to)));
      const bool expected = row.to.count(static_cast<pb::JobState>(to)) > 0;
      CHECK(IsLegal(row.from, static_cast<pb::JobState>(to)) == expected);
    }
  }
}

TEST_CASE("every state can be reached, and from every state an end can be reached") {
  std::set<pb::JobState> reached = {pb::JOB_STATE_UNSPECIFIED};
  std::set<pb::JobState> ends = {pb::SUCCEEDED, pb::FAILED, pb::CANCELLED};
  for (int round = pb::JobState_MIN; round <= pb::JobState_MAX; ++round) {
    for (const Arrow& arrow : Arrows()) {
      if (reached.count(arrow.from) > 0) reached.insert(arrow.to);
      if (ends.count(arrow.to) > 0) ends.insert(arrow.from);
    }
  }
  CHECK(reached.size() == pb::JobState_MAX + 1);
  CHECK(ends.size() == pb::JobState_MAX + 1);
}

TEST_CASE("what a state means for slots, time and the end") {
  struct Row {
    pb::JobState state;
    bool ended;
    bool holds;
    bool counts;
  };
  const Row kRows[] = {
      {pb::QUEUED, false, false, false},   {pb::STARTING, false, true, true},
      {pb::RUNNING, false, true, true},    {pb::RECOVERING, false, true, true},
      {pb::STOPPING, false, true, false},  {pb::PAUSED, false, false, false},
      {pb::SUCCEEDED, true, false, false}, {pb::FAILED, true, false, false},
      {pb::CANCELLED, true, false, false},
  };
  for (const Row& row : kRows) {
    INFO(StateName(row.state));
    CHECK(IsEnded(row.state) == row.ended);
    CHECK(MayHoldSlots(row.state) == row.holds);
    CHECK(CountsTime(row.state) == row.counts);
  }
}

TEST_CASE("names and sentences of the states are there and differ") {
  std::set<std::string> names;
  std::set<std::string> sentences;
  for (int state = pb::JobState_MIN; state <= pb::JobState_MAX; ++state) {
    names.insert(std::string(StateName(static_cast<pb::JobState>(state))));
    sentences.insert(std::string(StateSentence(static_cast<pb::JobState>(state))));
  }
  CHECK(names.size() == pb::JobState_MAX + 1);
  CHECK(sentences.size() == pb::JobState_MAX + 1);
  CHECK(StateName(pb::RECOVERING) == "Recovering");
  CHECK(WorkerStateName(pb::READY) == "Ready");
  CHECK(WorkerStateName(pb::ABSENT) == "Absent");
  CHECK(WorkerStateName(pb::LOST) == "Lost");
  CHECK(WorkerStateName(pb::WORKER_STATE_UNSPECIFIED) == "New");
}

TEST_CASE("refusal codes are distinct CamelCase words") {
  std::set<std::string> codes;
  for (const absl::string_view code : RefusalCodes()) {
    INFO(code);
    CHECK(codes.insert(std::string(code)).second);
    CHECK((code[0] >= 'A' && code[0] <= 'Z'));
    CHECK(code.find(' ') == absl::string_view::npos);
  }
}

}  // namespace
}  // namespace rm::scheduler
