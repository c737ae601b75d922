// Was it the kernel, for want of memory? SIGKILL alone does not tell.
//
// The kernel counts the processes that its out-of-memory killer has ended: for a memory cgroup in
// memory.events (version 2) or memory.oom_control (version 1), for the machine in /proc/vmstat. All
// of them can be read without privilege. A rank that died by SIGKILL, not from our hand, soon after
// such a count rose has most probably been its victim; certain it is not, since the count names
// nobody, and the sentence that people read says so.
#ifndef RM_RUNTIME_WORKER_OOM_WATCH_H_
#define RM_RUNTIME_WORKER_OOM_WATCH_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "base/file_system.h"

namespace rm::worker {

// Kills so far; nothing when the kernel does not tell.
using OomCounter = std::function<std::optional<int64_t>()>;

// The counter of the memory cgroup that this process is in, else the machine's. The folders are
// where proc and the cgroups are mounted; `files` lives as long as the counter.
[[nodiscard]] OomCounter SystemOomCounter(const base::FileSystem& files,
                                          const std::string& proc = "/proc",
                                          const std::string& cgroups = "/sys/fs/cgroup");

// Thread-compatible. Times are of a monotonic clock.
class OomWatch {
 public:
  // A process with much memory takes its time to die: a kill and the end of its victim may lie this
  // far apart.
  static constexpr absl::Duration kFresh = absl::Seconds(30);

  explicit OomWatch(OomCounter counter);

  // Notes how the count has risen since the last look. Cheap; call it every second or so while
  // anything runs.
  void Look(absl::Duration now);

  // A process died by SIGKILL: takes one of the fresh kills for it. False when there is none left.
  [[nodiscard]] bool Claim(absl::Duration now);

 private:
  const OomCounter counter_;
  std::optional<int64_t> seen_;
  std::deque<absl::Duration> kills_;  // when each was noticed, and not yet claimed
};

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_OOM_WATCH_H_
