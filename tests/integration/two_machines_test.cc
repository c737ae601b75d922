// A coordinator and workers on two machines with addresses and files of their own.

#include <signal.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/file_system.h"
#include "base/temporary_folder.h"
#include "tests/integration/machines.h"
#include "tests/integration/process_table.h"

namespace rm::integration {
namespace {

// Two machines, or nothing where they are not permitted: then the reason is printed and the test case is over.
std::unique_ptr<TwoMachines> MachinesOrSkip() {
  auto made = TwoMachines::Make();
  if (made.ok()) return *std::move(made);
  std::printf("SKIPPED: %s\n", std::string(made.status().message()).c_str());
  return nullptr;
}

bool IsIn(const base::Json& job, const std::string& state) { return Text(job, "state") == state; }

int64_t Number(const base::Json& job, const std::string& key) {
  int64_t value = 0;
  return absl::SimpleAtoi(Text(job, key), &value) ? value : 0;
}

int64_t StepOf(const base::Json& job) {
  const base::Json* progress = job.Find("progress");
  return progress == nullptr ? 0 : Number(*progress, "step");
}

// A job file beside the data, which it names by a relative path.
std::string JobFile(const TwoMachines& machines, const std::string& name, int ranks, int64_t steps) {
  const std::string path = machines.File(name + ".yaml");
  REQUIRE(base::WriteFileAtomically(
              base::PosixFileSystem(), path,
              absl::StrCat("apiVersion: ringmaster/v1\nkind: train\nname: ", name,
                           "\nmodel: {zoo: mlp, params: {hidden1: 16, hidden2: 12}}\n"
                           "data: {train: {path: data/train, format: idx}}\n"
                           "train:\n  global_batch_size: 12\n  steps: ", steps,
                           "\n  optimizer: {type: SGD, params: {lr: 0.01}}\n"
                           "checkpoint: {every: {steps: 100}}\n"
                           "resources: {ranks: ", ranks, "}\n"))
              .ok());
  return path;
}

std::string Submit(const TwoMachines& machines, const std::string& file) {
  // From another folder: the paths in it are relative to the job file, not to where we are.
  const Outcome submitted = machines.Trainctl("submit " + file);
  INFO(submitted.err);
  REQUIRE(submitted.code == 0);
  return submitted.out.substr(0, submitted.out.find('\n'));
}

TEST_CASE("a gang over two machines trains to its end, and its files are where both look") {
  const auto machines = MachinesOrSkip();
  if (machines == nullptr) return;
  machines->StartCoordinator({"--insecure"});
  machines->StartWorker(machines->alpha(), 1);
  machines->StartWorker(machines->beta(), 1);
  machines->AwaitWorkers("READY", 2);
  CHECK(absl::StartsWith(machines->coordinator(), "10.77.0.1:"));
  // Nobody outside the two is reached: these addresses are no one else's.
  CHECK(RunShell(absl::StrCat(Program(), " trainctl -c ", machines->coordinator(),
                              " --timeout 3s list"),
                 machines->File("")).code != 0);

  const std::string id = Submit(*machines, JobFile(*machines, "both", 2, 300));
  const base::Json job = machines->Await(id, [](const base::Json& now) {
    return IsIn(now, "SUCCEEDED") || IsIn(now, "FAILED");
  });
  INFO(machines->Trainctl("events " + id).out << machines->Trainctl("logs " + id).out);
  REQUIRE(IsIn(job, "SUCCEEDED"));
  const std::string events = machines->Trainctl("events " + id).out;
  CHECK(absl::StrContains(events, "worker-alpha"));
  CHECK(absl::StrContains(events, "worker-beta"));
  CHECK(absl::StrContains(Text(job, "last_checkpoint"), machines->File("storage")));
  const Outcome verified = machines->Trainctl("checkpoint verify " + id);
  CHECK(verified.code == 0);
  CHECK(absl::StrContains(verified.out, Text(job, "weights_sha256")));
  // Rank 1's log came over the cable.
  CHECK(absl::StrContains(machines->Trainctl("logs " + id + " --rank 1").out, "rank 1"));
}

TEST_CASE("a worker that does not see the cluster's storage gets no ranks, and why says so") {
  const auto machines = MachinesOrSkip();
  if (machines == nullptr) return;
  if (!machines->beta().Hide(machines->File("storage"))) {
    std::printf("SKIPPED: mounting is not permitted\n");
    return;
  }
  machines->StartCoordinator({"--insecure"});
  machines->StartWorker(machines->alpha(), 1);
  machines->StartWorker(machines->beta(), 1);
  machines->AwaitWorkers("READY", 2);
  // Two ranks: its slot does not count, and the refusal says why.
  const Outcome refused = machines->Trainctl("submit " + JobFile(*machines, "wide", 2, 300));
  INFO(refused.err);
  CHECK(refused.code == 104);
  CHECK(absl::StrContains(refused.err, "worker-beta"));
  CHECK(absl::StrContains(refused.err, "does not see the storage"));
  // One rank: the other machine does it, and who must wait is told why there is no room on this one.
  const std::string first = Submit(*machines, JobFile(*machines, "first", 1, 100000000));
  machines->Await(first, [](const base::Json& job) { return IsIn(job, "RUNNING"); });
  const std::string second = Submit(*machines, JobFile(*machines, "second", 1, 30));
  machines->Await(second, [](const base::Json& job) {
    return IsIn(job, "QUEUED") && Text(*job.Find("reason"), "code") != "Preflight";
  });
  const Outcome why = machines->Trainctl("why " + second);
  INFO(why.out);
  CHECK(absl::StrContains(why.out, "StorageNotShared"));
  CHECK(absl::StrContains(why.out, "worker-beta"));
  CHECK(machines->Trainctl("kill -y " + first).code == 0);
  const base::Json job = machines->Await(second, [](const base::Json& now) {
    return IsIn(now, "SUCCEEDED") || IsIn(now, "FAILED");
  });
  CHECK(IsIn(job, "SUCCEEDED"));
  CHECK_FALSE(absl::StrContains(machines->Trainctl("events " + second).out, "worker-beta"));
}

TEST_CASE("data that the worker's machine cannot read is said before the job starts, with the machine") {
  const auto machines = MachinesOrSkip();
  if (machines == nullptr) return;
  if (!machines->beta().Hide(machines->File("data"))) {
    std::printf("SKIPPED: mounting is not permitted\n");
    return;
  }
  machines->StartCoordinator({"--insecure"});
  machines->StartWorker(machines->beta(), 2);
  machines->AwaitWorkers("READY", 1);
  const Outcome refused = machines->Trainctl("submit " + JobFile(*machines, "blind", 2, 30));
  INFO(refused.out << refused.err);
  CHECK(refused.code == 2);
  CHECK(absl::StrContains(refused.err, "data/train"));
  CHECK(absl::StrContains(refused.err, "beta"));
  CHECK(absl::StrContains(refused.err, "blind.yaml:"));
  const std::string id = refused.out.substr(0, refused.out.find('\n'));
  const std::string events = machines->Trainctl("events " + id).out;
  CHECK_FALSE(absl::StrContains(events, "Starting"));
  CHECK(machines->Trainctl("wait " + id).code == 100);

  // A machine that has the data changes nothing for a gang that may be placed on both, and all for one that may not.
  machines->StartWorker(machines->alpha(), 2);
  machines->AwaitWorkers("READY", 2);
  const Outcome half = machines->Trainctl("submit " + JobFile(*machines, "half-blind", 2, 30));
  INFO(half.out << half.err);
  CHECK(half.code == 2);
  CHECK(absl::StrContains(half.err, "on host beta"));
  CHECK(absl::StrContains(half.err, "resources.node_selector"));
  const Outcome seeing = machines->Trainctl("submit --wait --set resources.node_selector.machine=alpha " +
                                            JobFile(*machines, "seeing", 2, 30));
  INFO(seeing.out << seeing.err);
  CHECK(seeing.code == 0);
}

TEST_CASE("a machine that is cut off is given up, and its ranks of old are stopped when it is back") {
  const auto machines = MachinesOrSkip();
  if (machines == nullptr) return;
  machines->StartCoordinator({"--insecure"});
  machines->StartWorker(machines->alpha(), 2);
  machines->StartWorker(machines->beta(), 1);
  machines->AwaitWorkers("READY", 2);
  // Three ranks: one of them must be on beta.
  const std::string id = Submit(*machines, JobFile(*machines, "cut", 3, 100000000));
  const base::Json before = machines->Await(id, [](const base::Json& job) {
    return IsIn(job, "RUNNING") && Number(job, "last_checkpoint_step") > 0;
  });
  const absl::Time cut = absl::Now();
  machines->SetCable(false);
  machines->AwaitWorkers("LOST", 1);
  std::printf("cable pulled: worker lost after %s\n",
              absl::FormatDuration(absl::Now() - cut).c_str());
  machines->Await(id, [](const base::Json& job) { return IsIn(job, "RECOVERING"); });
  CHECK(absl::StrContains(machines->Trainctl("events " + id).out, "worker-beta"));
  machines->SetCable(true);
  machines->AwaitWorkers("READY", 2);
  const base::Json after = machines->Await(id, [](const base::Json& job) {
    return IsIn(job, "RUNNING") && Number(job, "generation") == 2 && StepOf(job) > 0;
  });
  CHECK(Number(after, "restarts") == 1);
  // One generation of rank processes: those of before are gone.
  CHECK(RunningWith("RINGMASTER_JOB_ID", id).size() == 3);
  CHECK(machines->Trainctl("kill -y " + id).code == 0);
}

TEST_CASE("beyond loopback nothing starts unless --insecure is said") {
  const base::TemporaryFolder folder;
  const struct {
    std::string command;
    std::string part;
  } cases[] = {
      {" coordinator --listen 0.0.0.0:0 --advertise 10.77.0.1 --state ", "--insecure"},
      {" coordinator --listen 127.0.0.1:0 --http 0.0.0.0:0 --state ", "--insecure"},
      {" coordinator --listen 0.0.0.0:0 --insecure --state ", "--advertise"},
      {" worker --coordinator 10.77.0.1:7070 --advertise 10.77.0.2 --dir ", "--insecure"},
      {" worker --coordinator 10.77.0.1:7070 --advertise 0.0.0.0 --insecure --dir ", "--advertise"},
  };
  for (const auto& c : cases) {
    const Outcome outcome =
        RunShell("timeout 10 " + Program() + c.command + folder.File("state"), folder.path());
    CAPTURE(c.command, outcome.err);
    CHECK(outcome.code == 2);
    CHECK(absl::StrContains(outcome.err, c.part));
    CHECK_FALSE(base::PosixFileSystem().Exists(folder.File("state")));  // nothing was begun
  }
}

}  // namespace
}  // namespace rm::integration
