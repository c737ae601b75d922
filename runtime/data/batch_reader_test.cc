#include "runtime/data/batch_reader.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <vector>

namespace rm::data {
namespace {

// n samples; sample i has the features {i, −i} and the label i.
class CountingDataset final : public Dataset {
 public:
  explicit CountingDataset(int64_t size, BadRecords bad = {})
      : Dataset(std::move(bad)), size_(size) {}
  int64_t size() const override { return size_; }
  const SampleLayout& layout() const override { return layout_; }
  void ReadRow(int64_t index, int64_t row, const BatchMemory& memory) const override {
    auto* const features = RowOf<float>(memory.inputs[0], row, 2);
    features[0] = static_cast<float>(index);
    features[1] = -static_cast<float>(index);
    *RowOf<int64_t>(memory.target, row, 1) = index;
  }

 private:
  int64_t size_;
  SampleLayout layout_ = {{{"input", kernels::DType::kFloat32, {1, 2}, 0}}};
};

struct Batch {
  std::vector<float> features;
  std::vector<int64_t> labels;
  std::vector<float> weights;
  void* input = nullptr;
  int64_t count = 0;

  // Filled with values that must not survive.
  explicit Batch(int64_t rows)
      : features(static_cast<size_t>(2 * rows), 77.0F),
        labels(static_cast<size_t>(rows), 77),
        weights(static_cast<size_t>(rows), 77.0F) {}

  // Points into the vectors, which keep their size.
  BatchMemory memory() {
    input = features.data();
    return {absl::MakeConstSpan(&input, 1), labels.data(), weights.data()};
  }

