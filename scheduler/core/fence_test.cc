// What becomes of ranks whose reports are refused.
#include "scheduler/core/fence.h"

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler/core/event_testing.h"
#include "scheduler/core/scheduler.h"

namespace rm::scheduler {
namespace {

using testing::Attach;
using testing::By;
using testing::Checkpoint;
using testing::Done;
using testing::Exited;
using testing::Hung;
using testing::Joined;
using testing::Kill;
using testing::Killed;
using testing::Listening;
using testing::NoticeOf;
using testing::Ref;
using testing::Refused;
using testing::Submit;

// Job "a" in generation 2 on w1, and job "b" that has ended.
class Fence {
 public:
  Fence() : scheduler_(*Scheduler::Create(SchedulerOptions())) {
    Tell({Attach("w1", 2), Submit("a", 1), Submit("b", 1)});
    Tell({Listening(Ref("b", 1, 0)), Kill("b"), Killed(Ref("b", 1, 0), 9)});
    Tell({Listening(Ref("a", 1, 0)), Joined(Ref("a", 1, 0)), Killed(Ref("a", 1, 0), 9)});
  }
  pb::JournalRecord Tell(const std::vector<pb::Event>& events) {
    now_ += absl::Seconds(1);
    return scheduler_->Step(events, now_).record;
  }

 private:
  std::unique_ptr<Scheduler> scheduler_;
  absl::Time now_ = absl::FromUnixSeconds(1000);
};

// One report, as if it came on the stream of a worker w7 that has no part in the job.
struct Case {
  std::string name;
  pb::Event event;
  std::string refused;  // the code
  bool stopped;
};

TEST_CASE("a refused report stops the rank where it has no right to live, and only there") {
  const pb::RankRef old = Ref("a", 1, 0);
  const pb::RankRef present = Ref("a", 2, 0);
  const std::vector<Case> cases = {
      {"listening, old generation", Listening(old), "StaleGeneration", true},
      {"joined, old generation", Joined(old), "StaleGeneration", true},
      {"checkpoint, old generation", Checkpoint(old, 7), "StaleGeneration", true},
      {"done, old generation", Done(old, 7), "StaleGeneration", true},
      {"notice, old generation", NoticeOf(old, "X"), "StaleGeneration", true},
      {"a generation that there was never", Listening(Ref("a", 5, 0)), "StaleGeneration", true},
      {"no such job", Listening(Ref("ghost", 1, 0)), "UnknownJob", true},
      {"no such rank", Listening(Ref("a", 2, 4)), "UnknownRank", true},
      {"the job has ended", Joined(Ref("b", 1, 0)), "JobEnded", true},
      {"it is gone itself", Exited(old, 0), "StaleGeneration", false},
      {"it never started", Refused(old), "StaleGeneration", false},
      {"the coordinator judged it, and nobody reported it", Hung(old), "StaleGeneration", false},
      {"it said so too early, and may live", Joined(present), "NotListening", false},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    const pb::JournalRecord record = Fence().Tell({By("w7", c.event)});
    REQUIRE(record.refusals_size() == 1);
    CHECK(record.refusals(0).reason().code() == c.refused);
    REQUIRE(record.actions_size() == (c.stopped ? 1 : 0));
    if (!c.stopped) continue;
    const pb::StopRank& stop = record.actions(0).stop_rank();
    CHECK(stop.worker_id() == "w7");
    CHECK(stop.reason().code() == c.refused);
    CHECK_FALSE(stop.dump_stack());
    INFO("without a word of who reported it, it is only refused");
    CHECK(Fence().Tell({c.event}).actions_size() == 0);
  }
}

// Not the one of the present generation with the same number.
TEST_CASE("the rank that is stopped is the one that reported") {
  const pb::JournalRecord record = Fence().Tell({By("w1", Checkpoint(Ref("a", 1, 0), 30))});
  const pb::RankRef& rank = record.actions(0).stop_rank().rank();
  CHECK(rank.job_id() == "a");
  CHECK(rank.generation() == 1);
  CHECK(rank.rank() == 0);
}

TEST_CASE("a report that is taken stops nobody, whoever reported it") {
  const pb::JournalRecord record = Fence().Tell({By("w1", Listening(Ref("a", 2, 0)))});
  CHECK(record.refusals_size() == 0);
  REQUIRE(record.actions_size() == 1);
  CHECK(record.actions(0).has_start_generation());
}

}  // namespace
}  // namespace rm::scheduler
