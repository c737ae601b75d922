#include "scheduler/state/queue.h"

namespace rm::scheduler {

void Queue::Set(const Job& job, bool member) {
  const Entry entry = EntryOf(job);
  if (member) {
    if (!entries_.insert(entry).second) return;
    OfShape& of_shape = shapes_[ShapeOf(job)];
    if (of_shape.id == 0) of_shape.id = ++last_shape_id_;
    of_shape.entries.insert(entry);
    return;
  }
  if (entries_.erase(entry) == 0) return;
  const auto of_shape = shapes_.find(ShapeOf(job));
  of_shape->second.entries.erase(entry);
  // A shape that nobody has is forgotten: users can make as many as they like.
  if (of_shape->second.entries.empty()) shapes_.erase(of_shape);
}

int64_t Queue::ShapeIdOf(const Job& job) const {
  const auto of_shape = shapes_.find(ShapeOf(job));
  return of_shape == shapes_.end() ? 0 : of_shape->second.id;
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
