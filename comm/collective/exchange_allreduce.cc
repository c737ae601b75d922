#include "comm/collective/exchange_allreduce.h"

#include "base/status.h"

namespace rm::comm {
namespace {

// Larger buckets are worth the ring's pipeline.
constexpr int64_t kBytesMax = int64_t{512} << 10;

absl::Span<char> Bytes(const AllReduceCall& call) {
  return {reinterpret_cast<char*>(call.bucket.data()), call.bucket.size() * sizeof(float)};
}

}  // namespace

bool ExchangeTakes(int world_size, int64_t bucket_bytes) {
  return world_size == 2 && bucket_bytes <= kBytesMax;
}

size_t ExchangeScratch(int /*world_size*/, int64_t /*bucket_bytes*/) { return 0; }

void BeginExchange(RingEdges& ring, const AllReduceCall& call) {
  if (!call.bucket.empty()) ring.Send(call.id, 0, 0, Bytes(call));
}

absl::Status FinishExchange(RingEdges& ring, const AllReduceCall& call,
                            absl::FunctionRef<void()> all_sent) {
  if (call.bucket.empty()) return absl::OkStatus();
  RM_ASSIGN_OR_RETURN(const Frame frame, ring.Receive(call.id, 0, 0, Bytes(call).size()));
  // What is sent lies in the bucket: it must have left before the sum takes its place.
  RM_RETURN_IF_ERROR(ring.Flush());
  all_sent();
  return ring.Add(frame, call.bucket);
}

}  // namespace rm::comm
