// Clipping by the norm of all gradients together (train.gradient_clipping).
#ifndef RM_RUNTIME_TRAINER_GRADIENT_NORM_H_
#define RM_RUNTIME_TRAINER_GRADIENT_NORM_H_

#include "absl/types/span.h"

namespace rm::trainer {

// √Σ g² over all buckets, summed in double in an order that depends on their sizes alone: the same bits on every rank and every
// machine. A NaN or an infinity anywhere gives one. Thread-safe.
[[nodiscard]] double GradientNorm(absl::Span<const absl::Span<float>> buckets);

// What gradients are multiplied by: min(1, clip / (norm + 1e-6)), PyTorch's rule. 1 for a clip of 0, which is none.
[[nodiscard]] float ClipScale(double norm, double clip);

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_GRADIENT_NORM_H_
