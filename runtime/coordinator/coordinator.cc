// The loop around the scheduler. Its order is the promise of the whole design:
//
//   1. hear       who said something, who is lost
//   2. decide     one scheduler step over all that was added
//   3. remember   its record is durable (inside Ledger::Step)
//   4. act        commands to workers
//   5. answer     everyone whose event was in the step
//   6. show       open streams
//
// Between 2 and 3 the state is ahead of the disk, and nobody can see it: everything else runs on
// this thread too, so it waits until 3 is done.
#include "runtime/coordinator/coordinator.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "scheduler/state/job_state.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

// The scheduler refuses with a reason code; callers need a status code. Most refusals mean that the
// request does not fit the state, so that is the default.
absl::Status RefusalStatus(const pb::Reason& reason) {
  if (reason.code() == "UnknownJob") return absl::NotFoundError(reason.sentence());
  if (reason.code() == "InvalidJob") return absl::InvalidArgumentError(reason.sentence());
  return absl::FailedPreconditionError(reason.sentence());
}

// One status for each event of the record. Refusals point into the events by position (from 1),
// because two equal events in one step may fare differently: the second cancel of a job is refused.
std::vector<absl::Status> Outcomes(const pb::JournalRecord& record) {
  std::vector<absl::Status> outcomes(static_cast<size_t>(record.events_size()));
  for (const pb::Refusal& refusal : record.refusals()) {
    outcomes.at(static_cast<size_t>(refusal.event_index() - 1)) = RefusalStatus(refusal.reason());
  }
  return outcomes;
}

}  // namespace

Coordinator::Coordinator(CoordinatorConfig config, std::unique_ptr<Ledger> ledger,
                         const base::Clock& clock)
    : config_(std::move(config)),
      ledger_(std::move(ledger)),
      clock_(clock),
      preflights_(workers_,
                  [this](const std::string& id) {
                    const scheduler::Worker* const worker = state().FindWorker(id);
                    return worker != nullptr && worker->Usable();
                  }),
      liveness_(config_.liveness),
      hang_watch_(config_.hangs),
      executor_(ledger_->state(), workers_, preflights_, config_.folders,
                [this](const pb::Event& event) { Add(event); }) {
  // The first event of every life: it makes the workers of the journal absent until they re-attach,
  // and repeats the preflights that nobody has answered.
  pb::Event started;
  started.mutable_coordinator_started()->set_version(config_.version);
  Add(started);
}

Coordinator::~Coordinator() = default;

void Coordinator::Add(pb::Event event, Done done) {
  if (!failure_.ok()) {
    if (done) done(failure_);
    return;
  }
  pending_.push_back({std::move(event), std::move(done)});
}

void Coordinator::Await(std::function<bool()> is_over, absl::Duration limit,
                        std::function<void()> then) {
  const absl::Duration deadline =
      limit > absl::ZeroDuration() ? clock_.Monotonic() + limit : -absl::InfiniteDuration();
  waits_.push_back({std::move(is_over), deadline, std::move(then)});
}

absl::Duration Coordinator::Tick() {
  const absl::Duration now = clock_.Monotonic();
  NoteHeard(now);  // before the judgement: what came in while we slept counts
  JudgeWorkers(now);
  for (pb::Event& hang : hang_watch_.Check(state(), now)) Add(std::move(hang));
  if (failure_.ok() && (!pending_.empty() || ledger_->IsDue())) Step();
  preflights_.Check(now);
  ReleaseWaits(now);
  feeds_.PollAll(now);
  if (!pending_.empty()) return absl::ZeroDuration();  // an answer asked for more
  return std::clamp(ledger_->next_wake_up() - clock_.Now(), absl::ZeroDuration(), kTickMax);
}

void Coordinator::NoteHeard(absl::Duration now) {
  for (const auto& [id, worker] : workers_.all()) {
    if (worker.link->TakeHeard()) liveness_.Heard(id, now);
  }
}

void Coordinator::JudgeWorkers(absl::Duration now) {
  const Liveness::Verdict verdict =
      liveness_.Judge(now, [this](const std::string& worker_id) { return PeersOf(worker_id); });
  for (const Liveness::Finding& suspect : verdict.suspects) {
    pb::Event event;
    event.mutable_worker_silent()->set_worker_id(suspect.worker_id);
    event.mutable_worker_silent()->mutable_cause()->set_code("WorkerSilent");
    event.mutable_worker_silent()->mutable_cause()->set_sentence(suspect.sentence);
    Add(std::move(event));
  }
  for (const Liveness::Finding& recovered : verdict.recovered) {
    pb::Event event;
    event.mutable_worker_heard()->set_worker_id(recovered.worker_id);
    Add(std::move(event));
  }
  for (const Liveness::Finding& lost : verdict.lost) Lose(lost);
}

