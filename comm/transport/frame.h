// One frame: what two ranks say to each other. docs/wire_format.md is the specification.
//
// A frame is a header of 64 bytes and a payload; a message of the transport holds exactly one.
// Reading a frame trusts nothing: bytes of any content give a header within its bounds or an error.
#ifndef RM_COMM_TRANSPORT_FRAME_H_
#define RM_COMM_TRANSPORT_FRAME_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rm::comm {

constexpr size_t kFrameHeaderBytes = 64;
constexpr size_t kFramePayloadBytesMax = size_t{16} << 20;
constexpr size_t kFrameBytesMax = kFrameHeaderBytes + kFramePayloadBytesMax;
constexpr size_t kFrameTextBytesMax = 4096;  // a job's id, an abort's message

// kShare and kWindow are said between ranks that read each other's memory (shared_windows.h), kStripe
// by a connection that brings an edge's data (tcp_transport.h).
enum class FrameKind : uint8_t {
  kHello = 1,
  kWelcome = 2,
  kData = 3,
  kAbort = 4,
  kBye = 5,
  kShare = 6,
  kWindow = 7,
  kStripe = 8,
};

// "hello".
[[nodiscard]] absl::string_view FrameKindName(FrameKind kind);

// Which part of which operation a data frame carries. Ranks that call the same operations in the
// same order agree on it; the receiver compares.
struct FrameTag {
  uint16_t operation = 0;   // what kind of operation; named by the collectives
  uint64_t collective = 0;  // ordinal of the operation in this generation
  uint32_t hop = 0;
  uint32_t segment = 0;

  friend bool operator==(const FrameTag& a, const FrameTag& b) {
    return a.operation == b.operation && a.collective == b.collective && a.hop == b.hop &&
           a.segment == b.segment;
  }
};

// Who speaks to whom, in which membership. The same in every frame of one direction of a stream.
struct FrameRoute {
  uint64_t job = 0;  // base::StableHash of the job's id
  int64_t generation = 0;
  int from = 0;  // 0 … 65535
  int to = 0;

  friend bool operator==(const FrameRoute& a, const FrameRoute& b) {
    return a.job == b.job && a.generation == b.generation && a.from == b.from && a.to == b.to;
  }
};

struct FrameHeader {
  FrameKind kind = FrameKind::kData;
  FrameTag tag;
  FrameRoute route;
  uint64_t sequence = 0;
  uint32_t payload_bytes = 0;
  uint32_t payload_crc = 0;
};

// REQUIRES: the header is within its bounds (ranks, generation ≥ 0, payload).
[[nodiscard]] std::array<char, kFrameHeaderBytes> EncodeFrameHeader(const FrameHeader& header);

// The header in the first 64 of `bytes`. DataLoss when it is damaged, cut short or out of bounds,
// FailedPrecondition when it is sound but of another version.
[[nodiscard]] absl::StatusOr<FrameHeader> ParseFrameHeader(absl::string_view bytes);

// The payload of a hello.
struct Hello {
  std::string job;
  int world_size = 0;
};
[[nodiscard]] std::string EncodeHello(const Hello& hello);
[[nodiscard]] absl::StatusOr<Hello> ParseHello(absl::string_view payload);

// The payload of an abort: a cause, with its message cut at kFrameTextBytesMax. REQUIRES: !ok.
[[nodiscard]] std::string EncodeAbort(const absl::Status& cause);
// The cause that an abort carries, never OK. Damage gives a cause that says so.
[[nodiscard]] absl::Status ParseAbort(absl::string_view payload);

// The payload of a received frame: one or more pieces of memory, in order, as the transport got
// them. Owned by the frame.
class FramePayload {
 public:
  using Visitor = absl::FunctionRef<void(absl::Span<const char>)>;
  virtual ~FramePayload() = default;
  // Calls `visit` for each piece, as they come; a span is valid during its visit. Some payloads can be
  // visited only once: they are read from the wire as they are visited.
  virtual void ForEachPiece(Visitor visit) const = 0;
};

// A received frame. Its header is checked, its payload is not yet: see Consume.
struct Frame {
  FrameHeader header;
  std::unique_ptr<FramePayload> payload;

  // Hands each piece of the payload to `visit` and checks the CRC on the way (one pass over memory
  // instead of two). DataLoss when the payload is damaged: what was made of it must be thrown away.
  [[nodiscard]] absl::Status Consume(FramePayload::Visitor visit) const;

  // The payload as one string, checked.
  [[nodiscard]] absl::StatusOr<std::string> Text() const;
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_FRAME_H_
