#include "comm/collective/ring_broadcast.h"

#include <cstdint>

#include "base/check.h"
#include "base/status.h"
#include "comm/collective/ring_schedule.h"

namespace rm::comm {
namespace {

constexpr int64_t kSegmentBytes = int64_t{1} << 20;

}  // namespace

absl::Status RingBroadcast(RingEdges& ring, const CollectiveId& id, absl::Span<char> bytes,
                           int root) {
  const int world_size = ring.world_size();
  RM_CHECK(root >= 0 && root < world_size, "root ", root);
  const int hop = (ring.rank() + world_size - root) % world_size;  // from root to here
  const bool last = hop == world_size - 1;
  const Range all = {0, static_cast<int64_t>(bytes.size())};
  for (int64_t s = 0; s < SegmentCount(all, kSegmentBytes); ++s) {
    const Range range = SegmentOf(all, kSegmentBytes, s);
    const absl::Span<char> segment =
        bytes.subspan(static_cast<size_t>(range.begin), static_cast<size_t>(range.size()));
    absl::optional<uint32_t> crc;
    if (hop > 0) {
      RM_ASSIGN_OR_RETURN(const Frame frame, ring.Receive(id, hop - 1, s, segment.size()));
      RM_RETURN_IF_ERROR(ring.Copy(frame, segment));
      crc = frame.header.payload_crc;
    }
    if (!last) ring.Send(id, hop, s, segment, crc);
  }
  return absl::OkStatus();
}

}  // namespace rm::comm
