#include "runtime/coordinator/coordinator.h"

#include <sys/resource.h>

#include <csignal>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "runtime/coordinator/test_world.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;
using Texts = std::vector<std::string>;

TEST_CASE("a job goes all the way through") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  TestWorker w2(world, "w2", 1);
  CHECK(w1.TakeCommands() == Texts{"Welcome"});
  CHECK(w2.TakeCommands() == Texts{"Welcome"});

  const std::string job = world.Submit("mnist", 2, /*passes=*/false);
  CHECK(world.StateOf(job) == pb::QUEUED);
  CHECK(w1.TakeCommands() == Texts{"Preflight " + job});
  CHECK(w2.TakeCommands() == Texts{"Preflight " + job});  // it is on another host
  pb::WorkerMessage verdict;
  verdict.mutable_preflight()->set_job_id(job);
  w1.Say(verdict);
  CHECK(world.StateOf(job) == pb::QUEUED);
  w2.Say(verdict);
  CHECK(world.StateOf(job) == pb::STARTING);
  CHECK(w1.TakeCommands() == Texts{"StartRank " + job + " 1/0"});
  CHECK(w2.TakeCommands() == Texts{"StartRank " + job + " 1/1"});

  w2.Listens(job, 1, 1);
  CHECK(w1.TakeCommands().empty());
  w1.Listens(job, 1, 0);
  const std::string together = "StartGeneration " + job + " 1: 127.0.0.1:5000 127.0.0.1:5001";
  CHECK(w1.TakeCommands() == Texts{together});
  CHECK(w2.TakeCommands() == Texts{together});

  w1.Joins(job, 1, 0);
  w2.Joins(job, 1, 1);
  CHECK(world.StateOf(job) == pb::RUNNING);
  w1.Progresses(job, 1, 0, 10);
  CHECK(world.coordinator().View(job)->progress().step() == 10);

  w1.Finishes(job, 1, 0, 100);
  w2.Finishes(job, 1, 1, 100);
  w1.Exits(job, 1, 0, 0);
  CHECK(world.ended.empty());
  w2.Exits(job, 1, 1, 0);
  CHECK(world.StateOf(job) == pb::SUCCEEDED);
  CHECK(world.ended == Texts{job});
  const pb::Job view = world.coordinator().View(job).value();
  CHECK(view.weights_sha256() == "cafe");
  CHECK(view.metrics().at("validation/accuracy") == 0.98);
}

TEST_CASE("an answer comes only after the step, one for each event, in the order of the step") {
  TestWorld world;
  Coordinator& coordinator = world.coordinator();
  Texts answers;
  const auto add = [&](pb::Event event, const std::string& name) {
    coordinator.Add(std::move(event), [&answers, name](const absl::Status& status) {
      answers.push_back(name + ": " + absl::StatusCodeToString(status.code()));
    });
  };
  pb::Event submit;
  submit.mutable_submit()->set_job_id("a");
  *submit.mutable_submit()->mutable_spec() = SpecOf("a", 1);
  pb::Event same = submit;
  pb::Event cancel;
  cancel.mutable_cancel()->set_job_id("b");
  pb::Event broken;
  broken.mutable_submit()->set_job_id("c");
  add(submit, "submit");
  add(same, "submit again");
  add(cancel, "cancel unknown");
  add(broken, "submit broken");
  CHECK(answers.empty());
  coordinator.Tick();
  CHECK(answers == Texts{"cancel unknown: NOT_FOUND", "submit: OK",
                         "submit again: FAILED_PRECONDITION", "submit broken: INVALID_ARGUMENT"});
}

TEST_CASE("all that was added is one record, and nothing added is none") {
  TestWorld world;
  const int64_t before = world.coordinator().history().statistics().records;
  world.Submit("a", 1, false);
  CHECK(world.coordinator().history().statistics().records == before + 1);
  for (const char* id : {"x", "y", "z"}) {
    pb::Event event;
    event.mutable_submit()->set_job_id(id);
    *event.mutable_submit()->mutable_spec() = SpecOf(id, 1);
    world.coordinator().Add(event);
  }
  world.Tick();
  CHECK(world.coordinator().history().statistics().records == before + 2);
  world.Pass(absl::Seconds(1));
  CHECK(world.coordinator().history().statistics().records == before + 2);
}

