// The pairing of scheduler and journal: no record is seen before it is durable, and what is durable
// gives the same state again. Fold applies recorded decisions and never makes one, so a newer
// program takes over a running cluster without changing what runs.
#include "runtime/coordinator/ledger.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/log.h"
#include "base/status.h"
#include "runtime/coordinator/compaction.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

// A record that says nothing: time passed, and nothing came of it. Only such a record may be left
// out of the journal; one with events but without transitions (a rank listens) changes the state.
bool IsEmpty(const pb::JournalRecord& record) {
  return record.job_transitions().empty() && record.worker_transitions().empty() &&
         record.actions().empty() && record.refusals().empty() &&
         std::all_of(record.events().begin(), record.events().end(),
                     [](const pb::Event& event) { return event.has_tick(); });
}

}  // namespace

Ledger::Ledger(std::unique_ptr<journal::Journal> journal,
               std::unique_ptr<scheduler::Scheduler> scheduler,
               const scheduler::SchedulerOptions& options, const base::Clock& clock,
               int64_t compact_after)
    : journal_(std::move(journal)),
      scheduler_(std::move(scheduler)),
      options_(options),
      clock_(clock),
      compact_after_(compact_after),
      compact_at_(compact_after) {}

absl::StatusOr<std::unique_ptr<Ledger>> Ledger::Open(std::unique_ptr<journal::Journal> journal,
                                                     const scheduler::SchedulerOptions& options,
                                                     const base::Clock& clock,
                                                     int64_t compact_after) {
  RM_ASSIGN_OR_RETURN(auto scheduler, scheduler::Scheduler::Create(options));
  auto ledger = absl::WrapUnique(
      new Ledger(std::move(journal), std::move(scheduler), options, clock, compact_after));
  RM_RETURN_IF_ERROR(ledger->Replay());
  RM_RETURN_IF_ERROR(ledger->CompactWhenDue());
  return ledger;
}

absl::Status Ledger::Replay() {
  RM_RETURN_IF_ERROR(
      journal_->Replay([this](int64_t sequence, const pb::JournalRecord& record) -> absl::Status {
        absl::Status folded = scheduler_->Fold(record);
        if (!folded.ok()) {
          return base::Annotate(folded,
                                absl::StrCat("journal ", journal_->path(), ", record ", sequence));
        }
        ++records_;
        history_.Apply(record);
        ForgetOld();
        return absl::OkStatus();
      }));
  // Timers that ran out while nobody was there are due at once.
  next_wake_up_ = scheduler_->next_wake_up();
  return absl::OkStatus();
}

absl::StatusOr<pb::JournalRecord> Ledger::Step(absl::Span<const pb::Event> events) {
  RM_CHECK(std::is_partitioned(events.begin(), events.end(),
                               [](const pb::Event& event) { return !event.has_submit(); }));
  // Two clocks: decisions carry the time that people read, measurements that which never jumps.
  const absl::Duration before = clock_.Monotonic();
  scheduler::StepResult result = scheduler_->Step(events, clock_.Now());
  RM_CHECK(result.record.events_size() == static_cast<int>(events.size()));
  next_wake_up_ = result.next_wake_up;
  const absl::Duration decided = clock_.Monotonic();
  step_seconds_.Observe(absl::ToDoubleSeconds(decided - before));
  if (IsEmpty(result.record)) return std::move(result.record);
  RM_RETURN_IF_ERROR(journal_->Append({result.record}));
  sync_seconds_.Observe(absl::ToDoubleSeconds(clock_.Monotonic() - decided));
  ++records_;
  history_.Apply(result.record);
  ForgetOld();
  RM_RETURN_IF_ERROR(CompactWhenDue());
  return std::move(result.record);
}

absl::Status Ledger::CompactWhenDue() {
  if (records_ < compact_at_) return absl::OkStatus();
  RM_ASSIGN_OR_RETURN(const std::vector<pb::JournalRecord> records, Compacted());
  if (!records.empty()) {
    RM_RETURN_IF_ERROR(journal_->Replace(records));
    base::LogInfo("journal compacted: ", records_, " records are ", records.size(), " now");
    records_ = static_cast<int64_t>(records.size());
  }
  // At twice as many again: each record is read for this twice in its life, on average.
  compact_at_ = std::max(compact_after_, 2 * records_);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<pb::JournalRecord>> Ledger::Compacted() {
  Compactor compactor(state());
  RM_RETURN_IF_ERROR(journal_->Replay([&](int64_t, const pb::JournalRecord& record) {
    compactor.Add(record);
    return absl::OkStatus();
  }));
  std::vector<pb::JournalRecord> records = compactor.Take();
  if (static_cast<int64_t>(records.size()) > records_ / 2) return std::vector<pb::JournalRecord>();
  // Believed only when it was tried: the past is worth more than the space.
  RM_ASSIGN_OR_RETURN(const auto again, scheduler::Scheduler::Create(options_));
  absl::Status folded;
  for (const pb::JournalRecord& record : records) {
    if (folded.ok()) folded = again->Fold(record);
  }
  if (folded.ok() && IsSameState(state(), again->state())) return records;
  base::LogWarning("the journal is not compacted: ",
                   folded.ok() ? "the state would not be the same" : folded.message());
  return std::vector<pb::JournalRecord>();
}

void Ledger::ForgetOld() {
  // At half of all jobs: then each job is looked at twice in its life, on average.
  constexpr size_t kAtLeast = 64;
  if (history_.jobs().size() < kAtLeast + 2 * state().jobs().size()) return;
  const auto is_known = [this](const std::string& id) { return state().FindJob(id) != nullptr; };
  for (std::string& id : history_.Forget(is_known)) forgotten_.push_back(std::move(id));
}

}  // namespace rm::coordinator