void Coordinator::Lose(const Liveness::Finding& lost) {
  // A stream that only fell silent may still stand: closed, so that the worker, should it live,
  // dials again and learns what became of its ranks.
  workers_.Close(lost.worker_id, absl::DeadlineExceededError(lost.sentence));
  preflights_.OnDetached(lost.worker_id);
  // A stream may end before its worker has become attached (worker_session.h): the scheduler does
  // not know the worker then, or waits for its return.
  const scheduler::Worker* const worker = state().FindWorker(lost.worker_id);
  const bool is_attached =
      worker != nullptr && (worker->state == pb::READY || worker->state == pb::SUSPECT);
  if (!is_attached) return;
  pb::Event event;
  event.mutable_worker_lost()->set_worker_id(lost.worker_id);
  event.mutable_worker_lost()->mutable_cause()->set_code("WorkerLost");
  event.mutable_worker_lost()->mutable_cause()->set_sentence(lost.sentence);
  Add(std::move(event));
}

std::set<std::string> Coordinator::PeersOf(const std::string& worker_id) const {
  std::set<std::string> peers;
  const scheduler::Worker* const worker = state().FindWorker(worker_id);
  if (worker == nullptr) return peers;
  const scheduler::Job* seen = nullptr;  // slots of one job stand side by side, mostly
  for (const scheduler::Slot& slot : worker->slots) {
    if (slot.free() || slot.holder == seen) continue;
    seen = slot.holder;
    for (const scheduler::GangRank& rank : seen->gang) {
      // Also of ranks that have left: they left because they had lost their peer, and said so.
      if (rank.where.worker_id() != worker_id) peers.insert(rank.where.worker_id());
    }
  }
  return peers;
}

void Coordinator::Step() {
  // As the scheduler takes them, submissions last: positions in the record are positions here.
  std::vector<Pending> pending;
  std::vector<Pending> submissions;
  for (Pending& p : pending_) {
    (p.event.has_submit() ? submissions : pending).push_back(std::move(p));
  }
  pending_.clear();
  std::move(submissions.begin(), submissions.end(), std::back_inserter(pending));
  std::vector<pb::Event> events;
  events.reserve(pending.size());
  for (Pending& p : pending) events.push_back(std::move(p.event));

  // From here to its return is where the thread waits for the disk; what arrives meanwhile is the
  // next batch, and shares the next sync.
  const absl::StatusOr<pb::JournalRecord> record = ledger_->Step(events);
  if (!record.ok()) return Fail(record.status(), std::move(pending));
  NoteTransitions(*record);
  ForgetOld();
  for (const pb::Action& action : record->actions()) executor_.Act(action);
  const std::vector<absl::Status> outcomes = Outcomes(*record);
  for (size_t i = 0; i < pending.size(); ++i) {
    if (pending[i].done) pending[i].done(outcomes[i]);
  }
}

void Coordinator::ForgetOld() {
  for (const std::string& id : ledger_->TakeForgotten()) {
    live_.Forget(id);
    config_.on_job_forgotten(id);
  }
}

void Coordinator::Fail(const absl::Status& status, std::vector<Pending> pending) {
  // Whether the record reached the disk is not known, so none of it may be promised or done. A
  // restart replays what is there, and the workers' next attach settles the rest.
  failure_ = absl::UnavailableError(absl::StrCat("nothing more is taken: ", status.message()));
  for (const Pending& p : pending) {
    if (p.done) p.done(failure_);
  }
  config_.on_failure(status);
}

void Coordinator::NoteTransitions(const pb::JournalRecord& record) {
  for (const pb::WorkerTransition& transition : record.worker_transitions()) {
    base::LogInfo(
        "worker ", transition.worker_id(), ": ", scheduler::WorkerStateName(transition.from()),
        " → ", scheduler::WorkerStateName(transition.to()), ": ", transition.reason().sentence());
  }
  for (const pb::JobTransition& transition : record.job_transitions()) {
    base::LogInfo("job ", transition.job_id(), ": ", scheduler::StateName(transition.from()), " → ",
                  scheduler::StateName(transition.to()), ": ", transition.reason().sentence());
    if (!scheduler::IsEnded(transition.to())) continue;
    live_.OnEnded(transition.job_id());
    preflights_.Cancel(transition.job_id());
    config_.on_job_ended(transition.job_id());
  }
}

void Coordinator::ReleaseWaits(absl::Duration now) {
  // First taken out, then called: an answer may begin the next wait.
  std::list<Wait> over;
  for (auto wait = waits_.begin(); wait != waits_.end();) {
    const auto next = std::next(wait);
    if (!failure_.ok() || now >= wait->deadline || wait->is_over()) {
      over.splice(over.end(), waits_, wait);
    }
    wait = next;
  }
  for (const Wait& wait : over) wait.then();
}

void Coordinator::Close(const absl::Status& status) {
  // Whatever is added from here on is answered with this at once.
  if (failure_.ok()) failure_ = status;
  std::vector<Pending> pending;
  pending.swap(pending_);
  for (const Pending& p : pending) {
    if (p.done) p.done(status);
  }
  ReleaseWaits(clock_.Monotonic());
  feeds_.CloseAll(status);
  workers_.CloseAll(status);
}

absl::StatusOr<pb::Job> Coordinator::View(const std::string& job_id) const {
  const scheduler::Job* const job = state().FindJob(job_id);
  if (job == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("job ", job_id, " ended so long ago that it is not known any more"));
  }
  return ViewJob(*job, live_.Find(job_id), config_.folders);
}

}  // namespace rm::coordinator
