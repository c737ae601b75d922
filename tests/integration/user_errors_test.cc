// What people get wrong, through the real programs: one line that says what, where and what to do, the right exit code,
// nothing begun and nothing left.

#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_system.h"
#include "base/version.h"
#include "proto/worker.grpc.pb.h"
#include "tests/integration/process_table.h"
#include "tests/integration/test_cluster.h"

namespace rm::integration {
namespace {

void Write(const std::string& path, const std::string& bytes) {
  REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), path, bytes).ok());
}

// Runs a daemon that must refuse to start.
Outcome RunDaemon(const TestCluster& cluster, const std::string& arguments) {
  return RunShell(absl::StrCat("timeout 20 ", Program(), " ", arguments), cluster.File(""));
}

// A job on a csv of two numbers and a label.
std::string CsvJob(const TestCluster& cluster, const std::string& name, const std::string& rows) {
  Write(cluster.File(name + ".csv"), "a,b,y\n" + rows);
  const std::string path = cluster.File(name + ".yaml");
  Write(path, absl::StrCat("apiVersion: ringmaster/v1\nkind: train\nname: ", name,
                           "\nmodel: {zoo: mlp, params: {channels: 1, height: 1, width: 2, classes: 2, hidden1: 4, hidden2: 4}}\n"
                           "data:\n  train: {path: ", name, ".csv, format: csv}\n"
                           "  schema: {features: [a, b], label: y, types: {a: float, b: float, y: int}}\n"
                           "train:\n  global_batch_size: 4\n  steps: 20\n"
                           "  optimizer: {type: SGD, params: {lr: 0.1}}\n"
                           "resources: {ranks: 2}\n"));
  return path;
}

TEST_CASE("bad data is said at submit with file, place and value; nothing starts") {
  TestCluster cluster;
  const std::string images = ReadAll(cluster.File("train-images-idx3-ubyte"));
  const std::string labels = ReadAll(cluster.File("train-labels-idx1-ubyte"));
  Write(cluster.File("short-images-idx3-ubyte"), images.substr(0, images.size() - 100));
  Write(cluster.File("short-labels-idx1-ubyte"), labels);
  std::string wrong = labels;
  wrong[8 + 41] = static_cast<char>(200);
  Write(cluster.File("wrong-images-idx3-ubyte"), images);
  Write(cluster.File("wrong-labels-idx1-ubyte"), wrong);
  const std::string file = cluster.JobFile("bad", 2, "  steps: 10\n");
  const struct {
    std::string arguments;
    int code;
    std::vector<std::string> parts;
  } cases[] = {
      {file + " --set data.train.path=" + cluster.File("short"), 2, {"short-images-idx3-ubyte"}},
      {file + " --set data.train.path=" + cluster.File("wrong"), 2,
       {"wrong-labels-idx1-ubyte", "sample 41", "'200' is out of range", "10 classes"}},
      {CsvJob(cluster, "ragged", "1,2,0\n3,4,1\n5,6\n7,8,0\n9,9,1\n"), 2, {"ragged.csv:4", "2"}},
      {CsvJob(cluster, "word", "1,2,0\n3,four,1\n5,6,1\n7,8,0\n"), 2, {"word.csv:3:3", "four"}},
      {CsvJob(cluster, "high", "1,2,0\n3,4,1\n5,6,7\n7,8,0\n"), 2, {"high.csv:4:5", "7"}},
      {file + " --set resources.ranks=5", 104, {"5", "2"}},
      {file + " --set checkpoint.path=" + cluster.File("train-labels-idx1-ubyte"), 2,
       {"checkpoint.path", "train-labels-idx1-ubyte"}},
  };
  for (const auto& c : cases) {
    const Outcome outcome = cluster.Trainctl("submit " + c.arguments);
    CAPTURE(c.arguments, outcome.out, outcome.err);
    CHECK(outcome.code == c.code);
    for (const std::string& part : c.parts) CHECK(absl::StrContains(outcome.err, part));
  }
  CHECK_FALSE(absl::StrContains(cluster.Trainctl("events").out, "Starting"));
  CHECK(cluster.TemporaryFiles().empty());
}

TEST_CASE("a checkpoint folder that may not be written is refused before the job starts") {
  TestCluster cluster;
  const std::string folder = cluster.File("sealed");
  REQUIRE(base::PosixFileSystem().MakeFolders(folder).ok());
  // For root nothing is unwritable, except where nothing can be: below /proc.
  const bool root = ::geteuid() == 0;
  const std::string sealed = root ? "/proc/sealed" : folder;
  REQUIRE(RunShell("chmod 555 " + folder, cluster.File("")).code == 0);
  const Outcome outcome = cluster.Trainctl("submit " + cluster.JobFile("sealed", 2, "  steps: 10\n") +
                                           " --set checkpoint.path=" + sealed);
  INFO(outcome.err);
  CHECK(outcome.code == 2);
  CHECK(absl::StrContains(outcome.err, "checkpoint.path"));
  CHECK(absl::StrContains(outcome.err, sealed));
}

