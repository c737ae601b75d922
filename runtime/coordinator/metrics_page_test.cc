#include "runtime/coordinator/metrics_page.h"

#include <csignal>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/coordinator/test_world.h"

namespace rm::coordinator {
namespace {

struct Page {
  std::vector<std::string> lines;
  explicit Page(TestWorld& world) : lines(absl::StrSplit(MetricsPage(world.coordinator()), '\n')) {}
  [[nodiscard]] bool Has(const std::string& line) const {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  }
};

TEST_CASE("an empty cluster has all families, with zeros where a sum is known") {
  TestWorld world;
  const Page page(world);
  CHECK(page.Has("ringmaster_build_info{version=\"0.1.0\"} 1"));
  CHECK(page.Has("ringmaster_jobs{state=\"running\"} 0"));
  CHECK(page.Has("ringmaster_slots{state=\"free\"} 0"));
  CHECK(page.Has("# TYPE ringmaster_journal_fsync_seconds histogram"));
  CHECK(page.Has("ringmaster_journal_fsync_seconds_count 1"));  // that it has started
  CHECK(page.Has("ringmaster_journal_records 1"));
  CHECK(page.Has("ringmaster_workers{state=\"suspect\"} 0"));
  CHECK(page.Has("ringmaster_slots{state=\"suspect\"} 0"));
}

TEST_CASE("jobs and slots are counted by their state") {
  TestWorld world;
  TestWorker w1(world, "w1", 3);
  RunJob(world, w1, "one", 2);
  world.Submit("two", 2);
  world.Submit("three", 1, /*passes=*/false);
  const Page page(world);
  CHECK(page.Has("ringmaster_jobs{state=\"running\"} 1"));
  CHECK(page.Has("ringmaster_jobs{state=\"queued\"} 2"));
  CHECK(page.Has("ringmaster_pending_jobs{pool=\"default\",reason=\"Preflight\"} 1"));
  CHECK(page.Has("ringmaster_slots{state=\"used\"} 2"));
  CHECK(page.Has("ringmaster_slots{state=\"free\"} 1"));
  CHECK(page.Has("ringmaster_workers{state=\"ready\"} 1"));
  CHECK(page.Has("ringmaster_queue_wait_seconds_count 1"));
}

TEST_CASE("what the ranks say is shown by job, rank and node") {
  TestWorld world;
  TestWorker w1(world, "w1", 2);
  const std::string job = RunJob(world, w1, "mnist", 2);
  w1.Progresses(job, 1, 0, 10);
  w1.Progresses(job, 1, 1, 10);
  const std::string labels = absl::StrCat("job=\"", job, "\",rank=\"1\",node=\"w1\"");
  {
    const Page page(world);
    CHECK(page.Has(absl::StrCat("ringmaster_samples_total{", labels, "} 640")));
    CHECK(page.Has(absl::StrCat("ringmaster_step_seconds{", labels, ",phase=\"forward\"} 0.5")));
  }
  w1.Finishes(job, 1, 0, 100);
  w1.Exits(job, 1, 0, 0);
  w1.Exits(job, 1, 1, 0);
  for (const std::string& line : Page(world).lines) CHECK_FALSE(absl::StrContains(line, job));
}

TEST_CASE("recoveries are counted by cause, with the steps they cost") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  const std::string job = RunJob(world, w1, "mnist", 1);
  w1.Progresses(job, 1, 0, 10);
  w1.Exits(job, 1, 0, 0, SIGKILL);
  w1.Listens(job, 2, 0);
  w1.Joins(job, 2, 0, /*first_step=*/4);
  const Page page(world);
  CHECK(page.Has("ringmaster_recoveries_total{cause=\"RankLost\"} 1"));
  CHECK(page.Has("ringmaster_steps_lost_total 6"));
  CHECK(page.Has("ringmaster_recovery_seconds_count 1"));
}

TEST_CASE("the age of a worker's heartbeat is that of the last word it said") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  world.Pass(absl::Seconds(3));
  CHECK(Page(world).Has("ringmaster_worker_heartbeat_age_seconds{node=\"w1\"} 3"));
  w1.Beats();
  CHECK(Page(world).Has("ringmaster_worker_heartbeat_age_seconds{node=\"w1\"} 0"));
}

}  // namespace
}  // namespace rm::coordinator
