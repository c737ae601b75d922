// The table of benchmarks, and the two ways into it: the command, and the rank process it starts.

#include "tools/bench/main.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/flags.h"
#include "base/frame_socket.h"
#include "base/json.h"
#include "base/nearest_name.h"
#include "base/status.h"
#include "comm/collective/gang.h"
#include "tools/bench/allreduce_bench.h"
#include "tools/bench/oracle_bench.h"
#include "tools/bench/schedule_bench.h"
#include "tools/bench/train_bench.h"

namespace rm::bench {
namespace {

// One benchmark: its command, and what its rank processes do.
struct Benchmark {
  const char* name;
  const char* summary;
  int (*command)(int argc, char** argv);
  absl::StatusOr<base::Json> (*rank)(const base::Json& settings, comm::Communicator& communicator);
};

constexpr Benchmark kBenchmarks[] = {
    {"train", "training throughput on synthetic data", &TrainBenchCommand, &TrainBenchRank},
    {"allreduce", "time of an allreduce by size", &AllReduceBenchCommand, &AllReduceBenchRank},
    {"oracle", "a case of another framework, trained and compared", &OracleBenchCommand, nullptr},
    {"schedule", "scheduling policies on a trace of jobs, simulated", &ScheduleBenchCommand, nullptr},
};

const Benchmark* FindBenchmark(absl::string_view name) {
  for (const Benchmark& benchmark : kBenchmarks) {
    if (name == benchmark.name) return &benchmark;
  }
  return nullptr;
}

// The list of benchmarks; with a problem, that comes first and on standard error.
int Usage(absl::string_view problem) {
  std::string text = absl::StrCat(problem, problem.empty() ? "" : "\n",
                                  "usage: trainctl bench NAME [flags]\n\n");
  for (const Benchmark& benchmark : kBenchmarks) {
    absl::StrAppend(&text, "  ", benchmark.name, std::string(12 - std::string(benchmark.name).size(), ' '),
                    benchmark.summary, "\n");
  }
  std::fputs(text.c_str(), problem.empty() ? stdout : stderr);
  return problem.empty() ? 0 : 2;
}

// JSON in a frame, one way and the other.
absl::Status Tell(int fd, const base::Json& message) {
  return base::WriteFrame(fd, message.Dump());
}

absl::StatusOr<base::Json> Hear(int fd) {
  RM_ASSIGN_OR_RETURN(const std::string bytes, base::ReadFrame(fd));
  return base::Json::Parse(bytes);
}

// A rank's side of rank_group.h, up to the benchmark's own part.
absl::StatusOr<base::Json> RunRank(int fd) {
  RM_ASSIGN_OR_RETURN(base::Json settings, Hear(fd));
  const Benchmark* benchmark = FindBenchmark(settings.Find("bench")->string_or(""));
  if (benchmark == nullptr || benchmark->rank == nullptr) {
    return absl::InternalError("no such benchmark");
  }
  comm::EndpointOptions options;
  options.transport = settings.Find("transport")->string_or("auto");
  RM_ASSIGN_OR_RETURN(const auto endpoint, comm::OpenEndpoint(options));
  RM_RETURN_IF_ERROR(Tell(fd, base::Json().Set("address", endpoint->address())));
  RM_ASSIGN_OR_RETURN(const base::Json introduction, Hear(fd));
  comm::Membership membership;
  membership.job = "bench";
  membership.generation = 1;
  membership.rank = static_cast<int>(settings.Find("rank")->int_or(0));
  for (const base::Json& peer : introduction.Find("peers")->array()) {
    membership.peers.push_back(peer.string_or(""));
  }
  RM_ASSIGN_OR_RETURN(const auto communicator, endpoint->Join(membership));
  // What "auto" has come to.
  settings.Set("transport", endpoint->transport().empty() ? "none" : endpoint->transport());
  auto result = benchmark->rank(settings, *communicator);
  if (!result.ok()) {
    communicator->Abort(result.status());
    return result;
  }
  RM_RETURN_IF_ERROR(communicator->Barrier());  // nobody leaves while others still talk
  return result;
}

}  // namespace

int BenchMain(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  if (name == "--help" || name == "-h") return Usage("");
  if (name.empty()) return Usage("which benchmark?");
  const Benchmark* benchmark = FindBenchmark(name);
  if (benchmark != nullptr) return benchmark->command(argc - 1, argv + 1);
  std::vector<std::string> names;
  for (const Benchmark& known : kBenchmarks) names.emplace_back(known.name);
  return Usage(absl::StrCat("unknown benchmark '", name, "'", base::Suggestion(name, names)));
}

// The result, or the error with its code, is the last thing said on the socket.
int BenchRankMain(int argc, char** argv) {
  int64_t fd = -1;
  base::FlagSet flags("ringmaster bench-rank", "A rank of a benchmark; not started by people.");
  flags.Integer("fd", "N", "descriptor of the socket to the benchmark", 0, 1 << 20, &fd);
  if (!flags.Parse(argc, argv).ok() || fd < 0) return 2;
  ::signal(SIGPIPE, SIG_IGN);
  const auto result = RunRank(static_cast<int>(fd));
  base::Json message;
  if (result.ok()) {
    message.Set("result", *result);
  } else {
    message.Set("error", result.status().message());
    message.Set("code", static_cast<int>(result.status().code()));
  }
  const bool told = Tell(static_cast<int>(fd), message).ok();
  ::_exit(told && result.ok() ? 0 : 1);
}

}  // namespace rm::bench
