#include "scheduler/state/job_update.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <string>

namespace rm::scheduler {
namespace {

absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(seconds); }

pb::JobTransition To(const Job& job, pb::JobState state, int64_t seconds) {
  pb::JobTransition transition;
  transition.set_from(job.state);
  transition.set_to(state);
  transition.set_generation(job.generation);
  transition.set_restarts(job.restarts);
  transition.set_time_ns(seconds * 1'000'000'000);
  transition.mutable_reason()->set_code("Because");
  return transition;
}

// A job with a gang of `ranks` ranks that comes up as generation 1.
Job Started(int ranks) {
  Job job;
  job.state = pb::QUEUED;
  pb::JobTransition transition = To(job, pb::STARTING, 10);
  transition.set_generation(1);
  transition.set_gang_phase(pb::COMING_UP);
  for (int rank = 0; rank < ranks; ++rank) {
    transition.add_placement()->set_rank(rank);
  }
  Enter(job, transition);
  return job;
}

template <typename Event>
Event Of(int rank) {
  Event event;
  event.mutable_rank()->set_generation(1);
  event.mutable_rank()->set_rank(rank);
  return event;
}

pb::RankExited Exit(int rank, int code, int signal, int64_t step) {
  pb::RankExited event = Of<pb::RankExited>(rank);
  event.set_exit_code(code);
  event.set_signal(signal);
  event.set_step(step);
  return event;
}

// ---- transitions ----------------------------------------------------------------------------

TEST_CASE("a placement makes a new gang of assigned ranks") {
  Job job = Started(3);
  CHECK(job.state == pb::STARTING);
  CHECK(job.generation == 1);
  CHECK(job.world_size() == 3);
  CHECK(job.living_ranks == 3);
  CHECK(job.Together());
  for (const GangRank& rank : job.gang) CHECK(rank.phase == RankPhase::kAssigned);
}

TEST_CASE("since is the time of entry, which a transition to the same state keeps") {
  Job job = Started(1);
  CHECK(job.since == At(10));
  pb::JobTransition leaving = To(job, pb::STARTING, 20);
  leaving.set_gang_phase(pb::LEAVING);
  Enter(job, leaving);
  CHECK(job.since == At(10));
  Enter(job, To(job, pb::QUEUED, 30));
  CHECK(job.since == At(30));
}

TEST_CASE("the time with a gang is counted over all stays") {
  Job job = Started(1);
  Enter(job, To(job, pb::RUNNING, 15));
  Enter(job, To(job, pb::STOPPING, 40));
  CHECK(job.counted_before == absl::Seconds(30));
  CHECK(job.counting_since == absl::InfiniteFuture());
  Enter(job, To(job, pb::QUEUED, 50));
  pb::JobTransition again = To(job, pb::STARTING, 100);
  again.set_gang_phase(pb::COMING_UP);
  again.add_placement();
  Enter(job, again);
  CHECK(job.counting_since == At(100));
  CHECK(job.counted_before == absl::Seconds(30));
}

TEST_CASE("the first time in Running is kept") {
  Job job = Started(1);
  Enter(job, To(job, pb::RUNNING, 15));
  pb::JobTransition lost = To(job, pb::RECOVERING, 20);
  lost.set_gang_phase(pb::LEAVING);
  Enter(job, lost);
  Enter(job, To(job, pb::RUNNING, 30));
  CHECK(job.first_running == At(15));
}

TEST_CASE("a loss begins when the gang breaks and ends with the next one") {
  Job job = Started(1);
  const auto enter = [&](pb::GangPhase phase, int64_t seconds) {
    pb::JobTransition transition = To(job, pb::RECOVERING, seconds);
    transition.set_gang_phase(phase);
    if (phase == pb::COMING_UP) transition.add_placement();
    Enter(job, transition);
  };
  CHECK(job.lost_at == absl::InfiniteFuture());
  enter(pb::CAUSE_UNKNOWN, 20);
  enter(pb::LEAVING, 22);
  enter(pb::WAITING_FOR_SLOTS, 25);
  CHECK(job.lost_at == At(20));
  enter(pb::COMING_UP, 30);
  CHECK(job.lost_at == absl::InfiniteFuture());
}

TEST_CASE("the cause of a stop is kept until another end is asked for") {
  Job job = Started(1);
  pb::JobTransition stop = To(job, pb::STOPPING, 20);
  stop.set_stop_target(pb::PAUSED);
  stop.set_deadline_ns(50'000'000'000);
  stop.mutable_reason()->set_code("Paused");
  Enter(job, stop);
  CHECK(job.stop_deadline == At(50));
  stop.set_deadline_ns(0);
  stop.mutable_reason()->set_code("GraceOver");
  Enter(job, stop);
  CHECK(job.stop_cause.code() == "Paused");
  CHECK(job.stop_deadline == absl::InfiniteFuture());
  stop.set_stop_target(pb::CANCELLED);
  stop.mutable_reason()->set_code("Cancelled");
  Enter(job, stop);
  CHECK(job.stop_cause.code() == "Cancelled");
  Enter(job, To(job, pb::CANCELLED, 60));
  CHECK(job.stop_target == pb::JOB_STATE_UNSPECIFIED);
  CHECK(job.ended == At(60));
}

// ---- facts ----------------------------------------------------------------------------------

TEST_CASE("ranks are counted as they listen, join and leave") {
  Job job = Started(2);
  pb::RankListening listening = Of<pb::RankListening>(1);
  listening.set_address("h:1");
  Note(job, listening);
  CHECK(job.heard_ranks == 1);
  CHECK(job.gang[1].address == "h:1");
  pb::RankJoined joined = Of<pb::RankJoined>(1);
  joined.set_first_step(40);
  Note(job, joined);
  CHECK(job.joined_ranks == 1);
  Note(job, Exit(1, 3, 0, 57), At(20));
  CHECK(job.living_ranks == 1);
  CHECK(job.joined_ranks == 1);
  CHECK(job.gang[1].exit_code == 3);
  CHECK(job.gang[1].last_step == 57);
  CHECK(job.gang[1].joined);
  MarkGone(job, 1);
  CHECK(job.living_ranks == 1);
}

TEST_CASE("a generation enters the lineage with the step of its first rank that joins") {
  Job job = Started(2);
  pb::RankJoined joined = Of<pb::RankJoined>(0);
  joined.set_first_step(40);
  Note(job, joined);
  Note(job, joined);
  REQUIRE(job.lineage.size() == 1);
  CHECK(job.lineage[0].generation == 1);
  CHECK(job.lineage[0].first_step == 40);
}

TEST_CASE("the plan is that of the newest generation that said one, and outlives its gang") {
  Job job = Started(2);
  pb::RankJoined joined = Of<pb::RankJoined>(0);
  joined.mutable_plan()->set_threads(2);
  Note(job, joined);
  pb::RankJoined other = Of<pb::RankJoined>(1);  // only rank 0 says it
  Note(job, other);
  CHECK(job.plan.threads() == 2);
  Note(job, Exit(0, 3, 0, 57), At(20));
  CHECK(job.plan.threads() == 2);
  joined.mutable_plan()->set_threads(3);
  Note(job, joined);
  CHECK(job.plan.threads() == 3);
}

TEST_CASE("the newest checkpoint counts, whatever the order of the reports") {
  Job job = Started(1);
  pb::CheckpointCommitted committed = Of<pb::CheckpointCommitted>(0);
  committed.set_step(20);
  committed.set_path("/c/20");
  (*committed.mutable_metrics())["loss"] = 0.5;
  Note(job, committed);
  committed.set_step(10);
  committed.set_path("/c/10");
  (*committed.mutable_metrics())["loss"] = 0.9;
  Note(job, committed);
  CHECK(job.last_checkpoint_step == 20);
  CHECK(job.last_checkpoint_path == "/c/20");
  CHECK(job.metrics["loss"] == 0.5);
}

TEST_CASE("the end of the training keeps its step, metrics and hash") {
  Job job = Started(1);
  pb::TrainingDone done = Of<pb::TrainingDone>(0);
  done.set_step(100);
  done.set_weights_sha256("abc");
  (*done.mutable_metrics())["validation/accuracy"] = 0.98;
  Note(job, done, At(30));
  CHECK(job.training_done);
  CHECK(job.training_done_at == At(30));
  CHECK(job.final_step == 100);
  CHECK(job.weights_sha256 == "abc");
  CHECK(job.metrics["validation/accuracy"] == 0.98);
}

TEST_CASE("how a rank ended is a clean exit, a consequence, a failure of its own or none of them") {
  struct Row {
    std::string what;
    int code;
    int signal;
    std::string cause;
    bool clean;
    bool consequence;
    bool own;
  };
  const Row kRows[] = {
      {"exit 0", 0, 0, "", true, false, false},
      {"exit 1", 1, 0, "", false, false, true},
      {"exit 1 with a cause", 1, 0, "BadRecord", false, false, true},
      {"exit 75", 75, 0, "", false, true, false},
      {"a peer was lost", 1, 0, "PeerLost", false, true, false},
      {"SIGSEGV", 0, SIGSEGV, "", false, false, true},
      {"SIGABRT", 0, SIGABRT, "", false, false, true},
      {"SIGKILL", 0, SIGKILL, "", false, false, false},
      {"SIGKILL for want of memory", 0, SIGKILL, "OutOfMemory", false, false, true},
      {"SIGTERM", 0, SIGTERM, "", false, false, false},
      {"SIGINT", 0, SIGINT, "", false, false, false},
      {"SIGHUP", 0, SIGHUP, "", false, false, false},
  };
  for (const Row& row : kRows) {
    INFO(row.what);
    pb::RankExited event = Exit(0, row.code, row.signal, 5);
    event.mutable_cause()->set_code(row.cause);
    CHECK(IsCleanExit(event) == row.clean);
    CHECK(IsConsequence(event) == row.consequence);
    CHECK(IsOwnFailure(event) == row.own);
  }
}

TEST_CASE("a failure at the same step in two generations is the same failure again") {
  Job job = Started(2);
  Note(job, Exit(0, 1, 0, 33), At(20));
  CHECK_FALSE(job.failed_again);
  Note(job, Exit(1, 1, 0, 33), At(20));
  CHECK_FALSE(job.failed_again);
  job.generation = 2;
  MarkGone(job, 0);
  Note(job, Exit(0, 1, 0, 33), At(40));
  CHECK(job.failed_again);
  job.generation = 3;
  Note(job, Exit(0, 1, 0, 90), At(60));
  CHECK_FALSE(job.failed_again);
}

TEST_CASE("the end of a rank that is being killed is no failure of its own") {
  Job job = Started(2);
  job.gang_phase = pb::LEAVING;
  Note(job, Exit(0, 1, 0, 33), At(20));
  CHECK(job.failed_generation == 0);
  job.gang_phase = pb::CAUSE_UNKNOWN;
  Note(job, Exit(1, 1, 0, 33), At(20));
  CHECK(job.failed_generation == 1);
}

TEST_CASE("a rank that was asked to leave fails by itself only if it says so") {
  Job job = Started(2);
  job.state = pb::STOPPING;
  job.gang_phase = pb::GANG_PHASE_UNSPECIFIED;
  Note(job, Exit(0, 1, 0, 33), At(20));
  CHECK(job.failed_generation == 0);
  pb::RankExited said = Exit(1, 1, 0, 33);
  said.mutable_cause()->set_code("BadRecord");
  Note(job, said, At(20));
  CHECK(job.failed_generation == 1);
}

TEST_CASE("a rank that leaves cleanly while its gang is together has left early") {
  Job job = Started(2);
  Note(job, Exit(0, 0, 0, 5), At(20));
  Note(job, Exit(1, 0, 0, 5), At(25));
  CHECK(job.left_early_at == At(20));
  Job leaving = Started(1);
  leaving.gang_phase = pb::LEAVING;
  Note(leaving, Exit(0, 0, 0, 5), At(20));
  CHECK(leaving.left_early_at == absl::InfiniteFuture());
}

TEST_CASE("a verdict settles the preflight") {
  Job job;
  job.preflight_pending = true;
  pb::PreflightVerdict verdict;
  verdict.add_errors("no data");
  Note(job, verdict);
  CHECK_FALSE(job.preflight_pending);
  CHECK(job.preflight_errors == std::vector<std::string>{"no data"});
}

// ---- hangs, and a coordinator that was away --------------------------------------------------

pb::RankHung HungAt(int rank, int64_t step, const std::string& code) {
  pb::RankHung event = Of<pb::RankHung>(rank);
  event.set_step(step);
  event.mutable_cause()->set_code(code);
  return event;
}

TEST_CASE("a hang in Running is a failure of its own, that of a whole gang and a start are none") {
  struct Row {
    pb::JobState state;
    std::string code;
    bool own;
  };
  const Row kRows[] = {
      {pb::RUNNING, "RankHung", true},         {pb::RUNNING, "", true},
      {pb::RUNNING, "GangStandsStill", false}, {pb::STARTING, "StartTimeout", false},
      {pb::RECOVERING, "StartTimeout", false}, {pb::RECOVERING, "RankHung", false},
  };
  for (const Row& row : kRows) {
    Job job = Started(2);
    job.state = row.state;
    Note(job, HungAt(1, 33, row.code));
    INFO(row.code << " in " << pb::JobState_Name(row.state));
    CHECK(job.failed_generation == (row.own ? 1 : 0));
    CHECK(job.failed_step == (row.own ? 33 : 0));
    CHECK(job.living_ranks == 2);
  }
}

// A bad record may end one attempt in a loop and the next one in a crash.
TEST_CASE("a hang and a crash at the same step are the same failure again") {
  Job job = Started(2);
  job.state = pb::RUNNING;
  Note(job, HungAt(1, 33, "RankHung"));
  CHECK_FALSE(job.failed_again);
  job.generation = 2;
  Note(job, Exit(0, 1, 0, 33), At(50));
  CHECK(job.failed_again);
}

// Reports wait in the workers until there is somebody to take them.
TEST_CASE("what was awaited from ranks is awaited anew after the coordinator was away") {
  Job job = Started(2);
  job.state = pb::RUNNING;
  job.gang_phase = pb::GANG_PHASE_UNSPECIFIED;
  AwaitAnew(job, At(99));
  INFO("nothing was awaited");
  CHECK(job.left_early_at == absl::InfiniteFuture());
  CHECK(job.training_done_at == absl::InfiniteFuture());
  CHECK(job.lost_at == absl::InfiniteFuture());

  Note(job, Exit(1, 0, 0, 5), At(20));
  AwaitAnew(job, At(99));
  CHECK(job.left_early_at == At(99));

  Note(job, Of<pb::TrainingDone>(0), At(21));
  AwaitAnew(job, At(100));
  CHECK(job.training_done_at == At(100));
}

TEST_CASE("the end of a peer is awaited anew, slots in place of the lost are not") {
  for (const pb::GangPhase phase : {pb::CAUSE_UNKNOWN, pb::LEAVING, pb::WAITING_FOR_SLOTS}) {
    Job job = Started(2);
    job.state = pb::RECOVERING;
    job.gang_phase = phase;
    job.lost_at = At(20);
    AwaitAnew(job, At(99));
    INFO(pb::GangPhase_Name(phase));
    CHECK(job.lost_at == At(phase == pb::CAUSE_UNKNOWN ? 99 : 20));
  }
}

TEST_CASE("a job that has left its gang awaits nothing") {
  Job job = Started(1);
  job.state = pb::SUCCEEDED;
  job.training_done = true;
  job.training_done_at = At(20);
  job.left_early_at = At(20);
  AwaitAnew(job, At(99));
  CHECK(job.training_done_at == At(20));
  CHECK(job.left_early_at == At(20));
}

}  // namespace
}  // namespace rm::scheduler
