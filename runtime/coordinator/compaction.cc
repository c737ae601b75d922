// A record is a list of facts and decisions about jobs and workers. Those of forgotten jobs touch
// nothing else (slots they held were given back by their own last transitions), so they can go
// without a trace; those of workers stay, because a later placement is checked against them.
#include "runtime/coordinator/compaction.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "scheduler/state/dump.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

// The job that an event is about; nullptr: it is about none.
const std::string* JobOf(const pb::Event& event) {
  switch (event.event_case()) {
    case pb::Event::kSubmit: return &event.submit().job_id();
    case pb::Event::kCancel: return &event.cancel().job_id();
    case pb::Event::kPause: return &event.pause().job_id();
    case pb::Event::kResume: return &event.resume().job_id();
    case pb::Event::kPreflight: return &event.preflight().job_id();
    case pb::Event::kRankListening: return &event.rank_listening().rank().job_id();
    case pb::Event::kRankJoined: return &event.rank_joined().rank().job_id();
    case pb::Event::kRankExited: return &event.rank_exited().rank().job_id();
    case pb::Event::kCheckpointCommitted: return &event.checkpoint_committed().rank().job_id();
    case pb::Event::kTrainingDone: return &event.training_done().rank().job_id();
    case pb::Event::kStartRefused: return &event.start_refused().rank().job_id();
    case pb::Event::kRankHung: return &event.rank_hung().rank().job_id();
    case pb::Event::kRankNotice: return &event.rank_notice().rank().job_id();
    default: return nullptr;
  }
}

// What a Tick did stands in the transitions that it led to, if there were any.
bool IsTick(const pb::Event& event) { return event.has_tick(); }

// Where the base ends: from here on the order of what jobs and workers did matters.
bool TellsOfJobs(const pb::JournalRecord& stripped) {
  return !stripped.job_transitions().empty() ||
         std::any_of(stripped.events().begin(), stripped.events().end(),
                     [](const pb::Event& event) { return JobOf(event) != nullptr; });
}

bool IsEmpty(const pb::JournalRecord& stripped) {
  return stripped.job_transitions().empty() && stripped.worker_transitions().empty() &&
         std::all_of(stripped.events().begin(), stripped.events().end(), IsTick);
}

// A dump without what only counts: the numbers behind '#' and "loss", the version of the capacity,
// the refusals.
std::string Comparable(const scheduler::ClusterState& state) {
  const std::string dump = scheduler::Dump(state);
  std::string comparable;
  for (const absl::string_view line : absl::StrSplit(dump, '\n')) {
    const bool is_head = absl::StartsWith(line, "job ") || absl::StartsWith(line, "worker ");
    if (absl::StartsWith(line, "now ") || absl::StartsWith(line, "refused ")) continue;
    absl::string_view before;
    for (const absl::string_view word : absl::StrSplit(line, ' ')) {
      const bool is_count = is_head && (absl::StartsWith(word, "#") || before == "loss");
      absl::StrAppend(&comparable, is_count ? "" : word, " ");
      before = word;
    }
    comparable += '\n';
  }
  return comparable;
}

}  // namespace

pb::JournalRecord Compactor::Strip(const pb::JournalRecord& record) const {
  pb::JournalRecord stripped;
  stripped.set_now_ns(record.now_ns());
  stripped.set_core_version(record.core_version());
  for (const pb::Event& event : record.events()) {
    const std::string* const job_id = JobOf(event);
    const bool is_known = job_id == nullptr || state_.FindJob(*job_id) != nullptr;
    pb::Event& kept = *stripped.add_events();
    // The content of a submission is in its transition; Fold looks only there.
    if (is_known && !event.has_submit()) {
      kept = event;
    } else {
      kept.mutable_tick();
    }
  }
  // What was refused changed nothing but a counter, so event and refusal go together: one without
  // the other would be folded as if it had been taken.
  for (const pb::Refusal& refusal : record.refusals()) {
    const int index = refusal.event_index() - 1;
    if (index < 0 || index >= stripped.events_size()) continue;
    stripped.mutable_events(index)->Clear();
    stripped.mutable_events(index)->mutable_tick();
  }
  for (const pb::JobTransition& transition : record.job_transitions()) {
    if (state_.FindJob(transition.job_id()) == nullptr) continue;
    *stripped.add_job_transitions() = transition;
  }
  // Actions are left out: they were carried out, or are given again when a worker attaches.
  *stripped.mutable_worker_transitions() = record.worker_transitions();
  return stripped;
}

