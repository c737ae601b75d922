// The pairing of scheduler and journal: no record is seen before it is durable, and what is durable
// gives the same state again. Fold applies recorded decisions and never makes one, so a newer
// program takes over a running cluster without changing what runs.
#include "runtime/coordinator/ledger.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"

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
               std::unique_ptr<scheduler::Scheduler> scheduler, const base::Clock& clock)
    : journal_(std::move(journal)), scheduler_(std::move(scheduler)), clock_(clock) {}

absl::StatusOr<std::unique_ptr<Ledger>> Ledger::Open(std::unique_ptr<journal::Journal> journal,
                                                     const scheduler::SchedulerOptions& options,
                                                     const base::Clock& clock) {
  RM_ASSIGN_OR_RETURN(auto scheduler, scheduler::Scheduler::Create(options));
  auto ledger = absl::WrapUnique(new Ledger(std::move(journal), std::move(scheduler), clock));
  RM_RETURN_IF_ERROR(ledger->Replay());
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
        history_.Apply(record);
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
  history_.Apply(result.record);
  return std::move(result.record);
}

}  // namespace rm::coordinator
