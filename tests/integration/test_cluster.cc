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
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/file_system.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::integration {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(90);
constexpr absl::Duration kPollInterval = absl::Milliseconds(50);

std::string Program() {
  return std::filesystem::absolute("tools/ringmaster/ringmaster").string();
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

bool IsRunning(int pid) {
  const std::string stat = ReadAll(absl::StrCat("/proc/", pid, "/stat"));
  return !stat.empty() && stat.find(") Z ") == std::string::npos;
}

std::vector<int> AllPids() {
  std::vector<int> pids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    int pid = 0;
    if (absl::SimpleAtoi(entry.path().filename().string(), &pid)) pids.push_back(pid);
  }
  return pids;
}

// Variable `name` of a process's environment.
std::string EnvironmentOf(int pid, const std::string& name) {
  const std::string text = ReadAll(absl::StrCat("/proc/", pid, "/environ"));
  for (const absl::string_view entry : absl::StrSplit(text, '\0')) {
    const size_t equals = entry.find('=');
    if (entry.substr(0, equals) == name) return std::string(entry.substr(equals + 1));
  }
  return "";
}

}  // namespace

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

TestCluster::TestCluster(int workers, int slots) : folder_(temporary_.File("cluster")) {
  ::setenv("RINGMASTER_TEST_FOLDER", folder_.c_str(), 1);  // inherited by every process of it
  const Outcome up = RunShell(absl::StrCat(Program(), " trainctl cluster up --dir ", folder_,
                                           " --workers ", workers, " --slots ", slots),
                              temporary_.path());
  INFO(up.err);
  REQUIRE(up.code == 0);
  address_ = up.out.substr(0, up.out.find('\n'));
  trainer::WriteDigits(base::PosixFileSystem(), File("train"), 96, 6);
  trainer::WriteDigits(base::PosixFileSystem(), File("test"), 30, 6);
}

TestCluster::~TestCluster() {
  for (const int pid : extra_pids_) {
    if (IsRunning(pid)) ::kill(pid, SIGKILL);
  }
  RunShell(absl::StrCat(Program(), " trainctl cluster down --dir ", folder_), temporary_.path()).code;
}

Outcome TestCluster::Trainctl(const std::string& arguments) const {
  return RunShell(absl::StrCat(Program(), " trainctl -c ", address_, " ", arguments),
                  temporary_.path());
}

int TestCluster::TrainctlInBackground(const std::string& arguments, const std::string& name) {
  const Outcome started =
      RunShell(absl::StrCat(Program(), " trainctl -c ", address_, " ", arguments, " >", File(name),
                            ".out 2>", File(name), ".err & echo $!"),
               temporary_.path());
  int pid = 0;
  REQUIRE(absl::SimpleAtoi(started.out, &pid));
  extra_pids_.push_back(pid);
  return pid;
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

void TestCluster::KillCoordinator() {
  for (const absl::string_view line : absl::StrSplit(ReadAll(folder_ + "/pids"), '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    int pid = 0;
    if (words[0] == "coordinator" && absl::SimpleAtoi(words[1], &pid)) ::kill(pid, SIGKILL);
  }
}

void TestCluster::RestartCoordinator() {
  const Outcome started = RunShell(
      absl::StrCat(Program(), " coordinator --listen ", address_, " --state ", folder_,
                   "/state --storage ", folder_, "/storage --address-file ", folder_,
                   "/address >>", folder_, "/coordinator.log 2>&1 & echo $!"),
      temporary_.path());
  int pid = 0;
  REQUIRE(absl::SimpleAtoi(started.out, &pid));
  extra_pids_.push_back(pid);
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
  std::vector<int> pids;
  for (const int pid : AllPids()) {
    if (pid == ::getpid() || !IsRunning(pid)) continue;
    const bool daemon = ReadAll(absl::StrCat("/proc/", pid, "/cmdline")).find("ringmaster") == 0;
    if (daemon && EnvironmentOf(pid, "RINGMASTER_TEST_FOLDER") == folder_) pids.push_back(pid);
  }
  return pids;
}

}  // namespace rm::integration