TEST_CASE("a rank that dies brings the whole gang up again from the next generation") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  TestWorker w2(world, "w2", 1);
  const std::string job = world.Submit("mnist", 2);
  w1.Listens(job, 1, 0);
  w2.Listens(job, 1, 1);
  w1.Joins(job, 1, 0);
  w2.Joins(job, 1, 1);
  (void)w1.TakeCommands();
  (void)w2.TakeCommands();

  w2.Exits(job, 1, 1, 0, SIGKILL);
  CHECK(world.StateOf(job) == pb::RECOVERING);
  CHECK(w1.TakeCommands() == Texts{"StopRank " + job + " 1/0 grace 0"});
  CHECK(w2.TakeCommands().empty());
  w1.Exits(job, 1, 0, 0, SIGKILL);
  CHECK(w1.TakeCommands() == Texts{"StartRank " + job + " 2/0"});
  CHECK(w2.TakeCommands() == Texts{"StartRank " + job + " 2/1"});
  CHECK(world.coordinator().View(job)->restarts() == 1);
}

TEST_CASE("what a rank said before it died becomes the cause") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  const std::string job = RunJob(world, w1, "mnist", 1);
  w1.Progresses(job, 1, 0, 42);
  pb::RankMessage failed;
  failed.mutable_failed()->mutable_reason()->set_code("NonFiniteGradient");
  failed.mutable_failed()->mutable_reason()->set_sentence("the gradient of conv1 is NaN");
  w1.Report(RankOf(job, 1, 0), failed);
  w1.Exits(job, 1, 0, 1);
  REQUIRE(world.StateOf(job) == pb::RECOVERING);
  Texts reasons;
  for (const auto& [position, event] : world.coordinator().history().events()) {
    if (event.transition().from() != pb::RUNNING) continue;
    reasons.push_back(event.transition().reason().sentence());
  }
  CHECK(reasons == Texts{"rank 0 of job " + job +
                         " on host host-of-w1 (worker w1) exited with code 1 after step 42: the "
                         "gradient of conv1 is NaN"});
}

TEST_CASE("a worker whose stream breaks is lost after 1.5 s, and its slots with it") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  w1.Breaks();
  world.Pass(absl::Milliseconds(1400));
  CHECK(world.coordinator().state().FindWorker("w1")->state == pb::READY);
  world.Pass(absl::Milliseconds(200));
  CHECK(world.coordinator().state().FindWorker("w1")->state == pb::LOST);
  CHECK(world.coordinator().state().FindWorker("w1")->reason.sentence().find(
            "its stream broke and it was not back within 1.5 s") != std::string::npos);
}

TEST_CASE("a worker that falls silent is lost after 10 s, and its stream is closed") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  TestWorker w2(world, "w2", 1);
  for (int i = 0; i < 60; ++i) {
    world.Pass(absl::Milliseconds(200));
    w2.Beats();
  }
  CHECK(world.coordinator().state().FindWorker("w1")->state == pb::LOST);
  CHECK(absl::IsDeadlineExceeded(w1.closed()));
  CHECK(world.coordinator().state().FindWorker("w2")->state == pb::READY);
}

TEST_CASE("a silent worker is a suspect: it keeps its ranks and gets no new ones until heard") {
  TestWorld world;
  TestWorker w1(world, "w1", 2);
  const std::string job = RunJob(world, w1, "mnist", 1);
  world.Pass(absl::Seconds(2));
  CHECK(world.coordinator().state().FindWorker("w1")->state == pb::SUSPECT);
  CHECK(w1.closed().ok());
  CHECK(world.StateOf(job) == pb::RUNNING);
  const std::string waits = world.Submit("waits", 1);
  CHECK(world.StateOf(waits) == pb::QUEUED);
  w1.Beats();
  world.Pass(absl::Milliseconds(200));
  CHECK(world.coordinator().state().FindWorker("w1")->state == pb::READY);
  CHECK(world.StateOf(waits) == pb::STARTING);
}

