#include "comm/collective/allreduce.h"

#include <cstdint>

#include "comm/collective/gather_allreduce.h"
#include "comm/collective/ring_allreduce.h"

namespace rm::comm {
namespace {

// Below 64 KiB the number of hops counts, above it the number of bytes (docs/algorithms.md).
constexpr AllReduceAlgorithm kAlgorithms[] = {
    {"gather", int64_t{64} << 10, false, &GatherAllReduceScratch, &BeginGatherAllReduce,
     &FinishGatherAllReduce},
    {"ring", INT64_MAX, true, &RingAllReduceScratch, &BeginRingAllReduce, &FinishRingAllReduce},
};

}  // namespace

absl::Span<const AllReduceAlgorithm> AllReduceTable() { return kAlgorithms; }

const AllReduceAlgorithm& AllReduceFor(int64_t bucket_bytes) {
  for (const AllReduceAlgorithm& algorithm : AllReduceTable()) {
    if (bucket_bytes <= algorithm.bytes_max) return algorithm;
  }
  return AllReduceTable().back();
}

}  // namespace rm::comm
