#include "scheduler/state/timer.h"

#include <catch2/catch.hpp>

namespace rm::scheduler {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1000);

absl::Time After(int seconds) { return kStart + absl::Seconds(seconds); }

Job JobIn(pb::JobState state) {
  Job job;
  job.state = state;
  job.since = kStart;
  return job;
}

pb::SchedulingSpec& SchedulingOf(Job& job) {
  return *job.submission.mutable_spec()->mutable_scheduling();
}

void CheckTimer(const Job& job, TimerKind kind, absl::Time at) {
  const Timer timer = NextTimer(job, Windows());
  CHECK(timer.kind == kind);
  CHECK(timer.at == at);
}

TEST_CASE("a job without limits has no timer") {
  for (const pb::JobState state : {pb::QUEUED, pb::STARTING, pb::RUNNING, pb::PAUSED, pb::SUCCEEDED,
                                   pb::FAILED, pb::CANCELLED}) {
    CheckTimer(JobIn(state), TimerKind::kNone, absl::InfiniteFuture());
  }
}

TEST_CASE("queue_timeout counts from the time the job came into the queue") {
  Job job = JobIn(pb::QUEUED);
  SchedulingOf(job).set_queue_timeout(30);
  CheckTimer(job, TimerKind::kQueueTimeout, After(30));
  job.state = pb::PAUSED;
  CheckTimer(job, TimerKind::kNone, absl::InfiniteFuture());
}

TEST_CASE("time_limit counts all stays with a gang together") {
  Job job = JobIn(pb::RUNNING);
  SchedulingOf(job).set_time_limit(100);
  job.counting_since = After(10);
  CheckTimer(job, TimerKind::kTimeLimit, After(110));
  job.counted_before = absl::Seconds(40);
  CheckTimer(job, TimerKind::kTimeLimit, After(70));
}

TEST_CASE("when the training is done the time limit is met, and the ranks have the leave window") {
  Job job = JobIn(pb::RUNNING);
  SchedulingOf(job).set_time_limit(10);
  job.counting_since = kStart;
  job.training_done = true;
  job.training_done_at = After(9);
  CheckTimer(job, TimerKind::kLeaveOver, After(9) + Windows().leave);
}

TEST_CASE("a rank that left early is waited for as long as its gang is together") {
  Job job = JobIn(pb::RUNNING);
  job.left_early_at = After(5);
  CheckTimer(job, TimerKind::kLeftEarly, After(5) + Windows().leave);
  job.state = pb::RECOVERING;
  job.gang_phase = pb::LEAVING;
  CheckTimer(job, TimerKind::kNone, absl::InfiniteFuture());
}

TEST_CASE("the phases of a recovery have their windows") {
  Job job = JobIn(pb::RECOVERING);
  SchedulingOf(job).set_recovery_grace(300);
  job.lost_at = After(7);
  job.gang_phase = pb::CAUSE_UNKNOWN;
  CheckTimer(job, TimerKind::kCauseUnknown, After(7) + Windows().cause);
  job.gang_phase = pb::WAITING_FOR_SLOTS;
  CheckTimer(job, TimerKind::kRecoveryGrace, After(307));
}

TEST_CASE("the earliest of several timers is the next") {
  Job job = JobIn(pb::RECOVERING);
  SchedulingOf(job).set_recovery_grace(300);
  SchedulingOf(job).set_time_limit(20);
  job.lost_at = kStart;
  job.counting_since = kStart;
  job.gang_phase = pb::WAITING_FOR_SLOTS;
  CheckTimer(job, TimerKind::kTimeLimit, After(20));
}

TEST_CASE("a job that stops has its deadline alone") {
  Job job = JobIn(pb::STOPPING);
  SchedulingOf(job).set_time_limit(1);
  job.stop_deadline = After(30);
  CheckTimer(job, TimerKind::kStopDeadline, After(30));
}

TEST_CASE("only an absent worker has a deadline") {
  Worker worker;
  worker.since = kStart;
  worker.state = pb::ABSENT;
  CHECK(WorkerDeadline(worker, Windows()) == kStart + Windows().adopt);
  for (const pb::WorkerState state : {pb::READY, pb::SUSPECT, pb::LOST}) {
    worker.state = state;
    CHECK(WorkerDeadline(worker, Windows()) == absl::InfiniteFuture());
  }
}

TEST_CASE("the time of a job is up when its earlier stays have used it") {
  Job job;
  job.state = pb::QUEUED;
  CHECK_FALSE(TimeIsUp(job));
  job.counted_before = absl::Seconds(100);
  INFO("without a limit it is never");
  CHECK_FALSE(TimeIsUp(job));
  pb::SchedulingSpec& scheduling = *job.submission.mutable_spec()->mutable_scheduling();
  scheduling.set_time_limit(101);
  CHECK_FALSE(TimeIsUp(job));
  scheduling.set_time_limit(100);
  CHECK(TimeIsUp(job));
  INFO("of one that runs the timer decides");
  job.state = pb::RUNNING;
  CHECK_FALSE(TimeIsUp(job));
}

}  // namespace
}  // namespace rm::scheduler
