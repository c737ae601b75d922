// What a gang needs of the workers: jobs of one shape have a place, or have none, together.
//
// So a pass asks once for a shape and not once for a job: with thousands of jobs in the queue there
// are a few dozen shapes.
//
// For example, two jobs of 4 ranks with 1 slot each and the selector zone: a have one shape, whatever
// their priority, user and model; one of 2 ranks with 2 slots each has another.
#ifndef RM_SCHEDULER_STATE_SHAPE_H_
#define RM_SCHEDULER_STATE_SHAPE_H_

#include <cstdint>
#include <string>

#include "scheduler/state/job.h"

namespace rm::scheduler {

struct Shape {
  int64_t slots_per_rank = 1;
  int64_t ranks_min = 1;
  int64_t ranks_max = 1;
  std::string placement;  // as the job file says; empty: the cluster's own
  std::string selector;   // the node selector in one line; empty: any worker

  bool operator<(const Shape& other) const;
};

// The shape of `job`. Depends on its submission alone. Pure.
Shape ShapeOf(const Job& job);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_SHAPE_H_
