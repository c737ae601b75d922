#include "tests/integration/machines.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/file_system.h"
#include "runtime/trainer/trainer_testing.h"
#include "tests/integration/process_table.h"

namespace rm::integration {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(90);
constexpr absl::Duration kPollInterval = absl::Milliseconds(50);

// How a holder of namespaces is started; empty when none of the ways is permitted.
std::vector<std::string> WayToUnshare(const std::string& scratch_folder, bool* own_users) {
  // With a user namespace also a plain user may make the others; as root it is not needed.
  for (const bool users : {::geteuid() != 0, ::geteuid() == 0}) {
    const std::string flags = users ? "-Urnmu" : "-nmu";
    const Outcome tried = RunShell(
        absl::StrCat("unshare ", flags, " sh -c 'mount -t tmpfs none /mnt && ip link set lo up'"),
        scratch_folder);
    *own_users = users;
    if (tried.code == 0) return {"unshare", flags};
  }
  return {};
}

std::vector<std::string> Joined(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

Machine::Machine(std::string name, std::string address, std::unique_ptr<Child> holder, bool own_users)
    : name_(std::move(name)),
      address_(std::move(address)),
      holder_(std::move(holder)),
      own_users_(own_users) {}

std::vector<std::string> Machine::Words(const std::vector<std::string>& words) const {
  std::vector<std::string> entered = {"nsenter", "-t", absl::StrCat(holder()), "-n", "-m", "-u"};
  if (own_users_) entered = Joined(entered, {"-U", "--preserve-credentials"});
  return Joined(entered, words);
}

Outcome Machine::Run(const std::string& command) const {
  const base::TemporaryFolder scratch;
  // By a file: what the command quotes stays as it is.
  const std::string script = scratch.File("command.sh");
  REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), script, command).ok());
  return RunShell(absl::StrJoin(Words({"sh", script}), " "), scratch.path());
}

bool Machine::Hide(const std::string& folder) const {
  return Run("mount -t tmpfs none " + folder).code == 0;
}

absl::StatusOr<std::unique_ptr<TwoMachines>> TwoMachines::Make() {
  std::unique_ptr<TwoMachines> made(new TwoMachines);
  const auto not_permitted = [](const std::string& what) {
    return absl::PermissionDeniedError(absl::StrCat("two machines cannot be made here: ", what));
  };
  if (RunShell("ip -V && nsenter --version", made->File("")).code != 0) {
    return not_permitted("the programs ip and nsenter are needed");
  }
  bool own_users = false;
  const std::vector<std::string> unshare = WayToUnshare(made->File(""), &own_users);
  if (unshare.empty()) return not_permitted("network and mount namespaces are not permitted");
  ::setenv("RINGMASTER_TEST_FOLDER", made->File("").c_str(), 1);
  const std::vector<std::string> hold = {"sh", "-c", "echo ready; exec sleep infinity"};
  auto alpha = std::make_unique<Child>(Joined(unshare, hold), made->File("alpha.out"));
  if (!alpha->WaitForOutput("ready", kPatience)) return not_permitted(alpha->output());
  made->alpha_ = std::make_unique<Machine>("alpha", "10.77.0.1", std::move(alpha), own_users);
  // In alpha's user namespace, so that one cable can reach into both.
  std::vector<std::string> second = {"unshare", "-nmu"};
  if (own_users) {
    const std::string holder = absl::StrCat(made->alpha_->holder());
    second = {"nsenter", "-t", holder, "-U", "--preserve-credentials", "unshare", "-nmu"};
  }
  auto beta = std::make_unique<Child>(Joined(second, hold), made->File("beta.out"));
  if (!beta->WaitForOutput("ready", kPatience)) return not_permitted(beta->output());
  made->beta_ = std::make_unique<Machine>("beta", "10.77.0.2", std::move(beta), own_users);
  const Outcome cable = made->alpha_->Run(absl::StrCat(
      "hostname alpha && ip link set lo up && ip link add cable type veth peer name cable netns ",
      made->beta_->holder(), " && ip addr add 10.77.0.1/24 dev cable && ip link set cable up"));
  if (cable.code != 0) return not_permitted(cable.err);
  const Outcome other = made->beta_->Run(
      "hostname beta && ip link set lo up && ip addr add 10.77.0.2/24 dev cable && "
      "ip link set cable up");
  if (other.code != 0) return not_permitted(other.err);
  for (const char* folder : {"storage", "data"}) {
    REQUIRE(base::PosixFileSystem().MakeFolders(made->File(folder)).ok());
  }
  trainer::WriteDigits(base::PosixFileSystem(), made->File("data/train"), 96, 6);
  return made;
}

