// How long a step of a zoo model takes, as a whole and node by node.
//
//   program_bench MODEL BATCH [STEPS] [ref|plain]
//
// One thread. Prints the median, minimum and maximum of five repeats of a forward and backward
// pass, then the nodes with their share of the time. `ref` takes the reference kernels, `plain`
// leaves every layout plain.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "kernels/kernels.h"
#include "runtime/graph/training.h"
#include "runtime/zoo/zoo.h"
#include "tests/graph/training_run.h"

namespace rm::graph {
namespace {

constexpr int kRepeats = 5;

struct BenchOptions {
  std::string model = "mlp";
  int64_t batch = 128;
  int steps = 50;
  std::string variant;
};

// What a step costs: by the clock on the wall, and of this process's CPU time, which other programs
// on a busy machine change less.
struct StepTime {
  double wall_ms = 0;
  double cpu_ms = 0;

  friend bool operator<(const StepTime& a, const StepTime& b) { return a.wall_ms < b.wall_ms; }
};

StepTime TimeOfStep(Program* program, int steps) {
  const absl::Time start = absl::Now();
  const std::clock_t cpu_start = std::clock();
  for (int i = 0; i < steps; ++i) {
    absl::Status status = program->Forward();
    if (status.ok()) status = program->Backward([](int) {});
    if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  }
  const double cpu_s = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  return {absl::ToDoubleMilliseconds(absl::Now() - start) / steps, 1000 * cpu_s / steps};
}

void PrintNodes(const Program& program, double step_ms) {
  std::printf("%8s %6s  %-34s %-22s %s\n", "us", "share", "node", "kernel", "instance");
  for (const NodeReport& node : program.Report()) {
    if (node.runs == 0) continue;
    const double us = absl::ToDoubleMicroseconds(node.time) / static_cast<double>(node.runs);
    std::printf("%8.1f %5.1f%%  %-34s %-22s %s\n", us, us / step_ms / 10, node.node.c_str(),
                node.kernel.c_str(), node.instance.c_str());
  }
}

absl::Status Bench(const BenchOptions& bench) {
  auto graph = zoo::BuildModel(bench.model, {});
  if (!graph.ok()) return graph.status();
  absl::Status status = AttachLoss({}, &*graph);
  if (status.ok()) status = Differentiate(&*graph);
  if (!status.ok()) return status;
  CompileOptions options;
  options.batch = bench.batch;
  options.kernels = bench.variant == "ref" ? kernels::ReferenceKernels() : kernels::CpuKernels();
  options.blocked_layouts = bench.variant != "plain";
  auto run = TrainingRun::Make(*graph, options, 1);
  if (!run.ok()) return run.status();
  status = run->Step(RandomStep(*graph, bench.batch, 1)).status();  // fills the inputs
  if (!status.ok()) return status;

  Program& program = run->program();
  std::vector<StepTime> times;
  for (int i = 0; i < kRepeats; ++i) times.push_back(TimeOfStep(&program, bench.steps));
  std::sort(times.begin(), times.end());
  const StepTime median = times[kRepeats / 2];
  std::printf(
      "%s b%lld: %.3f ms a step (min %.3f, max %.3f, CPU %.3f), %.0f samples/s, "
      "arena %.2f MiB\n",
      bench.model.c_str(), static_cast<long long>(bench.batch), median.wall_ms,
      times.front().wall_ms, times.back().wall_ms, median.cpu_ms,
      1000 * static_cast<double>(bench.batch) / median.wall_ms,
      static_cast<double>(program.arena_bytes()) / (1 << 20));
  program.MeasureNodes(true);
  TimeOfStep(&program, bench.steps);
  PrintNodes(program, median.wall_ms);
  return absl::OkStatus();
}

}  // namespace
}  // namespace rm::graph

int main(int argc, char** argv) {
  rm::graph::BenchOptions bench;
  if (argc > 1) bench.model = argv[1];
  if (argc > 2) bench.batch = std::atoll(argv[2]);
  if (argc > 3) bench.steps = std::atoi(argv[3]);
  if (argc > 4) bench.variant = argv[4];
  const absl::Status status = rm::graph::Bench(bench);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
