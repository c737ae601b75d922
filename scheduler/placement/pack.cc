#include "scheduler/placement/pack.h"

#include <algorithm>

namespace rm::scheduler {
namespace {

// READY workers with the same count of free slots, and how far this placement has taken them.
struct Bucket {
  int64_t room;  // ranks that fit one of these workers
  FreeSlots::Workers::const_iterator next;
  FreeSlots::Workers::const_iterator end;

  bool used_up() const { return next == end; }
  const Worker* Take() { return *next++; }
};

// Buckets with room for a rank at all, the fullest workers (fewest free slots) first.
std::vector<Bucket> BucketsOf(const FreeSlots& free, int64_t slots_per_rank) {
  std::vector<Bucket> buckets;
  for (const auto& [count, workers] : free.by_count()) {
    const int64_t room = count / slots_per_rank;
    if (room > 0) buckets.push_back({room, workers.begin(), workers.end()});
  }
  return buckets;
}

// Ranks that fit in all, counted up to `enough`.
int64_t RoomInAll(const FreeSlots& free, int64_t slots_per_rank, int64_t enough) {
  int64_t room = 0;
  for (const auto& [count, workers] : free.by_count()) {
    room += (count / slots_per_rank) * static_cast<int64_t>(workers.size());
    if (room >= enough) return enough;
  }
  return room;
}

// The fullest worker that holds `ranks` alone; nullptr: none.
const Worker* TakeBestFit(std::vector<Bucket>& buckets, int64_t ranks) {
  for (Bucket& bucket : buckets) {
    if (bucket.room >= ranks && !bucket.used_up()) return bucket.Take();
  }
  return nullptr;
}

// The bucket with most room; of equal room the one with the fewest free slots. REQUIRES: one is not
// used up.
Bucket& Roomiest(std::vector<Bucket>& buckets) {
  while (buckets.back().used_up()) buckets.pop_back();
  auto best = buckets.end() - 1;
  for (auto bucket = best; bucket->room == best->room; --bucket) {
    if (!bucket->used_up()) best = bucket;
    if (bucket == buckets.begin()) break;
  }
  return *best;
}

}  // namespace

// The size is settled first: it is the sum of what the buckets hold. After that every choice
// succeeds, because the workers that are not taken yet have room for what is left.
std::vector<WorkerShare> Pack(const FreeSlots& free, const GangRequest& request) {
  std::vector<WorkerShare> shares;
  int64_t left = RoomInAll(free, request.slots_per_rank, request.ranks_max);
  if (left < std::max<int64_t>(request.ranks_min, 1)) return shares;
  std::vector<Bucket> buckets = BucketsOf(free, request.slots_per_rank);
  while (left > 0) {
    if (const Worker* last = TakeBestFit(buckets, left)) {
      shares.push_back({last, left});
      return shares;
    }
    // No worker holds the rest alone, so the roomiest one is used up: fewer workers cannot do.
    Bucket& bucket = Roomiest(buckets);
    shares.push_back({bucket.Take(), bucket.room});
    left -= bucket.room;
  }
  return shares;
}

}  // namespace rm::scheduler
