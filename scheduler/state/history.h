// What the jobs that are known have taken so far, by their size: what policies learn from.
//
// It holds the jobs that wait, run and have ended, as far as the state still knows them
// (retention.h), and so is a function of the records, like everything in the state. No duration of
// a job that runs is in it, only the service that it has had.
#ifndef RM_SCHEDULER_STATE_HISTORY_H_
#define RM_SCHEDULER_STATE_HISTORY_H_

#include <cstdint>
#include <map>
#include <set>

#include "absl/time/time.h"
#include "scheduler/state/job.h"

namespace rm::scheduler {

// The slots of the whole gang that `job` asks for; of an elastic one the most.
int64_t SlotsOf(const Job& job);

// An index over jobs owned by a ClusterState. Not thread-safe.
class History {
 public:
  struct BySequence {
    bool operator()(const Job* a, const Job* b) const { return a->sequence < b->sequence; }
  };
  using Jobs = std::set<const Job*, BySequence>;

  // A job was submitted, has ended, is forgotten. REQUIRES: in this order.
  void Add(const Job& job);
  void End(const Job& job);
  void Forget(const Job& job);

  // Jobs that ask for so many slots, in order of submission; empty when there are none.
  const Jobs& OfSlots(int64_t slots) const;
  const std::map<int64_t, Jobs>& by_slots() const { return by_slots_; }
  // Jobs that have ended, and the slot-milliseconds that they were served.
  int64_t ended() const { return ended_; }
  int64_t ended_slot_ms() const { return ended_slot_ms_; }
  // The sum of their completion times, from submission to end, in milliseconds.
  int64_t ended_completion_ms() const { return ended_completion_ms_; }

 private:
  std::map<int64_t, Jobs> by_slots_;
  int64_t ended_ = 0;
  int64_t ended_slot_ms_ = 0;
  int64_t ended_completion_ms_ = 0;
};

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_HISTORY_H_
