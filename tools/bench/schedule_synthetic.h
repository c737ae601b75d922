// The speed of the scheduler core: a full cluster with a queue that never shortens.
//
// The cluster is filled, and the queue behind it. Then jobs end, one after the other as their
// durations say, and with each end come as many submissions as keep the queue at its length. All of
// it goes through Scheduler::Step as the daemon would call it: submissions, ranks that listen and
// join, trainings that are done, ranks that exit. Only the CPU time of the thread inside Step counts.
//
// Gang sizes and durations are drawn from the distribution of the busiest week of the Microsoft
// Philly traces (github.com/msr-fiddle/philly-traces, CC BY 4.0; M. Jeon et al., "Analysis of
// Large-Scale Multi-Tenant GPU Clusters for DNN Training Workloads", USENIX ATC 2019), whose
// quantiles stand in schedule_synthetic.cc.
#ifndef RM_TOOLS_BENCH_SCHEDULE_SYNTHETIC_H_
#define RM_TOOLS_BENCH_SCHEDULE_SYNTHETIC_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace rm::bench {

struct SyntheticOptions {
  int64_t nodes = 5000;
  int64_t slots = 8;         // of each node
  int64_t queued = 10'000;   // jobs that wait, throughout
  int64_t events = 200'000;  // jobs that end while it is measured
  uint64_t seed = 1;
  std::string policy = "first_fit";  // of scheduler/policy/policy.h
};

// What was measured after the cluster and the queue were full.
struct SyntheticResult {
  int64_t placements = 0;      // StartGang actions
  double placements_per_s = 0;  // per CPU second inside Step
  double step_p50_us = 0;      // CPU time of one Step
  double step_p99_us = 0;
  int64_t steps = 0;
  int64_t queued = 0;          // the least length of the queue
  double utilisation = 0;      // mean share of slots that are held
};

// Deterministic but for the times. InvalidArgument: no such policy.
[[nodiscard]] absl::StatusOr<SyntheticResult> MeasureSynthetic(const SyntheticOptions& options);

}  // namespace rm::bench

#endif  // RM_TOOLS_BENCH_SCHEDULE_SYNTHETIC_H_
