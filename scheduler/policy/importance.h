// A pass by importance: who is more important has slots, and who is less important makes room.
//
// All jobs that wait or run are taken in order of importance. One that runs keeps its place. One
// that waits
//   1. takes slots that are free, where the placement says, else
//   2. has gangs that sit on one worker moved together, so that room which is there in pieces
//      becomes room in one piece, else
//   3. evicts gangs that are less important: the least important first, until there is room, and of
//      those the ones that are not needed for it are spared;
//   4. or is passed over, and who is less important may take what is free.
// Evicted gangs are placed again in the same pass, at their own importance.
//
// So slots are idle only when no waiting job fits them, and a job is never kept waiting by one that
// is less important, but for slots that are being left just now.
//
// A gang that is not preemptible keeps its place whatever comes. One that was placed less than
// kRunMin ago leaves when that time is over, and its slots are promised meanwhile: a restart costs
// about a minute, and this bounds what is lost to restarts at a tenth. It also means that within one
// instant each job starts and leaves at most once, so that passes come to an end.
// For example, two workers of 4 slots; a runs on 2 slots of w1, b on 2 of w2, and c waits:
//   c wants 2 slots                         c starts beside a
//   c wants 4, and is the least important   a moves to w2, and c starts on w1 when a has left
//   c wants 8, and is the most important    a and b are evicted, and c starts when both have left
//   c wants 8, and is the least important   c is passed over; who waits for 2 slots may take them
//
// What a live cluster takes from it: an eviction is not done when it is decided. The gang writes its
// checkpoint first, so the plan is made again at every step until then, from the state alone. It
// comes out the same, because the slots of gangs that leave count as free for whoever is most
// important and fits them, and for nobody else.
#ifndef RM_SCHEDULER_POLICY_IMPORTANCE_H_
#define RM_SCHEDULER_POLICY_IMPORTANCE_H_

#include <cstdint>
#include <functional>

#include "absl/time/time.h"
#include "scheduler/policy/pass_view.h"

namespace rm::scheduler {

// How long a gang runs at least before it makes room.
inline constexpr absl::Duration kRunMin = absl::Minutes(10);

// Less is more important: by level, then by order, then by order of submission.
struct Importance {
  int64_t level = 0;
  int64_t order = 0;
};
using ImportanceFn = std::function<Importance(const Job& job)>;

// `importance` is asked once for each job that waits or runs. Pure. O(workers + jobs · log), and
// for each eviction or move once more O(workers + gangs).
PassPlan PlanByImportance(const PassView& view, const ImportanceFn& importance);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_POLICY_IMPORTANCE_H_
