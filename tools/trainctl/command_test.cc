#include "tools/trainctl/command.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/version.h"
#include "runtime/client/testing.h"
#include "tools/trainctl/testing.h"

namespace rm::trainctl {
namespace {

namespace pb = ::ringmaster::v1;
using absl::StrContains;
using Texts = std::vector<std::string>;

// The words of a command's name.
Words NameOf(const Command& command) {
  const std::string name = command.name;
  const size_t space = name.find(' ');
  if (space == std::string::npos) return {name};
  return {name.substr(0, space), name.substr(space + 1)};
}

TEST_CASE("help lists every command, on standard output, with the exit codes") {
  for (const Words& words : {Words{"--help"}, Words{"-h"}, Words{"help"}}) {
    const Ran ran = Trainctl(words);
    CHECK(ran.code == 0);
    CHECK(ran.err.empty());
    for (const Command& command : Commands()) {
      CAPTURE(command.name);
      CHECK(StrContains(ran.out, command.name));
      CHECK(StrContains(ran.out, command.summary));
    }
    for (const char* code : {"69", "100", "101", "102", "103", "104", "130"}) {
      CHECK(StrContains(ran.out, code));
    }
  }
}

TEST_CASE("no command is a usage error that shows the help on standard error") {
  const Ran ran = Trainctl({});
  CHECK(ran.code == 2);
  CHECK(ran.out.empty());
  CHECK(StrContains(ran.err, "usage: trainctl COMMAND"));
  CHECK(Trainctl({"-o", "json"}).code == 2);
}

TEST_CASE("every command has its own help, three ways to ask for it, and names are unique") {
  std::set<std::string> names;
  for (const Command& command : Commands()) {
    CAPTURE(command.name);
    CHECK(names.insert(command.name).second);
    if (std::string(command.name) == "bench") continue;  // its help is tools/bench's
    Words behind = NameOf(command);
    Words before = behind;
    Words verb = behind;
    behind.emplace_back("--help");
    before.insert(before.begin(), {"-o", "json"});
    before.emplace_back("-h");
    verb.insert(verb.begin(), "help");
    for (const Words& words : {behind, before, verb}) {
      const Ran ran = Trainctl(words);
      CHECK(ran.code == 0);
      CHECK(StrContains(ran.out, std::string("usage: trainctl ") + command.name));
      CHECK(StrContains(ran.out, command.summary));
      CHECK(StrContains(ran.out, "--coordinator"));
      CHECK(StrContains(ran.out, command.examples));
      CHECK(ran.err.empty());
    }
  }
}

TEST_CASE("a command that does not exist is refused with the nearest one") {
  const struct {
    Words words;
    std::string said;
  } cases[] = {
      {{"sbumit", "job.yaml"}, "unknown command 'sbumit' – did you mean 'submit'?"},
      {{"frobnicate"}, "unknown command 'frobnicate' (try trainctl --help)"},
      {{"cluster"}, "which one: cluster up, cluster down, cluster status?"},
      {{"cluster", "upp"}, "which one: cluster up, cluster down, cluster status?"},
      {{"checkpoint", "rm", "a"}, "which one: checkpoint ls, checkpoint verify?"},
      {{"help", "frobnicate"}, "unknown command 'frobnicate'"},
  };
  for (const auto& c : cases) {
    const Ran ran = Trainctl(c.words);
    CAPTURE(c.said, ran.err);
    CHECK(ran.code == 2);
    CHECK(StrContains(ran.err, c.said));
    CHECK(ran.out.empty());
  }
}

TEST_CASE("wrong flags and arguments are refused before anything is done") {
  const struct {
    Words words;
    std::string said;
  } cases[] = {
      {{"list", "--stat", "x"}, "did you mean '--state'"},
      {{"list", "extra"}, "unexpected argument 'extra' (usage: trainctl list"},
      {{"list", "-o", "xml"}, "must be one of table, wide, json, yaml, name"},
      {{"list", "--state", "sleeping"}, "no state is called 'sleeping'; known: queued,"},
      {{"describe"}, "usage: trainctl describe JOB"},
      {{"describe", "a", "b"}, "unexpected argument 'b'"},
      {{"wait", "a", "--timeout", "5"}, "--timeout: \"5\" is not a duration"},
      {{"logs", "a", "--since", "yesterday"}, "--since: "},
      {{"logs", "a", "--tail", "-3"}, "must be a whole number"},
      {{"cancel", "a"}, "Say -y"},
      {{"kill", "a"}, "Say -y"},
      {{"checkpoint", "verify", "a@worst"}, "'@worst' is not @latest, @best or @STEP"},
      {{"checkpoint", "verify", "a@0"}, "'@0' is not @latest, @best or @STEP"},
      {{"model"}, "which one: model export?"},
      {{"model", "export"}, "usage: trainctl model export JOB"},
      {{"model", "export", "a", "--form", "xml"}, "must be one of table, wide, json, yaml, name"},
      {{"cluster", "up", "--workers", "0"}, "must be a whole number from 1 to"},
      {{"version", "extra"}, "unexpected argument 'extra'"},
      {{"submit"}, "usage: trainctl submit JOB.yaml"},
      {{"-c", "nowhere", "list"}, "'nowhere' is no address"},
  };
  for (const auto& c : cases) {
    const Ran ran = Trainctl(c.words);
    CAPTURE(c.said, ran.err);
    CHECK(ran.code == 2);
    CHECK(absl::StartsWith(ran.err, "trainctl: "));
    CHECK(StrContains(ran.err, c.said));
    CHECK(ran.out.empty());
  }
}

TEST_CASE("the version is printed, three ways to ask for it") {
  for (const Words& words : {Words{"version"}, Words{"--version"}, Words{"-o", "json", "version"}}) {
    const Ran ran = Trainctl(words);
    CHECK(ran.code == 0);
    CHECK(ran.out == "trainctl " + std::string(base::kVersion) + "\n");
  }
}

TEST_CASE("flags may stand before the name, between its words' end and the arguments, or last") {
  client::FakeCoordinator coordinator;
  pb::ListJobsRequest asked;
  coordinator.methods.list = [&](const pb::ListJobsRequest& request, pb::ListJobsReply* reply) {
    asked = request;
    reply->add_jobs()->set_job_id("mnist-abc");
    return grpc::Status::OK;
  };
  const std::string at = coordinator.address();
  const Words orders[] = {
      {"-c", at, "list", "--state", "failed", "-o", "name"},
      {"-o", "name", "--coordinator=" + at, "ls", "--state=failed"},
      {"list", "-c", at, "-o", "name", "--state", "failed"},
      {"--coordinator", at, "--output", "name", "list", "--state", "FAILED"},
  };
  for (const Words& words : orders) {
    asked.Clear();
    const Ran ran = Trainctl(words);
    CAPTURE(ran.err);
    CHECK(ran.code == 0);
    CHECK(ran.out == "mnist-abc\n");
    CHECK(asked.state() == pb::FAILED);
  }
}

TEST_CASE("a coordinator that is not there is exit code 69, for every command that asks it") {
  int port = 0;
  {
    client::FakeCoordinator early;
    port = early.port();
  }
  const std::string at = "127.0.0.1:" + std::to_string(port);
  const Words commands[] = {
      {"list"},           {"describe", "a"},      {"why", "a"},        {"logs", "a"},
      {"events"},         {"wait", "a"},          {"cancel", "-y", "a"}, {"kill", "-y", "a"},
      {"pause", "a"},     {"resume", "a"},        {"node", "ls"},      {"checkpoint", "ls", "a"},
      {"checkpoint", "verify", "a"}, {"cluster", "status"},
  };
  for (Words words : commands) {
    words.insert(words.end(), {"-c", at});
    const Ran ran = Trainctl(words);
    CAPTURE(words[0], ran.err);
    CHECK(ran.code == 69);
    CHECK(StrContains(ran.err, at));
    CHECK(ran.out.empty());
  }
}

TEST_CASE("output that nobody can take is a failure") {
  struct Broken : std::streambuf {
    int sync() override { return -1; }
  };
  Broken broken;
  std::streambuf* const former = std::cout.rdbuf(&broken);
  const Captured err(std::cerr);
  std::string words[] = {"trainctl", "version"};
  char* argv[] = {words[0].data(), words[1].data()};
  const int code = TrainctlMain(2, argv);
  std::cout.rdbuf(former);
  std::cout.clear();
  CHECK(code == 1);
  CHECK(StrContains(err.text(), "cannot write to standard output"));
}

}  // namespace
}  // namespace rm::trainctl
