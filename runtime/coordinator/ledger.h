// The decided past and its state: the scheduler with its journal under it.
//
// The journal is compacted (compaction.h) when it has grown to twice what was left the last time,
// so that neither it nor the time of a start grows for ever; that holds up one step for a moment.
//
// A step is: all events at hand go into the scheduler, its record goes into the journal, and only
// when that is durable does anyone see it. Opening replays the journal. Not thread-safe.
#ifndef RM_RUNTIME_COORDINATOR_LEDGER_H_
#define RM_RUNTIME_COORDINATOR_LEDGER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/clock.h"
#include "proto/scheduler.pb.h"
#include "runtime/coordinator/history.h"
#include "runtime/journal/journal.h"
#include "runtime/telemetry/histogram.h"
#include "scheduler/core/scheduler.h"
#include "scheduler/state/cluster_state.h"

namespace rm::coordinator {

// Invariant: outside of Step, state() and history() are those of the records in the journal.
class Ledger {
 public:
  // Records below which a journal is never compacted: a start reads so many in about a second.
  static constexpr int64_t kCompactAfter = 50'000;

  // Replays the journal into a new scheduler. Errors: those of the journal, a record that does not
  // follow from those before it (DataLoss, with its number), an unknown policy (InvalidArgument).
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Ledger>> Open(
      std::unique_ptr<journal::Journal> journal, const scheduler::SchedulerOptions& options,
      const base::Clock& clock, int64_t compact_after = kCompactAfter);

  // One step of the scheduler over `events`; durable when it returns. The record's events are the
  // given ones, so that its refusals (which count from 1) point into them. REQUIRES: submissions
  // stand last, as the scheduler takes them. An error means that the journal has failed: the state
  // is then ahead of it and the process must end.
  [[nodiscard]] absl::StatusOr<::ringmaster::v1::JournalRecord> Step(
      absl::Span<const ::ringmaster::v1::Event> events);

  // The jobs that were forgotten since the last call: what others keep of them may go, too.
  [[nodiscard]] std::vector<std::string> TakeForgotten() { return std::exchange(forgotten_, {}); }

  // Whether a step is due although nothing has happened.
  [[nodiscard]] bool IsDue() const { return clock_.Now() >= next_wake_up_; }
  [[nodiscard]] absl::Time next_wake_up() const { return next_wake_up_; }

  [[nodiscard]] const scheduler::ClusterState& state() const { return scheduler_->state(); }
  [[nodiscard]] const History& history() const { return history_; }
  // Records that the journal holds now.
  [[nodiscard]] int64_t records() const { return records_; }

  // Time spent deciding, and waiting for the disk, by step since the start.
  [[nodiscard]] const telemetry::Histogram& step_seconds() const { return step_seconds_; }
  [[nodiscard]] const telemetry::Histogram& sync_seconds() const { return sync_seconds_; }

 private:
  Ledger(std::unique_ptr<journal::Journal> journal, std::unique_ptr<scheduler::Scheduler> scheduler,
         const scheduler::SchedulerOptions& options, const base::Clock& clock,
         int64_t compact_after);
  // Folds every record of the journal.
  [[nodiscard]] absl::Status Replay();
  // Compacts the journal when it is time. An error means that it has failed; a compaction that does
  // not come out right is said and left.
  [[nodiscard]] absl::Status CompactWhenDue();
  // The records that can take the place of those in the journal; none: they cannot, or it is not
  // worth it.
  [[nodiscard]] absl::StatusOr<std::vector<::ringmaster::v1::JournalRecord>> Compacted();
  // Has the history forget what the scheduler has forgotten, when it is worth the time.
  void ForgetOld();

  const std::unique_ptr<journal::Journal> journal_;
  const std::unique_ptr<scheduler::Scheduler> scheduler_;
  const scheduler::SchedulerOptions options_;
  const base::Clock& clock_;
  const int64_t compact_after_;
  int64_t records_ = 0;
  int64_t compact_at_ = 0;  // records
  History history_;
  std::vector<std::string> forgotten_;
  absl::Time next_wake_up_ = absl::InfiniteFuture();
  telemetry::Histogram step_seconds_ = telemetry::Histogram::ForSeconds();
  telemetry::Histogram sync_seconds_ = telemetry::Histogram::ForSeconds();
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_LEDGER_H_
