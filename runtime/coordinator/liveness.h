// Which workers are silent and which are gone. Pure: it is told what happened and when, and judges.
//
//   heard ──silent for `suspect`──► suspect ──heard──► heard           (suspects, recovered)
//                                     │ silent for `silent`, or
//                                     │ all its peers have confirmed it
//                                     ▼
//   stream broken for `broken` ───► lost                               (lost)
//
// A worker is lost
//  - when its stream is broken and it has not redialled for `broken`: its kernel, or that of its
//    machine, has said that the process is gone, or the network has; or
//  - when its stream stands and it has been silent for `suspect`, and every worker whose ranks talk
//    to its ranks has reported, since it was heard last, that the peer there is lost; or
//  - when its stream stands and it has been silent for `silent`, whatever the others say.
// A worker without ranks, or whose ranks have peers only among themselves, has nobody who could
// confirm its loss: silence alone counts. Silence of a broken stream says nothing new, so such a
// worker is never a suspect.
//
// The judge must have been awake to judge. Time here is *lived* time: it runs with the clock, but
// between two looks at the clock by at most `gap`. So when the coordinator was not scheduled, or
// sat in a sync of the disk, for d, every deadline moves by d less at most `gap`, and nobody is
// lost for our own absence. What came in meanwhile must be told (Heard) before the next judgement.
//
// From this follows, and is tested: no stalls of the judge and no delays of what it hears lose a
// worker of which something comes in every `silent`, and whose stream, when it breaks, is back
// within `broken`.
//
// Times given are of a monotonic clock (base::Clock::Monotonic). Not thread-safe.
#ifndef RM_RUNTIME_COORDINATOR_LIVENESS_H_
#define RM_RUNTIME_COORDINATOR_LIVENESS_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"

namespace rm::coordinator {

struct LivenessLimits {
  absl::Duration broken = absl::Milliseconds(1500);
  absl::Duration suspect = absl::Milliseconds(1500);
  absl::Duration silent = absl::Seconds(10);
  // Two intervals of Judge.
  absl::Duration gap = absl::Milliseconds(400);
};

// Time that runs only while somebody looks: a sum of the times between looks, each cut off at
// `gap`.
class LivedTime {
 public:
  explicit LivedTime(absl::Duration gap) : gap_(gap) {}

  // Looks at the clock. A clock that went back lets no time pass.
  void Look(absl::Duration now);
  // Lived so far; grows with Look alone.
  [[nodiscard]] absl::Duration lived() const { return lived_; }

 private:
  absl::Duration gap_;
  absl::Duration clock_ = absl::ZeroDuration();  // at the last look
  absl::Duration lived_ = absl::ZeroDuration();
};

class Liveness {
 public:
  explicit Liveness(const LivenessLimits& limits = {}) : limits_(limits), time_(limits.gap) {}

  // Its stream stands (again), and it was heard. An earlier break, and every suspicion, is
  // forgiven without a word: who attaches is said elsewhere.
  void Attached(const std::string& worker_id, absl::Duration now);
  // Anything was heard on its stream. No effect on a worker that is not watched.
  void Heard(const std::string& worker_id, absl::Duration now);
  // Its stream has ended. No effect on a worker that is not watched.
  void Broken(const std::string& worker_id, absl::Duration now);
  // A rank on `from` has reported that its peer on `to` is lost. It confirms a silence that began
  // before: no effect when `to` is heard after it, or is not watched, or is `from` itself.
  void EdgeLost(const std::string& from, const std::string& to, absl::Duration now);

  // Something that is so of a worker, and one sentence about it without its subject: "nothing was
  // heard of it for 1.5 s".
  struct Finding {
    std::string worker_id;
    std::string sentence;
  };
  // What has changed since the last judgement, each in the order of the ids.
  struct Verdict {
    std::vector<Finding> suspects;   // became silent; said once
    std::vector<Finding> recovered;  // were suspects, and were heard
    std::vector<Finding> lost;       // are watched no longer
  };
  // The workers whose ranks share an edge with a rank on `worker_id`. Asked for suspects only.
  using PeersOf = absl::FunctionRef<std::set<std::string>(const std::string& worker_id)>;
  // To be called every 200 ms.
  [[nodiscard]] Verdict Judge(absl::Duration now, PeersOf peers_of);

  // Lived time since the worker was heard; zero when it is not watched.
  [[nodiscard]] absl::Duration SilentFor(const std::string& worker_id) const;
  // Whether it is watched: it attached and was not lost since.
  [[nodiscard]] bool IsWatched(const std::string& worker_id) const;

 private:
  struct Watched {
    // All in lived time.
    absl::Duration heard = absl::ZeroDuration();
    absl::Duration broken = absl::InfiniteDuration();         // infinite: its stream stands
    absl::Duration suspect_since = absl::InfiniteDuration();  // its silence; infinite: no suspect
    std::set<std::string> confirmed_by;                       // since it was heard
  };
  // Why it is lost; empty: it is not.
  std::string WhyLost(const std::string& worker_id, const Watched& worker, PeersOf peers_of) const;
  // Enters into `verdict` whether a worker that is not lost became, or is no longer, a suspect.
  void JudgeSilence(const std::string& worker_id, Watched& worker, Verdict& verdict) const;

  const LivenessLimits limits_;
  LivedTime time_;
  std::map<std::string, Watched> workers_;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_LIVENESS_H_
