// BatchNormalization in training, from the model as its author writes it to the buffers after a step.
#include <catch2/catch.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "kernels/kernels.h"
#include "runtime/data/batch_reader.h"
#include "runtime/graph/training.h"
#include "runtime/model/model.h"
#include "runtime/trainer/stepper.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

constexpr int64_t kGlobalBatch = 8;
constexpr int64_t kChannels = 2;
constexpr int64_t kPixels = 4;

// input (batch, 2, 2, 2) → norm → fc of 3 classes.
graph::Graph Model() {
  graph::Graph graph;
  graph::Initializer one;
  one.kind = graph::Initializer::Kind::kOne;
  const auto x = graph.AddInput(model::kInput, kernels::DType::kFloat32,
                                {graph::kBatch, kChannels, 2, 2});
  const auto scale = graph.AddParameter("norm.weight", {kChannels}, one);
  const auto bias = graph.AddParameter("norm.bias", {kChannels}, {});
  const auto mean = graph.AddBuffer("norm.running_mean", {kChannels}, {});
  const auto variance = graph.AddBuffer("norm.running_var", {kChannels}, one);
  const auto y = graph.AddNode("BatchNormalization", "norm", {x, scale, bias, mean, variance});
  const auto flat = graph.AddNode("Flatten", "flatten", {y});
  const auto w = graph.AddParameter("fc.weight", {3, kChannels * kPixels}, one);
  graph.MarkOutput(graph::kModelOutput,
                   graph.AddNode("Gemm", "fc", {flat, w}, {{"transB", int64_t{1}}}));
  return graph;
}

// Pixel `i` of channel `channel` of sample `sample`.
float Pixel(int64_t sample, int64_t channel, int64_t i) {
  return static_cast<float>((sample * 7 + channel * 3 + i * i) % 11) - 4.0F;
}

// Mean and unbiased variance of a channel over samples [first, first + count).
struct Statistics {
  double mean = 0;
  double variance = 0;
};
Statistics StatisticsOf(int64_t channel, int64_t first, int64_t count) {
  const double n = static_cast<double>(count * kPixels);
  Statistics of;
  for (int64_t i = 0; i < count * kPixels; ++i) {
    of.mean += static_cast<double>(Pixel(first + i / kPixels, channel, i % kPixels)) / n;
  }
  for (int64_t i = 0; i < count * kPixels; ++i) {
    const double d =
        static_cast<double>(Pixel(first + i / kPixels, channel, i % kPixels)) - of.mean;
    of.variance += d * d / (n - 1);
  }
  return of;
}

// The buffers, mean before variance, after one step on `ranks` ranks in `parts` micro-batches.
std::vector<float> BuffersAfterStep(int ranks, int parts) {
  std::vector<std::vector<float>> buffers(static_cast<size_t>(ranks));
  RunGang(ranks, [&](comm::Communicator& communicator) {
    const data::Share share = data::ShareOf(kGlobalBatch, communicator.rank(), ranks);
    const int64_t rows = share.count / parts;
    ReplicaOptions options;
    options.local_batch = rows;
    options.micro_batches = parts;
    options.kernels = kernels::CpuKernels();
    auto optimizer = MakeOptimizer(SmallJob().train().optimizer());
    RM_CHECK(optimizer.ok());
    const auto graph = model::ForBatch(Model(), {}, rows, model::Purpose::kTraining);
    RM_CHECK(graph.ok(), graph.status().ToString());
    auto replica = Replica::Build(*graph, options, *std::move(optimizer), communicator);
    RM_CHECK(replica.ok(), replica.status().ToString());
    StepperOptions stepper_options;
    stepper_options.first_rows.assign(static_cast<size_t>(parts), 0);
    auto stepper = Stepper::Create(**replica, communicator, static_cast<double>(kGlobalBatch),
                                   stepper_options);
    RM_CHECK(stepper.ok(), stepper.status().ToString());
    stepper->SetFill([&](int part) {
      for (int64_t i = 0; i < rows * kChannels * kPixels; ++i) {
        const int64_t sample = share.first + part * rows + i / (kChannels * kPixels);
        stepper->features()[i] = Pixel(sample, i / kPixels % kChannels, i % kPixels);
      }
      for (int64_t row = 0; row < rows; ++row) {
        stepper->labels()[row] = row % 3;
        stepper->weights()[row] = 1;
      }
    });
    RM_CHECK(stepper->Run(0.1, Votes()).ok());
    for (const StateTensor& tensor : (*replica)->Weights()) {
      if (tensor.name.find("running") == std::string::npos) continue;
      std::vector<float>& own = buffers[static_cast<size_t>(communicator.rank())];
      own.insert(own.end(), tensor.values.begin(), tensor.values.end());
    }
  });
  for (const std::vector<float>& other : buffers) CHECK(other == buffers[0]);
  REQUIRE(buffers[0].size() == 2 * kChannels);
  return buffers[0];
}

TEST_CASE("running statistics follow the mean over the ranks' shares, the variance unbiased") {
  for (const int ranks : {1, 2, 3}) {  // three: shares of 2, 3 and 3 samples
    CAPTURE(ranks);
    const std::vector<float> buffers = BuffersAfterStep(ranks, 1);
    for (int64_t channel = 0; channel < kChannels; ++channel) {
      Statistics mean;
      for (int rank = 0; rank < ranks; ++rank) {
        const data::Share share = data::ShareOf(kGlobalBatch, rank, ranks);
        const Statistics own = StatisticsOf(channel, share.first, share.count);
        mean.mean += own.mean * static_cast<double>(share.count) / kGlobalBatch;
        mean.variance += own.variance * static_cast<double>(share.count) / kGlobalBatch;
      }
      const auto at = static_cast<size_t>(channel);
      CHECK(static_cast<double>(buffers[at]) == Approx(0.1 * mean.mean).epsilon(1e-5));
      CHECK(static_cast<double>(buffers[kChannels + at]) ==
            Approx(0.9 + 0.1 * mean.variance).epsilon(1e-5));
    }
  }
}

TEST_CASE("each micro-batch moves the running statistics, one after the other") {
  const std::vector<float> buffers = BuffersAfterStep(1, 2);
  for (int64_t channel = 0; channel < kChannels; ++channel) {
    const Statistics first = StatisticsOf(channel, 0, 4);
    const Statistics second = StatisticsOf(channel, 4, 4);
    const auto at = static_cast<size_t>(channel);
    CHECK(static_cast<double>(buffers[at]) ==
          Approx(0.9 * (0.1 * first.mean) + 0.1 * second.mean).epsilon(1e-5));
    CHECK(static_cast<double>(buffers[kChannels + at]) ==
          Approx(0.9 * (0.9 + 0.1 * first.variance) + 0.1 * second.variance).epsilon(1e-5));
  }
}

}  // namespace
}  // namespace rm::trainer
