#include "comm/collective/gather_allreduce.h"

#include <cstring>

#include "base/status.h"
#include "comm/collective/ring_gather.h"
#include "comm/collective/sum.h"

namespace rm::comm {
namespace {

// Below it the number of hops counts, above it the number of bytes.
constexpr int64_t kBytesMax = int64_t{64} << 10;

}  // namespace

bool GatherTakes(int /*world_size*/, int64_t bucket_bytes) { return bucket_bytes <= kBytesMax; }

size_t GatherScratch(int world_size, int64_t bucket_bytes) {
  return static_cast<size_t>(world_size) * static_cast<size_t>(bucket_bytes);
}

void BeginGather(RingEdges& ring, const AllReduceCall& call) {
  const size_t bytes = call.bucket.size() * sizeof(float);
  char* const own = call.scratch.data() + bytes * static_cast<size_t>(ring.rank());
  if (bytes > 0) std::memcpy(own, call.bucket.data(), bytes);
}

absl::Status FinishGather(RingEdges& ring, const AllReduceCall& call,
                          absl::FunctionRef<void()> all_sent) {
  const size_t bytes = call.bucket.size() * sizeof(float);
  if (bytes == 0) return absl::OkStatus();
  RM_RETURN_IF_ERROR(RingGather(ring, call.id, call.scratch, bytes));
  all_sent();
  static const AddFloatsFunction add = AddFloats();
  std::memcpy(call.bucket.data(), call.scratch.data(), bytes);
  for (int rank = 1; rank < ring.world_size(); ++rank) {
    add(call.bucket.data(), call.scratch.data() + bytes * static_cast<size_t>(rank),
        static_cast<int64_t>(call.bucket.size()));
  }
  return absl::OkStatus();
}

}  // namespace rm::comm
