#include "runtime/coordinator/job_view.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler/core/scheduler.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

const Folders kFolders{"/state", "/storage"};

// A scheduler that jobs are submitted to.
struct Jobs {
  std::unique_ptr<scheduler::Scheduler> core =
      *scheduler::Scheduler::Create(scheduler::SchedulerOptions());

  void Step(const pb::Event& event) {
    const auto result = core->Step({event}, absl::FromUnixSeconds(100));
    REQUIRE(result.record.refusals().empty());
  }
  void Submit(const std::string& job_id, int32_t ranks = 1, int32_t slots = 1) {
    pb::Event event;
    event.mutable_submit()->set_job_id(job_id);
    event.mutable_submit()->set_user("ada");
    pb::ResourceSpec& resources = *event.mutable_submit()->mutable_spec()->mutable_resources();
    resources.set_ranks_min(ranks);
    resources.set_ranks_max(ranks);
    resources.set_slots_per_rank(slots);
    Step(event);
  }
  void Attach(const std::string& id, int32_t slots) {
    pb::Event event;
    event.mutable_worker_attached()->set_worker_id(id);
    event.mutable_worker_attached()->set_host("host-" + id);
    event.mutable_worker_attached()->set_slots(slots);
    event.mutable_worker_attached()->set_version("0.1.0");
    Step(event);
  }
};

TEST_CASE("checkpoints lie where the job says, else in the storage") {
  pb::JobSpec spec;
  CHECK(kFolders.Checkpoints(spec, "a-1") == "/storage/a-1");
  spec.mutable_checkpoint()->set_path("/mnt/own");
  CHECK(kFolders.Checkpoints(spec, "a-1") == "/mnt/own/a-1");
  CHECK(kFolders.Logs("a-1") == "/state/logs/a-1");
}

