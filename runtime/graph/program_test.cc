#include "runtime/graph/program.h"

#include <catch2/catch.hpp>

#include "runtime/graph/aligned_memory.h"
#include "runtime/graph/graph_testing.h"
#include "runtime/graph/kernel_testing.h"

namespace rm::graph {
namespace {

using kernels::DType;
using kernels::KernelEntry;

// A program with fake kernels and memory for its parameters.
class Compiled {
 public:
  explicit Compiled(const Graph& graph, CompileOptions options = {},
                    std::vector<KernelEntry> table = PlainTable())
      : table_(std::move(table)) {
    options.batch = 2;
    options.kernels = table_;
    auto program = Program::Compile(graph, options);
    REQUIRE(program.status() == absl::OkStatus());
    program_ = *std::move(program);
  }

  void Bind() {
    for (size_t i = 0; i < program_->parameters().size(); ++i) {
      const size_t bytes = static_cast<size_t>(program_->parameters()[i].elements) * sizeof(float);
      values_.push_back(AlignedMemory::Allocate(bytes).value());
      gradients_.push_back(AlignedMemory::Allocate(bytes).value());
      program_->BindParameter(static_cast<int>(i), value(i), gradient(i));
    }
  }
  float* value(size_t i) { return reinterpret_cast<float*>(values_[i].data()); }
  float* gradient(size_t i) { return reinterpret_cast<float*>(gradients_[i].data()); }
  Program* operator->() { return program_.get(); }

  // Runs a backward pass and returns the parameters in the order in which they were reported.
  std::vector<int> BackwardOrder() {
    std::vector<int> order;
    const absl::Status status = program_->Backward([&](int i) { order.push_back(i); });
    REQUIRE(status == absl::OkStatus());
    return order;
  }

