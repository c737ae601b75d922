#include "tests/integration/test_cluster.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/file_system.h"
#include "runtime/trainer/trainer_testing.h"
#include "tests/integration/process_table.h"

namespace rm::integration {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(90);
constexpr absl::Duration kPollInterval = absl::Milliseconds(20);

}  // namespace

std::string Program() {
  return std::filesystem::absolute("tools/ringmaster/ringmaster").string();
}

Outcome RunShell(const std::string& command, const std::string& scratch_folder) {
  static std::atomic<int> counter{0};
  const std::string base = absl::StrCat(scratch_folder, "/run-", ++counter);
  const int state =
      std::system(absl::StrCat("( ", command, " ) >", base, ".out 2>", base, ".err </dev/null").c_str());
  return {WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state), ReadAll(base + ".out"),
          ReadAll(base + ".err")};
}

std::string Text(const base::Json& object, const std::string& key) {
  const base::Json* value = object.Find(key);
  if (value == nullptr) return "";
  return value->is_string() ? std::string(value->string_or("")) : value->Dump();
}

TestCluster::TestCluster(int workers, int slots)
    : slots_(slots), folder_(temporary_.File("cluster")) {
  ::setenv("RINGMASTER_TEST_FOLDER", folder_.c_str(), 1);  // inherited by every process of it
  const Outcome up = RunShell(absl::StrCat(Program(), " trainctl cluster up --dir ", folder_,
                                           " --workers ", workers, " --slots ", slots),
                              temporary_.path());
  INFO(up.err);
  REQUIRE(up.code == 0);
  address_ = up.out.substr(0, up.out.find('\n'));
  client_ = std::make_unique<client::Client>(address_, absl::Seconds(10));
  for (const absl::string_view line : absl::StrSplit(ReadAll(folder_ + "/pids"), '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    int pid = 0;
    if (words.size() > 1 && absl::SimpleAtoi(words[1], &pid)) pids_[words[0]] = pid;
  }
  trainer::WriteDigits(base::PosixFileSystem(), File("train"), 96, 6);
  trainer::WriteDigits(base::PosixFileSystem(), File("test"), 30, 6);
}

// Daemons are asked to end, as an operator asks them; ranks must be gone with their workers, at once.
TestCluster::~TestCluster() {
  background_.clear();
  for (auto& [name, daemon] : restarted_) daemon->Signal(SIGTERM);
  const Outcome down =
      RunShell(absl::StrCat(Program(), " trainctl cluster down --dir ", folder_), temporary_.path());
  CHECK(down.code == 0);
  for (auto& [name, daemon] : restarted_) {
    CAPTURE(name);
    CHECK(daemon->WaitFor(absl::Seconds(20)).has_value());
  }
  restarted_.clear();
  for (const int pid : ProcessesOfFolder()) {
    UNSCOPED_INFO("left: " << CommandLineOf(pid));
    ::kill(pid, SIGKILL);
    CHECK(pid == 0);
  }
}

Outcome TestCluster::Trainctl(const std::string& arguments) const {
  return RunShell(absl::StrCat(Program(), " trainctl -c ", address_, " ", arguments),
                  temporary_.path());
}

Child& TestCluster::TrainctlInBackground(const std::string& arguments, const std::string& name) {
  const std::string command =
      absl::StrCat("exec ", Program(), " trainctl -c ", address_, " ", arguments);
  const std::vector<std::string> words = {"/bin/sh", "-c", command};
  background_.push_back(std::make_unique<Child>(words, File(name + ".out")));
  return *background_.back();
}

std::string TestCluster::JobFile(const std::string& name, int ranks,
                                 const std::string& train_lines) const {
  const std::string path = File(name + ".yaml");
  std::ofstream file(path);
  file << "apiVersion: ringmaster/v1\nkind: train\nname: " << name
       << "\nmodel:\n  zoo: mlp\n  params: {hidden1: 16, hidden2: 12}\n"
          "data:\n  train: {path: train, format: idx}\n  validation: {path: test, format: idx}\n"
          "train:\n  global_batch_size: 12\n  seed: 3\n"
          "  optimizer: {type: SGD, params: {lr: 0.05, momentum: 0.9}}\n"
       << train_lines << "resources: {ranks: " << ranks << "}\n";
  return path;
}

std::string TestCluster::Submit(const std::string& file, const std::string& flags) const {
  const Outcome submitted = Trainctl(absl::StrCat("submit ", file, " ", flags));
  INFO(submitted.err);
  REQUIRE(submitted.code == 0);
  return submitted.out.substr(0, submitted.out.find('\n'));
}

base::Json TestCluster::Job(const std::string& id) const {
  const Outcome described = Trainctl(absl::StrCat("describe ", id, " -o json"));
  const auto job = base::Json::Parse(described.out);
  return job.ok() ? *job : base::Json();
}

base::Json TestCluster::WaitFor(const std::string& id,
                                const std::function<bool(const base::Json&)>& wanted) const {
  const absl::Time deadline = absl::Now() + kPatience;
  for (;;) {
    base::Json job = Job(id);
    if (wanted(job)) return job;
    INFO(job.Dump(2));
    REQUIRE(absl::Now() < deadline);
    absl::SleepFor(kPollInterval);
  }
}

pb::Job TestCluster::Await(const std::string& id,
                           const std::function<bool(const pb::Job&)>& wanted,
                           absl::Duration patience) const {
  const absl::Time deadline = absl::Now() + patience;
  for (;;) {
    const auto job = client_->Get(id);
    if (job.ok() && wanted(*job)) return *job;
    INFO(job.status() << (job.ok() ? job->ShortDebugString() : ""));
    REQUIRE(absl::Now() < deadline);
    absl::SleepFor(kPollInterval);
  }
}

pb::Job TestCluster::AwaitEnd(const std::string& id) const {
  return Await(id, [](const pb::Job& job) { return job.ended_ns() > 0; }, 2 * kPatience);
}

void TestCluster::AwaitWorkers(pb::WorkerState state, int count) const {
  const absl::Time deadline = absl::Now() + kPatience;
  for (;;) {
    const auto nodes = client_->Nodes();
    int found = 0;
    if (nodes.ok()) {
      for (const pb::Node& node : nodes->nodes()) found += node.state() == state ? 1 : 0;
    }
    if (nodes.ok() && found == count) return;
    INFO(nodes.status() << (nodes.ok() ? nodes->ShortDebugString() : ""));
    REQUIRE(absl::Now() < deadline);
    absl::SleepFor(kPollInterval);
  }
}

int TestCluster::PidOf(const std::string& daemon) const {
  const auto found = pids_.find(daemon);
  REQUIRE(found != pids_.end());
  return found->second;
}

void TestCluster::Kill(const std::string& daemon) {
  const auto child = restarted_.find(daemon);
  if (child != restarted_.end()) {
    child->second->Kill();
    return;
  }
  const int pid = PidOf(daemon);
  ::kill(pid, SIGKILL);
  while (IsRunning(pid)) absl::SleepFor(absl::Milliseconds(1));
}

void TestCluster::Restart(const std::string& daemon, const std::vector<std::string>& words) {
  auto child = std::make_unique<Child>(words, absl::StrCat(folder_, "/", daemon, ".log"));
  pids_[daemon] = child->pid();
  restarted_[daemon] = std::move(child);
}

void TestCluster::RestartCoordinator(const std::vector<std::string>& flags) {
  std::vector<std::string> words = {
      Program(),   "coordinator",          "--listen",       address_,
      "--state",   folder_ + "/state",     "--storage",      folder_ + "/storage",
      "--address-file", folder_ + "/address"};
  words.insert(words.end(), flags.begin(), flags.end());
  Restart("coordinator", words);
}

void TestCluster::RestartWorker(int number, const std::vector<std::string>& before) {
  const std::string name = absl::StrCat("worker-", number);
  std::vector<std::string> words = before;
  const std::vector<std::string> own = {
      Program(), "worker", "--coordinator", address_, "--id", name, "--dir",
      absl::StrCat(folder_, "/", name), "--slots", absl::StrCat(slots_)};
  words.insert(words.end(), own.begin(), own.end());
  Restart(name, words);
}

std::vector<int> TestCluster::RankPids(const std::string& id) const {
  std::vector<std::pair<int, int>> ranks;
  for (const int pid : AllPids()) {
    int rank = 0;
    if (EnvironmentOf(pid, "RINGMASTER_JOB_ID") != id) continue;
    if (absl::SimpleAtoi(EnvironmentOf(pid, "RANK"), &rank)) ranks.emplace_back(rank, pid);
  }
  std::sort(ranks.begin(), ranks.end());
  std::vector<int> pids;
  for (const auto& [rank, pid] : ranks) pids.push_back(pid);
  return pids;
}

std::vector<int> TestCluster::ProcessesOfFolder() const {
  return RunningWith("RINGMASTER_TEST_FOLDER", folder_);
}

std::vector<std::string> TestCluster::TemporaryFiles() const {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (absl::StartsWith(name, ".tmp") || absl::StrContains(name, ".tmp-")) {
      found.push_back(entry.path().string());
    }
  }
  return found;
}

}  // namespace rm::integration
