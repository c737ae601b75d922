// What a person, or a script, gets when something is wrong: the exact line, the exit code, and
// nothing on standard output.
#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_system.h"
#include "base/temporary_folder.h"
#include "runtime/client/testing.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/testing.h"

namespace rm::trainctl {
namespace {

namespace pb = ::ringmaster::v1;
using Texts = std::vector<std::string>;

// A coordinator that answers every call with the same error.
void FailAll(client::FakeMethods& m, const grpc::Status& status) {
  m.get = m.pause = m.resume = [status](const auto&, auto*) { return status; };
  m.cancel = m.kill = [status](const auto&, auto*) { return status; };
  m.explain = [status](const auto&, auto*) { return status; };
  m.list = [status](const auto&, auto*) { return status; };
  m.nodes = [status](const auto&, auto*) { return status; };
  m.list_checkpoints = [status](const auto&, auto*) { return status; };
  m.verify = [status](const auto&, auto*) { return status; };
  m.watch = [status](auto*, const auto&, auto*) { return status; };
  m.logs = [status](auto*, const auto&, auto*) { return status; };
  m.events = [status](auto*, const auto&, auto*) { return status; };
}

// Every command about one job.
const Texts kAboutAJob[] = {
    {"describe", "mnist"},       {"why", "mnist"},          {"logs", "mnist"},
    {"logs", "-f", "mnist"},     {"events", "mnist"},       {"events", "-w", "mnist"},
    {"wait", "mnist"},           {"cancel", "-y", "mnist"}, {"kill", "-y", "mnist"},
    {"pause", "mnist"},          {"resume", "mnist"},       {"checkpoint", "ls", "mnist"},
    {"checkpoint", "verify", "mnist"},
};

TEST_CASE("what is wrong with a job's id is one line, with its exit code, for every command") {
  const struct {
    grpc::Status status;
    std::string line;
    int code;
  } cases[] = {
      {{grpc::StatusCode::NOT_FOUND, "no job 'mnist'"}, "trainctl: no job 'mnist'\n", 102},
      {{grpc::StatusCode::INVALID_ARGUMENT,
        "'mnist' may be any of 2 jobs: mnist-abc123, mnist-xyz789"},
       "trainctl: 'mnist' may be any of 2 jobs: mnist-abc123, mnist-xyz789\n",
       1},
      {{grpc::StatusCode::PERMISSION_DENIED, "the job is ada's"}, "trainctl: the job is ada's\n", 77},
      {{grpc::StatusCode::FAILED_PRECONDITION, "mnist-abc123 has ended: Failed"},
       "trainctl: mnist-abc123 has ended: Failed\n",
       1},
      {{grpc::StatusCode::INTERNAL, "the journal is damaged"}, "trainctl: the journal is damaged\n",
       1},
  };
  for (const auto& c : cases) {
    client::FakeCoordinator coordinator(0, [&](auto& methods) { FailAll(methods, c.status); });
    for (Texts words : kAboutAJob) {
      words.insert(words.end(), {"-c", coordinator.address()});
      const Ran ran = Trainctl(words);
      CAPTURE(words);
      CHECK(ran.err == c.line);
      CHECK(ran.code == c.code);
      CHECK(ran.out.empty());
    }
  }
}

TEST_CASE("a job that can never fit is refused with the numbers, and has no id") {
  client::FakeCoordinator coordinator(0, [](client::FakeMethods& m) {
    m.submit = [](const auto&, auto*) {
      return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                          "refused: 3 ranks × 1 slot = 3 slots, the cluster has 2 (w1: 1, w2: 1)");
    };
  });
  const base::TemporaryFolder folder;
  REQUIRE(base::WriteFileAtomically(
              base::PosixFileSystem(), folder.File("job.yaml"),
              "apiVersion: ringmaster/v1\nkind: train\nname: mnist\nmodel: {zoo: mlp}\n"
              "data: {train: {path: digits, format: idx}}\nresources: {ranks: 3}\n"
              "train: {epochs: 1, global_batch_size: 10, optimizer: {params: {lr: 0.1}}}\n")
              .ok());
  const Ran ran = Trainctl({"submit", folder.File("job.yaml"), "-f", "-c", coordinator.address()});
  CHECK(ran.code == 104);
  CHECK(ran.err ==
        "trainctl: refused: 3 ranks × 1 slot = 3 slots, the cluster has 2 (w1: 1, w2: 1)\n");
  CHECK(ran.out.empty());
}

TEST_CASE("a coordinator that is not there is one line with its address and the ways out") {
  int port = 0;
  {
    client::FakeCoordinator early;
    port = early.port();
  }
  const std::string at = absl::StrCat("127.0.0.1:", port);
  const Texts commands[] = {{"list"},           {"node", "ls"},      {"cluster", "status"},
                            {"events", "-w"},   {"wait", "mnist"},   {"logs", "-f", "mnist"},
                            {"describe", "m"},  {"checkpoint", "ls", "m"}};
  for (Texts words : commands) {
    words.insert(words.end(), {"-c", at});
    const Ran ran = Trainctl(words);
    CAPTURE(words, ran.err);
    CHECK(ran.code == 69);
    CHECK(absl::StartsWith(ran.err, absl::StrCat("trainctl: the coordinator at ", at,
                                                 " is not available (")));
    CHECK(absl::EndsWith(ran.err, "): 'trainctl cluster up' starts one on this machine, -c HOST:PORT "
                                  "names another\n"));
    CHECK(ran.err.find('\n') == ran.err.size() - 1);
    CHECK(ran.out.empty());
  }
}

TEST_CASE("a verb or flag that does not exist gets the nearest one, and exit code 2") {
  const struct {
    Texts words;
    std::string line;
  } cases[] = {
      {{"lst"}, "trainctl: unknown command 'lst' – did you mean 'list'? (try trainctl --help)\n"},
      {{"log", "x"}, "trainctl: unknown command 'log' – did you mean 'logs'? (try trainctl --help)\n"},
      {{"xyzzy"}, "trainctl: unknown command 'xyzzy' (try trainctl --help)\n"},
      {{"node"}, "trainctl: which one: node ls?\n"},
  };
  for (const auto& c : cases) {
    const Ran ran = Trainctl(c.words);
    CHECK(ran.err == c.line);
    CHECK(ran.code == 2);
    CHECK(ran.out.empty());
  }
  for (const auto& [wrong, right] : std::vector<std::pair<std::string, std::string>>{
           {"--folow", "--follow"}, {"--tial=3", "--tail"}, {"--patient", "--patience"}}) {
    const Ran ran = Trainctl({"logs", "x", wrong});
    CAPTURE(ran.err);
    CHECK(ran.code == 2);
    CHECK(absl::StrContains(ran.err, absl::StrCat("did you mean '", right, "'")));
  }
}

TEST_CASE("lengths of time that are none are refused before anyone is dialled") {
  for (const Texts& words :
       {Texts{"wait", "x", "--patience", "5"}, Texts{"logs", "x", "--patience", "-1s"},
        Texts{"events", "--patience", "soon"}, Texts{"wait", "x", "--timeout", "later"},
        Texts{"logs", "x", "--since", "yesterday"}}) {
    const Ran ran = Trainctl(words);
    CAPTURE(ran.err);
    CHECK(ran.code == 2);
    CHECK(absl::StrContains(ran.err, "is not a duration"));
  }
}

// ---- every listing ------------------------------------------------------------------------------------

TEST_CASE("every command that prints something takes every -o, and prints no colour") {
  client::FakeCoordinator coordinator;
  client::FakeMethods& m = coordinator.methods;
  m.get = m.pause = [](const auto&, pb::Job* job) {
    job->set_job_id("mnist-abc123");
    job->set_state(pb::SUCCEEDED);
    return grpc::Status::OK;
  };
  m.list = [](const auto&, pb::ListJobsReply* reply) {
    reply->add_jobs()->set_job_id("mnist-abc123");
    return grpc::Status::OK;
  };
  m.nodes = [](const auto&, pb::NodesReply* reply) {
    reply->add_nodes()->set_worker_id("w1");
    return grpc::Status::OK;
  };
  m.list_checkpoints = [](const auto&, pb::ListCheckpointsReply* reply) {
    reply->add_checkpoints()->set_name("step-1");
    return grpc::Status::OK;
  };
  m.explain = [](const auto&, pb::Explanation* explanation) {
    explanation->mutable_reason()->set_code("Resources");
    return grpc::Status::OK;
  };
  m.status = [](const auto&, pb::StatusReply* reply) {
    reply->set_address("127.0.0.1:1");
    return grpc::Status::OK;
  };
  pb::JobEvent event;
  event.mutable_transition()->set_job_id("mnist-abc123");
  m.events = client::Sends<pb::EventsRequest, pb::JobEvent>({event});
  const struct {
    Texts words;
    std::string name;  // with -o name
  } cases[] = {
      {{"list"}, "mnist-abc123\n"},
      {{"node", "ls"}, "w1\n"},
      {{"checkpoint", "ls", "mnist"}, "step-1\n"},
      {{"events"}, "mnist-abc123\n"},
      {{"describe", "mnist"}, "mnist-abc123\n"},
      {{"pause", "mnist"}, "mnist-abc123\n"},
      {{"why", "mnist"}, "Resources\n"},
      {{"cluster", "status"}, "127.0.0.1:1\n"},
      {{"wait", "mnist"}, ""},
  };
  for (const auto& c : cases) {
    for (const char* format : {"table", "wide", "json", "yaml", "name"}) {
      Texts words = c.words;
      words.insert(words.end(), {"-c", coordinator.address(), "-o", format});
      const Ran ran = Trainctl(words);
      CAPTURE(words, ran.err);
      CHECK(ran.code == 0);
      CHECK(ran.out.find('\x1b') == std::string::npos);
      if (std::string(format) == "name") CHECK(ran.out == c.name);
      if (std::string(format) == "json") CHECK((ran.out[0] == '{' || ran.out[0] == '['));
    }
  }
}

TEST_CASE("the help of every command says what holds when a flag is not given") {
  for (const Command& command : Commands()) {
    if (std::string(command.name) == "bench") continue;  // its help is tools/bench's
    Texts words = absl::StrSplit(command.name, ' ');
    words.emplace_back("--help");
    const std::string help = Trainctl(words).out;
    for (const absl::string_view line : absl::StrSplit(help, '\n')) {
      // "  -c, --coordinator HOST:PORT  …": a flag with a value.
      const size_t dashes = line.find("--");
      if (dashes == absl::string_view::npos || dashes > 8) continue;
      const absl::string_view after = line.substr(line.find(' ', dashes) + 1);
      const bool takes_value = !after.empty() && after[0] != ' ';
      if (!takes_value || absl::StrContains(line, "may be repeated")) continue;
      CAPTURE(command.name, line);
      CHECK(absl::StrContains(line, "default"));
    }
  }
}

}  // namespace
}  // namespace rm::trainctl
