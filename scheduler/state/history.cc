#include "scheduler/state/history.h"

namespace rm::scheduler {
namespace {

// Whole milliseconds, so that what is added is taken away again to the last bit.
int64_t SlotMs(const Job& job) {
  return SlotsOf(job) * absl::ToInt64Milliseconds(job.Served(job.ended));
}

int64_t CompletionMs(const Job& job) {
  return absl::ToInt64Milliseconds(job.ended - job.submitted);
}

}  // namespace

int64_t SlotsOf(const Job& job) {
  return int64_t{job.resources().ranks_max()} * job.resources().slots_per_rank();
}

// From its submission on: while it runs, it is a sample of at least what it had.
void History::Add(const Job& job) { by_slots_[SlotsOf(job)].insert(&job); }

void History::End(const Job& job) {
  ++ended_;
  ended_slot_ms_ += SlotMs(job);
  ended_completion_ms_ += CompletionMs(job);
}

// What was added at its end is taken away, so that the sums are those of the jobs that are known.
void History::Forget(const Job& job) {
  const auto jobs = by_slots_.find(SlotsOf(job));
  if (jobs == by_slots_.end() || jobs->second.erase(&job) == 0) return;
  if (jobs->second.empty()) by_slots_.erase(jobs);
  --ended_;
  ended_slot_ms_ -= SlotMs(job);
  ended_completion_ms_ -= CompletionMs(job);
}

const History::Jobs& History::OfSlots(int64_t slots) const {
  static const Jobs* const kNone = new Jobs();
  const auto jobs = by_slots_.find(slots);
  return jobs == by_slots_.end() ? *kNone : jobs->second;
}

}  // namespace rm::scheduler
