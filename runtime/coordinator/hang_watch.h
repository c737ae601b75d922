// Which ranks live and do nothing. Pure: it is fed what ranks report and when, and judges.
//
// Every rank says twice a second what it is doing, how many collectives it has entered and how many
// it has left (Activity, proto/rank.proto), from a thread that waits for nothing. That tells a rank
// that stands still from one that waits for it. *Progress* is any change in what it says: a step, a
// collective entered or left, another thing that it does. Rules, the first that holds, for a job
// that is Running, with `hang_after` from its scheduling.hang_after:
//
//   1. Nothing at all has come from a rank for hang_after (stopped by a signal, swapped out, its
//      report thread dead): that rank hangs, whatever it did.
//   2. A rank has made no progress for hang_after, and for as long a peer has been in a collective
//      that this rank has not entered: it hangs. Of several, those that are farthest behind: the
//      others may wait for them. A rank that loads, compiles or is in its first step never hangs by
//      this rule; one that evaluates or writes a checkpoint, which may take long and tells nothing
//      on the way, after `patience` times as long.
//   3. All ranks have been in the same collective for hang_after: no rank is ahead or behind, so
//      none is blamed. The gang stands still (the network between them, most likely), and is
//      started again as a whole: the event names rank 0 because it must name one, its reason has
//      the code GangStandsStill and names none.
//
// Without a peer that waits nothing is judged but silence: a step may take as long as it takes, and
// so may reading data, as long as all do it.
//
// A gang that comes up has failed to start when a rank of it has not joined and nothing has come
// from it for `start`: StartTimeout, with the names of all such ranks. What comes from a rank that
// loads for an hour is its reports, so it may load for an hour.
//
// Time is lived time (see liveness.h): no rank hangs because the coordinator was not looking. While
// a worker of the gang is not READY (silent, or absent after a restart of the coordinator) its
// ranks cannot be heard, so the gang is not judged, and its clocks begin anew. A new watch begins
// with full clocks, too.
//
// Times given are of a monotonic clock (base::Clock::Monotonic). Not thread-safe.
#ifndef RM_RUNTIME_COORDINATOR_HANG_WATCH_H_
#define RM_RUNTIME_COORDINATOR_HANG_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/rank.pb.h"
#include "proto/scheduler.pb.h"
#include "runtime/coordinator/liveness.h"
#include "scheduler/state/cluster_state.h"

namespace rm::coordinator {

struct HangLimits {
  absl::Duration start = absl::Seconds(60);
  absl::Duration hang_after = absl::Seconds(60);  // of a job that says none
  int patience = 10;
  // The jobs are looked at this often; a hang is found that much later at most.
  absl::Duration every = absl::Seconds(1);
  absl::Duration gap = absl::Milliseconds(400);  // as LivenessLimits::gap
};

class HangWatch {
 public:
  explicit HangWatch(const HangLimits& limits = {}) : limits_(limits), time_(limits.gap) {}

  // Something came from a rank. No effect when its generation is not watched: Check finds out what
  // is to be watched, so nothing that workers say makes an entry here.
  void OnReport(const ::ringmaster::v1::RankRef& rank, const ::ringmaster::v1::RankMessage& message,
                absl::Duration now);

  // To be called every 200 ms. An event RankHung for each gang that hangs or has failed to start,
  // at most one a gang, in the order of the job ids; its clocks then begin anew. Empty: all is
  // well, or it is not time to look yet.
  [[nodiscard]] std::vector<::ringmaster::v1::Event> Check(const scheduler::ClusterState& state,
                                                           absl::Duration now);

  // Gangs that come up or run: no others are remembered.
  [[nodiscard]] size_t watched() const { return gangs_.size(); }

 private:
  struct Rank {
    // Lived time.
    absl::Duration heard = absl::ZeroDuration();
    absl::Duration progressed = absl::ZeroDuration();
    ::ringmaster::v1::Activity activity;  // the newest
  };
  struct Gang {
    int64_t generation = 0;
    bool running = false;     // else it comes up
    std::vector<Rank> ranks;  // index = rank
  };

  // What is to be watched now, with clocks that begin anew where something has changed.
  void Follow(const scheduler::ClusterState& state);
  void RestartClocks(Gang& gang) const;
  absl::Duration SilentFor(const Rank& rank) const { return time_.lived() - rank.heard; }
  absl::Duration StillFor(const Rank& rank) const { return time_.lived() - rank.progressed; }

  // Each gives an event, or one that is not set.
  using Event = ::ringmaster::v1::Event;
  Event JudgeStart(const scheduler::ClusterState& state, const scheduler::Job& job,
                   const Gang& gang) const;
  Event JudgeSilence(const scheduler::ClusterState& state, const scheduler::Job& job,
                     const Gang& gang) const;
  Event JudgeBehind(const scheduler::ClusterState& state, const scheduler::Job& job,
                    const Gang& gang) const;
  Event JudgeStandstill(const scheduler::Job& job, const Gang& gang) const;
  Event JudgeGang(const scheduler::ClusterState& state, const scheduler::Job& job,
                  const Gang& gang) const;

  // The peer that has waited longest in a collective that `rank` has not entered; -1: none waits.
  int32_t WhoWaitsFor(const Gang& gang, const Rank& rank) const;
  absl::Duration HangAfter(const scheduler::Job& job) const;
  // HangAfter for a rank that does what `rank` does; infinite: never.
  absl::Duration Allowed(const scheduler::Job& job, const Rank& rank) const;

  const HangLimits limits_;
  LivedTime time_;
  absl::Duration looked_ = -absl::InfiniteDuration();  // lived time of the last look at the jobs
  std::map<std::string, Gang> gangs_;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_HANG_WATCH_H_
