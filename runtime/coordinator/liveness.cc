// Lived time is what makes this safe: a coordinator that was stopped for a minute must not wake up
// and declare everyone dead, because all that happened is that it did not listen.
#include "runtime/coordinator/liveness.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/units.h"

namespace rm::coordinator {

void Liveness::LiveUntil(absl::Duration now) {
  // Each look at the clock may let at most `gap` pass; a clock that went back lets none.
  lived_ += std::clamp(now - clock_, absl::ZeroDuration(), limits_.gap);
  clock_ = now;
}

void Liveness::Attached(const std::string& worker_id, absl::Duration now) {
  LiveUntil(now);
  workers_[worker_id] = Watched{lived_};  // an earlier break of its stream is forgiven
}

void Liveness::Heard(const std::string& worker_id, absl::Duration now) {
  LiveUntil(now);
  const auto worker = workers_.find(worker_id);
  if (worker != workers_.end()) worker->second.heard = lived_;
}

void Liveness::Broken(const std::string& worker_id, absl::Duration now) {
  LiveUntil(now);
  const auto worker = workers_.find(worker_id);
  if (worker != workers_.end()) worker->second.broken = lived_;
}

std::vector<Liveness::Lost> Liveness::Check(absl::Duration now) {
  LiveUntil(now);
  std::vector<Lost> lost;
  for (const auto& [id, worker] : workers_) {
    // A broken stream is the surer sign, and the shorter limit: it is looked at first. Infinity
    // minus anything stays on the far side of the limit.
    if (lived_ - worker.broken >= limits_.broken) {
      lost.push_back({id, absl::StrCat("its stream broke and it was not back within ",
                                       base::FormatDuration(limits_.broken))});
    } else if (lived_ - worker.heard >= limits_.silent) {
      lost.push_back(
          {id, absl::StrCat("nothing was heard of it for ", base::FormatDuration(limits_.silent))});
    }
  }
  for (const Lost& worker : lost) workers_.erase(worker.worker_id);
  return lost;
}

absl::Duration Liveness::SilentFor(const std::string& worker_id) const {
  const auto worker = workers_.find(worker_id);
  return worker == workers_.end() ? absl::ZeroDuration() : lived_ - worker->second.heard;
}

}  // namespace rm::coordinator
