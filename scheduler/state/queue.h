// Jobs that wait, in the order in which they are tried.
#ifndef RM_SCHEDULER_STATE_QUEUE_H_
#define RM_SCHEDULER_STATE_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>

#include "scheduler/state/job.h"
#include "scheduler/state/shape.h"

namespace rm::scheduler {

// A policy's rank of a job: the least is tried first. Pure; depends on the submission alone, so
// that a job's place in the index never moves.
using QueueRankFn = int64_t (*)(const Job& job);

// An index over jobs owned by a ClusterState, ordered by (rank, order of submission), and once more
// for each shape of gang. Insert, erase and look-up are O(log n). Not thread-safe.
class Queue {
 public:
  // A member and its place.
  struct Entry {
    int64_t rank;
    int64_t sequence;
    const Job* job;
    bool operator<(const Entry& other) const {
      return rank != other.rank ? rank < other.rank : sequence < other.sequence;
    }
  };
  // The members of one shape.
  struct OfShape {
    int64_t id = 0;  // from 1, never given twice
    std::set<Entry> entries;  // never empty
  };
  using Shapes = std::map<Shape, OfShape>;

  explicit Queue(QueueRankFn rank) : rank_(rank) {}

  // Makes `job` a member or not; no effect when it is so already.
  void Set(const Job& job, bool member);
  // The first job; nullptr: empty.
  const Job* First() const;
  // The job that is tried after `job`, which need not be a member; nullptr: none.
  const Job* After(const Job& job) const;
  // How many members stand before `job`, counted up to `limit`.
  int64_t CountBefore(const Job& job, int64_t limit) const;
  size_t size() const { return entries_.size(); }
  // Every shape that a member has.
  const Shapes& shapes() const { return shapes_; }
  // The number of the shape of `job`; 0: no member has that shape.
  int64_t ShapeIdOf(const Job& job) const;

 private:
  Entry EntryOf(const Job& job) const { return {rank_(job), job.sequence, &job}; }

  QueueRankFn rank_;
  std::set<Entry> entries_;
  Shapes shapes_;
  int64_t last_shape_id_ = 0;
};

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_QUEUE_H_
