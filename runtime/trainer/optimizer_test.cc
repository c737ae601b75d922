#include "runtime/trainer/optimizer.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace rm::trainer {
namespace {

using ::ringmaster::v1::OptimizerSpec;

OptimizerSpec Sgd(const std::vector<std::pair<std::string, double>>& params) {
  OptimizerSpec spec;
  spec.set_type("SGD");
  for (const auto& [name, value] : params) (*spec.mutable_params())[name] = value;
  return spec;
}

// Two buckets of aligned memory.
struct Buckets {
  alignas(64) float weights[2][16] = {{1, 2, 3}, {4, 5}};
  alignas(64) float gradients[2][16] = {{0.5F, -1, 2}, {1, -2}};
  alignas(64) float momentum[2][16] = {};

  std::vector<BucketMemory> Memory() {
    std::vector<BucketMemory> memory;
    for (int b = 0; b < 2; ++b) {
      memory.push_back({absl::MakeSpan(weights[b]), absl::MakeSpan(gradients[b]),
                        {absl::MakeSpan(momentum[b])}});
    }
    return memory;
  }
};

TEST_CASE("SGD with momentum follows PyTorch's rule step by step, over every bucket") {
  Buckets buckets;
  auto optimizer = MakeOptimizer(Sgd({{"lr", 0.1}, {"momentum", 0.9}}));
  REQUIRE(optimizer.ok());
  CHECK((*optimizer)->state_names() == std::vector<std::string>{"momentum"});
  REQUIRE((*optimizer)->Bind(buckets.Memory(), kernels::CpuKernels(), {}).ok());
  double weight = 1;
  double momentum = 0;
  for (int step = 0; step < 3; ++step) {
    REQUIRE((*optimizer)->Apply(0.1).ok());
    momentum = 0.9 * momentum + 0.5;
    weight -= 0.1 * momentum;
    CHECK(buckets.weights[0][0] == Approx(weight));
    CHECK(buckets.momentum[0][0] == Approx(momentum));
  }
  CHECK(buckets.weights[1][1] > 5);      // against its negative gradient
  CHECK(buckets.weights[0][15] == 0.0F);  // padding stays zero
}

TEST_CASE("weight decay and Nesterov's form are obeyed") {
  Buckets buckets;
  auto optimizer = MakeOptimizer(
      Sgd({{"lr", 0.1}, {"momentum", 0.5}, {"weight_decay", 0.2}, {"nesterov", 1}}));
  REQUIRE(optimizer.ok());
  REQUIRE((*optimizer)->Bind(buckets.Memory(), kernels::CpuKernels(), {}).ok());
  REQUIRE((*optimizer)->Apply(0.1).ok());
  const double gradient = 0.5 + 0.2 * 1;
  CHECK(buckets.weights[0][0] == Approx(1 - 0.1 * (gradient + 0.5 * gradient)));
}

TEST_CASE("the learning rate is the one of each step") {
  Buckets buckets;
  auto optimizer = MakeOptimizer(Sgd({{"lr", 0.1}}));
  REQUIRE(optimizer.ok());
  REQUIRE((*optimizer)->Bind(buckets.Memory(), kernels::CpuKernels(), {}).ok());
  REQUIRE((*optimizer)->Apply(0.0).ok());
  CHECK(buckets.weights[0][0] == 1.0F);
  REQUIRE((*optimizer)->Apply(1.0).ok());
  CHECK(buckets.weights[0][0] == Approx(0.5));
}

TEST_CASE("what is not an optimizer, or not a setting of it, is refused by name") {
  OptimizerSpec unknown;
  unknown.set_type("Adamm");
  const struct {
    OptimizerSpec spec;
    std::string part;
  } cases[] = {
      {unknown, "unknown optimizer 'Adamm'; known: SGD"},
      {Sgd({{"betas", 0.9}}), "SGD takes no 'betas'"},
      {Sgd({{"momentum", 1.0}}), "momentum must be in [0, 1)"},
      {Sgd({{"momentum", -0.1}}), "momentum must be in [0, 1)"},
      {Sgd({{"weight_decay", -1}}), "weight_decay not negative"},
  };
  for (const auto& c : cases) {
    const auto optimizer = MakeOptimizer(c.spec);
    REQUIRE(optimizer.status().code() == absl::StatusCode::kInvalidArgument);
    CAPTURE(optimizer.status().message());
    CHECK(std::string(optimizer.status().message()).find(c.part) != std::string::npos);
  }
}

}  // namespace
}  // namespace rm::trainer
