// Times as people read them: told as distances, so that nobody has to subtract.
//
// Pure functions.
#ifndef RM_SCHEDULER_EXPLAIN_AGO_H_
#define RM_SCHEDULER_EXPLAIN_AGO_H_

#include <string>

#include "absl/time/time.h"

namespace rm::scheduler {

// "12s ago", "just now"; for a time to come "in 12s", "never" for one that does not come.
std::string AgoText(absl::Time now, absl::Time then);
std::string InText(absl::Time now, absl::Time then);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_EXPLAIN_AGO_H_
