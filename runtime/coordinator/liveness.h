// Which workers are gone. Pure: it is told what happened and when, and says who is lost.
//
// A worker is lost when its stream is broken and it has not redialled for `broken`, or when its
// stream stands but nothing has been heard on it for `silent`.
//
// The judge must have been awake to judge. Time here is *lived* time: it runs with the clock, but
// between two looks at the clock by at most `gap`. So when the coordinator was not scheduled, or
// sat in a sync of the disk, for d, every deadline moves by about d, and nobody is lost for our own
// absence.
//
// Times given are of a monotonic clock (base::Clock::Monotonic). Not thread-safe.
#ifndef RM_RUNTIME_COORDINATOR_LIVENESS_H_
#define RM_RUNTIME_COORDINATOR_LIVENESS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace rm::coordinator {

struct LivenessLimits {
  absl::Duration broken = absl::Milliseconds(1500);
  absl::Duration silent = absl::Seconds(10);
  // Two intervals of Check.
  absl::Duration gap = absl::Milliseconds(400);
};

class Liveness {
 public:
  explicit Liveness(const LivenessLimits& limits = {}) : limits_(limits) {}

  // Its stream stands (again), and it was heard.
  void Attached(const std::string& worker_id, absl::Duration now);
  // Anything was heard on its stream. No effect on a worker that is not watched.
  void Heard(const std::string& worker_id, absl::Duration now);
  // Its stream has ended. No effect on a worker that is not watched.
  void Broken(const std::string& worker_id, absl::Duration now);

  struct Lost {
    std::string worker_id;
    std::string sentence;  // "its stream broke and it was not back within 1.5 s"
  };
  // Who is lost now, by id; each is watched no longer. To be called every 200 ms.
  [[nodiscard]] std::vector<Lost> Check(absl::Duration now);

  // Lived time since the worker was heard; zero when it is not watched.
  [[nodiscard]] absl::Duration SilentFor(const std::string& worker_id) const;

 private:
  struct Watched {
    absl::Duration heard;                              // lived time
    absl::Duration broken = absl::InfiniteDuration();  // lived time; infinite: its stream stands
  };
  void LiveUntil(absl::Duration now);

  const LivenessLimits limits_;
  absl::Duration clock_ = absl::ZeroDuration();  // at the last look
  absl::Duration lived_ = absl::ZeroDuration();
  std::map<std::string, Watched> workers_;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_LIVENESS_H_
