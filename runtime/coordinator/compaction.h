// A journal without what nobody can ask for any more.
//
// The scheduler forgets old jobs (scheduler/state/retention.h); their records stay in the journal,
// and a start that folds all of them takes longer with every job there ever was. Compaction makes
// from all records fewer, which fold to the same state:
//
//   records    = [base] kept*
//   base       = one record: for each worker that is still known, its transitions to READY with its
//                description and to what it was when `kept` begins
//   kept       = a record, from the first on that tells of a job that is known, without what was
//                refused, without actions, and without what it tells of jobs that are not known
//
// In a kept record, what is left out of the events leaves a Tick behind, so that the numbers by
// which transitions name their events stay right; a record of nothing but Ticks is left out.
//
// What is lost: the counters of refused events, and the statistics of forgotten jobs after the next
// start (metrics are counters of one life then). What is not: any job, worker, gang or request id
// that the state knows.
#ifndef RM_RUNTIME_COORDINATOR_COMPACTION_H_
#define RM_RUNTIME_COORDINATOR_COMPACTION_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "proto/scheduler.pb.h"
#include "scheduler/state/cluster_state.h"

namespace rm::coordinator {

// Takes the records of a journal, oldest first. Memory: what it keeps. Not thread-safe.
class Compactor {
 public:
  // `state` is the one that all the records fold to; borrowed.
  explicit Compactor(const scheduler::ClusterState& state) : state_(state) {}

  void Add(const ::ringmaster::v1::JournalRecord& record);
  // The records that take the place of those added. REQUIRES: the last call.
  [[nodiscard]] std::vector<::ringmaster::v1::JournalRecord> Take();

 private:
  // What the records before the first kept one say of a worker.
  struct Base {
    int64_t ordinal = 0;                              // order of the transition that made it known
    ::ringmaster::v1::WorkerTransition description;  // its last transition to READY
    ::ringmaster::v1::WorkerTransition last;
    int64_t last_ordinal = 0;  // order of that one
    bool is_seen = false;      // a kept record goes on from here
  };

  // The record without what nobody can ask for.
  [[nodiscard]] ::ringmaster::v1::JournalRecord Strip(
      const ::ringmaster::v1::JournalRecord& record) const;
  void AddToBase(const ::ringmaster::v1::JournalRecord& record);
  // A record is kept: notes which workers of the base it goes on from.
  void Keep(::ringmaster::v1::JournalRecord record);
  // The base as a record; without transitions when there is nothing to say.
  [[nodiscard]] ::ringmaster::v1::JournalRecord BaseRecord();

  const scheduler::ClusterState& state_;
  std::map<std::string, Base> base_;
  int64_t base_transitions_ = 0;
  ::ringmaster::v1::JournalRecord base_record_;
  bool is_base_over_ = false;
  std::vector<::ringmaster::v1::JournalRecord> kept_;
};

// Whether two states are the same but for numbers that only count (of jobs and workers that ever
// were, of refusals). Takes time for everything in them. Pure.
[[nodiscard]] bool IsSameState(const scheduler::ClusterState& a, const scheduler::ClusterState& b);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_COMPACTION_H_
