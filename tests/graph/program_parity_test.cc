// One graph, several programs: whatever the compiler does to it, the results are the same.
#include <algorithm>
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "kernels/kernels.h"
#include "runtime/graph/random_model_testing.h"
#include "runtime/graph/training.h"
#include "runtime/zoo/zoo.h"
#include "tests/graph/training_run.h"

namespace rm::graph {
namespace {

constexpr uint64_t kModels = 120;

CompileOptions Options(int64_t batch, kernels::KernelTable table) {
  CompileOptions options;
  options.batch = batch;
  options.kernels = table;
  return options;
}

// The second of two equal steps: by then the arena is full of what the first one left.
StepResult Run(const Graph& graph, const CompileOptions& options, uint64_t seed) {
  auto run = TrainingRun::Make(graph, options, seed);
  REQUIRE(run.status() == absl::OkStatus());
  const StepData data = RandomStep(graph, options.batch, seed);
  const auto first = run->Step(data);
  REQUIRE(first.status() == absl::OkStatus());
  auto second = run->Step(data);
  REQUIRE(second.status() == absl::OkStatus());
  CHECK(SameBits(*first, *second));
  return *std::move(second);
}

int64_t Batch(uint64_t seed) { return 1 + static_cast<int64_t>(seed % 4); }

// Equal up to the rounding of float32 sums in another order. Where terms cancel, what is left may
// be all rounding: a number that is added to all logits has no gradient, and where the softmax is
// sure of its class nothing has. So what is small is judged by the size of its neighbours, at least
// by 0.01.
void CheckClose(const std::vector<float>& a, const std::vector<float>& b, double tolerance,
                double neighbours) {
  const double size = std::max(LargestMagnitude(b), neighbours / 100);
  CHECK(LargestDifference(a, b) <= tolerance * std::max(size, 0.05));
}

void CheckClose(const StepResult& a, const StepResult& b, double tolerance) {
  CheckClose(a.output, b.output, tolerance, 0);
  CheckClose({a.loss_sum}, {b.loss_sum}, tolerance, 0);
  REQUIRE(a.gradients.size() == b.gradients.size());
  double largest = 0;
  for (const auto& gradient : b.gradients) largest = std::max(largest, LargestMagnitude(gradient));
  for (size_t i = 0; i < a.gradients.size(); ++i) {
    INFO("gradient of parameter " << i);
    CheckClose(a.gradients[i], b.gradients[i], tolerance, largest);
  }
}

TEST_CASE("the CPU's kernels compute what the reference kernels do", "[program_parity]") {
  for (uint64_t seed = 0; seed < kModels; ++seed) {
    INFO("seed " << seed);
    const Graph graph = RandomTrainingGraph(seed, seed % 2 == 0);
    CheckClose(Run(graph, Options(Batch(seed), kernels::CpuKernels()), seed),
               Run(graph, Options(Batch(seed), kernels::ReferenceKernels()), seed), 1e-4);
  }
}

TEST_CASE("fused and unfused programs agree to the bit", "[program_parity]") {
  for (uint64_t seed = 0; seed < kModels; ++seed) {
    INFO("seed " << seed);
    const Graph graph = RandomTrainingGraph(seed, false);
    CompileOptions options = Options(Batch(seed), kernels::ReferenceKernels());
    const StepResult fused = Run(graph, options, seed);
    options.fuse = false;
    CHECK(SameBits(fused, Run(graph, options, seed)));
  }
}

TEST_CASE("sharing memory changes no bit", "[program_parity]") {
  for (kernels::KernelTable table : {kernels::ReferenceKernels(), kernels::CpuKernels()}) {
    for (uint64_t seed = 0; seed < kModels; ++seed) {
      INFO("seed " << seed);
      const Graph graph = RandomTrainingGraph(seed, seed % 2 == 0);
      CompileOptions options = Options(Batch(seed), table);
      const StepResult planned = Run(graph, options, seed);
      options.reuse_memory = false;
      CHECK(SameBits(planned, Run(graph, options, seed)));
    }
  }
}

TEST_CASE("blocked and plain layouts agree", "[program_parity]") {
  for (uint64_t seed = 0; seed < kModels; ++seed) {
    INFO("seed " << seed);
    const Graph graph = RandomTrainingGraph(seed, true);
    CompileOptions options = Options(Batch(seed), kernels::CpuKernels());
    const StepResult blocked = Run(graph, options, seed);
    options.blocked_layouts = false;
    CheckClose(blocked, Run(graph, options, seed), 1e-4);
  }
}

TEST_CASE("two programs of one seed give the same bits", "[program_parity]") {
  for (uint64_t seed = 0; seed < kModels; ++seed) {
    INFO("seed " << seed);
    const Graph graph = RandomTrainingGraph(seed, true);
    const CompileOptions options = Options(Batch(seed), kernels::CpuKernels());
    CHECK(SameBits(Run(graph, options, seed), Run(graph, options, seed)));
  }
}

TEST_CASE("a program for inference computes the same outputs in less memory", "[program_parity]") {
  for (uint64_t seed = 0; seed < kModels; ++seed) {
    INFO("seed " << seed);
    const Graph graph = RandomTrainingGraph(seed, true);
    CompileOptions options = Options(Batch(seed), kernels::CpuKernels());
    auto training = TrainingRun::Make(graph, options, seed);
    REQUIRE(training.status() == absl::OkStatus());
    options.training = false;
    auto inference = TrainingRun::Make(graph, options, seed);
    REQUIRE(inference.status() == absl::OkStatus());
    CHECK(inference->program().arena_bytes() <= training->program().arena_bytes());
    const StepData data = RandomStep(graph, options.batch, seed);
    const auto trained = training->Step(data);
    const auto inferred = inference->Infer(data);
    REQUIRE(trained.status() == absl::OkStatus());
    REQUIRE(inferred.status() == absl::OkStatus());
    CHECK(inferred->loss_sum == trained->loss_sum);
    CHECK(inferred->correct == trained->correct);
    CHECK(inferred->output == trained->output);
  }
}

struct ZooCase {
  const char* model;
  int64_t batch;
};

TEST_CASE("the models of the zoo: CPU and reference kernels agree", "[program_parity]") {
  const ZooCase cases[] = {{"mlp", 1}, {"mlp", 5}, {"mlp", 128}, {"convnet", 1}, {"convnet", 7}};
  for (const ZooCase& c : cases) {
    INFO(c.model << " of batch " << c.batch);
    auto graph = zoo::BuildModel(c.model, {});
    REQUIRE(graph.status() == absl::OkStatus());
    REQUIRE(AttachLoss({}, &*graph) == absl::OkStatus());
    REQUIRE(Differentiate(&*graph) == absl::OkStatus());
    const StepResult reference = Run(*graph, Options(c.batch, kernels::ReferenceKernels()), 1);
    const StepResult cpu = Run(*graph, Options(c.batch, kernels::CpuKernels()), 1);
    CheckClose(cpu, reference, 1e-3);
    CHECK(cpu.correct == reference.correct);
  }
}

TEST_CASE("a label outside the classes is an error that names node and row", "[program_parity]") {
  const Graph graph = RandomTrainingGraph(1, false);
  for (kernels::KernelTable table : {kernels::ReferenceKernels(), kernels::CpuKernels()}) {
    auto run = TrainingRun::Make(graph, Options(3, table), 1);
    REQUIRE(run.status() == absl::OkStatus());
    StepData data = RandomStep(graph, 3, 1);
    data.labels[2] = 1000;
    data.weights[2] = 1;
    const absl::Status status = run->Step(data).status();
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(status.message()), Catch::Contains("node 'loss_sum'"));
    CHECK_THAT(std::string(status.message()), Catch::Contains("1000"));
    data.weights[2] = 0;  // left out: its label does not matter
    CHECK(run->Step(data).ok());
  }
}

}  // namespace
}  // namespace rm::graph
