#include "scheduler/explain/explain.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "scheduler/core/event_testing.h"
#include "scheduler/core/scheduler.h"
#include "scheduler/explain/gang_details.h"
#include "scheduler/state/job_state.h"

namespace rm::scheduler {
namespace {

using testing::Attach;
using testing::Joined;
using testing::Killed;
using testing::Listening;
using testing::Ref;
using testing::Submit;

struct Fixture {
  Fixture() : scheduler(*Scheduler::Create(SchedulerOptions())) {}
  void Step(const std::vector<pb::Event>& events, double seconds) {
    now = absl::FromUnixSeconds(1000) + absl::Seconds(seconds);
    scheduler->Step(events, now);
  }
  pb::Explanation Why(const std::string& job) {
    return Explain(scheduler->state(), job, now, SchedulerOptions());
  }
  std::string Code(const std::string& job) { return Why(job).reason().code(); }
  std::string Details(const std::string& job) { return absl::StrJoin(Why(job).details(), " "); }
  bool Says(const std::string& job, const std::string& text) {
    UNSCOPED_INFO(Details(job));
    return absl::StrContains(Details(job), text);
  }
  void RunA(int ranks) {
    std::vector<pb::Event> events;
    for (int rank = 0; rank < ranks; ++rank) events.push_back(Listening(Ref("a", 1, rank)));
    for (int rank = 0; rank < ranks; ++rank) events.push_back(Joined(Ref("a", 1, rank)));
    Step(events, 1);
  }
  std::unique_ptr<Scheduler> scheduler;
  absl::Time now;
};

TEST_CASE_METHOD(Fixture, "a waiting job says what it waits for") {
  Step({Submit("a", 2)}, 0);
  CHECK(Code("a") == "NoWorkers");
  Step({Attach("w1", 2), Submit("b", 2), Submit("c", 1), Submit("d", 9)}, 1);
  CHECK(Code("a") == "Placed");
  CHECK(Code("b") == "NotEnoughSlots");
  CHECK(Code("c") == "Behind");
  CHECK(Code("d") == "NeverFits");
  CHECK(Code("nobody") == "UnknownJob");
}

TEST_CASE_METHOD(Fixture, "a job that waits for its preflight says so, with or without room") {
  pb::Event submit = Submit("a", 1);
  submit.mutable_submit()->set_preflight_pending(true);
  Step({submit, Attach("w1", 1)}, 0);
  CHECK(Code("a") == "Preflight");
}

TEST_CASE_METHOD(Fixture, "who holds the slots and whose end makes room are named") {
  Step({Attach("w1", 2), Submit("a", 2), Submit("b", 1)}, 0);
  CHECK(Says("b", "The end of job a would make room for b."));
  CHECK(Says("b", "A worker with 1 free slot would make room, too."));
  REQUIRE(Why("b").holders_size() == 1);
  CHECK(Why("b").holders(0).job_id() == "a");
  CHECK(Why("b").holders(0).worker_id() == "w1");
  CHECK(Why("b").holders(0).slots() == 2);
  Step({testing::Cancel("a")}, 1);
  CHECK(Says("b", "The end of job a (it is stopping)"));
}

TEST_CASE_METHOD(Fixture, "what the explanation says would start a job does start it") {
  Step({Attach("w1", 1), Attach("w2", 2), Submit("one", 1), Submit("two", 2), Submit("b", 2)}, 0);
  REQUIRE(Says("b", "The end of job two would make room for b."));
  Step({testing::Kill("two")}, 1);
  Step({Killed(Ref("two", 1, 0), 9), Killed(Ref("two", 1, 1), 9)}, 2);
  CHECK(scheduler->state().FindJob("b")->state == pb::STARTING);
}

TEST_CASE_METHOD(Fixture, "a worker of the size that the explanation names starts the job") {
  Step({Attach("w1", 1), Submit("a", 1), Attach("w2", 4), Submit("b", 4), Submit("c", 5)}, 0);
  REQUIRE(Says("c", "A worker with 5 free slots would make room"));
  Step({Attach("w3", 5)}, 1);
  CHECK(scheduler->state().FindJob("c")->state == pb::STARTING);
}

TEST_CASE_METHOD(Fixture, "ranks that have not come up are named, the first four of them") {
  Step({Attach("w1", 6), Submit("a", 6)}, 0);
  CHECK(Says("a", "Has not said yet where it listens: rank 0 of job a on host h-w1 (worker w1)"));
  CHECK(Says("a", "2 more."));
  std::vector<pb::Event> events;
  for (int rank = 0; rank < 6; ++rank) events.push_back(Listening(Ref("a", 1, rank)));
  for (int rank = 0; rank < 5; ++rank) events.push_back(Joined(Ref("a", 1, rank)));
  Step(events, 1);
  CHECK(Says("a", "Has not joined the others yet: rank 5 of job a"));
}

TEST_CASE_METHOD(Fixture,
                 "a recovery says who has not left, and then what it lacks and until when") {
  Step({Attach("w1", 1), Attach("w2", 1), Submit("a", 2)}, 0);
  RunA(2);
  Step({testing::Lost("w2")}, 10);
  CHECK(Code("a") == "WorkerLost");
  CHECK(Says("a", "Not left yet: rank 0 of job a"));
  Step({Killed(Ref("a", 1, 0), 9)}, 11);
  CHECK(Code("a") == "WaitingForSlots");
  CHECK(Says("a", "It lacks slots for 1 rank of 1 slot each; 0 of 1 slots are free."));
  CHECK(Says("a", "goes back to the queue in 4m 59s"));
}

TEST_CASE_METHOD(Fixture, "a stopping job says what it becomes and when the rest is killed") {
  Step({Attach("w1", 1), Submit("a", 1)}, 0);
  RunA(1);
  Step({testing::Pause("a")}, 5);
  CHECK(Says("a", "It becomes Paused when all its ranks have left."));
  CHECK(Says("a", "What is left is killed in 30 s."));
}

TEST_CASE_METHOD(Fixture, "every job in every state has a reason with a sentence") {
  Step({Attach("w1", 3), Submit("a", 1), Submit("b", 1), Submit("c", 1), Submit("d", 1)}, 0);
  RunA(1);
  Step({testing::Pause("d"), testing::Cancel("c"), testing::Done(Ref("a", 1, 0), 5)}, 2);
  Step({testing::Exited(Ref("a", 1, 0), 0), Submit("e", 1)}, 3);
  for (const auto& [id, job] : scheduler->state().jobs()) {
    INFO(id << " " << StateName(job.state));
    CHECK(!Why(id).reason().code().empty());
    CHECK(!Why(id).reason().sentence().empty());
  }
  CHECK(Says("a", "It ended just now as Succeeded"));
  CHECK(Says("d", "goes on when it is resumed"));
}

}  // namespace
}  // namespace rm::scheduler
