// Lived time is what makes this safe: a coordinator that was stopped for a minute must not wake up
// and declare everyone dead, because all that happened is that it did not listen.
#include "runtime/coordinator/liveness.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/units.h"

namespace rm::coordinator {

// A machine that has too little time for everyone has too little for the judge, too: the more it is
// late, the slower its clock, and nobody is judged by a clock that others could not keep.
void LivedTime::Look(absl::Duration now) {
  lived_ += std::clamp(now - clock_, absl::ZeroDuration(), gap_);
  clock_ = now;
}

// Whatever was held against it was held against its old stream.
void Liveness::Attached(const std::string& worker_id, absl::Duration now) {
  time_.Look(now);
  Watched& worker = workers_[worker_id] = Watched();
  worker.heard = time_.lived();
}

void Liveness::Heard(const std::string& worker_id, absl::Duration now) {
  time_.Look(now);
  const auto worker = workers_.find(worker_id);
  if (worker == workers_.end()) return;
  worker->second.heard = time_.lived();
  // Peers that lost it before it spoke have lost something else: a rank, a link.
  worker->second.confirmed_by.clear();
}

// It was heard until now, in a way; but a break is judged by its own limit, from here on.
void Liveness::Broken(const std::string& worker_id, absl::Duration now) {
  time_.Look(now);
  const auto worker = workers_.find(worker_id);
  if (worker != workers_.end()) worker->second.broken = time_.lived();
}

// Kept by worker and not by rank: that one rank of `from` has lost its peer is what all of them
// will say within moments, because they leave together.
void Liveness::EdgeLost(const std::string& from, const std::string& to, absl::Duration now) {
  time_.Look(now);
  const auto worker = workers_.find(to);
  if (worker != workers_.end() && from != to) worker->second.confirmed_by.insert(from);
}

// Who is lost is not also said to be a suspect, even if it becomes both at once: a stall of the
// judge may hide the time between.
Liveness::Verdict Liveness::Judge(absl::Duration now, PeersOf peers_of) {
  time_.Look(now);
  Verdict verdict;
  for (auto& [id, worker] : workers_) {
    const std::string why = WhyLost(id, worker, peers_of);
    if (why.empty()) {
      JudgeSilence(id, worker, verdict);
    } else {
      verdict.lost.push_back({id, why});
    }
  }
  for (const Finding& worker : verdict.lost) workers_.erase(worker.worker_id);
  return verdict;
}

// A broken stream is the surer sign, and the shorter limit: it is looked at first. Infinity minus
// anything stays on the far side of the limit.
std::string Liveness::WhyLost(const std::string& worker_id, const Watched& worker,
                              PeersOf peers_of) const {
  if (time_.lived() - worker.broken >= limits_.broken) {
    return absl::StrCat("its stream broke and it was not back within ",
                        base::FormatDuration(limits_.broken));
  }
  const absl::Duration silence = time_.lived() - worker.heard;
  if (silence >= limits_.silent) {
    return absl::StrCat("nothing was heard of it for ", base::FormatDuration(limits_.silent));
  }
  // Peers are looked up only where the answer can matter: they are found by a walk over gangs.
  if (silence < limits_.suspect || worker.confirmed_by.empty()) return "";
  std::set<std::string> peers = peers_of(worker_id);
  peers.erase(worker_id);
  const bool all = std::includes(worker.confirmed_by.begin(), worker.confirmed_by.end(),
                                 peers.begin(), peers.end());
  if (peers.empty() || !all) return "";
  return absl::StrCat("nothing was heard of it for ", base::FormatDuration(silence),
                      ", and all ranks that talk to its ranks have lost them: those on ",
                      absl::StrJoin(peers, ", "));
}

// Its return is noticed by the silence having become short again, not by Heard itself: a verdict
// has one place where it is made.
void Liveness::JudgeSilence(const std::string& worker_id, Watched& worker, Verdict& verdict) const {
  const absl::Duration silence = time_.lived() - worker.heard;
  const bool was_suspect = worker.suspect_since != absl::InfiniteDuration();
  const bool stands = worker.broken == absl::InfiniteDuration();
  if (!was_suspect && stands && silence >= limits_.suspect) {
    worker.suspect_since = worker.heard;
    verdict.suspects.push_back(
        {worker_id, absl::StrCat("nothing was heard of it for ", base::FormatDuration(silence))});
  } else if (was_suspect && silence < limits_.suspect) {
    const absl::Duration lasted = worker.heard - worker.suspect_since;
    worker.suspect_since = absl::InfiniteDuration();
    verdict.recovered.push_back(
        {worker_id, absl::StrCat("it was heard again after ", base::FormatDuration(lasted))});
  }
}

absl::Duration Liveness::SilentFor(const std::string& worker_id) const {
  const auto worker = workers_.find(worker_id);
  return worker == workers_.end() ? absl::ZeroDuration() : time_.lived() - worker->second.heard;
}

bool Liveness::IsWatched(const std::string& worker_id) const {
  return workers_.count(worker_id) > 0;
}

}  // namespace rm::coordinator
