// What the scheduler knows about one worker. Plain data: changed only by ClusterState, read by
// everyone.
#ifndef RM_SCHEDULER_STATE_WORKER_H_
#define RM_SCHEDULER_STATE_WORKER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/scheduler.pb.h"

namespace rm::scheduler {

namespace pb = ::ringmaster::v1;

struct Job;

// Workers with more slots are a mistake; a damaged journal does not make us allocate them.
inline constexpr int32_t kSlotsPerWorkerMax = 1 << 12;

// One device or core group. Free when nobody holds it.
struct Slot {
  const Job* holder = nullptr;  // owned by the ClusterState
  int32_t rank = 0;             // of the holder's gang

  bool free() const { return holder == nullptr; }
};

// Its states and their arrows: worker_state.h.
//
// A worker that does not see the cluster's storage is READY, too, and Usable() it is not: a rank
// there could neither load a checkpoint nor write one that anybody finds. What runs there already
// goes on.
struct Worker {
  std::string id;
  int64_t ordinal = 0;  // order of first attachment, from 1: the tie-break of every placement
  std::string host;
  std::string version;
  std::map<std::string, std::string> labels;
  pb::WorkerState state = pb::WORKER_STATE_UNSPECIFIED;
  pb::Reason reason;                        // of the last transition
  absl::Time since = absl::InfinitePast();  // when it entered `state`
  std::vector<Slot> slots;                  // index = slot number
  int32_t free_slots = 0;                   // slots nobody holds, whatever the state
  std::string storage_problem;              // not empty: it does not see the storage, and why
  int64_t loss = 0;                         // LOST: the how-manieth loss of any worker, from 1

  // Its free slots can be given to a gang.
  bool Usable() const { return state == pb::READY && storage_problem.empty(); }
  // Its slots count as what the cluster has, free or not: it is there, or expected back.
  bool Counts() const {
    const bool there = state == pb::READY || state == pb::SUSPECT || state == pb::ABSENT;
    return there && storage_problem.empty();
  }
  int32_t used_slots() const { return static_cast<int32_t>(slots.size()) - free_slots; }
};

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_WORKER_H_
