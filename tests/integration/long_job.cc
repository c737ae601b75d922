#include "tests/integration/long_job.h"

#include <catch2/catch.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/json.h"
#include "tests/integration/process_table.h"

namespace rm::integration {
namespace {

constexpr int64_t kEvaluateEvery = 100;
constexpr int64_t kComparedSteps = 3 * kEvaluateEvery;  // at least: fewer would prove little

std::map<int64_t, double> LossesOf(const pb::Job& job) {
  std::map<int64_t, double> losses;
  const std::string text = ReadAll(job.checkpoint_folder() + "/metrics.jsonl");
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const auto entry = base::Json::Parse(line);
    if (!entry.ok()) continue;  // the line a killed rank was writing
    const base::Json* loss = entry->Find("validation/loss");
    int64_t step = 0;
    if (loss == nullptr || !absl::SimpleAtoi(Text(*entry, "step"), &step)) continue;
    losses[step] = loss->number_or(-1);
  }
  return losses;
}

// By the newest checkpoint, not by what the job reported: what is on the disk is what counts.
Course CourseOf(const TestCluster& cluster, const pb::Job& job) {
  const auto verified = cluster.client().Verify(job.job_id(), 0);
  INFO(verified.status() << (verified.ok() ? verified->ShortDebugString() : ""));
  REQUIRE(verified.ok());
  REQUIRE(verified->ok());
  return {verified->checkpoint().step(), verified->weights_sha256(), LossesOf(job)};
}

}  // namespace

bool Runs(const pb::Job& job, int64_t generation) {
  return job.state() == pb::RUNNING && job.generation() == generation;
}

std::string SubmitLong(const TestCluster& cluster, const LongJob& job) {
  const std::string file =
      cluster.JobFile(job.name, job.ranks, absl::StrCat("  steps: ", job.steps, "\n"));
  return cluster.Submit(
      file, absl::StrCat("--set model.params.hidden1=256 --set train.global_batch_size=48",
                         " --set train.optimizer.params.lr=0.0003",
                         " --set train.evaluate_every.steps=", kEvaluateEvery,
                         " --set checkpoint.every.steps=", job.save_every, " ", job.flags));
}

Course StopAndRead(const TestCluster& cluster, const std::string& id) {
  cluster.Await(id, [](const pb::Job& now) {
    return now.state() == pb::RUNNING && now.progress().step() > kComparedSteps;
  });
  const auto cancelled = cluster.client().Cancel(id);
  INFO(cancelled.status());
  REQUIRE(cancelled.ok());
  const pb::Job job = cluster.AwaitEnd(id);
  REQUIRE(job.state() == pb::CANCELLED);
  return CourseOf(cluster, job);
}

void CheckAgainstUndisturbed(const TestCluster& cluster, LongJob job, const Course& disturbed) {
  REQUIRE(disturbed.step > kComparedSteps);
  job.name = "undisturbed";
  job.steps = disturbed.step;
  const pb::Job ended = cluster.AwaitEnd(SubmitLong(cluster, job));
  INFO(ended.reason().ShortDebugString());
  REQUIRE(ended.state() == pb::SUCCEEDED);
  CHECK(ended.generation() == 1);
  const Course undisturbed = CourseOf(cluster, ended);
  CHECK(ended.weights_sha256() == undisturbed.weights_sha256);
  CHECK(disturbed.step == undisturbed.step);
  CHECK(disturbed.weights_sha256 == undisturbed.weights_sha256);
  for (int64_t step = kEvaluateEvery; step < disturbed.step; step += kEvaluateEvery) {
    const auto one = disturbed.losses.find(step);
    const auto other = undisturbed.losses.find(step);
    CAPTURE(step);
    REQUIRE(one != disturbed.losses.end());
    REQUIRE(other != undisturbed.losses.end());
    CHECK(one->second == Approx(other->second).epsilon(1e-6));
  }
  // A curve on which nothing happens would prove nothing.
  CHECK(undisturbed.losses.at(kEvaluateEvery) > 1.01 * undisturbed.losses.at(kComparedSteps));
}

}  // namespace rm::integration
