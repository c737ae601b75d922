// The listings: list, node ls, checkpoint ls; and checkpoint verify.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/json.h"
#include "runtime/client/testing.h"
#include "tools/trainctl/testing.h"

namespace rm::trainctl {
namespace {

namespace pb = ::ringmaster::v1;
using absl::StrContains;

pb::Job JobOf(const std::string& id, pb::JobState state) {
  pb::Job job;
  job.set_job_id(id);
  job.set_state(state);
  job.set_user("ada");
  job.set_submitted_ns(absl::GetCurrentTimeNanos());
  job.mutable_reason()->set_code("Because");
  job.mutable_reason()->set_sentence("it is so");
  job.mutable_spec()->mutable_scheduling()->set_priority(70);
  job.mutable_spec()->mutable_resources()->set_ranks_max(2);
  job.mutable_spec()->mutable_resources()->set_slots_per_rank(3);
  return job;
}

struct World {
  client::FakeCoordinator coordinator;
  std::vector<pb::ListJobsRequest> asked;

  // Serves these jobs, `page` at a time.
  void HasJobs(std::vector<pb::Job> jobs, size_t page) {
    coordinator.methods.list = [this, jobs, page](const pb::ListJobsRequest& request,
                                                  pb::ListJobsReply* reply) {
      asked.push_back(request);
      size_t at = request.page_token().empty() ? 0 : std::stoul(request.page_token());
      for (size_t n = 0; n < page && at < jobs.size(); ++n) *reply->add_jobs() = jobs[at++];
      if (at < jobs.size()) reply->set_next_page_token(std::to_string(at));
      return grpc::Status::OK;
    };
  }
  Ran Run(std::vector<std::string> words) {
    words.insert(words.end(), {"-c", coordinator.address()});
    return Trainctl(words);
  }
};

TEST_CASE("jobs are a table, from all pages") {
  World world;
  pb::Job running = JobOf("b-2", pb::RUNNING);
  running.mutable_progress()->set_step(5);
  running.mutable_progress()->set_total_steps(9);
  running.add_placement()->add_slots(0);
  world.HasJobs({JobOf("a-1", pb::QUEUED), running, JobOf("c-3", pb::QUEUED)}, 2);
  const Ran ran = world.Run({"list"});
  CHECK(ran.code == 0);
  // The age is the one column that depends on the clock: all but it is compared.
  const std::vector<std::string> wanted = {
      "ID   STATE    STEP  SLOTS  PRIORITY  SUBMITTED", "a-1  Queued   -     0/6    70  ",
      "b-2  Running  5/9   1/6    70  ", "c-3  Queued   -     0/6    70  ", "  ada   Because"};
  for (const std::string& part : wanted) {
    CAPTURE(part, ran.out);
    CHECK(absl::StrContains(ran.out, part));
  }
  CHECK(world.asked.size() == 2);
  CHECK_FALSE(world.asked[0].all());
  const std::string wide = world.Run({"list", "-o", "wide"}).out;
  CHECK(StrContains(wide, "SENTENCE\n"));
  CHECK(StrContains(wide, "it is so\n"));
}

TEST_CASE("what is listed can be chosen") {
  World world;
  world.HasJobs({}, 10);
  world.Run({"list", "-a"});
  CHECK(world.asked.back().all());
  world.Run({"ls", "--state", "Failed"});
  CHECK(world.asked.back().state() == pb::FAILED);
  CHECK(world.asked.back().all());  // a state that only ended jobs have
  world.Run({"ls", "--state", "queued"});
  CHECK(world.asked.back().state() == pb::QUEUED);
}

TEST_CASE("listings come in every form, also when they are empty") {
  World world;
  world.HasJobs({}, 10);
  CHECK(world.Run({"list"}).out ==
        "ID  STATE  STEP  SLOTS  PRIORITY  SUBMITTED  USER  REASON\n");
  CHECK(world.Run({"list", "-o", "json"}).out == "[]\n");
  CHECK(world.Run({"list", "-o", "yaml"}).out == "[]\n");
  CHECK(world.Run({"list", "-o", "name"}).out.empty());
  world.HasJobs({JobOf("a-1", pb::QUEUED), JobOf("b-2", pb::FAILED)}, 10);
  CHECK(world.Run({"list", "-o", "name"}).out == "a-1\nb-2\n");
  const auto json = base::Json::Parse(world.Run({"list", "-o", "json"}).out);
  REQUIRE(json.ok());
  CHECK(json->array().at(1).Find("state")->string_or("") == "FAILED");
  CHECK(StrContains(world.Run({"list", "-o", "yaml"}).out, "-\n  job_id: \"a-1\"\n"));
}

TEST_CASE("workers are listed with their slots, and wide with labels and reason") {
  World world;
  world.coordinator.methods.nodes = [](const pb::NodesRequest&, pb::NodesReply* reply) {
    pb::Node& node = *reply->add_nodes();
    node.set_worker_id("w1");
    node.set_host("host");
    node.set_state(pb::READY);
    node.set_slots(4);
    node.set_slots_used(1);
    node.set_version("1.0");
    (*node.mutable_labels())["zone"] = "a";
    (*node.mutable_labels())["rack"] = "3";
    node.mutable_reason()->set_sentence("it attached");
    reply->add_nodes()->set_worker_id("w2");
    return grpc::Status::OK;
  };
  const Ran ran = world.Run({"node", "ls"});
  CHECK(ran.code == 0);
  CHECK(StrContains(ran.out, "WORKER  HOST  STATE"));
  CHECK(StrContains(ran.out, "w1      host  Ready"));
  CHECK(StrContains(ran.out, "1/4"));
  const std::string wide = world.Run({"node", "ls", "-o", "wide"}).out;
  CHECK(StrContains(wide, "rack=3,zone=a"));  // sorted
  CHECK(StrContains(wide, "it attached"));
  CHECK(world.Run({"node", "ls", "-o", "name"}).out == "w1\nw2\n");
  CHECK(base::Json::Parse(world.Run({"node", "ls", "-o", "json"}).out)->array().size() == 2);
}

TEST_CASE("checkpoints are listed with what keeps them from counting") {
  World world;
  world.coordinator.methods.list_checkpoints = [](const pb::GetJobRequest& request,
                                                  pb::ListCheckpointsReply* reply) {
    CHECK(request.job_id() == "mnist");
    pb::CheckpointInfo& good = *reply->add_checkpoints();
    good.set_name("step-000000000010-g1");
    good.set_step(10);
    good.set_bytes(1536);
    good.set_counts(true);
    pb::CheckpointInfo& bad = *reply->add_checkpoints();
    bad.set_name("step-000000000005-g0");
    bad.set_problem("of another lineage");
    return grpc::Status::OK;
  };
  const Ran ran = world.Run({"checkpoint", "ls", "mnist"});
  CHECK(ran.code == 0);
  CHECK(StrContains(ran.out, "step-000000000010-g1  10    1.5 KiB  -        yes"));
  CHECK(StrContains(ran.out, "no      of another lineage\n"));
  CHECK(world.Run({"checkpoint", "ls", "mnist", "-o", "name"}).out ==
        "step-000000000010-g1\nstep-000000000005-g0\n");
}

TEST_CASE("a checkpoint is named by its job and perhaps its step") {
  const struct {
    std::string argument;
    std::string job;
    int64_t step;
  } cases[] = {{"mnist", "mnist", 0}, {"mnist@latest", "mnist", 0}, {"mnist@120", "mnist", 120}};
  for (const auto& c : cases) {
    World world;
    pb::VerifyRequest asked;
    world.coordinator.methods.verify = [&](const pb::VerifyRequest& request,
                                           pb::VerifyReply* reply) {
      asked = request;
      reply->set_ok(true);
      reply->set_files(2);
      reply->set_bytes(2048);
      reply->set_weights_sha256("cafe");
      reply->mutable_checkpoint()->set_path("/c/step");
      return grpc::Status::OK;
    };
    const Ran ran = world.Run({"checkpoint", "verify", c.argument});
    CAPTURE(c.argument);
    CHECK(ran.code == 0);
    CHECK(ran.out == "checkpoint /c/step: 2 files, 2 KiB, every checksum is right\n"
                     "weights sha256 cafe\n");
    CHECK(asked.job_id() == c.job);
    CHECK(asked.step() == c.step);
  }
}

TEST_CASE("a damaged checkpoint is a failure that names file and place") {
  World world;
  world.coordinator.methods.verify = [](const pb::VerifyRequest&, pb::VerifyReply* reply) {
    reply->add_problems("/c/step/weights: byte 4096: wrong checksum");
    return grpc::Status::OK;
  };
  const Ran ran = world.Run({"checkpoint", "verify", "mnist"});
  CHECK(ran.code == 1);
  CHECK(ran.out.empty());
  CHECK(ran.err == "CheckpointDamaged: /c/step/weights: byte 4096: wrong checksum\n");
  CHECK(base::Json::Parse(world.Run({"checkpoint", "verify", "mnist", "-o", "json"}).out)
            ->Find("ok")
            ->bool_or(true) == false);
}

}  // namespace
}  // namespace rm::trainctl
