#include "scheduler/explain/ago.h"

#include "absl/strings/str_cat.h"
#include "base/units.h"

namespace rm::scheduler {

// A clock that was set back must not make a past of minus three seconds.
std::string AgoText(absl::Time now, absl::Time then) {
  if (now <= then) return "just now";
  return absl::StrCat(base::FormatDuration(now - then), " ago");
}

// What is due is "now", even when it was due before: timers fire at the next step.
std::string InText(absl::Time now, absl::Time then) {
  if (then == absl::InfiniteFuture()) return "never";
  if (then <= now) return "now";
  return absl::StrCat("in ", base::FormatDuration(then - now));
}

}  // namespace rm::scheduler
