#include "runtime/data/batch_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/check.h"
#include "base/random.h"

namespace rm::data {
namespace {

int64_t DivideUp(int64_t a, int64_t b) { return a / b + (a % b > 0 ? 1 : 0); }

// Zeroes rows [from, to) of a batch and takes their weight. Zero is the same bytes in every type.
void ClearRows(const SampleLayout& layout, int64_t from, int64_t to, const BatchMemory& memory) {
  const auto clear = [&](void* rows, size_t row_bytes) {
    char* const bytes = static_cast<char*>(rows);
    std::fill(bytes + static_cast<size_t>(from) * row_bytes,
              bytes + static_cast<size_t>(to) * row_bytes, '\0');
  };
  for (size_t i = 0; i < layout.inputs.size(); ++i) {
    clear(memory.inputs[i], layout.inputs[i].bytes());
  }
  clear(memory.target, layout.target.bytes());
  const int64_t weights = layout.weights();
  std::fill(memory.weights + from * weights, memory.weights + to * weights, 0.0F);
}

// Fills one row, and returns 1; the row of a bad record is cleared, and 0 returned.
int64_t FillRow(const Dataset& dataset, int64_t sample, int64_t row, const BatchMemory& memory) {
  if (dataset.bad_records().Has(sample)) {
    ClearRows(dataset.layout(), row, row + 1, memory);
    return 0;
  }
  dataset.ReadRow(sample, row, memory);
  const int64_t weights = dataset.layout().weights();
  std::fill_n(memory.weights + row * weights, weights, 1.0F);
  return 1;
}

}  // namespace

int64_t TotalSteps(double epochs, int64_t samples, int64_t global_batch_size) {
  RM_CHECK(samples >= 0 && global_batch_size >= 1, samples, " samples in batches of ",
           global_batch_size);
  // Half a sample in 10⁹ steps of rounding: 0.1 epochs of 300 samples are 30.000000000000004, or
  // 29.999999999999996.
  constexpr double kRelativeError = 1e-12;
  const double steps =
      epochs * static_cast<double>(samples) / static_cast<double>(global_batch_size);
  if (!(steps >= 0)) return 0;
  const double nearest = std::round(steps);
  const double whole =
      std::fabs(steps - nearest) <= kRelativeError * nearest ? nearest : std::floor(steps);
  constexpr double kStepsMax = 9e18;
  return whole >= kStepsMax ? std::numeric_limits<int64_t>::max() : static_cast<int64_t>(whole);
}

// Differences of one monotone sequence of bounds: shares cover everything, and never overlap.
Share ShareOf(int64_t total, int rank, int world_size) {
  RM_CHECK(0 <= rank && rank < world_size && total >= 0, "rank ", rank, " of ", world_size);
  // ⌊r·total/N⌋ without the product, which may not fit: total = q·N + m, and m < N, r < N are ints.
  const int64_t quotient = total / world_size, remainder = total % world_size;
  const auto bound = [&](int64_t r) { return r * quotient + r * remainder / world_size; };
  return {bound(rank), bound(rank + 1) - bound(rank)};
}

BatchReader::BatchReader(const Dataset& dataset, const Options& options)
    : dataset_(dataset), options_(options) {
  RM_CHECK(options.global_batch_size >= 1, "global batch size ", options.global_batch_size);
  RM_CHECK(0 <= options.rank && options.rank < options.world_size, "rank ", options.rank, " of ",
           options.world_size);
  RM_CHECK(options.parts >= 1, options.parts, " parts");
}

Share BatchReader::OwnRows() const {
  return options_.rows.value_or(
      ShareOf(options_.global_batch_size, options_.rank, options_.world_size));
}

int64_t BatchReader::local_batch() const {
  const Share share = OwnRows();
  return std::max<int64_t>(1, DivideUp(share.count, options_.parts));
}

// A share is cut as the batch is.
Share BatchReader::RowsOf(int part) const {
  const Share share = OwnRows();
  const Share rows = ShareOf(share.count, part, options_.parts);
  return {share.first + rows.first, rows.count};
}

// The order of an epoch is made anew for each batch that touches it: six rounds of keys, which is
// less than one sample costs to copy. So there is no state, and any step can be asked for.
template <typename Use>
void BatchReader::ForEachSample(int64_t step, const Share& rows, const Use& use) const {
  RM_CHECK(step >= 0, "step ", step);
  const int64_t samples = dataset_.size();
  const int64_t first = step * options_.global_batch_size + rows.first;
  std::optional<base::Permutation> order;
  int64_t order_epoch = -1;
  for (int64_t row = 0; row < rows.count; ++row) {
    const int64_t epoch = (first + row) / samples;
    if (epoch != order_epoch) {
      order.emplace(static_cast<uint64_t>(samples), options_.seed, static_cast<uint64_t>(epoch));
      order_epoch = epoch;
    }
    use(row, static_cast<int64_t>((*order)(static_cast<uint64_t>((first + row) % samples))));
  }
}

int64_t BatchReader::Fill(int64_t step, const BatchMemory& memory, int part) const {
  const Share share = RowsOf(part);
  int64_t good = 0;
  ForEachSample(step, share, [&](int64_t row, int64_t sample) {
    good += FillRow(dataset_, sample, row, memory);
  });
  ClearRows(dataset_.layout(), share.count, local_batch(), memory);
  return good;
}

int64_t BatchReader::GlobalWeight(int64_t step) const {
  int64_t good = options_.global_batch_size;
  const int64_t weights = dataset_.layout().weights();
  if (dataset_.bad_records().count() == 0) return good * weights;
  ForEachSample(step, {0, options_.global_batch_size}, [&](int64_t, int64_t sample) {
    if (dataset_.bad_records().Has(sample)) --good;
  });
  return good * weights;
}

EvaluationReader::EvaluationReader(const Dataset& dataset, const Options& options)
    : dataset_(dataset), options_(options) {
  RM_CHECK(options.batch_size >= 1, "batch size ", options.batch_size);
  RM_CHECK(0 <= options.rank && options.rank < options.world_size, "rank ", options.rank, " of ",
           options.world_size);
}

int64_t EvaluationReader::batches() const {
  return DivideUp(DivideUp(dataset_.size(), options_.world_size), options_.batch_size);
}

// Each rank walks through its own share; rows beyond it have no weight.
int64_t EvaluationReader::Fill(int64_t batch, const BatchMemory& memory) const {
  RM_CHECK(0 <= batch && batch < batches(), "batch ", batch);
  const Share share = ShareOf(dataset_.size(), options_.rank, options_.world_size);
  const int64_t begin = batch * options_.batch_size;
  const int64_t count = std::clamp<int64_t>(share.count - begin, 0, options_.batch_size);
  int64_t good = 0;
  for (int64_t row = 0; row < count; ++row) {
    good += FillRow(dataset_, share.first + begin + row, row, memory);
  }
  ClearRows(dataset_.layout(), count, options_.batch_size, memory);
  return good;
}

}  // namespace rm::data