TwoMachines::~TwoMachines() {
  for (const auto& daemon : daemons_) daemon->Signal(SIGTERM);
  for (const auto& daemon : daemons_) {
    UNSCOPED_INFO(daemon->output());
    CHECK(daemon->WaitFor(absl::Seconds(20)).has_value());
  }
  daemons_.clear();
  alpha_.reset();
  beta_.reset();
  for (const int pid : RunningWith("RINGMASTER_TEST_FOLDER", File(""))) {
    UNSCOPED_INFO("left: " << CommandLineOf(pid));
    ::kill(pid, SIGKILL);
    CHECK(pid == 0);
  }
}

void TwoMachines::StartCoordinator(const std::vector<std::string>& flags) {
  const std::string file = File("address");
  const std::vector<std::string> words = Joined(
      {Program(), "coordinator", "--listen", "0.0.0.0:0", "--advertise", alpha_->address(),
       "--state", File("state"), "--storage", File("storage"), "--address-file", file},
      flags);
  daemons_.push_back(std::make_unique<Child>(alpha_->Words(words), File("coordinator.log")));
  const absl::Time deadline = absl::Now() + kPatience;
  while (ReadAll(file).empty()) {
    INFO(daemons_.back()->output());
    REQUIRE(absl::Now() < deadline);
    absl::SleepFor(kPollInterval);
  }
  const std::string text = ReadAll(file);
  coordinator_ = text.substr(0, text.find('\n'));
}

void TwoMachines::StartWorker(Machine& machine, int slots) {
  const std::string name = "worker-" + machine.name();
  const std::vector<std::string> words = {
      Program(), "worker", "--coordinator", coordinator_, "--id", name, "--dir", File(name),
      "--slots", absl::StrCat(slots), "--advertise", machine.address(), "--labels",
      absl::StrCat("machine=", machine.name()), "--insecure"};
  daemons_.push_back(std::make_unique<Child>(machine.Words(words), File(name + ".log")));
}

void TwoMachines::AwaitWorkers(const std::string& state, int count) {
  const absl::Time deadline = absl::Now() + kPatience;
  for (;;) {
    const Outcome listed = Trainctl("node ls -o json");
    const auto nodes = base::Json::Parse(listed.out);
    int found = 0;
    if (nodes.ok() && nodes->is_array()) {
      for (const base::Json& node : nodes->array()) found += Text(node, "state") == state ? 1 : 0;
    }
    if (found == count) return;
    INFO(listed.out << listed.err);
    REQUIRE(absl::Now() < deadline);
    absl::SleepFor(kPollInterval);
  }
}

Outcome TwoMachines::Trainctl(const std::string& arguments) const {
  return alpha_->Run(absl::StrCat(Program(), " trainctl -c ", coordinator_, " ", arguments));
}

base::Json TwoMachines::Job(const std::string& id) const {
  const auto job = base::Json::Parse(Trainctl("describe " + id + " -o json").out);
  return job.ok() ? *job : base::Json();
}

base::Json TwoMachines::Await(const std::string& id,
                              const std::function<bool(const base::Json&)>& wanted) const {
  const absl::Time deadline = absl::Now() + kPatience;
  for (;;) {
    base::Json job = Job(id);
    if (wanted(job)) return job;
    INFO(job.Dump(2) << Trainctl("events " + id).out);
    REQUIRE(absl::Now() < deadline);
    absl::SleepFor(kPollInterval);
  }
}

void TwoMachines::SetCable(bool plugged) {
  const Outcome set = beta_->Run(absl::StrCat("ip link set cable ", plugged ? "up" : "down"));
  INFO(set.err);
  REQUIRE(set.code == 0);
}

}  // namespace rm::integration
