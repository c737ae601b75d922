// Which job next: the policies, by name.
//
// A policy is pure functions without state. `rank` orders the queue and depends on the job's
// submission alone, so the queue is an index that is never sorted again. Then there are two kinds:
//
//   `next`  walks: it is asked in a placement pass which job to try, sees the cluster read-only, and
//           answers with one job or none. It is asked again after each trial until it answers none.
//   `plan`  looks ahead: it is asked once and answers with the whole pass.
//
// A job that could never fit the workers there are is stepped over by the core before the policy
// sees a refusal, so it blocks nobody.
//
// To add one: a file with its functions and a line in the table of policy.cc.
#ifndef RM_SCHEDULER_POLICY_POLICY_H_
#define RM_SCHEDULER_POLICY_POLICY_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "scheduler/policy/pass_view.h"
#include "scheduler/state/job.h"
#include "scheduler/state/queue.h"

namespace rm::scheduler {

struct Policy {
  absl::string_view name;
  absl::string_view summary;  // one sentence, for help texts
  QueueRankFn rank;
  // The job to try next, a member of state.queue(); nullptr: the pass is over.
  const Job* (*next)(const PassView& view);
  // The whole pass; nullptr: the policy walks. One of the two is given.
  PassPlan (*plan)(const PassView& view);
};

// Every policy there is, in alphabetical order.
absl::Span<const Policy> Policies();

// nullptr: no policy has that name.
const Policy* FindPolicy(absl::string_view name);

// "easy, fifo": for error messages and help texts.
std::string PolicyNames();

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_POLICY_POLICY_H_
