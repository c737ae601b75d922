// A coordinator that is killed, or whose disk fails, at every call to the disk in turn: what it has
// answered is there in its next life, what it has not answered may be asked again, and nothing was
// done that its journal does not know.
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "base/memory_file_system.h"
#include "base/simulated_clock.h"
#include "runtime/coordinator/coordinator.h"
#include "runtime/coordinator/fake_worker_link.h"
#include "runtime/coordinator/jobs_api.h"
#include "runtime/coordinator/test_world.h"
#include "runtime/coordinator/worker_session.h"
#include "runtime/journal/faulty_disk.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;
using Fault = journal::FaultyDisk::Fault;

constexpr int kRequests = 6;

// What the world outside has seen of all lives so far.
struct Seen {
  std::map<std::string, std::string> answered;          // request id → job
  std::set<std::pair<std::string, int64_t>> started;    // (job, generation) that a worker was told
  std::vector<absl::Status> failures;                   // on_failure
};

// One life: a coordinator over the journal of the disk, with one worker of many slots.
class Life {
 public:
  Life(const journal::FaultyDisk& disk, base::MemoryFileSystem& holders, Seen& seen,
       uint64_t first_id)
      : seen_(seen), next_id_(first_id), clock_(absl::FromUnixSeconds(1'800'000'000)) {
    journal::JournalOptions options;
    options.vfs = disk.vfs();
    options.files = &holders;
    options.wal_pages = 8;  // the log is begun anew within a life
    auto journal = journal::Journal::Open("/journal.db", options);
    if (!journal.ok()) return;
    CoordinatorConfig config;
    config.version = "0.1.0";
    config.on_failure = [&seen](const absl::Status& status) { seen.failures.push_back(status); };
    auto ledger = Ledger::Open(*std::move(journal), config.scheduler, clock_);
    if (!ledger.ok()) return;
    coordinator_ = std::make_unique<Coordinator>(config, *std::move(ledger), clock_);
    api_ = std::make_unique<JobsApi>(*coordinator_, [this] { return next_id_++; });
    link_ = std::make_shared<FakeWorkerLink>();
    session_ = std::make_shared<WorkerSession>(*coordinator_, link_);
    Tick();
  }

  // False: the disk has failed before it could open.
  [[nodiscard]] bool is_open() const { return coordinator_ != nullptr; }
  [[nodiscard]] Coordinator& coordinator() { return *coordinator_; }

  void Attach() {
    pb::WorkerMessage message;
    *message.mutable_hello() = TestWorker::HelloOf("w1", 100);
    session_->OnMessage(message);
    Tick();
  }
  void Submit(int request) {
    pb::SubmitRequest submit;
    const std::string id = absl::StrCat("request-", request);
    *submit.mutable_spec() = SpecOf(absl::StrCat("job", request), 1);
    submit.set_request_id(id);
    api_->Submit(submit, [this, id](absl::StatusOr<pb::SubmitReply> reply) {
      if (reply.ok()) Answered(id, reply->job_id());
    });
    Tick();
    Tick();
  }

 private:
  void Answered(const std::string& request_id, const std::string& job_id) {
    const auto [known, is_new] = seen_.answered.emplace(request_id, job_id);
    CHECK(known->second == job_id);  // a repeated request gives the job of the first time
  }
  // Ticks, and is the worker: every preflight passes.
  void Tick() {
    coordinator_->Tick();
    std::vector<pb::WorkerCommand> commands;
    commands.swap(link_->sent);
    for (const pb::WorkerCommand& command : commands) {
      if (command.has_start_rank()) {
        const pb::RankRef& rank = command.start_rank().start().rank();
        seen_.started.emplace(rank.job_id(), rank.generation());
      }
      if (!command.has_preflight()) continue;
      pb::WorkerMessage verdict;
      verdict.mutable_preflight()->set_job_id(command.preflight().job_id());
      session_->OnMessage(verdict);
    }
  }

  Seen& seen_;
  uint64_t next_id_;
  base::SimulatedClock clock_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<JobsApi> api_;
  std::shared_ptr<FakeWorkerLink> link_;
  std::shared_ptr<WorkerSession> session_;
};

// A first life that may end at any moment.
void LiveOnce(const journal::FaultyDisk& disk, base::MemoryFileSystem& holders, Seen& seen) {
  Life life(disk, holders, seen, /*first_id=*/0);
  if (!life.is_open()) return;
  life.Attach();
  for (int request = 0; request < kRequests && seen.failures.empty(); ++request) {
    life.Submit(request);
  }
}

// The next life: everything that was seen is so, and everything can be asked again.
void CheckNextLife(const journal::FaultyDisk& disk, base::MemoryFileSystem& holders, Seen& seen) {
  const Seen before = seen;
  seen.failures.clear();
  Life life(disk, holders, seen, /*first_id=*/1000);
  REQUIRE(life.is_open());
  const scheduler::ClusterState& state = life.coordinator().state();
  for (const auto& [request_id, job_id] : before.answered) {
    CAPTURE(request_id);
    CHECK(state.FindJob(job_id) != nullptr);
  }
  for (const auto& [job_id, generation] : before.started) {
    CAPTURE(job_id);
    REQUIRE(state.FindJob(job_id) != nullptr);
    CHECK(state.FindJob(job_id)->generation >= generation);
  }
  for (int request = 0; request < kRequests; ++request) life.Submit(request);
  CHECK(seen.failures.empty());
  CHECK(seen.answered.size() == kRequests);
  CHECK(state.jobs().size() == kRequests);  // none twice
}

// Calls `after` once for each call to the disk that a life makes, with the fault at that call.
int64_t AtEveryCall(Fault fault, const std::function<void(journal::FaultyDisk&, Seen&)>& after) {
  for (int64_t call = 1;; ++call) {
    CAPTURE(call);
    journal::FaultyDisk disk;
    base::MemoryFileSystem holders;
    Seen seen;
    disk.FailFrom(call, fault);
    LiveOnce(disk, holders, seen);
    const bool is_over = disk.calls() < call;
    if (is_over) CHECK(seen.answered.size() == kRequests);
    after(disk, seen);
    CheckNextLife(disk, holders, seen);
    if (is_over) return call - 1;
  }
}

TEST_CASE("killed at any moment, it has done and answered only what it finds again") {
  for (const uint64_t seed : {uint64_t{0}, uint64_t{1}}) {
    CAPTURE(seed);
    const int64_t calls = AtEveryCall(Fault::kPowerCut, [&](journal::FaultyDisk& disk, Seen&) {
      disk.CutPower(seed * static_cast<uint64_t>(disk.calls()));
    });
    CHECK(calls > 50);
  }
}

TEST_CASE("with a disk that is full or fails it ends with one clear line, and can begin again") {
  for (const Fault fault : {Fault::kDiskFull, Fault::kIoError}) {
    const int64_t calls = AtEveryCall(fault, [&](journal::FaultyDisk& disk, Seen& seen) {
      disk.FailFrom(0, fault);
      CHECK(seen.failures.size() <= 1);  // the owner is told once
      for (const absl::Status& failure : seen.failures) {
        const std::string line(failure.message());
        CHECK(line.rfind("journal /journal.db: ", 0) == 0);
        CHECK(line.find('\n') == std::string::npos);
      }
    });
    CHECK(calls > 50);
  }
}

}  // namespace
}  // namespace rm::coordinator