TEST_CASE("a silent worker is lost as soon as all its peers have lost theirs") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  TestWorker w2(world, "w2", 1);
  TestWorker w3(world, "w3", 1);
  const std::string job = world.Submit("mnist", 2);
  w1.Listens(job, 1, 0);
  w2.Listens(job, 1, 1);
  w1.Joins(job, 1, 0);
  w2.Joins(job, 1, 1);
  const auto pass = [&](int steps) {
    for (int i = 0; i < steps; ++i) {
      world.Pass(absl::Milliseconds(200));
      w1.Beats();
    }
  };
  pass(10);  // w2 and w3 are silent for 2 s
  CHECK(world.coordinator().state().FindWorker("w2")->state == pb::SUSPECT);
  CHECK(world.coordinator().state().FindWorker("w3")->state == pb::SUSPECT);
  pb::RankMessage failed;
  failed.mutable_failed()->mutable_reason()->set_code("PeerLost");
  w1.Report(RankOf(job, 1, 0), failed);
  pass(1);
  CHECK(world.coordinator().state().FindWorker("w2")->state == pb::LOST);
  CHECK(world.coordinator().state().FindWorker("w3")->state == pb::SUSPECT);  // nobody's peer
  CHECK(world.StateOf(job) == pb::RECOVERING);
}

TEST_CASE("a rank that hangs is stopped with its stacks, and the gang comes up again") {
  TestWorld world;
  TestWorker w1(world, "w1", 2);
  const std::string job = RunJob(world, w1, "mnist", 2);
  pb::RankMessage activity;
  activity.mutable_activity()->set_doing("step");
  activity.mutable_activity()->set_step(9);
  for (int i = 0; i < 70 && world.StateOf(job) == pb::RUNNING; ++i) {
    for (int beat = 0; beat < 5; ++beat) {
      world.Pass(absl::Milliseconds(200));
      w1.Beats();
    }
    // Rank 0 waits in a collective that rank 1 has not entered.
    activity.mutable_activity()->set_entered(8);
    activity.mutable_activity()->set_left(7);
    w1.Report(RankOf(job, 1, 0), activity);
    activity.mutable_activity()->set_entered(7);
    w1.Report(RankOf(job, 1, 1), activity);
  }
  CHECK(world.StateOf(job) == pb::RECOVERING);
  bool asks_for_stacks = false;
  for (const pb::WorkerCommand& command : w1.link().sent) {
    if (!command.stop_rank().dump_stack()) continue;
    asks_for_stacks = true;
    CHECK(command.stop_rank().rank().rank() == 1);
    CHECK(command.stop_rank().reason().code() == "RankHung");
  }
  CHECK(asks_for_stacks);
}

TEST_CASE("what a rank has to say to people stands among the job's events, and changes nothing") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  const std::string job = RunJob(world, w1, "mnist", 1);
  pb::RankMessage notice;
  notice.mutable_notice()->set_step(5);
  notice.mutable_notice()->mutable_reason()->set_code("CheckpointFailed");
  notice.mutable_notice()->mutable_reason()->set_sentence("no space left on device");
  w1.Report(RankOf(job, 1, 0), notice);
  CHECK(world.StateOf(job) == pb::RUNNING);
  const pb::JobTransition& said = world.coordinator().history().events().rbegin()->second.transition();
  CHECK(said.notice());
  CHECK(said.reason().code() == "CheckpointFailed");
}

TEST_CASE("a report of an old generation has its rank stopped, wherever it runs") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  const std::string job = RunJob(world, w1, "mnist", 1);
  w1.Exits(job, 1, 0, 0, SIGKILL);
  REQUIRE(world.JobOf(job).generation == 2);
  TestWorker w2(world, "w2", 1);
  (void)w2.TakeCommands();
  w2.Listens(job, 1, 0);
  CHECK(w2.TakeCommands() == Texts{"StopRank " + job + " 1/0 grace 0"});
}