TEST_CASE("a second coordinator on the same state, and a port that is taken, are refused with the holder") {
  TestCluster cluster;
  const Outcome second =
      RunDaemon(cluster, absl::StrCat("coordinator --listen 127.0.0.1:0 --state ", cluster.folder(),
                                      "/state --storage ", cluster.folder(), "/storage"));
  INFO(second.err);
  CHECK(second.code == 1);
  CHECK(absl::StrContains(second.err, "in use by another coordinator"));
  CHECK(absl::StrContains(second.err, absl::StrCat(cluster.PidOf("coordinator"))));
  const Outcome port = RunDaemon(
      cluster, absl::StrCat("coordinator --listen ", cluster.address(), " --state ", cluster.File("other")));
  INFO(port.err);
  CHECK(port.code == 1);
  CHECK(absl::StrContains(port.err, cluster.address()));
  CHECK(absl::StrContains(port.err, "in use"));
  CHECK(cluster.Trainctl("list").code == 0);  // the first one is not disturbed
}

TEST_CASE("a worker of another version, or of a name that is taken, is refused with both sides named") {
  TestCluster cluster;
  const Outcome taken =
      RunDaemon(cluster, absl::StrCat("worker --coordinator ", cluster.address(),
                                      " --id worker-1 --dir ", cluster.File("twin")));
  INFO(taken.err);
  CHECK(taken.code == 77);  // refused, and not by accident: dialling again would not help
  CHECK(absl::StrContains(taken.err, "worker-1"));
  CHECK(absl::StrContains(taken.err, absl::StrCat(cluster.PidOf("worker-1"))));

  const auto channel =
      grpc::CreateChannel(cluster.address(), grpc::InsecureChannelCredentials());
  const auto stub = pb::Workers::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  const auto stream = stub->Attach(&context);
  pb::WorkerMessage hello;
  hello.mutable_hello()->set_worker_id("from-the-past");
  hello.mutable_hello()->set_host("museum");
  hello.mutable_hello()->set_version("0.0.1");
  hello.mutable_hello()->set_slots(1);
  CHECK(stream->Write(hello));
  pb::WorkerCommand command;
  CHECK_FALSE(stream->Read(&command));  // no Welcome
  const grpc::Status status = stream->Finish();
  INFO(status.error_message());
  CHECK(status.error_code() == grpc::StatusCode::FAILED_PRECONDITION);
  CHECK(absl::StrContains(status.error_message(), "0.0.1"));
  CHECK(absl::StrContains(status.error_message(), std::string(base::kVersion)));
  CHECK_FALSE(absl::StrContains(cluster.Trainctl("node ls").out, "from-the-past"));
}

TEST_CASE("an id that means several jobs is refused with the jobs; a coordinator that is away is code 69") {
  TestCluster cluster;
  const std::string one = cluster.Submit(cluster.JobFile("alike", 1, "  steps: 5\n"), "--wait");
  const std::string two = cluster.Submit(cluster.JobFile("alike", 1, "  steps: 5\n"), "--wait");
  for (const char* command : {"describe ", "why ", "logs ", "wait ", "cancel -y ", "checkpoint ls "}) {
    const Outcome outcome = cluster.Trainctl(absl::StrCat(command, "alike"));
    CAPTURE(command, outcome.err);
    CHECK(outcome.code == 1);
    CHECK(absl::StrContains(outcome.err, one));
    CHECK(absl::StrContains(outcome.err, two));
  }
  CHECK(cluster.Trainctl("describe " + one.substr(0, one.size() - 1)).code == 0);
  cluster.KillCoordinator();
  const std::vector<std::string> commands = {
      "list",   "describe " + one, "wait " + one,
      "events", "node ls",         "submit " + cluster.JobFile("late", 1, "  steps: 5\n")};
  for (const std::string& command : commands) {
    const Outcome outcome = cluster.Trainctl(command);
    CAPTURE(command, outcome.err);
    CHECK(outcome.code == 69);
    CHECK(absl::StrContains(outcome.err, cluster.address()));
    CHECK(outcome.out.empty());
  }
}

TEST_CASE("ctrl-C leaves every follow at once, says so, and the job goes on") {
  TestCluster cluster;
  const std::string id = cluster.Submit(cluster.JobFile("followed", 2, "  steps: 100000000\n"));
  cluster.Await(id, [](const pb::Job& job) { return job.progress().step() > 0; });
  const struct {
    std::string arguments;
    std::string until;  // printed once it follows
    bool says_detached;
  } cases[] = {
      {"logs -f " + id, "step ", false},
      {"logs -f " + id + " --rank 0 --tail 2", "step ", false},
      {"events -w " + id, "Running", false},
      {"events -w", "Running", false},
      {"wait " + id, "", false},
      {"submit " + cluster.JobFile("waiting", 2, "  steps: 10\n") + " --follow", "waiting-", true},
      {"submit " + cluster.JobFile("waiting", 2, "  steps: 10\n") + " --wait", "waiting-", true},
  };
  int number = 0;
  for (const auto& c : cases) {
    Child& follow = cluster.TrainctlInBackground(c.arguments, absl::StrCat("follow-", ++number));
    CAPTURE(c.arguments, follow.output());
    REQUIRE(follow.WaitForOutput(c.until, absl::Seconds(30)));
    if (c.until.empty()) {  // it prints nothing: it follows once it has its connection
      while (RunShell(absl::StrCat("ls -l /proc/", follow.pid(), "/fd | grep -c socket"),
                      cluster.File("")).out == "0\n") {
      }
    }
    follow.Signal(SIGINT);
    CHECK(follow.WaitFor(absl::Seconds(5)) == 130);
    if (c.says_detached) CHECK(absl::StrContains(follow.output(), "goes on"));
  }
  const pb::Job job = cluster.Await(id, [](const pb::Job&) { return true; });
  CHECK(job.state() == pb::RUNNING);
  CHECK(job.generation() == 1);
}

}  // namespace
}  // namespace rm::integration
