// How buffers that follow the batches (BatchNormalization's running means and variances) move, the
// same on every rank.
//
// Each rank's forward pass says what its rows of a micro-batch look like: its statistics. What counts
// is their mean over all ranks, weighted by samples. So a rank writes weight · statistic, and the
// weight itself, behind the gradients; the sums over the ranks come back with the last bucket, and
// every rank divides the same bits by the same bits.
//
//   wire   │ part 0: Σ w·s of each buffer … Σ w, padding │ part 1: … │ …      one part a micro-batch
//
// Parts are applied in order, by PyTorch's rule: buffer = (1 − momentum) · buffer + momentum · mean.
// That the variance is the unbiased one is the operator's doing (kernels/api/op.h,
// BatchNormTraining).
#ifndef RM_RUNTIME_TRAINER_RUNNING_STATISTICS_H_
#define RM_RUNTIME_TRAINER_RUNNING_STATISTICS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/graph/program.h"

namespace rm::trainer {

// Thread-compatible. Borrows all memory that it is given. Record and Update allocate nothing.
class RunningStatistics {
 public:
  // Follows nothing.
  RunningStatistics() = default;

  // Floats that `parts` micro-batches need on the wire, a multiple of 16; 0 when no buffer moves.
  [[nodiscard]] static int64_t WireFloats(absl::Span<const graph::BufferInfo> buffers, int parts);

  // `values`: memory of each buffer of the program. `wire`: WireFloats floats, summed over the ranks
  // between Record and Update.
  [[nodiscard]] static absl::StatusOr<RunningStatistics> Create(
      const graph::Program& program, const std::vector<absl::Span<float>>& values, int parts,
      absl::Span<float> wire);

  // Puts the statistics of the program's last Forward, of rows that weigh `weight` together, on the
  // wire as those of micro-batch `part`. Rows without weight say nothing.
  void Record(int part, float weight);

  // Moves the buffers by what is on the wire. A micro-batch without any weight moves nothing.
  void Update();

 private:
  // One buffer that moves.
  struct Followed {
    const float* statistic;
    absl::Span<float> value;
    int64_t offset;  // into a part
    float momentum;
  };

  std::vector<Followed> followed_;
  std::vector<absl::Span<float>> parts_;  // of the wire
  int64_t weight_at_ = 0;                 // offset of Σ w in a part
};

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_RUNNING_STATISTICS_H_
