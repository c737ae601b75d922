// A job from its file to its end, through real daemons.

#include <signal.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/file_system.h"
#include "tests/integration/test_cluster.h"

namespace rm::integration {
namespace {

bool IsIn(const base::Json& job, const std::string& state) { return Text(job, "state") == state; }

TEST_CASE("a job of two ranks trains to its end and everything about it can be asked") {
  TestCluster cluster;
  const std::string file = cluster.JobFile("first", 2, "  epochs: 4\n");
  const Outcome run = cluster.Trainctl("submit " + file + " --follow");
  INFO(run.err);
  REQUIRE(run.code == 0);
  const std::string id = run.out.substr(0, run.out.find('\n'));
  CHECK(absl::StartsWith(id, "first-"));
  CHECK(absl::StrContains(run.out, "validation accuracy "));
  CHECK(absl::StrContains(run.out, "checkpoint " + cluster.folder()));

  const base::Json job = cluster.Job(id);
  CHECK(IsIn(job, "SUCCEEDED"));
  CHECK(Text(job, "weights_sha256").size() == 64);
  CHECK(job.Find("metrics")->Find("validation/accuracy")->number_or(0) > 0.9);
  for (const char* command : {"checkpoint verify ", "describe ", "why ", "logs ", "events ",
                              "checkpoint ls ", "wait "}) {
    const Outcome asked = cluster.Trainctl(command + id);
    CAPTURE(command, asked.out, asked.err);
    CHECK(asked.code == 0);
  }
  CHECK(absl::StrContains(cluster.Trainctl("checkpoint verify " + id).out,
                          Text(job, "weights_sha256")));
  for (const char* format : {"onnx", "safetensors"}) {
    const std::string target = absl::StrCat(cluster.folder(), "/trained.", format);
    const Outcome exported =
        cluster.Trainctl(absl::StrCat("model export ", id, "@best --output ", target, " -o json"));
    CAPTURE(exported.out, exported.err);
    REQUIRE(exported.code == 0);
    CHECK(Text(*base::Json::Parse(exported.out), "format") == format);
    CHECK(base::PosixFileSystem().Exists(target));
  }
  CHECK(absl::StrContains(cluster.Trainctl("logs " + id + " --rank 0").out, "[rank 0] "));
  CHECK(absl::StrContains(cluster.Trainctl("events " + id).out, "Starting → Running"));
  CHECK_FALSE(absl::StrContains(cluster.Trainctl("list").out, id));
  for (const char* format : {"table", "wide", "json", "yaml", "name"}) {
    CHECK(absl::StrContains(cluster.Trainctl(absl::StrCat("ls -a -o ", format)).out, id));
  }
  CHECK(base::Json::Parse(cluster.Trainctl("ls -a -o json").out).ok());
  CHECK(absl::StrContains(cluster.Trainctl("node ls").out, "worker-2"));
  CHECK(absl::StrContains(cluster.Trainctl("cluster status").out, "slots 0/2"));
}

TEST_CASE("equal runs give equal bits, and one rank has the loss curve of two") {
  TestCluster cluster;
  std::string hashes[2];
  double losses[2] = {};
  for (int i = 0; i < 2; ++i) {
    const std::string id = cluster.Submit(cluster.JobFile("twin", 2, "  steps: 30\n"), "--wait");
    hashes[i] = Text(cluster.Job(id), "weights_sha256");
  }
  CHECK(hashes[0] == hashes[1]);
  for (const int ranks : {1, 2}) {
    const std::string id =
        cluster.Submit(cluster.JobFile("curve", ranks, "  steps: 30\n"), "--wait");
    losses[ranks - 1] = cluster.Job(id).Find("metrics")->Find("train/loss")->number_or(-1);
  }
  CHECK(losses[0] == Approx(losses[1]).epsilon(1e-4));
}

TEST_CASE("what a user gets wrong is said with its place and the right exit code") {
  TestCluster cluster;
  const struct {
    std::string arguments;
    int code;
    std::string part;
  } cases[] = {
      {"submit " + cluster.JobFile("typo", 2, "  epoch: 3\n"), 2,
       "typo.yaml:14:3: unknown key 'epoch' – did you mean 'epochs'?"},
      {"submit /no/such/job.yaml", 2, "/no/such/job.yaml"},
      {"submit " + cluster.JobFile("wide", 5, "  epochs: 1\n"), 104, "5"},
      {"submit " + cluster.JobFile("nodata", 2, "  epochs: 1\n") + " --set data.train.path=/no/data",
       2, "/no/data"},
      {"describe nothing", 102, "nothing"},
      {"wait nothing", 102, "nothing"},
      {"submitt", 2, "did you mean 'submit'?"},
      {"list --stat x", 2, "did you mean '--state'?"},
      {"logs", 2, "usage: trainctl logs JOB"},
  };
  for (const auto& c : cases) {
    const Outcome outcome = cluster.Trainctl(c.arguments);
    CAPTURE(c.arguments, outcome.out, outcome.err);
    CHECK(outcome.code == c.code);
    CHECK(absl::StrContains(outcome.err, c.part));
  }
  CHECK(cluster.Trainctl("-c 127.0.0.1:1 list").code == 69);
  CHECK(cluster.Trainctl("submit " + cluster.JobFile("dry", 2, "  epochs: 1\n") + " --dry-run").code == 0);
  CHECK_FALSE(absl::StrContains(cluster.Trainctl("ls -a -o name").out, "dry-"));
}

TEST_CASE("a job that must wait says for what and who holds it; wait, cancel and kill end as they should") {
  TestCluster cluster;
  const std::string holder = cluster.Submit(cluster.JobFile("holder", 2, "  steps: 100000000\n"));
  cluster.WaitFor(holder, [](const base::Json& job) { return IsIn(job, "RUNNING"); });
  const std::string queued = cluster.Submit(cluster.JobFile("queued", 2, "  steps: 10\n"));
  const Outcome why = cluster.Trainctl("why " + queued);
  INFO(why.out);
  CHECK(absl::StrContains(why.out, holder));
  CHECK(cluster.Trainctl("wait " + queued + " --timeout 200ms").code == 101);
  CHECK(cluster.Trainctl("cancel " + holder).code == 2);  // no terminal to ask on
  CHECK(cluster.Trainctl("cancel -y " + holder).code == 0);
  CHECK(cluster.Trainctl("wait " + holder).code == 103);
  CHECK(absl::StrContains(cluster.Trainctl("checkpoint ls " + holder).out, "step-"));
  CHECK(cluster.Trainctl("wait " + queued).code == 0);  // its turn has come

  const std::string killed = cluster.Submit(cluster.JobFile("killed", 2, "  steps: 100000000\n"));
  cluster.WaitFor(killed, [](const base::Json& job) { return IsIn(job, "RUNNING"); });
  CHECK(cluster.Trainctl("kill -y " + killed).code == 0);
  CHECK(cluster.Trainctl("wait " + killed).code == 103);
  CHECK(cluster.RankPids(killed).empty());
}

TEST_CASE("a job whose data is gone when its turn comes ends with its reason and exit code 100") {
  TestCluster cluster;
  const std::string holder = cluster.Submit(cluster.JobFile("holder", 2, "  steps: 100000000\n"));
  cluster.WaitFor(holder, [](const base::Json& job) { return IsIn(job, "RUNNING"); });
  const std::string robbed = cluster.Submit(cluster.JobFile("robbed", 2, "  steps: 10\n"),
                                            "--set scheduling.max_restarts=0");
  cluster.WaitFor(robbed, [](const base::Json& job) {  // its data was found whole
    return Text(*job.Find("reason"), "code") != "Preflight";
  });
  REQUIRE(base::PosixFileSystem().RemoveFile(cluster.File("train-images-idx3-ubyte")).ok());
  CHECK(cluster.Trainctl("kill -y " + holder).code == 0);
  const Outcome wait = cluster.Trainctl("wait " + robbed);
  INFO(wait.err);
  CHECK(wait.code == 100);
  CHECK(absl::StrContains(wait.err, "train-images-idx3-ubyte"));
}

TEST_CASE("ctrl-C on a follow detaches and the job goes on") {
  TestCluster cluster;
  const std::string file = cluster.JobFile("followed", 2, "  steps: 100000000\n");
  Child& follow = cluster.TrainctlInBackground("submit " + file + " --follow", "follow");
  REQUIRE(follow.WaitForOutput("\n", absl::Seconds(30)));
  const std::string id = follow.output().substr(0, follow.output().find('\n'));
  cluster.WaitFor(id, [](const base::Json& job) { return IsIn(job, "RUNNING"); });
  follow.Signal(SIGINT);
  CHECK(follow.WaitFor(absl::Seconds(10)) == 130);
  CHECK(absl::StrContains(follow.output(), "detached: " + id + " goes on"));
  CHECK(IsIn(cluster.Job(id), "RUNNING"));
  CHECK(cluster.Trainctl("kill -y " + id).code == 0);
}

TEST_CASE("a cluster that is brought down leaves no process, ranks included") {
  std::string folder;
  TestCluster cluster;
  const std::string id = cluster.Submit(cluster.JobFile("left", 2, "  steps: 100000000\n"));
  cluster.WaitFor(id, [](const base::Json& job) { return IsIn(job, "RUNNING"); });
  CHECK(cluster.ProcessesOfFolder().size() == 5);
  CHECK(cluster.Trainctl("cluster down --dir " + cluster.folder()).code == 0);
  CHECK(cluster.ProcessesOfFolder().empty());
  CHECK(cluster.Trainctl("cluster down --dir " + cluster.folder()).code == 0);  // again: nothing to do
}

}  // namespace
}  // namespace rm::integration
