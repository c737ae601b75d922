#include "comm/collective/allreduce.h"

#include <cstdint>

#include "comm/collective/exchange_allreduce.h"
#include "comm/collective/gather_allreduce.h"
#include "comm/collective/ring_allreduce.h"

namespace rm::comm {
namespace {

// The costs are compared in docs/algorithms.md.
constexpr AllReduceAlgorithm kAlgorithms[] = {
    {"exchange", &ExchangeTakes, false, &ExchangeScratch, &BeginExchange, &FinishExchange},
    {"gather", &GatherTakes, false, &GatherScratch, &BeginGather, &FinishGather},
    {"ring", &RingTakes, true, &RingScratch, &BeginRing, &FinishRing},
};

}  // namespace

absl::Span<const AllReduceAlgorithm> AllReduceTable() { return kAlgorithms; }

const AllReduceAlgorithm& AllReduceFor(int world_size, int64_t bucket_bytes) {
  for (const AllReduceAlgorithm& algorithm : AllReduceTable()) {
    if (algorithm.takes(world_size, bucket_bytes)) return algorithm;
  }
  return AllReduceTable().back();
}

}  // namespace rm::comm
