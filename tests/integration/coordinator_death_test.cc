// The coordinator is killed, again and again, and nothing that runs notices; nothing that was answered is forgotten.

#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "runtime/jobspec/jobspec.h"
#include "tests/integration/child.h"
#include "tests/integration/long_job.h"
#include "tests/integration/process_table.h"
#include "tests/integration/test_cluster.h"

namespace rm::integration {
namespace {

constexpr uint64_t kSeed = 20261122;

// A moment to kill at and how long to stay away: chosen by the seed, not by the machine.
absl::Duration Between(std::mt19937_64& random, absl::Duration least, absl::Duration most) {
  const int64_t span = absl::ToInt64Milliseconds(most - least);
  return least + absl::Milliseconds(static_cast<int64_t>(random() % static_cast<uint64_t>(span)));
}

// The steps a job shows must never go back. Fed with every look at the job. A coordinator that is back shows none until
// the ranks are heard again.
class StepWatch {
 public:
  void Look(const TestCluster& cluster, const std::string& id) {
    const auto job = cluster.client().Get(id);
    if (!job.ok() || job->progress().step() == 0) return;
    CHECK(job->progress().step() >= last_);
    last_ = std::max(last_, job->progress().step());
  }
  [[nodiscard]] int64_t last() const { return last_; }

