#include "comm/collective/ring_schedule.h"

#include <algorithm>

namespace rm::comm {
namespace {

constexpr int64_t kAlignment = 16;  // elements

// C++'s % is negative for negative values, and rank − hop is one: ranks count around the ring.
int Modulo(int value, int world_size) { return (value % world_size + world_size) % world_size; }

}  // namespace

// n − 1 to reduce, n − 1 to spread.
int RingHops(int world_size) { return 2 * (world_size - 1); }

// In the first half a rank passes on the chunk it has just added to; in the second the one it has
// just received whole.
RingHop RingHopOf(int rank, int world_size, int hop) {
  const int sent = Modulo(rank - hop, world_size);
  const int received = Modulo(rank - hop - 1, world_size);
  return {sent, received, hop < world_size - 1};
}

// Equal shares of whole cache lines: the last ones are shorter, or empty.
Range ChunkOf(int64_t elements, int world_size, int chunk) {
  const int64_t share = (elements + world_size - 1) / world_size;
  const int64_t size = (share + kAlignment - 1) / kAlignment * kAlignment;
  return {std::min(elements, chunk * size), std::min(elements, (chunk + 1) * size)};
}

// An empty chunk has no segment, so nothing is sent for it.
int64_t SegmentCount(const Range& chunk, int64_t segment_elements) {
  return (chunk.size() + segment_elements - 1) / segment_elements;
}

// The last one may be short.
Range SegmentOf(const Range& chunk, int64_t segment_elements, int64_t segment) {
  const int64_t begin = chunk.begin + segment * segment_elements;
  return {begin, std::min(chunk.end, begin + segment_elements)};
}

RingCursor::RingCursor(const RingWalk& walk) : walk_(walk) { SkipFinishedHops(); }

Range RingCursor::Chunk() const {
  const int chunk = walk_.side == RingSide::kSend ? now().send_chunk : now().receive_chunk;
  return ChunkOf(walk_.elements, walk_.world_size, chunk);
}

void RingCursor::Advance() {
  ++count_;
  ++segment_;
  SkipFinishedHops();
}

bool RingMaySend(const RingCursor& sends, const RingCursor& receives, int64_t segments_ahead) {
  const bool has_it = sends.hop() == 0 || receives.IsPast(sends.hop() - 1, sends.segment());
  return has_it && (receives.done() || sends.count() < receives.count() + segments_ahead);
}

void RingCursor::SkipFinishedHops() {
  while (!done() && segment_ >= SegmentCount(Chunk(), walk_.segment_elements)) {
    segment_ = 0;
    ++hop_;
  }
}

}  // namespace rm::comm
