#include "comm/collective/ring_edges.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "comm/collective/sum.h"

namespace rm::comm {
namespace {

// Says which collective, hop and segment a frame belongs to, so that a frame out of place is found
// at once.
FrameTag TagOf(const CollectiveId& id, int64_t hop, int64_t segment) {
  return {static_cast<uint16_t>(id.kind), id.ordinal, static_cast<uint32_t>(hop),
          static_cast<uint32_t>(segment)};
}

// For the message of such a frame.
std::string Describe(const FrameTag& tag, size_t bytes) {
  return absl::StrCat(CollectiveName(static_cast<CollectiveKind>(tag.operation)), " ",
                      tag.collective, " (hop ", tag.hop, ", segment ", tag.segment, ", ", bytes,
                      " bytes)");
}

}  // namespace

const char* CollectiveName(CollectiveKind kind) {
  switch (kind) {
    case CollectiveKind::kJoin: return "join";
    case CollectiveKind::kAllReduce: return "allreduce";
    case CollectiveKind::kSum: return "sum";
    case CollectiveKind::kBroadcast: return "broadcast";
    case CollectiveKind::kBarrier: return "barrier";
  }
  return "unknown operation";
}

RingEdges::RingEdges(Transport& transport)
    : transport_(transport),
      rank_(transport.rank()),
      world_size_(transport.world_size()),
      next_((rank_ + 1) % world_size_),
      previous_((rank_ + world_size_ - 1) % world_size_) {}

void RingEdges::Send(const CollectiveId& id, int64_t hop, int64_t segment,
                     absl::Span<const char> payload, absl::optional<uint32_t> payload_crc) {
  transport_.Send(next_, TagOf(id, hop, segment), payload, payload_crc);
}

absl::StatusOr<Frame> RingEdges::Receive(const CollectiveId& id, int64_t hop, int64_t segment,
                                         size_t bytes, absl::Time deadline) {
  absl::StatusOr<Frame> frame = transport_.Receive(previous_, deadline);
  if (!frame.ok()) return frame;
  const FrameTag expected = TagOf(id, hop, segment);
  if (frame->header.tag == expected && frame->header.payload_bytes == bytes) return frame;
  transport_.Abort(absl::AbortedError(absl::StrCat(
      "the ranks do not agree on what to do: rank ", previous_, " is in ",
      Describe(frame->header.tag, frame->header.payload_bytes), ", rank ", rank_, " in ",
      Describe(expected, bytes))));
  return transport_.status();
}

// The payload's CRC is checked in the same pass that adds it.
absl::Status RingEdges::Add(const Frame& frame, absl::Span<float> out) {
  AddingSink sink(out);
  return AbortUnlessOk(frame.Consume([&](absl::Span<const char> piece) { sink.Take(piece); }));
}

// As Add, without the sum.
absl::Status RingEdges::Copy(const Frame& frame, absl::Span<char> out) {
  CopyingSink sink(out);
  return AbortUnlessOk(frame.Consume([&](absl::Span<const char> piece) { sink.Take(piece); }));
}

// Damage found here ends the gang everywhere: the sums of the others would differ.
absl::Status RingEdges::AbortUnlessOk(const absl::Status& status) {
  if (status.ok()) return status;
  transport_.Abort(status);
  return transport_.status();
}

}  // namespace rm::comm
