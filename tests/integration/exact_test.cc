// Exact mode with real daemons: whatever happens to a job, and on however many ranks it goes on, it ends with the bits of a
// job that nothing happened to.

#include <signal.h>

#include <catch2/catch.hpp>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/long_job.h"
#include "tests/integration/test_cluster.h"

namespace rm::integration {
namespace {

// All that changes a step beside the gradient is switched on. The schedule is too long to end.
LongJob ExactJob(const std::string& name, int ranks) {
  LongJob job;
  job.name = name;
  job.ranks = ranks;
  job.flags =
      "--set train.determinism=exact --set train.virtual_shards=8 --set train.optimizer.type=AdamW"
      " --set 'train.optimizer.params={lr: 0.0003, weight_decay: 0.1}'"
      " --set 'train.optimizer.no_decay=[\"*.bias\"]' --set train.gradient_clipping=0.5"
      " --set train.scheduler.type=WarmupCosineLR"
      " --set 'train.scheduler.params={warmup_steps: 50, total_steps: 1000000}'";
  return job;
}

// Waits until the generation has trained on, and saved, well beyond `step`; the job as it is then.
pb::Job TrainBeyond(const TestCluster& cluster, const std::string& id, int64_t generation,
                    int64_t step) {
  return cluster.Await(id, [&](const pb::Job& now) {
    return Runs(now, generation) && now.last_checkpoint_step() > step + 100;
  });
}

TEST_CASE("an exact job of three ranks that was killed again and again ends as an undisturbed one of two") {
  TestCluster cluster(3, 1);
  const std::string id = SubmitLong(cluster, ExactJob("killed", 3));
  const pb::Job first = TrainBeyond(cluster, id, 1, 0);
  CHECK(first.plan().threads() == 1);
  CHECK(absl::StartsWith(first.plan().fingerprint(), "ISA "));
  CHECK(absl::StrContains(cluster.Trainctl("describe " + id).out, first.plan().fingerprint()));

  ::kill(cluster.RankPids(id).at(1), SIGKILL);
  const pb::Job second = TrainBeyond(cluster, id, 2, first.progress().step());
  cluster.KillCoordinator();
  cluster.RestartCoordinator();  // the plan comes back out of the journal
  cluster.AwaitWorkers(pb::READY, 3);
  ::kill(cluster.RankPids(id).at(0), SIGKILL);
  const pb::Job third = TrainBeyond(cluster, id, 3, second.progress().step());
  CHECK(third.plan().SerializeAsString() == first.plan().SerializeAsString());

  CheckAgainstUndisturbed(cluster, ExactJob("undisturbed", 2), StopAndRead(cluster, id));
}

// A job's world size is fixed so far, so its checkpoint is handed to another job, which waits for workers meanwhile.
TEST_CASE("what three ranks began two ranks end with the bits of one") {
  TestCluster cluster(3, 1);
  const std::string began = SubmitLong(cluster, ExactJob("began", 3));
  const Course half = StopAndRead(cluster, began);
  for (const char* const worker : {"worker-1", "worker-2", "worker-3"}) cluster.Kill(worker);

  LongJob rest = ExactJob("ended", 2);
  rest.steps = half.step + 300;
  const std::string ended = SubmitLong(cluster, rest);
  const Outcome copied = RunShell(
      absl::StrCat("mkdir -p ", cluster.client().Get(ended)->checkpoint_folder(), " && cp -r ",
                   cluster.client().Get(began)->checkpoint_folder(), "/step-* ",
                   cluster.client().Get(ended)->checkpoint_folder()),
      cluster.folder());
  INFO(copied.err);
  REQUIRE(copied.code == 0);
  cluster.RestartWorker(1);
  cluster.RestartWorker(2);
  const pb::Job job = cluster.AwaitEnd(ended);
  INFO(job.ShortDebugString());
  REQUIRE(job.state() == pb::SUCCEEDED);
  CHECK(absl::StrContains(cluster.Trainctl("logs " + ended).out,
                          absl::StrCat("at step ", half.step)));  // it did not begin anew

  LongJob alone = ExactJob("alone", 1);
  alone.steps = rest.steps;
  const pb::Job undisturbed = cluster.AwaitEnd(SubmitLong(cluster, alone));
  REQUIRE(undisturbed.state() == pb::SUCCEEDED);
  CHECK(job.weights_sha256() == undisturbed.weights_sha256());
}

}  // namespace
}  // namespace rm::integration
