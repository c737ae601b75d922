#include "scheduler/state/queue.h"

namespace rm::scheduler {

void Queue::Set(const Job& job, bool member) {
  if (member) {
    entries_.insert(EntryOf(job));
  } else {
    entries_.erase(EntryOf(job));
  }
}

const Job* Queue::First() const { return entries_.empty() ? nullptr : entries_.begin()->job; }

// By its place, not by an iterator: a pass goes on behind a job that it has just placed, and that
// has left the queue with that.
const Job* Queue::After(const Job& job) const {
  const auto next = entries_.upper_bound(EntryOf(job));
  return next == entries_.end() ? nullptr : next->job;
}

// A walk: only explanations ask for it, and they stop counting at their limit.
int64_t Queue::CountBefore(const Job& job, int64_t limit) const {
  int64_t count = 0;
  const Entry end = EntryOf(job);
  for (const Entry& entry : entries_) {
    if (count == limit || !(entry < end)) break;
    ++count;
  }
  return count;
}

}  // namespace rm::scheduler
