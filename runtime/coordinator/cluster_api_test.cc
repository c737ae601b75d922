#include "runtime/coordinator/cluster_api.h"

#include <unistd.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/time/clock.h"
#include "runtime/coordinator/test_world.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

TEST_CASE("an empty cluster has no workers, and says who it is") {
  TestWorld world;
  CHECK(ListNodes(world.coordinator()).nodes().empty());
  const pb::StatusReply status =
      ClusterStatus(world.coordinator(), "node-1:7070", absl::FromUnixSeconds(5));
  CHECK(status.version() == "0.1.0");
  CHECK(status.address() == "node-1:7070");
  CHECK(status.storage() == world.coordinator().config().folders.storage);
  CHECK(status.started_ns() == 5'000'000'000);
  CHECK(status.pid() == getpid());
  CHECK(status.workers() == 0);
  CHECK(status.slots() == 0);
  CHECK(status.jobs().empty());
}

TEST_CASE("workers are listed by their ids, with what runs on them") {
  TestWorld world;
  TestWorker w2(world, "w2", 1);
  TestWorker w1(world, "w1", 2);
  const std::string job = world.Submit("mnist", 3);
  const pb::NodesReply reply = ListNodes(world.coordinator());
  REQUIRE(reply.nodes_size() == 2);
  CHECK(reply.nodes(0).worker_id() == "w1");
  CHECK(reply.nodes(0).slots_used() == 2);
  CHECK(reply.nodes(0).ranks_size() == 2);
  CHECK(reply.nodes(1).worker_id() == "w2");
  REQUIRE(reply.nodes(1).ranks_size() == 1);
  CHECK(reply.nodes(1).ranks(0).job_id() == job);
  CHECK(reply.nodes(1).ranks(0).generation() == 1);
}

TEST_CASE("a lost worker stays in the list, with the reason, and out of the sums") {
  TestWorld world;
  TestWorker w1(world, "w1", 2);
  w1.Breaks();
  world.Pass(absl::Seconds(2));
  const pb::NodesReply reply = ListNodes(world.coordinator());
  REQUIRE(reply.nodes_size() == 1);
  CHECK(reply.nodes(0).state() == pb::LOST);
  CHECK(reply.nodes(0).reason().code() == "WorkerLost");
  CHECK(reply.nodes(0).slots_used() == 0);
  CHECK(ClusterStatus(world.coordinator(), "", absl::Now()).workers() == 0);
}

TEST_CASE("after a restart a worker is absent until it is back, and counts again then") {
  TestWorld world;
  { TestWorker w1(world, "w1", 2); }
  world.Restart();
  CHECK(ListNodes(world.coordinator()).nodes(0).state() == pb::ABSENT);
  CHECK(ClusterStatus(world.coordinator(), "", absl::Now()).slots() == 0);
  TestWorker back(world, "w1", 2);
  CHECK(ListNodes(world.coordinator()).nodes(0).state() == pb::READY);
  CHECK(ClusterStatus(world.coordinator(), "", absl::Now()).slots() == 2);
}

TEST_CASE("jobs are counted by the name of their state") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  RunJob(world, w1, "runs", 1);
  world.Submit("waits", 1);
  REQUIRE(world.Cancel(world.Submit("gone", 1)).ok());
  const pb::StatusReply status = ClusterStatus(world.coordinator(), "", absl::Now());
  CHECK(status.jobs().at("Running") == 1);
  CHECK(status.jobs().at("Queued") == 1);
  CHECK(status.jobs().at("Cancelled") == 1);
  CHECK(status.jobs().size() == 3);
}

}  // namespace
}  // namespace rm::coordinator
