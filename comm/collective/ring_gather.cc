#include "comm/collective/ring_gather.h"

#include "base/check.h"
#include "base/status.h"

namespace rm::comm {

absl::Status RingGather(RingEdges& ring, const CollectiveId& id, absl::Span<char> slots,
                        size_t slot_bytes, absl::Time deadline, int* missing) {
  const int world_size = ring.world_size();
  RM_CHECK(slots.size() == slot_bytes * static_cast<size_t>(world_size), "one slot a rank");
  const auto slot = [&](int rank) {
    return slots.subspan(slot_bytes * static_cast<size_t>(rank), slot_bytes);
  };
  ring.Send(id, 0, 0, slot(ring.rank()));
  for (int hop = 0; hop < world_size - 1; ++hop) {
    const int origin = (ring.rank() + world_size - 1 - hop) % world_size;
    const absl::StatusOr<Frame> frame = ring.Receive(id, hop, 0, slot_bytes, deadline);
    if (!frame.ok() && missing != nullptr) *missing = origin;
    RM_RETURN_IF_ERROR(frame.status());
    RM_RETURN_IF_ERROR(ring.Copy(*frame, slot(origin)));
    if (hop + 1 < world_size - 1) {
      ring.Send(id, hop + 1, 0, slot(origin), frame->header.payload_crc);
    }
  }
  return absl::OkStatus();
}

}  // namespace rm::comm
