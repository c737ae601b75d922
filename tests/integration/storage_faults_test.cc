// Disks that fill up and files that rot while a job trains.

#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/file_system.h"
#include "tests/integration/long_job.h"
#include "tests/integration/machines.h"
#include "tests/integration/process_table.h"
#include "tests/integration/test_cluster.h"

namespace rm::integration {
namespace {

// Changes one byte in the middle of a file, as a bad disk does.
void Damage(const std::string& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  REQUIRE(file.good());
  const auto middle = static_cast<std::streamoff>(std::filesystem::file_size(path) / 2);
  file.seekg(middle);
  const char byte = static_cast<char>(file.get());
  file.seekp(middle);
  file.put(static_cast<char>(byte ^ 0x40));
  REQUIRE(file.good());
}

// Names of the checkpoints in a job's folder, oldest first.
std::vector<std::string> CheckpointsIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (absl::StartsWith(name, "step-")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST_CASE("a damaged checkpoint is passed over for the one before it, and that is said") {
  TestCluster cluster;
  LongJob wanted;
  wanted.name = "rotten";
  const std::string id = SubmitLong(cluster, wanted);
  const pb::Job before = cluster.Await(id, [](const pb::Job& job) {
    return Runs(job, 1) && job.last_checkpoint_step() >= 300;
  });
  // Stopped, the ranks cannot replace what is damaged here.
  const std::vector<int> pids = cluster.RankPids(id);
  REQUIRE(pids.size() == 2);
  for (const int pid : pids) ::kill(pid, SIGSTOP);
  const std::vector<std::string> names = CheckpointsIn(before.checkpoint_folder());
  REQUIRE(names.size() >= 2);
  const std::string newest = before.checkpoint_folder() + "/" + names.back();
  for (const auto& entry : std::filesystem::directory_iterator(newest)) {
    if (absl::StartsWith(entry.path().filename().string(), "weights-")) Damage(entry.path().string());
  }
  for (const int pid : pids) ::kill(pid, SIGKILL);
  const pb::Job after = cluster.Await(id, [](const pb::Job& job) {
    return Runs(job, 2) && job.progress().step() > 0;
  });
  const std::string said =
      cluster.Trainctl("events " + id).out + cluster.Trainctl("logs " + id + " --rank 0").out;
  INFO(said);
  CHECK(absl::StrContains(said, "CheckpointDamaged"));
  CHECK(absl::StrContains(said, names.back()));
  CHECK(after.generation() == 2);
  CheckAgainstUndisturbed(cluster, wanted, StopAndRead(cluster, id));
}

TEST_CASE("data that is damaged after the check ends the job with its reason at the second try, not the sixth") {
  TestCluster cluster;
  const std::string holder = cluster.Submit(cluster.JobFile("holder", 2, "  steps: 100000000\n"));
  cluster.Await(holder, [](const pb::Job& job) { return job.state() == pb::RUNNING; });
  const std::string id = cluster.Submit(cluster.JobFile("spoilt", 2, "  steps: 100\n"),
                                        "--set scheduling.max_restarts=5");
  cluster.Await(id, [](const pb::Job& job) {
    return job.state() == pb::QUEUED && job.reason().code() != "Preflight";
  });
  const std::string labels = cluster.File("train-labels-idx1-ubyte");
  std::filesystem::resize_file(labels, std::filesystem::file_size(labels) - 5);
  CHECK(cluster.client().Kill(holder).ok());
  const pb::Job job = cluster.AwaitEnd(id);
  INFO(job.ShortDebugString());
  CHECK(job.state() == pb::FAILED);
  CHECK(job.restarts() <= 1);
  CHECK(absl::StrContains(job.reason().sentence(), "train-labels-idx1-ubyte"));
  CHECK(absl::StrContains(job.reason().sentence(), "another restart would not help"));
  CHECK(cluster.Trainctl("wait " + id).code == 100);
}

int64_t Number(const base::Json& job, const std::string& key) {
  int64_t value = 0;
  return absl::SimpleAtoi(Text(job, key), &value) ? value : 0;
}

TEST_CASE("a disk that is full at a save costs that save and nothing else") {
  auto made = TwoMachines::Make();  // one of them is enough: it has a disk of its own, and a small one
  if (!made.ok()) {
    std::printf("SKIPPED: %s\n", std::string(made.status().message()).c_str());
    return;
  }
  TwoMachines& machines = **made;
  const std::string storage = machines.File("storage");
  const Outcome mounted =
      machines.alpha().Run(absl::StrCat("mount -t tmpfs -o size=24m none ", storage));
  INFO(mounted.err);
  REQUIRE(mounted.code == 0);
  machines.StartCoordinator({"--insecure"});
  machines.StartWorker(machines.alpha(), 2);
  machines.AwaitWorkers("READY", 1);
  const std::string file = machines.File("full.yaml");
  REQUIRE(base::WriteFileAtomically(
              base::PosixFileSystem(), file,
              "apiVersion: ringmaster/v1\nkind: train\nname: full\n"
              "model: {zoo: mlp, params: {hidden1: 512, hidden2: 64}}\n"  // 1.7 MB, twice with momentum
              "data: {train: {path: data/train, format: idx}}\n"
              "train:\n  global_batch_size: 12\n  steps: 100000000\n"
              "  optimizer: {type: SGD, params: {lr: 0.01, momentum: 0.9}}\n"
              "checkpoint: {every: {steps: 50}, keep: {last: 2}}\nresources: {ranks: 2}\n")
              .ok());
  const Outcome submitted = machines.Trainctl("submit " + file);
  INFO(submitted.err);
  REQUIRE(submitted.code == 0);
  const std::string id = submitted.out.substr(0, submitted.out.find('\n'));
  machines.Await(id, [](const base::Json& job) { return Number(job, "last_checkpoint_step") >= 100; });
  REQUIRE(machines.alpha().Run("dd if=/dev/zero of=" + storage + "/filler bs=4k 2>/dev/null; true").code == 0);
  machines.Await(id, [&](const base::Json&) {
    return absl::StrContains(machines.Trainctl("events " + id).out, "CheckpointFailed");
  });
  const std::string events = machines.Trainctl("events " + id).out;
  INFO(events);
  CHECK(absl::StrContains(absl::AsciiStrToLower(events), "no space"));
  CHECK(absl::StrContains(events, "the one before it stays, training goes on"));
  const base::Json full = machines.Job(id);
  CHECK(Text(full, "state") == "RUNNING");
  CHECK(Number(full, "generation") == 1);
  const int64_t step = Number(*full.Find("progress"), "step");
  machines.Await(id, [step](const base::Json& job) {  // training goes on
    return Number(*job.Find("progress"), "step") > step + 100;
  });
  CHECK(machines.Trainctl("checkpoint verify " + id).code == 0);  // the previous one is whole
  // With some room a save begins, and the disk is full in the middle of a file: half of one is never taken for a whole.
  REQUIRE(machines.alpha().Run("truncate -s -1M " + storage + "/filler").code == 0);
  const auto failures = [&] {
    const std::vector<std::string> lines =
        absl::StrSplit(machines.Trainctl("events " + id).out, "CheckpointFailed");
    return lines.size() - 1;
  };
  const size_t until_now = failures();
  machines.Await(id, [&](const base::Json&) { return failures() > until_now; });
  CHECK(machines.Trainctl("checkpoint verify " + id).code == 0);
  REQUIRE(machines.alpha().Run("rm " + storage + "/filler").code == 0);
  machines.Await(id, [step](const base::Json& job) {  // and saves succeed again
    return Number(job, "last_checkpoint_step") > step;
  });
  CHECK(Number(machines.Job(id), "restarts") == 0);
  CHECK(machines.Trainctl("kill -y " + id).code == 0);
}

}  // namespace
}  // namespace rm::integration