 private:
  std::vector<KernelEntry> table_;
  std::unique_ptr<Program> program_;
  std::vector<AlignedMemory> values_;
  std::vector<AlignedMemory> gradients_;
};

std::vector<int> Listed(absl::Span<const int> span) { return {span.begin(), span.end()}; }

TEST_CASE("a program lists its parameters in the graph's order", "[program]") {
  Compiled program(ForTraining(TwoLayers()));
  REQUIRE(program->parameters().size() == 4);
  CHECK(program->parameters()[0].name == "fc1.weight");
  CHECK(program->parameters()[0].shape == kernels::Shape{5, 4});
  CHECK(program->parameters()[0].elements == 20);
  CHECK(program->parameters()[3].name == "fc2.bias");
}

TEST_CASE("gradients are reported once each, in the order that was announced", "[program]") {
  Compiled program(ForTraining(TwoLayers()));
  program.Bind();
  CHECK(Listed(program->gradient_order()) == std::vector<int>{2, 3, 0, 1});
  REQUIRE(program->Forward() == absl::OkStatus());
  CHECK(program.BackwardOrder() == Listed(program->gradient_order()));
}

TEST_CASE("a gradient is final when it is reported", "[program]") {
  Compiled program(ForTraining(SmallConvnet()));
  program.Bind();
  for (int round = 0; round < 2; ++round) {
    REQUIRE(program->Forward() == absl::OkStatus());
    std::vector<float> seen(program->parameters().size());
    const absl::Status status = program->Backward([&](int i) {
      const size_t index = static_cast<size_t>(i);
      seen[index] = program.gradient(index)[0];
      // It is the caller's from now on: a transport may write into it.
      program.gradient(index)[0] = -1000;
    });
    REQUIRE(status == absl::OkStatus());
    for (size_t i = 0; i < seen.size(); ++i) {
      CHECK(seen[i] > 0);
      CHECK(program.gradient(i)[0] == -1000);
    }
  }
}

TEST_CASE("a parameter that the loss does not depend on has a gradient of zeros", "[program]") {
  Graph graph = TwoLayers();
  graph.AddParameter("unused", {3}, {});
  Compiled program(ForTraining(graph));
  program.Bind();
  REQUIRE(program->Forward() == absl::OkStatus());
  program.gradient(4)[1] = 5;
  CHECK(program.BackwardOrder() == std::vector<int>{4, 2, 3, 0, 1});
  CHECK(Listed(program->gradient_order()) == std::vector<int>{4, 2, 3, 0, 1});
  CHECK(program.gradient(4)[1] == 0);
}

// Two layers over x + offset; the buffer "offset" follows the sum of x over the rows.
Graph WithBuffer() {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  const ValueId offset = graph.AddBuffer("offset", {4}, {});
  const ValueId moved = graph.AddNode("Add", "moved", {x, offset});
  const ValueId sum = graph.AddNode("ReduceSum", "sum", {x},
                                    {{"axes", Ints{0}}, {"keepdims", int64_t{0}}});
  graph.SetBufferUpdate(offset, sum, 0.25F);
  graph.MarkOutput(kModelOutput, Linear("fc", moved, 4, 3, &graph));
  return graph;
}

TEST_CASE("a buffer is bound like a parameter, and its statistic stays after the passes",
          "[program]") {
  Compiled program(ForTraining(WithBuffer()));
  program.Bind();
  REQUIRE(program->parameters().size() == 2);
  REQUIRE(program->buffers().size() == 1);
  CHECK(program->buffers()[0].name == "offset");
  CHECK(program->buffers()[0].elements == 4);
  CHECK(program->buffers()[0].updated);
  CHECK(program->buffers()[0].momentum == 0.25F);
  CHECK(program->Forward() ==
        absl::FailedPreconditionError("buffer 'offset' is not bound to memory"));

  const AlignedMemory offset = AlignedMemory::Allocate(64).value();
  float* values = reinterpret_cast<float*>(offset.data());
  values[0] = 100;
  program->BindBuffer(0, values);
  static_cast<float*>(*program->InputMemory("x"))[0] = 10;
  const float* statistic = program->StatisticMemory(0).value();
  REQUIRE(program->Forward() == absl::OkStatus());
  // The fake kernels add: moved = 1 + x + offset, fc = 1 + moved, sum = 1 + x.
  CHECK(static_cast<const float*>(*program->OutputMemory(kModelOutput))[0] == 112);
  CHECK(statistic[3] == 11);
  program.BackwardOrder();
  CHECK(statistic[3] == 11);
  CHECK(values[0] == 100);  // the program never writes it
}

TEST_CASE("without training nothing moves a buffer, and what would is not computed", "[program]") {
  CompileOptions options;
  options.training = false;
  Compiled program(ForTraining(WithBuffer()), options);
  REQUIRE(program->buffers().size() == 1);
  CHECK_FALSE(program->buffers()[0].updated);
  for (const NodeReport& node : program->Report()) CHECK(node.node != "sum");
}

TEST_CASE("a statistic of another size than its buffer is refused by name", "[program]") {
  Graph graph = WithBuffer();
  const ValueId wrong = graph.AddNode("ReduceSum", "wrong", {graph.FindValue("x")});
  graph.SetBufferUpdate(graph.FindValue("offset"), wrong, 0.25F);
  const std::vector<KernelEntry> table = PlainTable();
  CompileOptions options;
  options.batch = 2;
  options.kernels = table;
  CHECK(Program::Compile(ForTraining(graph), options).status() ==
        absl::InvalidArgumentError("buffer 'offset' is [4], what moves it is [1, 1]"));
}

TEST_CASE("inputs and outputs are found by name, with their types", "[program]") {
  Compiled program(ForTraining(TwoLayers()));
  program.Bind();
  CHECK(program->InputType("x")->ToString() == "[2, 4]");
  CHECK(program->InputType("labels")->ToString() == "int64 [2]");
  CHECK(program->OutputType(kModelOutput)->ToString() == "[2, 3]");
  CHECK(program->OutputType(kLossSum)->ToString() == "[1]");
  CHECK(program->InputMemory("y").status() ==
        absl::NotFoundError("the model has no input 'y'; there is labels, scale, weights, x"));
  CHECK(program->OutputMemory("fc1").status() ==
        absl::NotFoundError("the model has no output 'fc1'; there is correct, loss_sum, output"));

  // The fake kernels add: fc1 = 1 + x, relu = 1 + fc1, fc2 = 1 + relu.
  static_cast<float*>(*program->InputMemory("x"))[0] = 10;
  REQUIRE(program->Forward() == absl::OkStatus());
  const float* output = static_cast<const float*>(*program->OutputMemory(kModelOutput));
  CHECK(output[0] == 12);  // relu is fused
  CHECK(output[5] == 12);
}

TEST_CASE("inputs keep their content, outputs until the next Forward", "[program]") {
  Compiled program(ForTraining(SmallConvnet()));
  program.Bind();
  static_cast<float*>(*program->InputMemory("x"))[0] = 3;
  REQUIRE(program->Forward() == absl::OkStatus());
  const float* loss = static_cast<const float*>(*program->OutputMemory(kLossSum));
  const float before = loss[0];
  program.BackwardOrder();
  CHECK(loss[0] == before);
  CHECK(static_cast<float*>(*program->InputMemory("x"))[0] == 3);
  REQUIRE(program->Forward() == absl::OkStatus());
  CHECK(loss[0] == before);
}

TEST_CASE("constants are there from the start", "[program]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  const ValueId c = graph.AddConstant("c", {4}, {100, 0, 0, 0});
  graph.MarkOutput("output", graph.AddNode("Add", "y", {x, c}));
  Compiled program(graph);
  REQUIRE(program->Forward() == absl::OkStatus());
  CHECK(static_cast<const float*>(*program->OutputMemory("output"))[0] == 101);
}

TEST_CASE("calls out of order are refused", "[program]") {
  Compiled program(ForTraining(TwoLayers()));
  CHECK(program->Forward() ==
        absl::FailedPreconditionError("parameter 'fc1.weight' is not bound to memory"));
  program.Bind();
  const auto ignore = [](int) {};
  CHECK(program->Backward(ignore) ==
        absl::FailedPreconditionError("Backward without a Forward before"));
  REQUIRE(program->Forward() == absl::OkStatus());
  REQUIRE(program->Backward(ignore) == absl::OkStatus());
  CHECK(program->Backward(ignore) ==
        absl::FailedPreconditionError("Backward without a Forward before"));
}

TEST_CASE("without training there is no backward pass", "[program]") {
  CompileOptions options;
  options.training = false;
  Compiled program(ForTraining(SmallConvnet()), options);
  for (size_t i = 0; i < program->parameters().size(); ++i) {
    alignas(64) static const float kWeights[64] = {};
    program->BindParameter(static_cast<int>(i), kWeights, nullptr);
  }
  CHECK(program->gradient_order().empty());
  CHECK(program->Forward() == absl::OkStatus());
  CHECK(program->Backward([](int) {}) ==
        absl::FailedPreconditionError("the program is not for training"));
  for (const NodeReport& report : program->Report()) CHECK_FALSE(report.backward);
  Compiled training(ForTraining(SmallConvnet()));
  CHECK(program->arena_bytes() < training->arena_bytes());
}

TEST_CASE("reuse of memory makes the arena smaller", "[program]") {
  CompileOptions apart;
  apart.reuse_memory = false;
  Compiled planned(ForTraining(SmallConvnet()));
  Compiled separate(ForTraining(SmallConvnet()), apart);
  CHECK(planned->arena_bytes() < separate->arena_bytes());
  CHECK(planned->arena_bytes() % 64 == 0);
}

TEST_CASE("the report tells how each node runs, and its time when asked", "[program]") {
  Compiled program(ForTraining(SmallConvnet()));
  program.Bind();
  const auto run = [&] {
    REQUIRE(program->Forward() == absl::OkStatus());
    program.BackwardOrder();
  };
  run();
  std::vector<NodeReport> reports = program->Report();
  CHECK(reports[0].node == "conv1");
  CHECK(reports[0].instance == "Conv([2, 1, 8, 8], [2, 1, 3, 3], [2]) → [2, 2, 6, 6]");
  CHECK(reports[0].kernel == "plain");
  CHECK(reports[0].runs == 0);
  const auto flatten = std::find_if(reports.begin(), reports.end(),
                                    [](const NodeReport& r) { return r.node == "flatten"; });
  REQUIRE(flatten != reports.end());
  CHECK(flatten->kernel == "view");
  CHECK(reports.back().node == "conv1/dW");
  CHECK(reports.back().backward);

  program->MeasureNodes(true);
  run();
  run();
  program->MeasureNodes(false);
  run();
  for (const NodeReport& report : program->Report()) {
    INFO(report.node);
    CHECK(report.runs == (report.kernel == "view" ? 0 : 2));
    CHECK(report.time >= absl::ZeroDuration());
  }
  program->MeasureNodes(true);
  CHECK(program->Report()[0].runs == 0);
}

class FailingKernel final : public kernels::Kernel {
 public:
  absl::Status Run(const kernels::Arguments&) override {
    return absl::InvalidArgumentError("row 3: label 12");
  }
};

TEST_CASE("an error of a kernel names its node", "[program]") {
  std::vector<KernelEntry> table = PlainTable();
  for (KernelEntry& entry : table) {
    if (std::string(entry.op) != "SoftmaxCrossEntropy") continue;
    entry.make =
        [](const kernels::OpInstance&,
           const kernels::KernelOptions&) -> absl::StatusOr<std::unique_ptr<kernels::Kernel>> {
      return std::unique_ptr<kernels::Kernel>(std::make_unique<FailingKernel>());
    };
  }
  Compiled program(ForTraining(TwoLayers()), {}, table);
  program.Bind();
  CHECK(program->Forward() == absl::InvalidArgumentError("node 'loss_sum': row 3: label 12"));
  CHECK(program->Backward([](int) {}) ==
        absl::FailedPreconditionError("Backward without a Forward before"));
}

TEST_CASE("what cannot be compiled says why", "[program]") {
  const std::vector<KernelEntry> table = {PlainEntry("Gemm")};
  CompileOptions options;
  options.kernels = table;
  options.fuse = false;
  CHECK(Program::Compile(TwoLayers(), options).status() ==
        absl::InvalidArgumentError("no kernel for node 'relu': Relu([1, 5]) → [1, 5]"));
  options.batch = 0;
  CHECK(Program::Compile(TwoLayers(), options).status() ==
        absl::InvalidArgumentError("a batch of 0 samples; at least 1"));
  options.batch = 1;
  const std::vector<KernelEntry> broken = {
      {"Gemm", "broken", &AllPlain, nullptr,
       [](const kernels::OpInstance&,
          const kernels::KernelOptions&) -> absl::StatusOr<std::unique_ptr<kernels::Kernel>> {
         return absl::InternalError("no code for this machine");
       },
       -1}};
  options.kernels = broken;
  options.fuse = true;
  CHECK(Program::Compile(TwoLayers(), options).status() ==
        absl::InternalError(
            "node 'fc1': Gemm([1, 4], [5, 4], [5]) → [1, 5]: no code for this machine"));
}

TEST_CASE("a program too large for any machine tells its size, and fails when it is used",
          "[program]") {
  Graph graph;
  const int64_t wide = int64_t{1} << 44;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, wide});
  graph.MarkOutput("output", graph.AddNode("Relu", "y", {x}));
  Compiled program(graph);
  CHECK(program->arena_bytes() >= 2 * 2 * 4 * wide);
  CHECK(program->InputMemory("x").status().code() == absl::StatusCode::kResourceExhausted);
  CHECK(program->Forward().code() == absl::StatusCode::kResourceExhausted);
}

TEST_CASE("a graph without a backward pass compiles for inference", "[program]") {
  Compiled program(TwoLayers());
  CHECK(program->gradient_order().empty());
  program.Bind();
  CHECK(program->Forward() == absl::OkStatus());
}

}  // namespace
}  // namespace rm::graph
