// The ring, as arithmetic: which chunk a rank sends and receives at which hop. No state, no I/O.
//
// A bucket is cut into one chunk a rank. In the first N−1 hops (reduce-scatter) each chunk travels
// once around the ring and every rank it comes to adds its own part: after them rank r holds the
// complete chunk r+1. In the next N−1 hops (all-gather) the complete chunks travel around and every
// rank keeps a copy. At each hop a rank sends to the next rank and receives from the one before;
// what it sends is what it received one hop earlier, so a piece can be sent on as soon as it is
// there.
//
//   N = 3, rank 0:   hop 0: send 0, receive 2, add      hop 2: send 1, receive 0, keep
//                    hop 1: send 2, receive 1, add      hop 3: send 0, receive 2, keep
//
// (Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations",
// 2009.)
#ifndef RM_COMM_COLLECTIVE_RING_SCHEDULE_H_
#define RM_COMM_COLLECTIVE_RING_SCHEDULE_H_

#include <cstdint>

namespace rm::comm {

// Elements [begin, end).
struct Range {
  int64_t begin = 0;
  int64_t end = 0;
  [[nodiscard]] int64_t size() const { return end - begin; }
  friend bool operator==(const Range& a, const Range& b) {
    return a.begin == b.begin && a.end == b.end;
  }
};

// What one rank does at one hop.
struct RingHop {
  int send_chunk = 0;
  int receive_chunk = 0;
  bool reduce = false;  // add what is received (else keep it instead of one's own)
};

// 2(N−1).
[[nodiscard]] int RingHops(int world_size);

// REQUIRES: 0 ≤ rank < world_size, 0 ≤ hop < RingHops(world_size).
[[nodiscard]] RingHop RingHopOf(int rank, int world_size, int hop);

// Chunk `chunk` of a bucket: equal parts, rounded up to 16 elements (64 bytes), so that the last
// ones may be shorter or empty.
[[nodiscard]] Range ChunkOf(int64_t elements, int world_size, int chunk);

// A chunk is sent in segments of `segment_elements`, the last one shorter. None for an empty chunk.
[[nodiscard]] int64_t SegmentCount(const Range& chunk, int64_t segment_elements);
[[nodiscard]] Range SegmentOf(const Range& chunk, int64_t segment_elements, int64_t segment);

enum class RingSide { kSend, kReceive };

// Which walk: one rank's sends (or receives) in one allreduce.
struct RingWalk {
  int64_t elements = 0;
  int world_size = 1;
  int rank = 0;
  RingSide side = RingSide::kSend;
  int64_t segment_elements = 1;
};

// Walks through all segments that a rank sends (or receives) in one allreduce, in order: hop by
// hop, segment by segment. Thread-compatible.
class RingCursor {
 public:
  explicit RingCursor(const RingWalk& walk);

  [[nodiscard]] bool done() const { return hop_ == RingHops(walk_.world_size); }

  // The current segment. REQUIRES: !done().
  [[nodiscard]] int hop() const { return hop_; }
  [[nodiscard]] RingHop now() const { return RingHopOf(walk_.rank, walk_.world_size, hop_); }
  [[nodiscard]] int64_t segment() const { return segment_; }
  [[nodiscard]] Range range() const { return SegmentOf(Chunk(), walk_.segment_elements, segment_); }

  // Segments before the current one.
  [[nodiscard]] int64_t count() const { return count_; }
  // Is that segment before the current one?
  [[nodiscard]] bool IsPast(int hop, int64_t segment) const {
    return hop_ > hop || (hop_ == hop && segment_ > segment);
  }

  // To the next segment. REQUIRES: !done().
  void Advance();

 private:
  void SkipFinishedHops();
  [[nodiscard]] Range Chunk() const;  // of the current hop

  RingWalk walk_;
  int hop_ = 0;
  int64_t segment_ = 0;
  int64_t count_ = 0;
};

// May the rank that walks `sends` and `receives` send its next segment? It must have it: what is
// sent at a hop was received at the one before. And it must not be more than `segments_ahead` ahead
// of what it has received, so that ranks keep step and what is on the way is bounded.
//
// A ring of such ranks never stands still. Were nothing on the way, the sends of all ranks together
// would equal the receives; so some rank has sent no more than it has received, and is not held by
// the pace; it has passed on all it has, so its own first segments put it ahead, unless it is done;
// and if it is done, so is the rank after it, and so all are.
// REQUIRES: !sends.done(), segments_ahead ≥ 1.
[[nodiscard]] bool RingMaySend(const RingCursor& sends, const RingCursor& receives,
                               int64_t segments_ahead);

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_RING_SCHEDULE_H_
