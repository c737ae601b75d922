#include "runtime/coordinator/live_jobs.h"

#include <catch2/catch.hpp>

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

pb::RankRef Rank(int64_t generation, int32_t rank) {
  pb::RankRef ref;
  ref.set_job_id("a");
  ref.set_generation(generation);
  ref.set_rank(rank);
  return ref;
}

pb::RankMessage Step(int64_t step, double loss = 1) {
  pb::RankMessage message;
  message.mutable_progress()->set_step(step);
  message.mutable_progress()->set_total_steps(100);
  message.mutable_progress()->set_loss(loss);
  return message;
}

pb::RankMessage Joined(int64_t first_step) {
  pb::RankMessage message;
  message.mutable_joined()->set_first_step(first_step);
  return message;
}

struct Live {
  LiveJobs jobs;
  void Report(const pb::RankRef& rank, const pb::RankMessage& message) {
    jobs.OnReport(rank, message, absl::FromUnixSeconds(7));
  }
};

TEST_CASE("of a job that said nothing there is nothing") {
  const LiveJobs jobs;
  CHECK(jobs.Find("a") == nullptr);
  CHECK(jobs.Find(Rank(1, 0)) == nullptr);
}

TEST_CASE("a job's progress is that of rank 0, each rank's own is kept beside it") {
  Live live;
  live.Report(Rank(1, 0), Step(3, 0.5));
  live.Report(Rank(1, 1), Step(4, 0.25));
  const LiveJob* job = live.jobs.Find("a");
  REQUIRE(job != nullptr);
  CHECK(job->progress.step() == 3);
  CHECK(job->progress.loss() == 0.5);
  CHECK(job->progress.updated_ns() == 7'000'000'000);
  CHECK(job->last_step == 4);
  CHECK(live.jobs.Find(Rank(1, 1))->progress.step() == 4);
}

TEST_CASE("metrics are the newest of each name") {
  Live live;
  pb::RankMessage evaluated;
  (*evaluated.mutable_evaluated()->mutable_metrics())["validation/accuracy"] = 0.5;
  (*evaluated.mutable_evaluated()->mutable_metrics())["validation/loss"] = 2;
  pb::RankMessage finished;
  (*finished.mutable_finished()->mutable_metrics())["validation/accuracy"] = 0.75;
  live.Report(Rank(1, 0), evaluated);
  live.Report(Rank(1, 0), finished);
  CHECK(live.jobs.Find("a")->metrics ==
        std::map<std::string, double>{{"validation/accuracy", 0.75}, {"validation/loss", 2}});
}

TEST_CASE("a new generation begins with no ranks, and the old one is heard no more") {
  Live live;
  live.Report(Rank(1, 0), Step(9));
  live.Report(Rank(1, 1), Step(9));
  live.Report(Rank(2, 0), Joined(5));
  CHECK(live.jobs.Find(Rank(1, 1)) == nullptr);
  live.Report(Rank(1, 1), Step(10));
  CHECK(live.jobs.Find("a")->generation == 2);
  CHECK(live.jobs.Find("a")->progress.step() == 5);
  CHECK(live.jobs.Find("a")->ranks.count(1) == 0);
}

TEST_CASE("steps that a new generation repeats were lost") {
  Live live;
  live.Report(Rank(1, 0), Joined(0));
  live.Report(Rank(1, 0), Step(9));
  live.Report(Rank(1, 1), Step(10));
  live.Report(Rank(2, 1), Joined(6));
  live.Report(Rank(2, 0), Joined(6));
  CHECK(live.jobs.steps_lost() == 4);
  live.Report(Rank(3, 0), Joined(6));
  CHECK(live.jobs.steps_lost() == 4);
}

TEST_CASE("what a rank said when it failed is kept until the job ends") {
  Live live;
  pb::RankMessage failed;
  failed.mutable_failed()->mutable_reason()->set_code("NonFiniteGradient");
  live.Report(Rank(1, 1), failed);
  live.Report(Rank(1, 0), Step(9));
  CHECK(live.jobs.Find(Rank(1, 1))->failed.reason().code() == "NonFiniteGradient");
  CHECK_FALSE(live.jobs.Find(Rank(1, 0))->failed.has_reason());
  live.jobs.OnEnded("a");
  CHECK(live.jobs.Find(Rank(1, 1)) == nullptr);
  CHECK(live.jobs.Find("a")->progress.step() == 9);
}

TEST_CASE("every report that changes something is counted as a change") {
  Live live;
  live.Report(Rank(1, 0), Step(1));
  const int64_t before = live.jobs.Find("a")->changes;
  live.Report(Rank(1, 0), Step(2));
  CHECK(live.jobs.Find("a")->changes > before);
  const int64_t after = live.jobs.Find("a")->changes;
  pb::RankMessage listening;
  listening.mutable_listening()->set_address("x:1");
  live.Report(Rank(1, 0), listening);
  CHECK(live.jobs.Find("a")->changes == after);
  live.jobs.OnEnded("unknown");
}

}  // namespace
}  // namespace rm::coordinator
