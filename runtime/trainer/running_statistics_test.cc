#include "runtime/trainer/running_statistics.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/check.h"
#include "kernels/kernels.h"
#include "runtime/graph/graph.h"
#include "runtime/graph/training.h"
#include "runtime/trainer/replica.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

constexpr float kMomentum = 0.25F;

// One layer over x + offset, where the buffer "offset" (2) follows the sum of x (batch, 2) over its rows. "scale" is a
// buffer that nothing moves.
graph::Graph FollowingModel() {
  graph::Graph graph;
  const auto x = graph.AddInput("input", kernels::DType::kFloat32, {graph::kBatch, 2});
  graph::Initializer initializer;
  initializer.kind = graph::Initializer::Kind::kOne;
  const auto fixed = graph.AddBuffer("fixed", {2}, initializer);
  const auto offset = graph.AddBuffer("offset", {2}, {});
  const auto a = graph.AddNode("Add", "a", {x, offset});
  const auto b = graph.AddNode("Add", "b", {a, fixed});
  const auto sum = graph.AddNode(
      "ReduceSum", "sum", {x}, {{"axes", std::vector<int64_t>{0}}, {"keepdims", int64_t{0}}});
  graph.SetBufferUpdate(offset, sum, kMomentum);
  const auto w = graph.AddParameter("w", {2, 3}, {});
  graph.MarkOutput(graph::kModelOutput, graph.AddNode("MatMul", "output", {b, w}));
  RM_CHECK(graph::AttachLoss({}, &graph).ok());
  RM_CHECK(graph::Differentiate(&graph).ok());
  return graph;
}

std::unique_ptr<Replica> MakeReplica(comm::Communicator& communicator, int parts) {
  ReplicaOptions options;
  options.local_batch = 1;
  options.micro_batches = parts;
  options.kernels = kernels::CpuKernels();
  auto optimizer = MakeOptimizer(SmallJob().train().optimizer());
  RM_CHECK(optimizer.ok());
  auto replica = Replica::Build(FollowingModel(), options, *std::move(optimizer), communicator);
  RM_CHECK(replica.ok(), replica.status().ToString());
  return *std::move(replica);
}

StateTensor Find(const Replica& replica, const std::string& name) {
  for (const StateTensor& tensor : replica.Weights()) {
    if (tensor.name == name) return tensor;
  }
  RM_CHECK(false, "no tensor ", name);
  return {};
}

// Runs Forward on rows whose sum is (first, −first).
void Forward(Replica& replica, float first) {
  auto* x = static_cast<float*>(*replica.program().InputMemory("input"));
  x[0] = first;
  x[1] = -first;
  RM_CHECK(replica.program().Forward().ok());
}

// What the sum over the ranks does to the last bucket.
void Reduce(Replica& replica, comm::Communicator& communicator) {
  communicator.AllReduce(replica.bucket_count() - 1);
  RM_CHECK(communicator.WaitAll().ok());
}

TEST_CASE("a buffer moves by the mean over the ranks, weighted by their samples, the same on each") {
  constexpr int kRanks = 3;
  std::vector<float> values(kRanks);
  std::vector<std::string> hashes(kRanks);
  RunGang(kRanks, [&](comm::Communicator& communicator) {
    const auto replica = MakeReplica(communicator, 1);
    const int rank = communicator.rank();
    for (const float factor : {1.0F, 2.0F}) {
      Forward(*replica, factor * static_cast<float>(rank + 1));
      replica->statistics().Record(0, static_cast<float>(rank));  // rank 0 has no sample
      Reduce(*replica, communicator);
      replica->statistics().Update();
    }
    values[static_cast<size_t>(rank)] = Find(*replica, "offset").values[0];
    RM_CHECK(Find(*replica, "offset").values[1] == -values[static_cast<size_t>(rank)]);
    RM_CHECK(Find(*replica, "fixed").values[0] == 1);
    hashes[static_cast<size_t>(rank)] = replica->WeightsSha256();
  });
  // (1·2 + 2·3) / 3, then twice that.
  const double mean = 8.0 / 3;
  const double after_one = 0.25 * mean;
  CHECK(values[0] == Approx(0.75 * after_one + 0.25 * 2 * mean));
  CHECK(hashes[1] == hashes[0]);
  CHECK(hashes[2] == hashes[0]);
}

TEST_CASE("micro-batches are applied one after the other; one without weight moves nothing") {
  RunGang(1, [](comm::Communicator& communicator) {
    const auto replica = MakeReplica(communicator, 3);
    Forward(*replica, 4);
    replica->statistics().Record(0, 2);
    Forward(*replica, std::numeric_limits<float>::quiet_NaN());
    replica->statistics().Record(1, 0);
    Forward(*replica, 8);
    replica->statistics().Record(2, 5);
    Reduce(*replica, communicator);
    replica->statistics().Update();
    RM_CHECK(Find(*replica, "offset").values[0] == 0.75F * (0.25F * 4) + 0.25F * 8);
  });
}

TEST_CASE("the hash covers buffers, and a model without moving buffers pays nothing on the wire") {
  RunGang(1, [](comm::Communicator& communicator) {
    const auto replica = MakeReplica(communicator, 1);
    const std::string before = replica->WeightsSha256();
    Find(*replica, "offset").values[1] += 1;
    RM_CHECK(replica->WeightsSha256() != before);
    RM_CHECK(replica->parameter_count() == 6);  // buffers are not trained
  });
  std::vector<graph::BufferInfo> buffers(2);
  buffers[0].elements = 20;
  buffers[1].elements = 15;
  CHECK(RunningStatistics::WireFloats(buffers, 4) == 0);
  buffers[1].updated = true;
  CHECK(RunningStatistics::WireFloats(buffers, 1) == 16);  // with the weight
  CHECK(RunningStatistics::WireFloats(buffers, 4) == 64);
  buffers[0].updated = true;
  CHECK(RunningStatistics::WireFloats(buffers, 2) == 96);
}

}  // namespace
}  // namespace rm::trainer