TEST_CASE("after a restart jobs and history are there, and a running job goes on undisturbed") {
  TestWorld world;
  std::string job;
  std::string ended;
  {
    TestWorker w1(world, "w1", 2);
    ended = world.Submit("short", 1);
    REQUIRE(world.Cancel(ended).ok());
    w1.Exits(ended, 1, 0, 0, SIGKILL);
    job = RunJob(world, w1, "mnist", 2);
    w1.Progresses(job, 1, 0, 7);
  }
  const size_t events = world.coordinator().history().events().size();
  world.Restart();
  CHECK(world.coordinator().history().events().size() >= events);
  CHECK(world.StateOf(ended) == pb::CANCELLED);
  CHECK(world.StateOf(job) == pb::RUNNING);
  CHECK(world.coordinator().state().FindWorker("w1")->state == pb::ABSENT);

  TestWorker back(world, "w1", 2, {RankOf(job, 1, 0), RankOf(job, 1, 1)});
  CHECK(back.TakeCommands() == Texts{"Welcome"});
  CHECK(world.coordinator().state().FindWorker("w1")->state == pb::READY);
  CHECK(world.StateOf(job) == pb::RUNNING);
  CHECK(world.JobOf(job).generation == 1);
  back.Progresses(job, 1, 0, 9);
  CHECK(world.coordinator().View(job)->progress().step() == 9);
  back.Finishes(job, 1, 0, 100);
  back.Exits(job, 1, 0, 0);
  back.Exits(job, 1, 1, 0);
  CHECK(world.StateOf(job) == pb::SUCCEEDED);
}

TEST_CASE("after a restart a rank that no journal knows is stopped") {
  TestWorld world;
  TestWorker stranger(world, "w1", 1, {RankOf("nobody", 3, 0)});
  CHECK(stranger.TakeCommands() == Texts{"Welcome", "StopRank nobody 3/0 grace 0"});
}

TEST_CASE("an open preflight is asked again after a restart") {
  TestWorld world;
  std::string job;
  {
    TestWorker w1(world, "w1", 1);
    job = world.Submit("mnist", 1, false);
  }
  world.Restart();
  TestWorker back(world, "w1", 1);
  world.Pass(absl::Milliseconds(200));
  CHECK(back.TakeCommands() == Texts{"Welcome", "Preflight " + job});
}

TEST_CASE("waiting ends when the condition holds, and else when the time is over") {
  TestWorld world;
  bool happened = false;
  Texts released;
  Coordinator& coordinator = world.coordinator();
  coordinator.Await([&] { return happened; }, absl::Seconds(10), [&] { released.push_back("a"); });
  coordinator.Await([] { return false; }, absl::Seconds(5), [&] { released.push_back("b"); });
  coordinator.Await([] { return false; }, absl::ZeroDuration(), [&] { released.push_back("now"); });
  world.Tick();
  CHECK(released == Texts{"now"});
  happened = true;
  world.Tick();
  CHECK(released == Texts{"now", "a"});
  world.Pass(absl::Seconds(6));
  CHECK(released == Texts{"now", "a", "b"});
}

// While it lives, no file of this process grows beyond `bytes`: a disk that is full for us alone.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limit = {bytes, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_;
};

TEST_CASE(
    "when the journal fails nothing is done or promised any more, and the owner is told once") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  (void)w1.TakeCommands();
  const std::string big(1 << 20, 'x');
  absl::Status outcome;
  {
    const FileSizeLimit limit(200'000);
    pb::Event event;
    event.mutable_submit()->set_job_id("a-job");
    *event.mutable_submit()->mutable_spec() = SpecOf("a", 1);
    event.mutable_submit()->set_user(big);
    event.mutable_submit()->set_preflight_pending(true);
    outcome = world.Do(event);
  }
  CHECK(absl::IsUnavailable(outcome));
  CHECK(w1.TakeCommands().empty());
  CHECK(absl::IsUnavailable(world.Cancel("a-job")));
  world.Pass(absl::Seconds(1));
  REQUIRE(world.failures.size() == 1);
  CHECK(world.failures[0].message().find("journal") != std::string::npos);
}

TEST_CASE("closing answers everyone who waits and ends the workers' streams") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  Texts answers;
  pb::Event event;
  event.mutable_cancel()->set_job_id("x");
  world.coordinator().Add(
      event, [&](const absl::Status& status) { answers.push_back(std::string(status.message())); });
  world.coordinator().Await([] { return false; }, absl::Hours(1),
                            [&] { answers.push_back("released"); });
  world.coordinator().Close(absl::UnavailableError("stopping"));
  CHECK(answers == Texts{"stopping", "released"});
  CHECK(w1.closed().message() == "stopping");
}

}  // namespace
}  // namespace rm::coordinator