  // The samples in it, after a check that every row is whole: a sample with weight 1, or zeros with
  // weight 0.
  std::vector<int64_t> Samples() const {
    std::vector<int64_t> samples;
    for (size_t row = 0; row < labels.size(); ++row) {
      const bool used = row < static_cast<size_t>(count);
      REQUIRE(weights[row] == (used ? 1.0F : 0.0F));
      REQUIRE(features[2 * row] == static_cast<float>(labels[row]));
      REQUIRE(features[2 * row + 1] == -static_cast<float>(labels[row]));
      if (used) samples.push_back(labels[row]);
      if (!used) REQUIRE(labels[row] == 0);
    }
    return samples;
  }
};

std::vector<int64_t> SamplesOfStep(const BatchReader& reader, int64_t step) {
  Batch batch(reader.local_batch());
  batch.count =
      reader.Fill(step, batch.memory());
  return batch.Samples();
}

// The samples of steps [0, steps), rank after rank in each step.
std::vector<int64_t> Order(const Dataset& dataset, int64_t batch_size, int world_size,
                           int64_t steps, uint64_t seed = 1) {
  std::vector<int64_t> order;
  for (int64_t step = 0; step < steps; ++step) {
    for (int rank = 0; rank < world_size; ++rank) {
      const BatchReader reader(dataset, {batch_size, seed, rank, world_size});
      for (const int64_t sample : SamplesOfStep(reader, step)) order.push_back(sample);
    }
  }
  return order;
}

TEST_CASE("the union over the ranks is the order of one rank, at every world size") {
  const CountingDataset dataset(37);
  for (const int64_t batch_size : {1, 5, 8, 37, 100}) {
    const auto one = Order(dataset, batch_size, 1, 20);
    for (int world_size = 2; world_size <= 9; ++world_size) {
      CAPTURE(batch_size, world_size);
      CHECK(Order(dataset, batch_size, world_size, 20) == one);
    }
  }
}

TEST_CASE("every sample is seen exactly once an epoch, with batches that straddle epochs") {
  constexpr int64_t kSamples = 37, kBatch = 8;
  const CountingDataset dataset(kSamples);
  const auto order = Order(dataset, kBatch, 3, kSamples);  // 37 steps of 8: 8 epochs
  REQUIRE(order.size() == kSamples * kBatch);
  for (size_t epoch = 0; epoch < 8; ++epoch) {
    const std::set<int64_t> seen(order.begin() + static_cast<int64_t>(epoch * kSamples),
                                 order.begin() + static_cast<int64_t>((epoch + 1) * kSamples));
    CHECK(seen.size() == kSamples);
  }
}

TEST_CASE("each epoch has an order of its own, keyed by the seed") {
  constexpr int64_t kSamples = 100;
  const CountingDataset dataset(kSamples);
  const auto two_epochs = Order(dataset, kSamples, 1, 2);
  const std::vector<int64_t> first(two_epochs.begin(), two_epochs.begin() + kSamples);
  const std::vector<int64_t> second(two_epochs.begin() + kSamples, two_epochs.end());
  CHECK(first != second);
  CHECK_FALSE(std::is_sorted(first.begin(), first.end()));
  CHECK(Order(dataset, kSamples, 1, 1, /*seed=*/1) == first);
  CHECK(Order(dataset, kSamples, 1, 1, /*seed=*/2) != first);
}

TEST_CASE("a step can be reached without the ones before it, and read again") {
  const CountingDataset dataset(1000);
  const BatchReader reader(dataset, {64, 3, 1, 2});
  const auto late = SamplesOfStep(reader, 1'000'000);
  SamplesOfStep(reader, 5);
  CHECK(SamplesOfStep(reader, 1'000'000) == late);
  CHECK(late.size() == 32);
}

TEST_CASE("the order is the same in every version: jobs resume from checkpoints of older ones") {
  // Ten samples, two epochs, seeds 1 and 2. A change here breaks the promise that a resumed job
  // sees every sample once an epoch.
  const CountingDataset dataset(10);
  CHECK(Order(dataset, 10, 1, 2, /*seed=*/1) ==
        std::vector<int64_t>{4, 7, 2, 0, 6, 9, 3, 5, 8, 1, 0, 7, 9, 1, 4, 8, 6, 5, 2, 3});
  CHECK(Order(dataset, 10, 1, 2, /*seed=*/2) ==
        std::vector<int64_t>{3, 7, 6, 0, 1, 4, 9, 8, 5, 2, 7, 4, 8, 5, 9, 1, 2, 6, 0, 3});
}

TEST_CASE("a resumed job at another world size sees what the first would have seen") {
  constexpr int64_t kSamples = 53, kBatch = 12, kSteps = 30, kResumeAt = 11;
  const CountingDataset dataset(kSamples);
  const auto whole = Order(dataset, kBatch, 4, kSteps);
  for (const int world_size : {1, 2, 3, 5, 12}) {
    CAPTURE(world_size);
    std::vector<int64_t> order;
    for (int64_t step = 0; step < kSteps; ++step) {
      const int ranks = step < kResumeAt ? 4 : world_size;
      for (int rank = 0; rank < ranks; ++rank) {
        const BatchReader reader(dataset, {kBatch, 1, rank, ranks});
        for (const int64_t sample : SamplesOfStep(reader, step)) order.push_back(sample);
      }
    }
    CHECK(order == whole);
  }
}

TEST_CASE("a batch larger than the data set takes samples more than once, epoch by epoch") {
  const CountingDataset dataset(4);
  const auto order = Order(dataset, 10, 2, 2);
  REQUIRE(order.size() == 20);
  for (size_t epoch = 0; epoch < 5; ++epoch) {
    const std::set<int64_t> seen(order.begin() + static_cast<int64_t>(4 * epoch),
                                 order.begin() + static_cast<int64_t>(4 * epoch + 4));
    CHECK(seen == std::set<int64_t>{0, 1, 2, 3});
  }
}

TEST_CASE("every position is equally likely to hold every sample, about") {
  // 2000 epochs of 8 samples: each sample stands at each position 250 times, give or take.
  const CountingDataset dataset(8);
  const auto order = Order(dataset, 8, 1, 2000);
  std::map<std::pair<size_t, int64_t>, int> counts;
  for (size_t i = 0; i < order.size(); ++i) ++counts[{i % 8, order[i]}];
  CHECK(counts.size() == 64);
  for (const auto& [place, count] : counts) {
    CAPTURE(place.first, place.second);
    CHECK(count > 170);
    CHECK(count < 330);
  }
}

TEST_CASE("more ranks than rows leave some ranks with weight 0 only") {
  const CountingDataset dataset(10);
  int64_t rows = 0;
  for (int rank = 0; rank < 5; ++rank) {
    const BatchReader reader(dataset, {2, 1, rank, 5});
    CHECK(reader.local_batch() == 1);
    rows += static_cast<int64_t>(SamplesOfStep(reader, 0).size());
  }
  CHECK(rows == 2);
}

TEST_CASE("the parts of a share are its rows, in order, each as a batch of its own") {
  const CountingDataset dataset(50);
  for (const int parts : {1, 2, 3, 5}) {
    for (int rank = 0; rank < 2; ++rank) {
      const std::vector<int64_t> whole = SamplesOfStep(BatchReader(dataset, {15, 4, rank, 2}), 2);
      const BatchReader reader(dataset, {15, 4, rank, 2, parts});
      CHECK(reader.local_batch() == (static_cast<int64_t>(whole.size()) + parts - 1) / parts);
      std::vector<int64_t> joined;
      int64_t next_row = ShareOf(15, rank, 2).first;
      for (int part = 0; part < parts; ++part) {
        CHECK(reader.RowsOf(part).first == next_row);
        next_row += reader.RowsOf(part).count;
        Batch batch(reader.local_batch());
        batch.count = reader.Fill(2, batch.memory(), part);
        CHECK(batch.count == reader.RowsOf(part).count);
        for (const int64_t sample : batch.Samples()) joined.push_back(sample);
      }
      CHECK(joined == whole);
    }
  }
}

TEST_CASE("shares are ⌊rB/N⌋ to ⌊(r+1)B/N⌋, for numbers whose product does not fit as well") {
  for (const int64_t total : {0, 1, 7, 8, 100, 4093}) {
    for (const int world_size : {1, 2, 3, 7, 64}) {
      for (int rank = 0; rank < world_size; ++rank) {
        const Share share = ShareOf(total, rank, world_size);
        CHECK(share.first == rank * total / world_size);
        CHECK(share.first + share.count == (rank + 1) * total / world_size);
      }
    }
  }
  const int64_t huge = int64_t{1} << 62;
  const Share last = ShareOf(huge, 1023, 1024);
  CHECK(last.first + last.count == huge);
  CHECK(last.count == huge / 1024);
}

TEST_CASE("steps are the whole batches in the epochs asked for") {
  const struct {
    double epochs;
    int64_t samples, batch, steps;
  } cases[] = {
      {1, 60000, 128, 468}, {3, 4000, 128, 93},  {1, 10, 10, 1},        {1, 9, 10, 0},
      {0.5, 100, 10, 5},    {0.1, 300, 10, 3},   {0.7, 10, 1, 7},       {2.3, 1000, 23, 100},
      {0, 100, 10, 0},      {-1, 100, 10, 0},    {1, 0, 10, 0},         {1e300, 100, 1, INT64_MAX},
  };
  for (const auto& test : cases) {
    CAPTURE(test.epochs, test.samples, test.batch);
    CHECK(TotalSteps(test.epochs, test.samples, test.batch) == test.steps);
  }
}

TEST_CASE("evaluation sees every sample exactly once, in the same number of batches on each rank") {
  for (const int64_t size : {1, 7, 10, 64, 65}) {
    const CountingDataset dataset(size);
    for (const int64_t batch_size : {1, 4, 100}) {
      for (int world_size = 1; world_size <= 5; ++world_size) {
        CAPTURE(size, batch_size, world_size);
        std::vector<int64_t> seen;
        std::set<int64_t> batches;
        for (int rank = 0; rank < world_size; ++rank) {
          const EvaluationReader reader(dataset, {batch_size, rank, world_size});
          batches.insert(reader.batches());
          for (int64_t b = 0; b < reader.batches(); ++b) {
            Batch batch(batch_size);
            batch.count =
                reader.Fill(b, batch.memory());
            for (const int64_t sample : batch.Samples()) seen.push_back(sample);
          }
        }
        CHECK(batches.size() == 1);
        REQUIRE(seen.size() == static_cast<size_t>(size));
        for (int64_t i = 0; i < size; ++i) CHECK(seen[static_cast<size_t>(i)] == i);
      }
    }
  }
}

// Every sample for which `is_bad` holds.
template <typename IsBad>
BadRecords BadOnes(int64_t samples, const IsBad& is_bad) {
  BadRecords bad;
  for (int64_t sample = 0; sample < samples; ++sample) {
    if (is_bad(sample)) bad.AddUndescribed(sample);
  }
  return bad;
}

TEST_CASE("a bad record leaves a row of weight 0 where it would have been, and shifts nobody") {
  constexpr int64_t kSamples = 23, kBatch = 7;
  const CountingDataset whole(kSamples);
  const auto is_bad = [](int64_t sample) { return sample % 4 == 1; };
  const CountingDataset spoiled(kSamples, BadOnes(kSamples, is_bad));
  for (const int world_size : {1, 2, 3}) {
    for (int rank = 0; rank < world_size; ++rank) {
      const BatchReader all(whole, {kBatch, 5, rank, world_size});
      const BatchReader some(spoiled, {kBatch, 5, rank, world_size});
      for (int64_t step = 0; step < 12; ++step) {
        const std::vector<int64_t> samples = SamplesOfStep(all, step);
        Batch batch(some.local_batch());
        const int64_t good = some.Fill(step, batch.memory());
        int64_t counted = 0;
        for (size_t row = 0; row < batch.labels.size(); ++row) {
          const bool used = row < samples.size() && !is_bad(samples[row]);
          counted += used ? 1 : 0;
          REQUIRE(batch.weights[row] == (used ? 1.0F : 0.0F));
          REQUIRE(batch.labels[row] == (used ? samples[row] : 0));
          REQUIRE(batch.features[2 * row + 1] ==
                  (used ? -static_cast<float>(samples[row]) : 0.0F));
        }
        REQUIRE(good == counted);
      }
    }
  }
}

TEST_CASE("the global weight is what the ranks' good samples add up to, and each rank knows it") {
  constexpr int64_t kSamples = 19, kBatch = 5;
  const CountingDataset dataset(kSamples,
                                BadOnes(kSamples, [](int64_t sample) { return sample < 15; }));
  bool saw_empty = false;
  for (int64_t step = 0; step < 60; ++step) {
    int64_t sum = 0;
    for (int rank = 0; rank < 3; ++rank) {
      const BatchReader reader(dataset, {kBatch, 2, rank, 3});
      Batch batch(reader.local_batch());
      sum += reader.Fill(step, batch.memory());
    }
    for (int rank = 0; rank < 3; ++rank) {
      REQUIRE(BatchReader(dataset, {kBatch, 2, rank, 3}).GlobalWeight(step) == sum);
    }
    saw_empty |= sum == 0;
  }
  CHECK(saw_empty);  // a batch of bad records alone is part of the life
  const CountingDataset whole(kSamples);
  CHECK(BatchReader(whole, {kBatch, 2, 0, 3}).GlobalWeight(7) == kBatch);
}

TEST_CASE("an evaluation counts each good sample once and no bad one") {
  constexpr int64_t kSamples = 31;
  const auto is_bad = [](int64_t sample) { return sample % 3 == 0; };
  const CountingDataset dataset(kSamples, BadOnes(kSamples, is_bad));
  for (int world_size = 1; world_size <= 4; ++world_size) {
    for (const int64_t batch_size : {1, 4, 31}) {
      std::map<int64_t, int> seen;
      int64_t counted = 0;
      for (int rank = 0; rank < world_size; ++rank) {
        const EvaluationReader reader(dataset, {batch_size, rank, world_size});
        for (int64_t i = 0; i < reader.batches(); ++i) {
          Batch batch(batch_size);
          counted +=
              reader.Fill(i, batch.memory());
          for (size_t row = 0; row < batch.labels.size(); ++row) {
            if (batch.weights[row] > 0) ++seen[batch.labels[row]];
          }
        }
      }
      CAPTURE(world_size, batch_size);
      CHECK(counted == 20);
      CHECK(seen.size() == 20);
      for (const auto& [sample, times] : seen) CHECK((times == 1 && !is_bad(sample)));
    }
  }
}

}  // namespace
}  // namespace rm::data
