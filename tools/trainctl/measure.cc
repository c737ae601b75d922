// Everything here is a race against the noise of a machine that does other things too: rates are the
// fastest of several tries, since nothing makes a machine faster than it is; times of nodes are
// medians, since a step of training meets the same noise.
#include "tools/trainctl/measure.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "absl/functional/function_ref.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"
#include "kernels/kernels.h"
#include "runtime/graph/own_weights.h"
#include "runtime/graph/training.h"

namespace rm::trainctl {
namespace {

constexpr int64_t kProductSize = 384;
constexpr int64_t kBlockBytes[] = {32 << 10, 128 << 10, 512 << 10, 2 << 20,
                                   8 << 20,  32 << 20,  128 << 20};
// Tries are short, so that some of them pass without another process on the core; the fastest counts.
constexpr absl::Duration kTryFor = absl::Microseconds(100);  // at least, so that the clock is exact
constexpr absl::Duration kTriesFor = absl::Milliseconds(50);
constexpr int kTriesLeast = 5;
constexpr int kWarmUps = 3;
constexpr int kRunsLeast = 5;
constexpr int kRunsMost = 50;
constexpr absl::Duration kMeasureFor = absl::Seconds(1);

// No calendar: a clock that is set back must not make a node run in no time.
absl::Duration Now() { return base::RealClock().Monotonic(); }

// Seconds that `work` takes: the fastest of some tries of as many calls as a try needs to be long
// enough. The first call is not counted.
double SecondsOf(absl::FunctionRef<void()> work) {
  work();
  double best = 0;
  const absl::Duration end = Now() + kTriesFor;
  for (int i = 0; i < kTriesLeast || Now() < end; ++i) {
    int calls = 0;
    const absl::Duration start = Now();
    absl::Duration taken;
    do {
      work();
      ++calls;
      taken = Now() - start;
    } while (taken < kTryFor);
    const double seconds = absl::ToDoubleSeconds(taken) / calls;
    if (i == 0 || seconds < best) best = seconds;
  }
  return best;
}

// A block of so many bytes: half of them are copied onto the other half.
double CopyRate(int64_t bytes, char* memory) {
  const auto half = static_cast<size_t>(bytes / 2);
  const double seconds = SecondsOf([&] {
    std::memcpy(memory + half, memory, half);
    // Whoever looks at the result keeps the copy from being left out.
    memory[0] = static_cast<char>(memory[2 * half - 1] + 1);
  });
  return static_cast<double>(bytes) / seconds;
}

// Seconds of one operator on an input and a parameter of the same shape. By way of the engine and not of
// a loop of our own: what no kernel here reaches is no bound that a node could be held to.
absl::StatusOr<double> SecondsOfOperator(const char* op, const kernels::Shape& shape,
                                         kernels::Attributes attributes) {
  graph::Graph graph;
  const graph::ValueId x = graph.AddInput("x", kernels::DType::kFloat32, shape);
  const graph::ValueId w = graph.AddParameter("w", shape, {});
  graph.MarkOutput(graph::kModelOutput, graph.AddNode(op, "node", {x, w}, std::move(attributes)));
  graph::CompileOptions options;
  options.kernels = kernels::CpuKernels();
  options.training = false;
  RM_ASSIGN_OR_RETURN(const auto program, graph::Program::Compile(graph, options));
  RM_ASSIGN_OR_RETURN(const graph::OwnWeights weights,
                      graph::OwnWeights::Bind(graph, 1, program.get()));
  absl::Status status;
  const double seconds = SecondsOf([&] { status.Update(program->Forward()); });
  RM_RETURN_IF_ERROR(status);
  return seconds;
}

// As a fully connected layer has it: large enough for its operands to be nothing beside its work, and
// small enough for them to fit the caches of most machines.
absl::StatusOr<double> ProductRate() {
  RM_ASSIGN_OR_RETURN(const double seconds,
                      SecondsOfOperator("Gemm", {kProductSize, kProductSize},
                                        {{"transB", int64_t{1}}}));
  return 2.0 * kProductSize * kProductSize * kProductSize / seconds;
}

// Three operands of a third of the block each.
absl::StatusOr<double> SumRate(int64_t bytes) {
  const int64_t elements = bytes / 3 / static_cast<int64_t>(sizeof(float));
  RM_ASSIGN_OR_RETURN(const double seconds, SecondsOfOperator("Add", {elements}, {}));
  return static_cast<double>(bytes) / seconds;
}

// Numbers as a batch has them: any at all for samples, 1 for weights of samples, the first class or
// word for whole numbers.
absl::Status FillInputs(const graph::Graph& graph, graph::Program* program) {
  for (const graph::ValueId id : graph.inputs()) {
    const std::string& name = graph.value(id).name;
    RM_ASSIGN_OR_RETURN(const kernels::TensorType type, program->InputType(name));
    RM_ASSIGN_OR_RETURN(void* const memory, program->InputMemory(name));
    if (type.dtype != kernels::DType::kFloat32) {
      std::memset(memory, 0, type.bytes());
      continue;
    }
    base::RandomStream random(1, base::StableHash(name));
    auto* const values = static_cast<float*>(memory);
    const bool is_given = name == graph::kWeights || name == graph::kScale;
    for (int64_t i = 0; i < type.elements(); ++i) values[i] = is_given ? 1 : random.NextNormal();
  }
  return absl::OkStatus();
}

// Gradients are ready when they are: nobody sends them anywhere.
absl::Status RunOnce(bool training, graph::Program* program) {
  RM_RETURN_IF_ERROR(program->Forward());
  return training ? program->Backward([](int) {}) : absl::OkStatus();
}

// The upper one of an even number.
absl::Duration Median(std::vector<absl::Duration> times) {
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

}  // namespace

// The rate of a block is that of its cache; what is larger than all of them lies in memory.
absl::Duration MachineRates::Bound(int64_t flops, int64_t bytes) const {
  double rate = bytes_per_second.back().second;
  for (const auto& [block, of_block] : bytes_per_second) {
    if (bytes > block) continue;
    rate = of_block;
    break;
  }
  return absl::Seconds(std::max(static_cast<double>(flops) / flops_per_second,
                                static_cast<double>(bytes) / rate));
}

// One block of memory for all sizes: the small ones are its beginning.
absl::StatusOr<MachineRates> MeasureRates() {
  MachineRates rates;
  RM_ASSIGN_OR_RETURN(rates.flops_per_second, ProductRate());
  const int64_t most = *std::max_element(std::begin(kBlockBytes), std::end(kBlockBytes));
  RM_ASSIGN_OR_RETURN(const graph::AlignedMemory memory,
                      graph::AlignedMemory::Allocate(static_cast<size_t>(most)));
  for (const int64_t bytes : kBlockBytes) {
    RM_ASSIGN_OR_RETURN(const double sum, SumRate(bytes));
    rates.bytes_per_second.emplace_back(bytes, std::max(sum, CopyRate(bytes, memory.data())));
  }
  return rates;
}

// Two steps a run: one with a look at every node, one without, which is what a step really takes.
absl::StatusOr<Measurement> MeasureProgram(const graph::Graph& graph, bool training,
                                           const MachineRates& rates, graph::Program* program) {
  RM_ASSIGN_OR_RETURN(const graph::OwnWeights weights,
                      graph::OwnWeights::Bind(graph, 1, program));
  RM_RETURN_IF_ERROR(FillInputs(graph, program));
  // The first steps meet cold caches, pages and clocks.
  for (int i = 0; i < kWarmUps; ++i) RM_RETURN_IF_ERROR(RunOnce(training, program));
  std::vector<std::vector<absl::Duration>> times(program->Report().size());
  std::vector<absl::Duration> steps;
  Measurement result;
  const absl::Duration end = Now() + kMeasureFor;
  while (result.runs < kRunsLeast || (result.runs < kRunsMost && Now() < end)) {
    const absl::Duration start = Now();
    RM_RETURN_IF_ERROR(RunOnce(training, program));
    steps.push_back(Now() - start);
    program->MeasureNodes(true);
    RM_RETURN_IF_ERROR(RunOnce(training, program));
    program->MeasureNodes(false);
    const std::vector<graph::NodeReport> reports = program->Report();
    for (size_t i = 0; i < reports.size(); ++i) times[i].push_back(reports[i].time);
    ++result.runs;
  }
  result.step = Median(std::move(steps));
  for (const graph::NodeReport& report : program->Report()) {
    const bool is_view = report.bytes == 0;
    NodeCost cost{report, Median(std::move(times[result.nodes.size()])), absl::ZeroDuration()};
    if (!is_view) cost.bound = rates.Bound(report.flops, report.bytes);
    result.nodes.push_back(std::move(cost));
  }
  return result;
}

}  // namespace rm::trainctl
