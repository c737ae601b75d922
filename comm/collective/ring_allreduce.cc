#include "comm/collective/ring_allreduce.h"

#include "base/status.h"
#include "comm/collective/ring_schedule.h"

namespace rm::comm {
namespace {

constexpr int64_t kSegmentElements = (int64_t{1} << 20) / 4;

absl::Span<float> Part(const AllReduceCall& call, const Range& range) {
  return call.bucket.subspan(static_cast<size_t>(range.begin), static_cast<size_t>(range.size()));
}

absl::Span<char> Bytes(absl::Span<float> floats) {
  return {reinterpret_cast<char*>(floats.data()), floats.size() * sizeof(float)};
}

Range Chunk(const RingEdges& ring, const AllReduceCall& call, int chunk) {
  return ChunkOf(static_cast<int64_t>(call.bucket.size()), ring.world_size(), chunk);
}

// Receives one segment, reduces it, and sends it on where there is a next hop.
absl::Status DoSegment(RingEdges& ring, const AllReduceCall& call, int hop, int64_t segment,
                       absl::Span<float> part, bool reduce) {
  RM_ASSIGN_OR_RETURN(const Frame frame,
                      ring.Receive(call.id, hop, segment, Bytes(part).size()));
  absl::optional<uint32_t> crc;
  if (reduce) {
    RM_RETURN_IF_ERROR(ring.Add(frame, part));
  } else {
    RM_RETURN_IF_ERROR(ring.Copy(frame, Bytes(part)));
    crc = frame.header.payload_crc;
  }
  if (hop + 1 < RingHops(ring.world_size())) ring.Send(call.id, hop + 1, segment, Bytes(part), crc);
  return absl::OkStatus();
}

}  // namespace

size_t RingAllReduceScratch(int /*world_size*/, int64_t /*bucket_bytes*/) { return 0; }

void BeginRingAllReduce(RingEdges& ring, const AllReduceCall& call) {
  const Range chunk = Chunk(ring, call, RingHopOf(ring.rank(), ring.world_size(), 0).send_chunk);
  for (int64_t s = 0; s < SegmentCount(chunk, kSegmentElements); ++s) {
    ring.Send(call.id, 0, s, Bytes(Part(call, SegmentOf(chunk, kSegmentElements, s))));
  }
}

absl::Status FinishRingAllReduce(RingEdges& ring, const AllReduceCall& call,
                                 absl::FunctionRef<void()> all_sent) {
  const int hops = RingHops(ring.world_size());
  for (int hop = 0; hop < hops; ++hop) {
    if (hop == hops - 1) all_sent();
    const RingHop now = RingHopOf(ring.rank(), ring.world_size(), hop);
    const Range chunk = Chunk(ring, call, now.receive_chunk);
    for (int64_t s = 0; s < SegmentCount(chunk, kSegmentElements); ++s) {
      const absl::Span<float> part = Part(call, SegmentOf(chunk, kSegmentElements, s));
      RM_RETURN_IF_ERROR(DoSegment(ring, call, hop, s, part, now.reduce));
    }
  }
  return absl::OkStatus();
}

}  // namespace rm::comm
