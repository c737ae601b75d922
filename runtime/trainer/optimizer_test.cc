#include "runtime/trainer/optimizer.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "kernels/kernels.h"

namespace rm::trainer {
namespace {

using ::ringmaster::v1::OptimizerSpec;

using Params = std::vector<std::pair<std::string, double>>;

OptimizerSpec Spec(const std::string& type, const Params& params) {
  OptimizerSpec spec;
  spec.set_type(type);
  for (const auto& [name, value] : params) (*spec.mutable_params())[name] = value;
  return spec;
}
OptimizerSpec Sgd(const Params& params) { return Spec("SGD", params); }

// One update at this rate.
UpdateStep At(double rate, int64_t number = 1) { return {rate, number, 1.0F}; }

// Two buckets of aligned memory. The second half of the second one does not decay.
struct Buckets {
  alignas(64) float weights[2][32] = {{1, 2, 3}, {4, 5}};
  alignas(64) float gradients[2][32] = {{0.5F, -1, 2}, {1, -2}};
  alignas(64) float state[2][2][32] = {};

  std::vector<BucketMemory> Memory(size_t states = 1) {
    std::vector<BucketMemory> memory;
    for (size_t b = 0; b < 2; ++b) {
      BucketMemory& bucket = memory.emplace_back();
      bucket.weights = absl::MakeSpan(weights[b]);
      bucket.gradients = absl::MakeSpan(gradients[b]);
      for (size_t i = 0; i < states; ++i) bucket.state.push_back(absl::MakeSpan(state[i][b]));
      bucket.runs = {{0, 32, true}};
    }
    memory[1].runs = {{0, 16, true}, {16, 16, false}};
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
    REQUIRE((*optimizer)->Apply(At(0.1)).ok());
    momentum = 0.9 * momentum + 0.5;
    weight -= 0.1 * momentum;
    CHECK(buckets.weights[0][0] == Approx(weight));
    CHECK(buckets.state[0][0][0] == Approx(momentum));
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
  REQUIRE((*optimizer)->Apply(At(0.1)).ok());
  const double gradient = 0.5 + 0.2 * 1;
  CHECK(buckets.weights[0][0] == Approx(1 - 0.1 * (gradient + 0.5 * gradient)));
}

TEST_CASE("the learning rate is the one of each step") {
  Buckets buckets;
  auto optimizer = MakeOptimizer(Sgd({{"lr", 0.1}}));
  REQUIRE(optimizer.ok());
  REQUIRE((*optimizer)->Bind(buckets.Memory(), kernels::CpuKernels(), {}).ok());
  REQUIRE((*optimizer)->Apply(At(0.0)).ok());
  CHECK(buckets.weights[0][0] == 1.0F);
  REQUIRE((*optimizer)->Apply(At(1.0)).ok());
  CHECK(buckets.weights[0][0] == Approx(0.5));
}

TEST_CASE("a run that is exempt from weight decay is updated by its gradient alone") {
  for (const char* const type : {"SGD", "Adam", "AdamW"}) {
    Buckets buckets;
    for (const size_t i : {size_t{0}, size_t{16}}) {
      buckets.weights[1][i] = 4;
      buckets.gradients[1][i] = 0;
    }
    auto optimizer = MakeOptimizer(Spec(type, {{"lr", 0.1}, {"weight_decay", 0.5}}));
    REQUIRE(optimizer.ok());
    const size_t states = (*optimizer)->state_names().size();
    REQUIRE((*optimizer)->Bind(buckets.Memory(states), kernels::CpuKernels(), {}).ok());
    REQUIRE((*optimizer)->Apply(At(0.1)).ok());
    CAPTURE(type);
    CHECK(buckets.weights[1][0] < 4);
    CHECK(buckets.weights[1][16] == 4);
  }
}

TEST_CASE("a scale is applied to the gradient, not to the weight decay") {
  Buckets buckets;
  auto optimizer = MakeOptimizer(Sgd({{"lr", 0.1}, {"weight_decay", 0.5}}));
  REQUIRE(optimizer.ok());
  REQUIRE((*optimizer)->Bind(buckets.Memory(), kernels::CpuKernels(), {}).ok());
  REQUIRE((*optimizer)->Apply({0.1, 1, 0.5F}).ok());
  CHECK(buckets.weights[0][0] == Approx(1 - 0.1 * (0.5 * 0.5 + 0.5 * 1)));
}

// PyTorch's two rules over some steps of one weight, in double.
struct Reference {
  bool decoupled;
  double w = 1, m = 0, v = 0;

