// A trace on a simulated cluster: the scheduler core of the daemon, driven by a virtual clock.
//
// The replay plays the world and nothing else. It attaches workers, submits the jobs of the trace,
// answers the core's actions as workers and ranks would, and tells it when a training is done. What
// starts where and who makes room is decided by Scheduler::Step alone, which is given no duration
// and no progress of a job that runs.
//
// The model
//   time     whole seconds. At an instant, first the jobs that end let go of their slots, then the
//            jobs submitted at it join the queue, then the core makes its pass. Starting, stopping
//            and deciding take no time.
//   slots    N nodes of S slots. kStrict: a job of g <= S slots is one rank of g slots, so it runs
//            inside one node; one of g > S slots is ceil(g/S) ranks of S slots, which take nodes
//            that are entirely free. kAny: the cluster is one node of N*S slots.
//   restart  a job that is stopped keeps its progress; at each later start its ranks need
//            `restart_cost` seconds to come up, and hold their slots meanwhile.
//   refused  a job that the empty cluster could not run, or of no slots, is only counted.
//
// For example, one node of 4 slots under fifo; job 0 takes 3 slots for 100 s, job 1 is submitted at
// 1 and takes 4 for 50 s, job 2 at 2 and takes 1 for 20 s: they end at 100, 150 and 170. Under
// first_fit job 2 runs beside job 0 and ends at 22.
#ifndef RM_TOOLS_BENCH_SCHEDULE_REPLAY_H_
#define RM_TOOLS_BENCH_SCHEDULE_REPLAY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/bench/trace.h"

namespace rm::bench {

enum class Locality { kStrict, kAny };

struct ReplayOptions {
  int64_t nodes = 16;
  int64_t slots = 8;  // of each node
  Locality locality = Locality::kStrict;
  std::string policy = "priority";  // of scheduler/policy/policy.h
  int64_t restart_cost = 60;        // seconds
  // What a job is expected to run, which the core is told at submission: its `requested`, where the
  // trace has one, else so many times its duration; 0: nothing.
  double estimate_factor = 0;
};

// One stay of a job on its slots.
struct ReplayRun {
  int64_t begin = 0;
  int64_t stop = 0;
  int64_t cost = 0;                // of it, spent coming up
  std::vector<std::string> nodes;  // in order of ranks
};

// What became of one job of the trace.
struct ReplayedJob {
  bool rejected = false;
  int64_t first_start = -1;
  int64_t end = -1;
  std::vector<ReplayRun> runs;
};

struct ReplayResult {
  std::vector<ReplayedJob> jobs;  // in the order of the trace
  int64_t preemptions = 0;
  int64_t steps = 0;  // calls of Scheduler::Step
};

// Replays `trace` until the last job has ended. `trace` is in order of submission. Deterministic.
// InvalidArgument: no such policy. Internal: jobs wait that the policy never starts.
[[nodiscard]] absl::StatusOr<ReplayResult> Replay(const std::vector<TraceJob>& trace,
                                                  const ReplayOptions& options);

}  // namespace rm::bench

#endif  // RM_TOOLS_BENCH_SCHEDULE_REPLAY_H_