void Compactor::Add(const pb::JournalRecord& record) {
  pb::JournalRecord stripped = Strip(record);
  if (!is_base_over_ && !TellsOfJobs(stripped)) return AddToBase(stripped);
  is_base_over_ = true;
  if (!IsEmpty(stripped)) Keep(std::move(stripped));
}

void Compactor::AddToBase(const pb::JournalRecord& record) {
  // The time of the newest: no record goes back in time, and those that are kept come later.
  base_record_.set_now_ns(record.now_ns());
  base_record_.set_core_version(std::max(base_record_.core_version(), record.core_version()));
  for (const pb::WorkerTransition& transition : record.worker_transitions()) {
    Base& base = base_[transition.worker_id()];
    base.last_ordinal = ++base_transitions_;
    // New, or new again after it had been forgotten.
    if (transition.from() == pb::WORKER_STATE_UNSPECIFIED) base.ordinal = base.last_ordinal;
    // Attached again while it was attached: it is so since the first time.
    const bool goes_on = transition.to() == pb::READY && base.last.to() == pb::READY;
    const int64_t since = goes_on ? base.last.time_ns() : transition.time_ns();
    base.last = transition;
    base.last.set_time_ns(since);
    if (transition.to() == pb::READY) base.description = base.last;
  }
}

void Compactor::Keep(pb::JournalRecord record) {
  for (const pb::WorkerTransition& transition : record.worker_transitions()) {
    const auto base = base_.find(transition.worker_id());
    if (base == base_.end() || base->second.is_seen) continue;
    base->second.is_seen = true;
    // It had been forgotten, and came back as a new one.
    if (transition.from() == pb::WORKER_STATE_UNSPECIFIED) base_.erase(base);
  }
  kept_.push_back(std::move(record));
}

pb::JournalRecord Compactor::BaseRecord() {
  std::vector<const Base*> workers;
  for (const auto& [id, base] : base_) {
    // One that was lost, is not known any more, and never came back is nobody's.
    const bool is_wanted =
        base.is_seen || base.last.to() != pb::LOST || state_.FindWorker(id) != nullptr;
    if (is_wanted) workers.push_back(&base);
  }
  // All come in the order of their first attachment, which decides between equal placements; then
  // they go in the order in which they went, which decides who is forgotten first.
  std::sort(workers.begin(), workers.end(),
            [](const Base* a, const Base* b) { return a->ordinal < b->ordinal; });
  for (const Base* const base : workers) {
    pb::WorkerTransition& ready = *base_record_.add_worker_transitions();
    ready = base->description;
    ready.set_from(pb::WORKER_STATE_UNSPECIFIED);
    ready.set_event(0);
  }
  std::sort(workers.begin(), workers.end(),
            [](const Base* a, const Base* b) { return a->last_ordinal < b->last_ordinal; });
  for (const Base* const base : workers) {
    if (base->last.to() == pb::READY) continue;
    pb::WorkerTransition& last = *base_record_.add_worker_transitions();
    last = base->last;
    last.set_from(pb::READY);
    last.set_event(0);
  }
  return std::move(base_record_);
}

std::vector<pb::JournalRecord> Compactor::Take() {
  pb::JournalRecord base = BaseRecord();
  if (!base.worker_transitions().empty()) kept_.insert(kept_.begin(), std::move(base));
  return std::move(kept_);
}

bool IsSameState(const scheduler::ClusterState& a, const scheduler::ClusterState& b) {
  return Comparable(a) == Comparable(b);
}

}  // namespace rm::coordinator
