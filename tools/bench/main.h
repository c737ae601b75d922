// `trainctl bench …`: measurements whose lines other people's scripts read.
#ifndef RM_TOOLS_BENCH_MAIN_H_
#define RM_TOOLS_BENCH_MAIN_H_

namespace rm::bench {

// argv[1] names the benchmark (train, allreduce). Prints results on standard output, messages on standard error. Exit codes as
// trainctl's: 0 done, 1 failed, 2 usage.
int BenchMain(int argc, char** argv);

// A rank process of a benchmark (`ringmaster bench-rank --fd N`), started by BenchMain.
int BenchRankMain(int argc, char** argv);

}  // namespace rm::bench

#endif  // RM_TOOLS_BENCH_MAIN_H_
