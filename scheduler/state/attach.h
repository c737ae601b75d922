// What a worker that attaches tells about the ranks that the state places on it.
//
// Pure functions: safe from any thread that may read the state.
#ifndef RM_SCHEDULER_STATE_ATTACH_H_
#define RM_SCHEDULER_STATE_ATTACH_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "proto/scheduler.pb.h"
#include "scheduler/state/job.h"
#include "scheduler/state/worker.h"

namespace rm::scheduler {

using JobRank = std::pair<const Job*, int32_t>;

// The ranks that hold slots of `worker`, each once, in order of their first slot.
std::vector<JobRank> HeldRanks(const Worker& worker);

// Whether `attached` names rank `rank` of the present generation of `job` as running.
bool Runs(const pb::WorkerAttached& attached, const Job& job, int32_t rank);

// Living ranks of `worker` that `attached` shows to be gone: they are not named there, and either
// they were heard of before, or their job does not want them to start any more, or the worker does
// not see the storage. (Any other one that was never heard of may have missed its start: it is
// started again.)
std::vector<JobRank> MissingRanks(const Worker& worker, const pb::WorkerAttached& attached);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_ATTACH_H_