 private:
  int64_t last_ = 0;
};

// Watches the jobs until `end`; that is what a user's dashboard does meanwhile.
void WatchUntil(const TestCluster& cluster, std::vector<std::pair<std::string, StepWatch>>& jobs,
                absl::Time end) {
  while (absl::Now() < end) {
    for (auto& [id, watch] : jobs) watch.Look(cluster, id);
    absl::SleepFor(absl::Milliseconds(20));
  }
}

TEST_CASE("a coordinator that is killed at random moments disturbs no rank, and forgets no job") {
  TestCluster cluster(2, 3);
  LongJob first;
  first.name = "first";
  LongJob second;
  second.name = "second";
  const std::string one = SubmitLong(cluster, first);
  const std::string two = SubmitLong(cluster, second);
  for (const std::string& id : {one, two}) {
    cluster.Await(id, [](const pb::Job& job) { return Runs(job, 1) && job.progress().step() > 20; });
  }
  // Two slots are left: this one gets them, at a moment that a kill may hit; the next must wait.
  const std::string starting =
      cluster.Submit(cluster.JobFile("starting", 2, "  steps: 100000000\n"));
  const std::string queued = cluster.Submit(cluster.JobFile("queued", 2, "  steps: 20\n"));
  const std::vector<int> pids[] = {cluster.RankPids(one), cluster.RankPids(two)};
  REQUIRE(pids[0].size() == 2);
  REQUIRE(pids[1].size() == 2);

  std::mt19937_64 random(kSeed);
  std::vector<std::pair<std::string, StepWatch>> watched = {{one, {}}, {two, {}}};
  const absl::Duration away[] = {absl::ZeroDuration(), absl::Milliseconds(300),
                                 Between(random, absl::Milliseconds(500), absl::Seconds(2)),
                                 absl::Milliseconds(50),
                                 absl::Seconds(4)};  // past every back-off of who dials
  for (const absl::Duration& gone : away) {
    cluster.KillCoordinator();
    absl::SleepFor(gone);  // the fault itself: how long nobody is there
    cluster.RestartCoordinator();
    cluster.Await(one, [](const pb::Job&) { return true; });  // it serves
    WatchUntil(cluster, watched,
               absl::Now() + Between(random, absl::Milliseconds(100), absl::Seconds(1)));
  }
  for (auto& [id, watch] : watched) {
    const int64_t step = watch.last();
    cluster.Await(id, [step](const pb::Job& job) {
      return Runs(job, 1) && job.progress().step() > step;
    });
    CHECK(cluster.Job(id).Find("restarts")->number_or(-1) == 0);
  }
  CHECK(cluster.RankPids(one) == pids[0]);  // the same processes
  CHECK(cluster.RankPids(two) == pids[1]);
  cluster.Await(starting, [](const pb::Job& job) { return job.state() == pb::RUNNING; });
  CHECK(cluster.client().Get(queued)->state() == pb::QUEUED);
  const Course course = StopAndRead(cluster, one);
  CHECK(cluster.AwaitEnd(queued).state() == pb::SUCCEEDED);  // in the slots that were free then
  for (const std::string& id : {two, starting}) CHECK(cluster.client().Kill(id).ok());
  CheckAgainstUndisturbed(cluster, first, course);
}

TEST_CASE("a job that ends while the coordinator is away has ended when it is back") {
  TestCluster cluster;
  LongJob wanted;
  wanted.name = "ending";
  wanted.steps = 400;
  const std::string id = SubmitLong(cluster, wanted);
  cluster.Await(id, [](const pb::Job& job) { return Runs(job, 1); });
  const std::vector<int> pids = cluster.RankPids(id);
  cluster.KillCoordinator();
  for (const int pid : pids) {
    while (IsRunning(pid)) absl::SleepFor(absl::Milliseconds(20));
  }
  cluster.RestartCoordinator();
  const pb::Job job = cluster.AwaitEnd(id);
  INFO(job.ShortDebugString());
  CHECK(job.state() == pb::SUCCEEDED);
  CHECK(job.generation() == 1);
  CHECK(job.weights_sha256() == cluster.client().Verify(id, 0)->weights_sha256());
}

TEST_CASE("a rank that dies while the coordinator is away is replaced when it is back") {
  TestCluster cluster;
  LongJob wanted;
  wanted.name = "bereft";
  const std::string id = SubmitLong(cluster, wanted);
  const pb::Job before = cluster.Await(id, [](const pb::Job& job) {
    return Runs(job, 1) && job.last_checkpoint_step() > 0;
  });
  const std::vector<int> pids = cluster.RankPids(id);
  cluster.KillCoordinator();
  ::kill(pids.at(1), SIGKILL);
  while (IsRunning(pids[1])) absl::SleepFor(absl::Milliseconds(5));
  cluster.RestartCoordinator();
  cluster.Await(id, [&](const pb::Job& job) {
    return Runs(job, 2) && job.progress().step() > before.last_checkpoint_step();
  });
  CHECK(absl::StrContains(cluster.Trainctl("events " + id).out, "signal 9"));
  CheckAgainstUndisturbed(cluster, wanted, StopAndRead(cluster, id));
}

TEST_CASE("a worker that dies while the coordinator is away is missed, and its job recovers") {
  TestCluster cluster(3, 1);
  LongJob wanted;
  wanted.name = "orphan";
  const std::string id = SubmitLong(cluster, wanted);
  const pb::Job before = cluster.Await(id, [](const pb::Job& job) {
    return Runs(job, 1) && job.last_checkpoint_step() > 0;
  });
  std::string victim;
  for (const pb::Placement& placement : before.placement()) victim = placement.worker_id();
  cluster.KillCoordinator();
  cluster.Kill(victim);
  cluster.RestartCoordinator({"--adopt-window", "3s"});
  const absl::Time back = absl::Now();
  cluster.Await(id, [&](const pb::Job& job) {
    return Runs(job, 2) && job.progress().step() > before.last_checkpoint_step();
  });
  std::printf("worker dead on the coordinator's return: job goes on after %s\n",
              absl::FormatDuration(absl::Now() - back).c_str());
  cluster.AwaitWorkers(pb::LOST, 1);
  CheckAgainstUndisturbed(cluster, wanted, StopAndRead(cluster, id));
}

TEST_CASE("whoever follows a job when the coordinator dies sees all of it, and nothing twice") {
  TestCluster cluster;
  LongJob wanted;
  wanted.name = "followed";
  const std::string id = SubmitLong(cluster, wanted);
  cluster.Await(id, [](const pb::Job& job) { return Runs(job, 1) && job.progress().step() > 50; });
  Child& logs = cluster.TrainctlInBackground("logs -f " + id + " --rank 0", "logs");
  // Whoever has the id of the job has been answered: from then on no kill ends the waiting.
  Child& wait = cluster.TrainctlInBackground(
      "submit --wait " + cluster.JobFile("awaited", 1, "  steps: 100000000\n"), "wait");
  REQUIRE(wait.WaitForOutput("awaited-", absl::Seconds(20)));
  REQUIRE(logs.WaitForOutput("step ", absl::Seconds(20)));
  const pb::Job early = cluster.Await(id, [](const pb::Job&) { return true; });
  cluster.Await(id, [&](const pb::Job& job) {
    return job.progress().step() > early.progress().step() + 100;
  });
  for (int kills = 0; kills < 2; ++kills) {
    cluster.KillCoordinator();
    cluster.RestartCoordinator();
    const std::string before = logs.output();
    const pb::Job back = cluster.Await(id, [](const pb::Job& job) {
      return job.progress().updated_ns() > 0;
    });
    cluster.Await(id, [&](const pb::Job& job) {
      return job.progress().step() > back.progress().step() + 100;
    });
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (logs.output().size() <= before.size() && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(20));
    }
    CHECK(logs.output().size() > before.size());
  }
  CHECK(cluster.client().Cancel(id).ok());
  CHECK(cluster.client().Cancel("awaited").ok());
  CHECK(logs.WaitFor(absl::Seconds(30)).has_value());
  const int code = wait.WaitFor(absl::Seconds(30)).value_or(-1);
  INFO(code << " " << wait.output());
  CHECK(code == 103);
  // What is for people (that it was away) goes to the same file here; the rank's lines begin with its number.
  std::string followed;
  for (const absl::string_view line : absl::StrSplit(logs.output(), '\n')) {
    if (absl::StartsWith(line, "[rank 0] ")) absl::StrAppend(&followed, line, "\n");
  }
  CHECK(followed == cluster.Trainctl("logs " + id + " --rank 0").out);
}

// The request as trainctl makes it, with an id of our own.
pb::SubmitRequest RequestOf(const TestCluster& cluster, const std::string& request_id) {
  const std::string file = cluster.JobFile(request_id, 1, "  steps: 5\n");
  jobspec::ParseResult parsed = jobspec::Parse(ReadAll(file), {});
  REQUIRE(parsed.ok());
  jobspec::MakePathsAbsolute(&parsed.spec, cluster.File(""));
  pb::SubmitRequest request;
  *request.mutable_spec() = parsed.spec;
  request.set_request_id(request_id);
  request.set_user("tester");
  return request;
}

TEST_CASE("a submission that was answered exists after a kill; one that was not is safe to repeat") {
  TestCluster cluster;
  std::mt19937_64 random(kSeed + 1);
  std::set<std::string> answered;
  std::vector<std::string> asked;
  for (int round = 0; round < 4; ++round) {
    const absl::Time kill_at =
        absl::Now() + Between(random, absl::Milliseconds(20), absl::Milliseconds(300));
    bool killed = false;
    std::string unanswered;
    for (int i = 0; unanswered.empty(); ++i) {
      if (!killed && absl::Now() >= kill_at) {
        // Without waiting for its end: the next submission meets a coordinator that is dying.
        ::kill(cluster.PidOf("coordinator"), SIGKILL);
        killed = true;
      }
      const std::string request_id = absl::StrCat("submission-", round, "-", i);
      const auto reply = cluster.client().Submit(RequestOf(cluster, request_id));
      asked.push_back(request_id);
      if (reply.ok()) {
        answered.insert(reply->job_id());
      } else {
        CHECK(absl::IsUnavailable(reply.status()));
        unanswered = request_id;
      }
    }
    cluster.KillCoordinator();
    cluster.RestartCoordinator();
    cluster.AwaitWorkers(pb::READY, 2);
    std::set<std::string> ids;
    for (int again = 0; again < 2; ++again) {  // whatever became of the first try
      const auto reply = cluster.client().Submit(RequestOf(cluster, unanswered));
      INFO(reply.status());
      REQUIRE(reply.ok());
      ids.insert(reply->job_id());
    }
    CHECK(ids.size() == 1);
    answered.insert(*ids.begin());
  }
  std::printf("%zu submissions around 4 kills\n", asked.size());
  CHECK(answered.size() == asked.size());
  pb::ListJobsRequest list;
  list.set_all(true);
  list.set_page_size(1000);
  const auto jobs = cluster.client().List(list);
  REQUIRE(jobs.ok());
  std::set<std::string> found;
  for (const pb::Job& job : jobs->jobs()) CHECK(found.insert(job.job_id()).second);
  CHECK(found == answered);
}

}  // namespace
}  // namespace rm::integration
