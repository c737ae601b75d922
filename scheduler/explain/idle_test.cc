// Jobs that wait for workers which are there and get nothing.
#include "scheduler/explain/idle.h"

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "scheduler/core/event_testing.h"
#include "scheduler/core/scheduler.h"
#include "scheduler/explain/explain.h"

namespace rm::scheduler {
namespace {

using testing::Attach;
using testing::AttachApart;
using testing::Heard;
using testing::Lost;
using testing::Silent;
using testing::Started;
using testing::Submit;

// A scheduler at a time that the test moves on.
class World {
 public:
  World() : scheduler_(*Scheduler::Create(SchedulerOptions())) {}
  void Tell(const std::vector<pb::Event>& events) { scheduler_->Step(events, now_); }
  void Wait(absl::Duration duration) { now_ += duration; }
  pb::Explanation Why(const std::string& job) const {
    return Explain(state(), job, now_, SchedulerOptions());
  }
  const ClusterState& state() const { return scheduler_->state(); }
  absl::Time now() const { return now_; }

 private:
  std::unique_ptr<Scheduler> scheduler_;
  absl::Time now_ = absl::FromUnixSeconds(1000);
};

struct Case {
  std::string name;
  std::vector<pb::Event> events;  // before the job "j" of 4 ranks is submitted
  std::string code;
  std::string blamed;  // the end of the sentence, behind the numbers; empty: not looked at
};

// w1 has 1 free slot, w2 and w3 have 2, w4 has 3.
std::vector<Case> Cases() {
  const pb::Event none = testing::Tick();
  return {
      {"all are ready: it starts", {none}, "Placed", ""},
      {"too little is left, even with the silent one",
       {Silent("w2"), Lost("w3"), Lost("w4")},
       "NeverFits",
       ""},
      {"with the silent one there is room",
       {Silent("w2"), Lost("w4")},
       "WorkerSilent",
       "; it waits only for w2 with 2 free slots (silent: nothing new until it is heard)"},
      {"two silent ones",
       {Silent("w3"), Silent("w4")},
       "WorkerSilent",
       "; it waits only for w3 with 2 free slots, w4 with 3 free slots (silent: nothing new until "
       "it is heard)"},
      {"a silent one, while others do not see the storage",
       {AttachApart("w3", 2), AttachApart("w4", 3), AttachApart("w2", 2), Attach("w5", 3),
        Silent("w5")},
       "WorkerSilent",
       "; it waits only for w5 with 3 free slots (silent: nothing new until it is heard)"},
      {"those without the storage would not be enough, the silent one is",
       {Silent("w4"), AttachApart("w3", 2), AttachApart("w2", 2)},
       "WorkerSilent",
       "; it waits only for w4 with 3 free slots (silent: nothing new until it is heard)"},
  };
}

TEST_CASE("a job that waits only because of workers that get nothing is told so") {
  for (const Case& c : Cases()) {
    World world;
    world.Tell({Attach("w1", 1), Attach("w2", 2), Attach("w3", 2), Attach("w4", 3)});
    world.Tell(c.events);
    world.Tell({Submit("j", 4)});
    const pb::Explanation why = world.Why("j");
    INFO(c.name << ": " << why.reason().sentence());
    CHECK(why.reason().code() == c.code);
    CHECK(absl::EndsWith(why.reason().sentence(), c.blamed));
  }
}

TEST_CASE("an absent worker is blamed when its slots would do") {
  World world;
  world.Tell({Attach("w1", 1), Attach("w2", 2)});
  world.Tell({Started()});
  world.Wait(absl::Seconds(5));
  world.Tell({Attach("w1", 1), Submit("j", 3)});
  const pb::Explanation why = world.Why("j");
  CHECK(why.reason().code() == "WorkerAbsent");
  CHECK(why.reason().sentence() ==
        "job j needs 3 ranks of 1 slot each; 1 of 1 slots are free, with room for 1 rank; it waits "
        "only for w2 with 2 free slots (absent: not back since the coordinator started)");
}

// Neither alone is enough, so blaming one of them would send somebody to the wrong machine.
TEST_CASE("a silent and an absent worker together are both named") {
  World world;
  world.Tell({Attach("w1", 1), Attach("w2", 2)});
  world.Tell({Started()});
  world.Tell({Attach("w1", 1)});
  world.Tell({Silent("w1"), Submit("j", 3)});
  const pb::Explanation why = world.Why("j");
  CHECK(why.reason().code() == "WorkerAbsent");
  CHECK(absl::StrContains(why.reason().sentence(),
                          "it waits only for w1 with 1 free slot (silent: nothing new until it is "
                          "heard) and w2 with 2 free slots (absent"));
}

// A sentence is read at a glance.
TEST_CASE("more than four workers are counted") {
  World world;
  std::vector<pb::Event> events;
  for (int i = 0; i < 6; ++i) events.push_back(Attach(absl::StrCat("w", i), 1));
  for (int i = 0; i < 6; ++i) events.push_back(Silent(absl::StrCat("w", i)));
  events.push_back(Submit("j", 2));
  world.Tell(events);
  CHECK(absl::StrContains(world.Why("j").reason().sentence(),
                          "w3 with 1 free slot and 2 more workers (silent"));
}

TEST_CASE("each such worker has a sentence of its own") {
  World world;
  world.Tell({Attach("w1", 1), Attach("w2", 2), AttachApart("w3", 4), Attach("w4", 1)});
  world.Tell({Silent("w1")});
  world.Wait(absl::Seconds(3));
  const auto text = [&](const std::string& id) {
    return IdleText(world.state(), *world.state().FindWorker(id), world.now());
  };
  CHECK(text("w1") == "fell silent 3.0 s ago and gets nothing new until it is heard");
  CHECK(text("w2") == "");
  CHECK(text("w3") == "gets no ranks: it does not see the storage (no such folder)");
  world.Tell({Lost("w4"), Heard("w1")});
  CHECK(text("w1") == "");
  CHECK(text("w4") == "");
  world.Tell({Started()});
  CHECK(text("w2") == "is absent and given up in 30 s");
}

TEST_CASE("what does not see the storage is no reason to accept a job, and is named when refused") {
  World world;
  world.Tell({Attach("w1", 1), AttachApart("w2", 4), AttachApart("w3", 1)});
  pb::JobSpec spec = Submit("j", 3).submit().spec();
  const absl::Status refused = CheckFeasible(world.state(), spec);
  CHECK(
      refused.message() ==
      "3 ranks × 1 slot = 3 slots, the cluster has 1 (w1: 1); not counted: w2 with 4 slots, which "
      "does not see the storage (no such folder) and 1 more");
  world.Tell({Attach("w2", 4)});
  CHECK(CheckFeasible(world.state(), spec).ok());
  world.Tell({Silent("w2")});
  CHECK(CheckFeasible(world.state(), spec).ok());
}

}  // namespace
}  // namespace rm::scheduler
