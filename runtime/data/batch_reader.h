// Which samples a rank gets in a step, and the batch filled with them.
//
// The order of training is one endless sequence: epoch 0, epoch 1, …, each a keyed permutation of
// all n samples, computed from (seed, epoch) and never stored. Step s takes positions [s·B,
// (s+1)·B), B = the global batch size, so batches straddle epochs, and the position after s steps
// is the step number itself: nothing else needs saving to resume. Rank r of N takes rows [⌊rB/N⌋,
// ⌊(r+1)B/N⌋) of the global batch; shares differ by one row at most. So the union over the ranks is
// the same at every world size, and every sample is seen exactly once an epoch.
#ifndef RM_RUNTIME_DATA_BATCH_READER_H_
#define RM_RUNTIME_DATA_BATCH_READER_H_

#include <cstdint>
#include <optional>

#include "runtime/data/dataset.h"

namespace rm::data {

// Number of steps in `epochs` epochs of `samples` samples: ⌊epochs · samples / global_batch_size⌋.
// At least 0; a product that is a whole number but for rounding counts as that number. REQUIRES:
// samples ≥ 0, global_batch_size ≥ 1.
[[nodiscard]] int64_t TotalSteps(double epochs, int64_t samples, int64_t global_batch_size);

// Rows [first, first + count) of something of `total` rows that rank `rank` of `world_size` takes.
struct Share {
  int64_t first = 0;
  int64_t count = 0;
};
// REQUIRES: 0 ≤ rank < world_size, total ≥ 0.
[[nodiscard]] Share ShareOf(int64_t total, int rank, int world_size);

// The training batches of one rank. Borrows the dataset, which must outlive it. Thread-safe: holds
// no position.
class BatchReader {
 public:
  struct Options {
    // Rows of a batch over all ranks together, ≥ 1.
    int64_t global_batch_size = 1;
    // Keys the order, together with the epoch.
    uint64_t seed = 0;
    int rank = 0;
    int world_size = 1;
    // Parts of about equal size that a rank's share is computed in, one after the other
    // (train.gradient_accumulation), ≥ 1.
    int parts = 1;
    // The rows of the global batch that this rank takes, where that is not its ShareOf.
    std::optional<Share> rows = std::nullopt;
  };
  BatchReader(const Dataset& dataset, const Options& options);

  // Rows of the buffers that Fill writes: this rank's share, or the largest part of it, and at least
  // 1. Not the largest share of any rank: a row without a sample would count in the statistics that
  // BatchNormalization normalises by.
  [[nodiscard]] int64_t local_batch() const;

  // The rows of the global batch that are part `part` of this rank's share.
  [[nodiscard]] Share RowsOf(int part) const;

  // Fills part `part` of this rank's share of the batch of `step` (from 0) and returns its number of
  // good samples. Those have weight 1, each of their weights; rows of bad records, and the rows left
  // over up to local_batch(), are zeroed and have weight 0. Allocates nothing. REQUIRES: step ≥ 0,
  // memory for local_batch() rows of the dataset's layout.
  int64_t Fill(int64_t step, const BatchMemory& memory, int part = 0) const;

  // The weight of the batch of `step` over all ranks, good samples times weights of a sample: what its
  // loss and gradients are divided by, known to every rank beforehand. 0 when all samples are bad.
  // Allocates nothing; costs nothing where there are no bad records. REQUIRES: step ≥ 0.
  [[nodiscard]] int64_t GlobalWeight(int64_t step) const;

 private:
  [[nodiscard]] Share OwnRows() const;
  // Calls use(row, sample) for rows [first, first + count) of the step's global batch, rows counted
  // from `first`.
  template <typename Use>
  void ForEachSample(int64_t step, const Share& rows, const Use& use) const;

  const Dataset& dataset_;
  const Options options_;
};

// The samples of a validation set in their own order, each exactly once over all ranks. Borrows the
// dataset. Thread-safe: holds no position.
class EvaluationReader {
 public:
  struct Options {
    // Rows of a batch on this rank, ≥ 1.
    int64_t batch_size = 1;
    int rank = 0;
    int world_size = 1;
  };
  EvaluationReader(const Dataset& dataset, const Options& options);

  // Number of batches, the same on every rank (so a rank's last ones may hold no sample at all).
  [[nodiscard]] int64_t batches() const;

  // Fills batch `batch` (from 0) and returns its number of good samples; the other rows, without a
  // sample or with a bad one, are zeroed and have weight 0. Allocates nothing. REQUIRES: 0 ≤ batch <
  // batches(), memory for batch_size rows of the dataset's layout.
  int64_t Fill(int64_t batch, const BatchMemory& memory) const;

  [[nodiscard]] const SampleLayout& layout() const { return dataset_.layout(); }

 private:
  const Dataset& dataset_;
  const Options options_;
};

}  // namespace rm::data

#endif  // RM_RUNTIME_DATA_BATCH_READER_H_
