// The one binary. What it is depends on the name it was called by, else on its first argument:
//
//   trainctl               the command line
//   ringmaster-coordinator  (or: ringmaster coordinator)  the coordinator daemon
//   ringmaster-worker       (or: ringmaster worker)       the worker daemon
//   ringmaster rank         a rank of a job, started by a worker
//   ringmaster bench-rank   a rank of a benchmark, started by trainctl bench

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "runtime/coordinator/main.h"
#include "runtime/trainer/rank_main.h"
#include "runtime/worker/main.h"
#include "tools/bench/main.h"
#include "tools/trainctl/main.h"

namespace {

struct Program {
  std::string_view name;      // as first argument
  std::string_view own_name;  // as the file's name; empty: none
  int (*main)(int argc, char** argv);
};

constexpr Program kPrograms[] = {
    {"trainctl", "trainctl", &rm::trainctl::TrainctlMain},
    {"coordinator", "ringmaster-coordinator", &rm::coordinator::CoordinatorMain},
    {"worker", "ringmaster-worker", &rm::worker::WorkerMain},
    {"rank", "", &rm::trainer::RankMain},
    {"bench-rank", "", &rm::bench::BenchRankMain},
};

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

int main(int argc, char** argv) {
  // gRPC complains about sockets on standard error; what that means to people is said by us. Who
  // wants to hear it sets the variable.
  ::setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);  // NOLINT(concurrency-mt-unsafe)
  const std::string_view called = argc > 0 ? BaseName(argv[0]) : "";
  for (const Program& program : kPrograms) {
    if (!program.own_name.empty() && called == program.own_name) return program.main(argc, argv);
  }
  const std::string_view first = argc > 1 ? argv[1] : "";
  for (const Program& program : kPrograms) {
    if (first == program.name) return program.main(argc - 1, argv + 1);
  }
  const bool asked = first == "--help" || first == "-h";
  std::fputs("usage: ringmaster trainctl|coordinator|worker [flags]\n", asked ? stdout : stderr);
  return asked ? 0 : 2;
}
