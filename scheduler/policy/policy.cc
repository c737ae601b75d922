#include "scheduler/policy/policy.h"

#include "absl/strings/str_join.h"
#include "scheduler/policy/adaptive.h"
#include "scheduler/policy/easy.h"
#include "scheduler/policy/fifo.h"
#include "scheduler/policy/first_fit.h"
#include "scheduler/policy/head_of_line.h"
#include "scheduler/policy/las.h"
#include "scheduler/policy/priority.h"

namespace rm::scheduler {
namespace {

// The table of policies: one line each, in alphabetical order.
constexpr Policy kPolicies[] = {
    {"adaptive",
     "small jobs first, the others in order of submission; what small is, is learnt from the jobs "
     "that ended; preempts",
     &FifoRank, nullptr, &AdaptivePlan},
    {"easy",
     "in order of submission; a job overtakes only where it does not delay the first that waits, by "
     "time_limit as the expected duration",
     &FifoRank, nullptr, &EasyPlan},
    {"fifo", "in order of submission; nothing overtakes a job that waits for slots", &FifoRank,
     &HeadOfLine, nullptr},
    {"first_fit", "in order of submission; whatever fits starts", &FifoRank, &FirstThatMayFit,
     nullptr},
    {"las", "who has had least slot-time goes first, in levels; preempts", &FifoRank, nullptr,
     &LasPlan},
    {"priority",
     "higher priority first, then in order of submission; nothing of equal or lower priority "
     "overtakes a job that waits for slots",
     &PriorityRank, &HeadOfLine, nullptr},
};

}  // namespace

absl::Span<const Policy> Policies() { return kPolicies; }

const Policy* FindPolicy(absl::string_view name) {
  for (const Policy& policy : kPolicies) {
    if (policy.name == name) return &policy;
  }
  return nullptr;
}

std::string PolicyNames() {
  return absl::StrJoin(kPolicies, ", ", [](std::string* out, const Policy& policy) {
    absl::StrAppend(out, policy.name);
  });
}

}  // namespace rm::scheduler
