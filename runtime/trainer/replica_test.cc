#include "runtime/trainer/replica.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/sha256.h"
#include "kernels/kernels.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

struct Wanted {
  uint64_t seed = 1;
  int64_t bucket_bytes_max = 8192;
  std::string model = "mlp";
};

// Runs `look` on a replica of one rank.
void WithReplica(const Wanted& wanted, const std::function<void(Replica&)>& look) {
  RunGang(1, [&](comm::Communicator& communicator) {
    ringmaster::v1::ModelSpec spec = SmallJob().model();
    if (wanted.model != "mlp") {
      spec.Clear();
      spec.set_zoo(wanted.model);
    }
    ReplicaOptions options;
    options.local_batch = 3;
    options.bucket_bytes_max = wanted.bucket_bytes_max;
    options.kernels = kernels::CpuKernels();
    options.seed = wanted.seed;
    auto optimizer = MakeOptimizer(SmallJob().train().optimizer());
    RM_CHECK(optimizer.ok());
    auto replica = Replica::Build(TrainingGraph(spec, 3), options, *std::move(optimizer), communicator);
    RM_CHECK(replica.ok(), replica.status().ToString());
    look(**replica);
  });
}

std::string HashOf(const Wanted& wanted) {
  std::string hash;
  WithReplica(wanted, [&](Replica& replica) { hash = replica.WeightsSha256(); });
  return hash;
}

TEST_CASE("weights carry their names and shapes, optimizer state those of its parameter") {
  std::vector<StateTensor> weights;
  std::vector<StateTensor> state;
  WithReplica({}, [&](Replica& replica) {
    weights = replica.Weights();
    state = replica.OptimizerState();
  });
  REQUIRE(weights.size() == 6);
  REQUIRE(state.size() == 6);
  CHECK(weights[0].name == "fc1.weight");
  CHECK(weights[0].shape == std::vector<int64_t>{16, 784});
  for (size_t i = 0; i < weights.size(); ++i) {
    CHECK(state[i].name == "momentum/" + weights[i].name);
    CHECK(state[i].shape == weights[i].shape);
  }
}

TEST_CASE("every parameter has 64-byte aligned memory of its own, in weights and in state") {
  WithReplica({}, [](Replica& replica) {
    std::set<std::pair<const float*, const float*>> ranges;
    std::vector<StateTensor> all = replica.Weights();
    for (const StateTensor& tensor : replica.OptimizerState()) all.push_back(tensor);
    for (const StateTensor& tensor : all) {
      RM_CHECK(reinterpret_cast<uintptr_t>(tensor.values.data()) % 64 == 0);
      ranges.emplace(tensor.values.data(), tensor.values.data() + tensor.values.size());
    }
    RM_CHECK(ranges.size() == all.size());
    const float* last = nullptr;
    for (const auto& [begin, end] : ranges) {
      RM_CHECK(begin >= last);
      last = end;
    }
  });
}

TEST_CASE("buckets are as small as asked, and every gradient belongs to one") {
  const struct {
    int64_t bytes_max;
    int least, most;
  } cases[] = {{1024, 2, 6}, {1 << 20, 1, 1}};
  for (const auto& c : cases) {
    Wanted wanted;
    wanted.bucket_bytes_max = c.bytes_max;
    WithReplica(wanted, [&](Replica& replica) {
      RM_CHECK(replica.bucket_count() >= c.least && replica.bucket_count() <= c.most);
      std::vector<int> counted(static_cast<size_t>(replica.bucket_count()), 0);
      for (const int bucket : replica.bucket_of()) ++counted[static_cast<size_t>(bucket)];
      RM_CHECK(counted == replica.gradients_in_bucket());
      RM_CHECK(replica.report().size() == static_cast<size_t>(kReportFloats));
    });
  }
}

TEST_CASE("the first weights depend on the seed and on nothing else") {
  const std::string hash = HashOf({1, 8192, "mlp"});
  CHECK(HashOf({1, 8192, "mlp"}) == hash);
  CHECK(HashOf({1, 1 << 20, "mlp"}) == hash);  // not on how they are laid out
  CHECK(HashOf({2, 8192, "mlp"}) != hash);
}

TEST_CASE("the hash is the SHA-256 of the raw values in name order") {
  WithReplica({}, [](Replica& replica) {
    std::map<std::string, StateTensor> by_name;
    for (const StateTensor& tensor : replica.Weights()) by_name[tensor.name] = tensor;
    base::Sha256 sum;
    for (const auto& [name, tensor] : by_name) {
      sum.Update(tensor.values.data(), tensor.values.size() * sizeof(float));
    }
    RM_CHECK(sum.HexDigest() == replica.WeightsSha256());
    const std::string before = replica.WeightsSha256();
    replica.Weights()[3].values[0] += 1;
    RM_CHECK(replica.WeightsSha256() != before);
  });
}

TEST_CASE("the models of the zoo have the parameters their papers say") {
  const struct {
    const char* model;
    int64_t parameters;
  } cases[] = {{"convnet", 1199882}};
  for (const auto& c : cases) {
    WithReplica({1, 8 << 20, c.model}, [&](Replica& replica) {
      RM_CHECK(replica.parameter_count() == c.parameters);
    });
  }
}

}  // namespace
}  // namespace rm::trainer
