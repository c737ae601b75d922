// The whole state as text: what a test compares, and what a person reads when two states differ.
#ifndef RM_SCHEDULER_STATE_DUMP_H_
#define RM_SCHEDULER_STATE_DUMP_H_

#include <string>

#include "scheduler/state/cluster_state.h"

namespace rm::scheduler {

// One line a job, rank, worker and index, in order. Equal text means equal state: every field and
// every index entry is in it, times to the nanosecond.
std::string Dump(const ClusterState& state);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_DUMP_H_
