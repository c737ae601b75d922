// The policy for a pool of which nothing is known beforehand: small jobs first, the others in order
// of submission, and room made by preemption and by moving gangs together.
//
// A job has level 0 as long as it may still be a small one, and level 1 from then on. What small
// is, and for how long a job of a size may be one, is learnt from the pool's own history
// (service.h): where most jobs of a size turn out large, they have no head start at all; where most
// are small, they have one.
//
//   overdue   in order of submission: submitted longer ago than anybody's patience (service.h)
//   level 0   in order of submission
//   level 1   in order of submission less the time of service: who has come far is nearer to its
//             end, and is not stopped for one that came a little earlier
//
// Starvation. The first of the overdue has a place soon, since whoever else runs makes room for
// it, so the overdue end at least one after the other: with patience P, a job j of service D_j has
// ended after at most P + Σ (D_i + r + q) over j and the jobs i that were submitted before it and
// are overdue with it, r being what a restart costs and q the least run of a gang (kRunMin). Gangs
// that are not preemptible add what they still take.
#ifndef RM_SCHEDULER_POLICY_ADAPTIVE_H_
#define RM_SCHEDULER_POLICY_ADAPTIVE_H_

#include "scheduler/policy/pass_view.h"

namespace rm::scheduler {

// Pure. Cost: importance.h. The `plan` of a Policy.
PassPlan AdaptivePlan(const PassView& view);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_POLICY_ADAPTIVE_H_