TEST_CASE("a job that waits is shown without times that never were") {
  Jobs jobs;
  jobs.Submit("a");
  const pb::Job view = ViewJob(*jobs.core->state().FindJob("a"), nullptr, kFolders);
  CHECK(view.job_id() == "a");
  CHECK(view.state() == pb::QUEUED);
  CHECK(view.user() == "ada");
  CHECK(view.submitted_ns() == 100'000'000'000);
  CHECK(view.started_ns() == 0);
  CHECK(view.ended_ns() == 0);
  CHECK(view.placement().empty());
  CHECK(view.last_checkpoint_step() == 0);
  CHECK(view.checkpoint_folder() == "/storage/a");
  CHECK(view.log_folder() == "/state/logs/a");
}

TEST_CASE("a job that holds slots is shown with its placement, one that has ended without") {
  Jobs jobs;
  jobs.Attach("w1", 2);
  jobs.Submit("a", 2);
  CHECK(ViewJob(*jobs.core->state().FindJob("a"), nullptr, kFolders).placement_size() == 2);
  scheduler::Job ended = *jobs.core->state().FindJob("a");
  ended.state = pb::SUCCEEDED;
  CHECK(ViewJob(ended, nullptr, kFolders).placement().empty());
}

TEST_CASE("what the ranks say is newer than the journal, but not less") {
  scheduler::Job job;
  job.metrics = {{"train/loss", 0.5}, {"validation/accuracy", 0.9}};
  job.last_checkpoint_step = 500;
  job.last_checkpoint_path = "/storage/a/step-500";
  LiveJob live;
  live.progress.set_step(20);
  live.metrics = {{"train/loss", 0.25}};

  pb::Job view = ViewJob(job, &live, kFolders);
  CHECK(view.metrics().at("train/loss") == 0.25);
  CHECK(view.metrics().at("validation/accuracy") == 0.9);
  CHECK(view.progress().step() == 500);
  CHECK(view.last_checkpoint_step() == 500);

  live.progress.set_step(620);
  CHECK(ViewJob(job, &live, kFolders).progress().step() == 620);
  job.training_done = true;
  job.final_step = 1000;
  CHECK(ViewJob(job, nullptr, kFolders).progress().step() == 1000);
}

TEST_CASE("of a gang that has not reported yet no progress is shown; without a gang, what is on disk") {
  scheduler::Job job;
  job.last_checkpoint_step = 500;
  for (const auto& [state, step] :
       std::map<pb::JobState, int64_t>{{pb::RUNNING, 0},
                                       {pb::RECOVERING, 0},
                                       {pb::STARTING, 0},
                                       {pb::PAUSED, 500},
                                       {pb::QUEUED, 500},
                                       {pb::FAILED, 500}}) {
    CAPTURE(pb::JobState_Name(state));
    job.state = state;
    const LiveJob nothing_yet;  // it was heard of, and not of its steps
    CHECK(ViewJob(job, nullptr, kFolders).progress().step() == step);
    CHECK(ViewJob(job, &nothing_yet, kFolders).progress().step() == step);
  }
}

TEST_CASE("a worker is shown with each rank that it runs, once") {
  Jobs jobs;
  jobs.Attach("w1", 5);
  jobs.Submit("a", 2, 2);
  jobs.Submit("b", 1, 1);
  const pb::Node node = ViewNode(*jobs.core->state().FindWorker("w1"));
  CHECK(node.worker_id() == "w1");
  CHECK(node.host() == "host-w1");
  CHECK(node.state() == pb::READY);
  CHECK(node.slots() == 5);
  CHECK(node.slots_used() == 5);
  std::vector<std::string> ranks;
  for (const pb::RankRef& rank : node.ranks()) {
    ranks.push_back(rank.job_id() + std::to_string(rank.rank()));
  }
  CHECK(ranks == std::vector<std::string>{"a0", "a1", "b0"});
}

TEST_CASE("the cluster is counted over the workers that are there") {
  Jobs jobs;
  jobs.Attach("w1", 2);
  jobs.Attach("w2", 3);
  jobs.Submit("a", 2);
  jobs.Submit("b", 9);
  pb::Event lost;
  lost.mutable_worker_lost()->set_worker_id("w2");
  jobs.Step(lost);
  pb::StatusReply reply;
  CountCluster(jobs.core->state(), &reply);
  CHECK(reply.workers() == 1);
  CHECK(reply.slots() == 2);
  CHECK(reply.slots_used() == 2);
  CHECK(reply.jobs().at("Starting") == 1);
  CHECK(reply.jobs().at("Queued") == 1);
}

TEST_CASE("a job is found by its id or by a beginning that only it has") {
  Jobs jobs;
  for (const char* id : {"mnist-aaaaaa", "mnist-abbbbb", "mnist", "other-cccccc"}) jobs.Submit(id);
  const auto& state = jobs.core->state();
  CHECK((*FindJob(state, "mnist-ab"))->id() == "mnist-abbbbb");
  CHECK((*FindJob(state, "o"))->id() == "other-cccccc");
  CHECK((*FindJob(state, "mnist"))->id() == "mnist");  // the whole id wins
  CHECK(FindJob(state, "mnist-x").status() == absl::NotFoundError("no job 'mnist-x'"));
  CHECK(FindJob(state, "mnist-a").status() ==
        absl::InvalidArgumentError("'mnist-a' may be any of 2 jobs: mnist-aaaaaa, mnist-abbbbb"));
  CHECK(FindJob(state, "").status() == absl::InvalidArgumentError("no job id is given"));
}

TEST_CASE("of many candidates only the first are listed") {
  Jobs jobs;
  for (int i = 0; i < 9; ++i) jobs.Submit("j-" + std::to_string(i));
  CHECK(FindJob(jobs.core->state(), "j").status() ==
        absl::InvalidArgumentError("'j' may be any of 9 jobs: j-0, j-1, j-2, j-3, j-4, …"));
}

}  // namespace
}  // namespace rm::coordinator
