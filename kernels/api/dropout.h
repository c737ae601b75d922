// The random numbers of Dropout: computed from counters, so that no mask is kept and none differs
// between machines, world sizes or runs.
//
// A sample's numbers depend on the job's seed, the step, the sample's place in the global batch and
// the node; which rank computes it plays no part. Element i of the sample gets
//
//   word(i) = Mix(Mix(i + low) ^ high)        low, high: the halves of the sample's key
//
// and is dropped when the word is below ratio · 2³². Mix is a permutation of 32 bits whose output
// bits each depend on all input bits ("lowbias32" by C. Wellons).
#ifndef RM_KERNELS_API_DROPOUT_H_
#define RM_KERNELS_API_DROPOUT_H_

#include <cstdint>

namespace rm::kernels {

// What the operand `counters` of Dropout holds, in its order.
struct DropoutCounters {
  int64_t seed = 0;
  int64_t step = 0;
  int64_t first = 0;  // place of row 0 in the global batch
};

// The key of one sample: `position` in the global batch, `stream` of the node.
[[nodiscard]] uint64_t DropoutKey(const DropoutCounters& counters, int64_t position,
                                  int64_t stream);

// Word of element `index` of a sample. REQUIRES: index below 2³².
[[nodiscard]] uint32_t DropoutWord(uint64_t key, int64_t index);

// Words below this are dropped. REQUIRES: ratio in [0, 1).
[[nodiscard]] uint32_t DropoutThreshold(float ratio);

}  // namespace rm::kernels

#endif  // RM_KERNELS_API_DROPOUT_H_
