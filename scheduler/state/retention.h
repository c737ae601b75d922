// How much of the past stays in the state. The journal keeps all of it; what the state keeps is
// what decisions, explanations and listings may ask for.
#ifndef RM_SCHEDULER_STATE_RETENTION_H_
#define RM_SCHEDULER_STATE_RETENTION_H_

#include <cstdint>

namespace rm::scheduler {

// Both at least 0. A journal that was written with other numbers is folded as well.
struct Retention {
  // Of the jobs that have ended, those that ended last. An older one is an unknown job.
  int64_t ended_jobs = 1000;
  // Of the workers that are LOST, those that were lost last. An older one that attaches is a new
  // one, which makes no difference but for its place in the order of the workers.
  int64_t lost_workers = 1000;
};

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_RETENTION_H_
