// `bench schedule`: the scheduler on real traces, simulated.
#ifndef RM_TOOLS_BENCH_SCHEDULE_BENCH_H_
#define RM_TOOLS_BENCH_SCHEDULE_BENCH_H_

namespace rm::bench {

// Prints one line for each policy. 0, or 2 for wrong flags or a trace that cannot be read, or 1
// when the replay fails; the cause is on standard error.
int ScheduleBenchCommand(int argc, char** argv);

}  // namespace rm::bench

#endif  // RM_TOOLS_BENCH_SCHEDULE_BENCH_H_