  void Step(int number, double g, double rate, double decay) {
    if (decoupled) w *= 1 - rate * decay;
    if (!decoupled) g += decay * w;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    const double mean = m / (1 - std::pow(0.9, number));
    const double root = std::sqrt(v) / std::sqrt(1 - std::pow(0.999, number));
    w -= rate * mean / (root + 1e-8);
  }
};

TEST_CASE("Adam and AdamW follow PyTorch's rule step by step, over every bucket") {
  for (const bool decoupled : {false, true}) {
    Buckets buckets;
    auto optimizer = MakeOptimizer(
        Spec(decoupled ? "AdamW" : "Adam", {{"lr", 0.01}, {"weight_decay", 0.1}}));
    REQUIRE(optimizer.ok());
    CHECK((*optimizer)->state_names() == std::vector<std::string>{"exp_avg", "exp_avg_sq"});
    REQUIRE((*optimizer)->Bind(buckets.Memory(2), kernels::CpuKernels(), {}).ok());
    Reference expected{decoupled};
    for (int number = 1; number <= 10; ++number) {
      buckets.gradients[0][0] = static_cast<float>(std::sin(number));
      expected.Step(number, std::sin(number), 0.01, 0.1);
      REQUIRE((*optimizer)->Apply(At(0.01, number)).ok());
      CHECK(static_cast<double>(buckets.weights[0][0]) == Approx(expected.w).epsilon(1e-6));
    }
    CHECK(buckets.state[0][0][0] == Approx(expected.m).epsilon(1e-5));
    CHECK(buckets.state[1][0][0] == Approx(expected.v).epsilon(1e-5));
    CHECK(buckets.weights[1][1] > 5);       // against its negative gradient
    CHECK(buckets.weights[0][31] == 0.0F);  // padding stays zero
  }
}

TEST_CASE("AdamW decays by a hundredth of the rate if nothing is said, Adam not at all") {
  for (const bool decoupled : {false, true}) {
    Buckets buckets;
    buckets.gradients[0][0] = 0;
    auto optimizer = MakeOptimizer(Spec(decoupled ? "AdamW" : "Adam", {{"lr", 0.5}}));
    REQUIRE(optimizer.ok());
    REQUIRE((*optimizer)->Bind(buckets.Memory(2), kernels::CpuKernels(), {}).ok());
    REQUIRE((*optimizer)->Apply(At(0.5)).ok());
    CHECK(buckets.weights[0][0] == Approx(decoupled ? 0.995 : 1.0));
  }
}

TEST_CASE("what is not an optimizer, or not a setting of it, is refused by name") {
  OptimizerSpec unknown;
  unknown.set_type("Adamm");
  const struct {
    OptimizerSpec spec;
    std::string part;
  } cases[] = {
      {unknown, "unknown optimizer 'Adamm'; known: Adam, AdamW, SGD"},
      {Sgd({{"betas", 0.9}}), "SGD takes no 'betas'"},
      {Sgd({{"momentum", 1.0}}), "momentum must be in [0, 1)"},
      {Sgd({{"momentum", -0.1}}), "momentum must be in [0, 1)"},
      {Sgd({{"weight_decay", -1}}), "weight_decay not negative"},
      {Spec("Adam", {{"momentum", 0.9}}),
       "Adam takes no 'momentum'; known: lr, beta1, beta2, eps, weight_decay"},
      {Spec("AdamW", {{"beta2", 1}}), "beta1 and beta2 must be in [0, 1)"},
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
