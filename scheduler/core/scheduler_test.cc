#include "scheduler/core/scheduler.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "scheduler/core/event_testing.h"
#include "scheduler/state/dump.h"

namespace rm::scheduler {
namespace {

using testing::Attach;
using testing::Cancel;
using testing::Joined;
using testing::Killed;
using testing::Listening;
using testing::Lost;
using testing::Ref;
using testing::Started;
using testing::Submit;
using testing::Tick;

absl::Time At(double seconds) { return absl::FromUnixSeconds(1000) + absl::Seconds(seconds); }

std::unique_ptr<Scheduler> NewScheduler(const SchedulerOptions& options = SchedulerOptions()) {
  absl::StatusOr<std::unique_ptr<Scheduler>> scheduler = Scheduler::Create(options);
  REQUIRE(scheduler.ok());
  return *std::move(scheduler);
}

// ---- making one -----------------------------------------------------------------------------

TEST_CASE("a scheduler is made with the policy and the placement of its options") {
  SchedulerOptions options;
  for (const char* policy : {"fifo", "priority"}) {
    options.policy = policy;
    CHECK(Scheduler::Create(options).ok());
  }
}

TEST_CASE("names that there are not are refused with those that there are") {
  SchedulerOptions options;
  options.policy = "fairest";
  const absl::Status policy = Scheduler::Create(options).status();
  CHECK(absl::IsInvalidArgument(policy));
  CHECK(policy.message() ==
        "there is no scheduling policy 'fairest'; choose one of: adaptive, easy, fifo, "
        "first_fit, las, priority");
  options = SchedulerOptions();
  options.placement = "scatter";
  CHECK(Scheduler::Create(options).status().message() ==
        "there is no placement 'scatter'; choose one of: pack");
}

// ---- the order of a step --------------------------------------------------------------------

TEST_CASE("submissions come last in a step, and the start of the coordinator first") {
  const auto scheduler = NewScheduler();
  const std::vector<pb::Event> events = {Submit("a", 1), Attach("w1", 1), Submit("b", 1), Started(),
                                         Tick()};
  const StepResult result = scheduler->Step(events, At(0));
  CHECK(result.taken == std::vector<size_t>{3, 1, 4, 0, 2});
  REQUIRE(result.record.events_size() == 5);
  for (int i = 0; i < 5; ++i) {
    const pb::Event& given = events[result.taken[static_cast<size_t>(i)]];
    CHECK(result.record.events(i).event_case() == given.event_case());
  }
}

TEST_CASE("a transition names the event that caused it, and none when it was the pass") {
  const auto scheduler = NewScheduler();
  const StepResult result =
      scheduler->Step({Attach("w1", 1), Submit("a", 1), Submit("b", 2)}, At(0));
  const pb::JournalRecord& record = result.record;
  REQUIRE(record.worker_transitions_size() == 1);
  CHECK(record.worker_transitions(0).event() == 1);
  REQUIRE(record.job_transitions_size() == 3);
  CHECK(record.job_transitions(0).event() == 2);
  CHECK(record.job_transitions(1).event() == 3);
  CHECK(record.job_transitions(2).event() == 0);
  CHECK(record.job_transitions(2).to() == pb::STARTING);
}

TEST_CASE("a refusal names its event and carries it") {
  const auto scheduler = NewScheduler();
  const StepResult result = scheduler->Step({Attach("w1", 1), Cancel("nobody")}, At(0));
  REQUIRE(result.record.refusals_size() == 1);
  CHECK(result.record.refusals(0).event_index() == 2);
  CHECK(result.record.refusals(0).event().cancel().job_id() == "nobody");
  CHECK(scheduler->state().refusals().at("UnknownJob") == 1);
}

TEST_CASE("a step with nothing to do gives an empty record with its time") {
  const auto scheduler = NewScheduler();
  const StepResult result = scheduler->Step({}, At(5));
  CHECK(result.record.now_ns() == absl::ToUnixNanos(At(5)));
  CHECK(result.record.core_version() == kCoreVersion);
  CHECK(result.record.job_transitions_size() == 0);
  CHECK(result.next_wake_up == absl::InfiniteFuture());
}

TEST_CASE("a clock that runs backwards does not take the scheduler back") {
  const auto scheduler = NewScheduler();
  scheduler->Step({Attach("w1", 1)}, At(100));
  const StepResult result = scheduler->Step({Submit("a", 1)}, At(50));
  CHECK(result.record.now_ns() == absl::ToUnixNanos(At(100)));
  CHECK(scheduler->state().FindJob("a")->since == At(100));
}

TEST_CASE("the wake-up is the earliest timer, and firing it moves it on") {
  const auto scheduler = NewScheduler();
  pb::Event first = Submit("a", 1);
  first.mutable_submit()->mutable_spec()->mutable_scheduling()->set_queue_timeout(20);
  pb::Event second = Submit("b", 1);
  second.mutable_submit()->mutable_spec()->mutable_scheduling()->set_queue_timeout(10);
  CHECK(scheduler->Step({first, second}, At(0)).next_wake_up == At(10));
  CHECK(scheduler->Step({Tick()}, At(10)).next_wake_up == At(20));
  CHECK(scheduler->Step({}, At(25)).next_wake_up == absl::InfiniteFuture());
  CHECK(scheduler->state().FindJob("b")->ended == At(10));
  CHECK(scheduler->state().FindJob("a")->ended == At(25));
}

// ---- recovery -------------------------------------------------------------------------------

// Records of a job that runs on two workers and loses one of them.
std::vector<pb::JournalRecord> Story() {
  const auto scheduler = NewScheduler();
  std::vector<pb::JournalRecord> records;
  const auto step = [&](const std::vector<pb::Event>& events, double seconds) {
    records.push_back(scheduler->Step(events, At(seconds)).record);
  };
  step({Attach("w1", 1), Attach("w2", 1), Submit("a", 2)}, 0);
  step({Listening(Ref("a", 1, 0)), Listening(Ref("a", 1, 1))}, 1);
  step({Joined(Ref("a", 1, 0)), Joined(Ref("a", 1, 1)), Cancel("b")}, 2);
  step({Lost("w2"), Killed(Ref("a", 1, 0), 9)}, 3);
  return records;
}

TEST_CASE("folded records give the state, without a policy and without actions") {
  const auto scheduler = NewScheduler();
  for (const pb::JournalRecord& record : Story()) REQUIRE(scheduler->Fold(record).ok());
  const Job& job = *scheduler->state().FindJob("a");
  CHECK(job.state == pb::RECOVERING);
  CHECK(job.gang_phase == pb::WAITING_FOR_SLOTS);
  CHECK(scheduler->state().refusals().at("UnknownJob") == 1);
  CHECK(scheduler->next_wake_up() == At(303));
}

TEST_CASE("a decision of another policy is kept: what runs is not decided again") {
  pb::Event urgent = Submit("urgent", 1);
  urgent.mutable_submit()->mutable_spec()->mutable_scheduling()->set_priority(90);
  const auto by_priority = NewScheduler();
  const StepResult result = by_priority->Step({Attach("w1", 1), Submit("first", 1), urgent}, At(0));
  SchedulerOptions options;
  options.policy = "fifo";
  const auto by_order = NewScheduler(options);
  REQUIRE(by_order->Fold(result.record).ok());
  CHECK(by_order->state().FindJob("urgent")->state == pb::STARTING);
  CHECK(by_order->state().FindJob("first")->state == pb::QUEUED);
}

TEST_CASE("a record of a newer core is refused") {
  const auto scheduler = NewScheduler();
  pb::JournalRecord record;
  record.set_core_version(kCoreVersion + 1);
  const absl::Status status = scheduler->Fold(record);
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(absl::StrContains(status.message(), "start the newer version again"));
}

TEST_CASE("a record that does not follow from those before it is data loss, never a crash") {
  const std::vector<pb::JournalRecord> story = Story();
  for (size_t left_out = 0; left_out + 1 < story.size(); ++left_out) {
    const auto scheduler = NewScheduler();
    absl::Status status;
    for (size_t i = 0; i < story.size() && status.ok(); ++i) {
      if (i != left_out) status = scheduler->Fold(story[i]);
    }
    INFO("record " << left_out << " left out: " << status);
    // Where the ranks listen is a fact that later records do not need.
    if (left_out == 1) continue;
    CHECK(absl::IsDataLoss(status));
    CHECK(absl::StrContains(status.message(), "does not follow"));
  }
}

TEST_CASE("parts of a record that are out of order are data loss") {
  pb::JournalRecord record = Story()[0];
  record.mutable_job_transitions(0)->set_event(9);
  const absl::Status status = NewScheduler()->Fold(record);
  CHECK(absl::IsDataLoss(status));
  CHECK(absl::StrContains(status.message(), "out of order"));
}

TEST_CASE("a folded scheduler goes on as the one that made the records") {
  const auto live = NewScheduler();
  const auto folded = NewScheduler();
  const auto step = [&](const std::vector<pb::Event>& events, double seconds) {
    return live->Step(events, At(seconds)).record;
  };
  REQUIRE(folded->Fold(step({Attach("w1", 2), Submit("a", 2), Submit("b", 2)}, 0)).ok());
  REQUIRE(folded->Fold(step({Cancel("a")}, 1)).ok());
  const std::vector<pb::Event> next = {Killed(Ref("a", 1, 0), 9), Killed(Ref("a", 1, 1), 9)};
  const std::string expected = live->Step(next, At(2)).record.ShortDebugString();
  CHECK(folded->Step(next, At(2)).record.ShortDebugString() == expected);
  CHECK(Dump(folded->state()) == Dump(live->state()));
}

// ---- what is forgotten, and what is only said -------------------------------------------------

// Months of short jobs on workers that come and go.
TEST_CASE("the state does not grow with the jobs and workers that were") {
  SchedulerOptions options;
  options.retention = {5, 3};
  const auto live = NewScheduler(options);
  const auto folded = NewScheduler(options);
  const auto step = [&](const std::vector<pb::Event>& events, int second) {
    REQUIRE(folded->Fold(live->Step(events, At(second)).record).ok());
    REQUIRE(Dump(folded->state()) == Dump(live->state()));
  };
  step({Attach("w", 1), Submit("old", 1), Submit("waits", 99)}, 0);
  for (int i = 1; i < 200; ++i) {
    const std::string job = "j" + std::to_string(i);
    const std::string worker = "w" + std::to_string(i);
    step({Attach(worker, 1), Submit(job, 9)}, i);
    step({Cancel(job), Lost(worker)}, i);
  }
  INFO("what has not ended stays, however old it is");
  CHECK(live->state().jobs().size() == 7);
  CHECK(live->state().workers().size() == 4);
  CHECK(live->state().FindJob("old")->state == pb::STARTING);
  CHECK(live->state().FindJob("j195") != nullptr);
  CHECK(live->state().FindJob("j194") == nullptr);
}

// An operator changes the options, and a compaction leaves out what is forgotten: neither may make
// a journal unreadable.
TEST_CASE("a journal is folded whatever is kept, then and now") {
  SchedulerOptions little;
  little.retention = {1, 0};
  const auto writes = NewScheduler(little);
  const auto keeps_all = NewScheduler();
  const auto keeps_nothing = [] {
    SchedulerOptions options;
    options.retention = {0, 0};
    return NewScheduler(options);
  }();
  double second = 0;
  for (int round = 0; round < 20; ++round) {
    for (const std::vector<pb::Event>& events :
         std::vector<std::vector<pb::Event>>{{Attach("w1", 1), Attach("w2", 1), Submit("a", 2)},
                                             {Cancel("a"), Lost("w1")},
                                             {Lost("w2"), Submit("b", 1)},
                                             {Attach("w2", 1), Cancel("b")},
                                             {Lost("w2")}}) {
      const pb::JournalRecord record = writes->Step(events, At(++second)).record;
      const absl::Status more = keeps_all->Fold(record);
      const absl::Status less = keeps_nothing->Fold(record);
      INFO(more << " / " << less << "\n" << record.DebugString());
      REQUIRE(more.ok());
      REQUIRE(less.ok());
    }
  }
  CHECK(keeps_all->state().jobs().size() == 2);
  CHECK(keeps_all->state().workers().size() == 2);
}

TEST_CASE("a notice is a transition of the job that stands in the record and changes nothing") {
  const auto scheduler = NewScheduler();
  for (const pb::JournalRecord& record : Story()) REQUIRE(scheduler->Fold(record).ok());
  const absl::Time now = scheduler->state().now();
  const std::string before = Dump(scheduler->state());
  const StepResult result =
      scheduler->Step({testing::NoticeOf(Ref("a", 1, 0), "CheckpointFailed")}, now);
  REQUIRE(result.record.job_transitions_size() == 1);
  const pb::JobTransition& notice = result.record.job_transitions(0);
  CHECK(notice.notice());
  CHECK(notice.from() == notice.to());
  CHECK(notice.event() == 1);
  CHECK(notice.reason().code() == "CheckpointFailed");
  CHECK(absl::StrContains(notice.reason().sentence(), "people should know"));
  CHECK(Dump(scheduler->state()) == before);
}

}  // namespace
}  // namespace rm::scheduler
