// A rank's two edges in the ring, with the checks that every collective makes on what it receives.
#ifndef RM_COMM_COLLECTIVE_RING_EDGES_H_
#define RM_COMM_COLLECTIVE_RING_EDGES_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "comm/transport/transport.h"

namespace rm::comm {

// What the ranks are in: the `operation` of a frame's tag. Part of the wire format: never renumber.
enum class CollectiveKind : uint16_t {
  kJoin = 1,
  kAllReduce = 2,
  kSum = 3,
  kBroadcast = 4,
  kBarrier = 5,
};

// "allreduce".
[[nodiscard]] const char* CollectiveName(CollectiveKind kind);

// One operation of a generation: what it is and its ordinal. Every rank counts alike.
struct CollectiveId {
  CollectiveKind kind = CollectiveKind::kBarrier;
  uint64_t ordinal = 0;
};

// Borrows the transport. Failures of Receive, Add and Copy (but a deadline) have failed the
// transport.
class RingEdges {
 public:
  explicit RingEdges(Transport& transport);

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int world_size() const { return world_size_; }
  [[nodiscard]] int next() const { return next_; }
  [[nodiscard]] int previous() const { return previous_; }

  // To the next rank, as Transport::Send.
  void Send(const CollectiveId& id, int64_t hop, int64_t segment, absl::Span<const char> payload,
            absl::optional<uint32_t> payload_crc = absl::nullopt);

  // The next frame from the previous rank, which must be this one, with `bytes` of payload: else
  // the ranks have called different operations, and the gang is aborted with a sentence that says
  // so.
  [[nodiscard]] absl::StatusOr<Frame> Receive(const CollectiveId& id, int64_t hop, int64_t segment,
                                              size_t bytes,
                                              absl::Time deadline = absl::InfiniteFuture());

  // Adds the frame's floats to `out`, or copies its bytes; the sizes are equal. Damage aborts the
  // gang and leaves `out` undefined.
  [[nodiscard]] absl::Status Add(const Frame& frame, absl::Span<float> out);
  [[nodiscard]] absl::Status Copy(const Frame& frame, absl::Span<char> out);

  [[nodiscard]] absl::Status Flush(absl::Time deadline = absl::InfiniteFuture()) {
    return transport_.Flush(deadline);
  }

 private:
  [[nodiscard]] absl::Status AbortUnlessOk(const absl::Status& status);

  Transport& transport_;
  const int rank_;
  const int world_size_;
  const int next_;
  const int previous_;
};

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_RING_EDGES_H_
