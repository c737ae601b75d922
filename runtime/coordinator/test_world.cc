#include "runtime/coordinator/test_world.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "runtime/coordinator/job_id.h"

namespace rm::coordinator {

namespace pb = ::ringmaster::v1;

TestWorld::TestWorld(StorageProbeFile probe)
    : probe_(std::move(probe)), clock_(absl::FromUnixSeconds(1'800'000'000)) {
  Open();
}

void TestWorld::Open() {
  auto journal = journal::Journal::Open(journal_path());
  RM_CHECK(journal.ok(), journal.status().message());
  CoordinatorConfig config;
  config.folders = {folder_.File("state"), folder_.File("storage")};
  config.version = "0.1.0";
  config.probe = probe_;
  config.on_job_ended = [this](const std::string& job_id) { ended.push_back(job_id); };
  config.on_failure = [this](const absl::Status& status) { failures.push_back(status); };
  config.on_log = [this](const std::string& worker_id, const pb::LogChunk& chunk) {
    logs.emplace_back(worker_id, chunk);
  };
  auto ledger = Ledger::Open(*std::move(journal), config.scheduler, clock_);
  RM_CHECK(ledger.ok(), ledger.status().message());
  coordinator_ = std::make_unique<Coordinator>(config, *std::move(ledger), clock_);
  Tick();
}

void TestWorld::Restart() {
  coordinator_.reset();
  Open();
}

void TestWorld::Pass(absl::Duration duration) {
  while (duration > absl::ZeroDuration()) {
    const absl::Duration step = std::min(duration, absl::Milliseconds(200));
    clock_.Advance(step);
    Tick();
    duration -= step;
  }
}

absl::Status TestWorld::Do(const pb::Event& event) {
  absl::Status outcome = absl::UnknownError("not answered");
  coordinator_->Add(event, [&](const absl::Status& status) { outcome = status; });
  Tick();
  return outcome;
}

std::string TestWorld::Submit(const std::string& name, int32_t ranks, bool passes) {
  const std::string job_id = MakeJobId(name, static_cast<uint64_t>(submitted_++));
  pb::Event event;
  event.mutable_submit()->set_job_id(job_id);
  *event.mutable_submit()->mutable_spec() = SpecOf(name, ranks);
  event.mutable_submit()->set_preflight_pending(true);
  const absl::Status submitted = Do(event);
  RM_CHECK(submitted.ok(), submitted.message());
  if (passes) {
    pb::Event verdict;
    verdict.mutable_preflight()->set_job_id(job_id);
    RM_CHECK(Do(verdict).ok());
  }
  return job_id;
}

absl::Status TestWorld::Cancel(const std::string& job_id, bool kill) {
  pb::Event event;
  event.mutable_cancel()->set_job_id(job_id);
  event.mutable_cancel()->set_kill(kill);
  return Do(event);
}

const scheduler::Job& TestWorld::JobOf(const std::string& job_id) const {
  const scheduler::Job* const job = coordinator_->state().FindJob(job_id);
  RM_CHECK(job != nullptr, "no job ", job_id);
  return *job;
}

pb::JobState TestWorld::StateOf(const std::string& job_id) const { return JobOf(job_id).state; }

pb::JobSpec SpecOf(const std::string& name, int32_t ranks) {
  pb::JobSpec spec;
  spec.set_name(name);
  spec.mutable_resources()->set_ranks_min(ranks);
  spec.mutable_resources()->set_ranks_max(ranks);
  spec.mutable_resources()->set_slots_per_rank(1);
  spec.mutable_scheduling()->set_max_restarts(3);
  spec.mutable_scheduling()->set_grace_period(30);
  spec.mutable_scheduling()->set_recovery_grace(300);
  return spec;
}

pb::RankRef RankOf(const std::string& job_id, int64_t generation, int32_t rank) {
  pb::RankRef ref;
  ref.set_job_id(job_id);
  ref.set_generation(generation);
  ref.set_rank(rank);
  return ref;
}

// ---- a worker -----------------------------------------------------------------------------------

pb::Hello TestWorker::HelloOf(const std::string& id, int32_t slots) {
  pb::Hello hello;
  hello.set_worker_id(id);
  hello.set_host("host-of-" + id);
  hello.set_version("0.1.0");
  hello.set_slots(slots);
  hello.set_advertise_host("127.0.0.1");
  hello.set_pid(100);
  return hello;
}

TestWorker::TestWorker(TestWorld& world, const std::string& id, int32_t slots,
                       const std::vector<pb::RankRef>& running)
    : TestWorker(world, [&] {
        pb::Hello hello = HelloOf(id, slots);
        for (const pb::RankRef& rank : running) *hello.add_running() = rank;
        return hello;
      }()) {}

TestWorker::TestWorker(TestWorld& world, const pb::Hello& hello)
    : world_(world),
      id_(hello.worker_id()),
      link_(std::make_shared<FakeWorkerLink>()),
      session_(std::make_shared<WorkerSession>(world.coordinator(), link_)) {
  pb::WorkerMessage message;
  *message.mutable_hello() = hello;
  Say(message);
}

void TestWorker::Say(const pb::WorkerMessage& message) {
  link_->Hear();
  session_->OnMessage(message);
  world_.Tick();
}

void TestWorker::Beats() {
  pb::WorkerMessage message;
  message.mutable_heartbeat();
  Say(message);
}

void TestWorker::Report(const pb::RankRef& rank, const pb::RankMessage& said) {
  pb::WorkerMessage message;
  *message.mutable_report()->mutable_rank() = rank;
  *message.mutable_report()->mutable_message() = said;
  Say(message);
}

void TestWorker::Listens(const std::string& job_id, int64_t generation, int32_t rank) {
  pb::RankMessage said;
  said.mutable_listening()->set_address(absl::StrCat("127.0.0.1:", int64_t{5000} + rank));
  Report(RankOf(job_id, generation, rank), said);
}

void TestWorker::Joins(const std::string& job_id, int64_t generation, int32_t rank,
                       int64_t first_step) {
  pb::RankMessage said;
  said.mutable_joined()->set_first_step(first_step);
  Report(RankOf(job_id, generation, rank), said);
}

void TestWorker::Progresses(const std::string& job_id, int64_t generation, int32_t rank,
                            int64_t step) {
  pb::RankMessage said;
  said.mutable_progress()->set_step(step);
  said.mutable_progress()->set_total_steps(100);
  said.mutable_progress()->set_loss(1.0 / static_cast<double>(step));
  said.mutable_progress()->set_samples(step * 64);
  (*said.mutable_progress()->mutable_seconds())["forward"] = 0.5;
  Report(RankOf(job_id, generation, rank), said);
}

void TestWorker::Finishes(const std::string& job_id, int64_t generation, int32_t rank,
                          int64_t step) {
  pb::RankMessage said;
  said.mutable_finished()->set_step(step);
  said.mutable_finished()->set_weights_sha256("cafe");
  (*said.mutable_finished()->mutable_metrics())["validation/accuracy"] = 0.98;
  Report(RankOf(job_id, generation, rank), said);
}

void TestWorker::Exits(const std::string& job_id, int64_t generation, int32_t rank, int32_t code,
                       int32_t signal) {
  pb::WorkerMessage message;
  *message.mutable_exited()->mutable_rank() = RankOf(job_id, generation, rank);
  message.mutable_exited()->set_exit_code(code);
  message.mutable_exited()->set_signal(signal);
  Say(message);
}

void TestWorker::Breaks() {
  session_->OnEnd();
  world_.Tick();
}

namespace {

std::string RankText(const pb::RankRef& rank) {
  return absl::StrCat(rank.job_id(), " ", rank.generation(), "/", rank.rank());
}

std::string CommandText(const pb::WorkerCommand& command) {
  switch (command.command_case()) {
    case pb::WorkerCommand::kWelcome: return "Welcome";
    case pb::WorkerCommand::kStartRank:
      return absl::StrCat("StartRank ", RankText(command.start_rank().start().rank()));
    case pb::WorkerCommand::kStopRank:
      return absl::StrCat("StopRank ", RankText(command.stop_rank().rank()), " grace ",
                          command.stop_rank().grace_seconds(),
                          command.stop_rank().checkpoint() ? " checkpoint" : "");
    case pb::WorkerCommand::kStartGeneration: {
      const pb::StartGeneration& generation = command.start_generation();
      return absl::StrCat("StartGeneration ", generation.job_id(), " ", generation.generation(),
                          ": ", absl::StrJoin(generation.peers(), " "));
    }
    case pb::WorkerCommand::kPreflight:
      return absl::StrCat("Preflight ", command.preflight().job_id());
    case pb::WorkerCommand::COMMAND_NOT_SET: break;
  }
  return "?";
}

}  // namespace

std::vector<std::string> TestWorker::TakeCommands() {
  std::vector<std::string> texts;
  for (const pb::WorkerCommand& command : link_->sent) texts.push_back(CommandText(command));
  link_->sent.clear();
  return texts;
}

std::string RunJob(TestWorld& world, TestWorker& worker, const std::string& name, int32_t ranks) {
  const std::string job_id = world.Submit(name, ranks);
  for (int32_t rank = 0; rank < ranks; ++rank) worker.Listens(job_id, 1, rank);
  for (int32_t rank = 0; rank < ranks; ++rank) worker.Joins(job_id, 1, rank);
  RM_CHECK(world.StateOf(job_id) == pb::RUNNING, "it is ", world.StateOf(job_id));
  (void)worker.TakeCommands();
  return job_id;
}

}  // namespace rm::coordinator
