#include "comm/transport/frame.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "base/status.h"

namespace rm::comm {
namespace {

constexpr uint32_t kMagic = 0x52464D52;  // "RMFR"
constexpr uint8_t kVersion = 1;
constexpr int kRankMax = 0xFFFF;

// Where each field lies; the table of docs/wire_format.md.
enum Offset : size_t {
  kMagicAt = 0,
  kVersionAt = 4,
  kKindAt = 5,
  kOperationAt = 6,
  kJobAt = 8,
  kGenerationAt = 16,
  kSequenceAt = 24,
  kCollectiveAt = 32,
  kHopAt = 40,
  kSegmentAt = 44,
  kFromAt = 48,
  kToAt = 50,
  kLengthAt = 52,
  kPayloadCrcAt = 56,
  kHeaderCrcAt = 60,
};

// Little-endian, byte by byte: the same on every machine, and compilers make one move of it.
template <typename T>
void Put(char* header, size_t at, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    header[at + i] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
  }
}

template <typename T>
T Get(absl::string_view bytes, size_t at) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[at + i])) << (8 * i);
  }
  return static_cast<T>(value);
}

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("damaged frame: ", what));
}

// Before any other field is believed. The CRC comes before the version: of a damaged header not even
// that can be told.
absl::Status CheckFixedFields(absl::string_view bytes) {
  if (bytes.size() < kFrameHeaderBytes) {
    return Damaged(absl::StrCat(bytes.size(), " bytes, a header has ", kFrameHeaderBytes));
  }
  if (Get<uint32_t>(bytes, kMagicAt) != kMagic) return Damaged("it does not begin with RMFR");
  const uint32_t crc = base::Crc32c(bytes.data(), kHeaderCrcAt);
  if (crc != Get<uint32_t>(bytes, kHeaderCrcAt)) return Damaged("the header's CRC does not match");
  const int version = Get<uint8_t>(bytes, kVersionAt);
  if (version != kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("the peer sends frames of version ", version, ", this rank reads version ",
                     static_cast<int>(kVersion), ": run the same release on all workers"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view FrameKindName(FrameKind kind) {
  switch (kind) {
    case FrameKind::kHello: return "hello";
    case FrameKind::kWelcome: return "welcome";
    case FrameKind::kData: return "data";
    case FrameKind::kAbort: return "abort";
    case FrameKind::kBye: return "bye";
    case FrameKind::kShare: return "share";
    case FrameKind::kWindow: return "window";
    case FrameKind::kStripe: return "stripe";
  }
  return "unknown";
}

// What would not fit its field is a bug of ours, never of the peer's.
std::array<char, kFrameHeaderBytes> EncodeFrameHeader(const FrameHeader& header) {
  RM_CHECK(header.route.from >= 0 && header.route.from <= kRankMax && header.route.to >= 0 &&
               header.route.to <= kRankMax,
           "ranks ", header.route.from, " and ", header.route.to);
  RM_CHECK(header.payload_bytes <= kFramePayloadBytesMax, header.payload_bytes, " bytes");
  RM_CHECK(header.route.generation >= 0, "generation ", header.route.generation);
  std::array<char, kFrameHeaderBytes> bytes;
  char* const out = bytes.data();
  Put<uint32_t>(out, kMagicAt, kMagic);
  Put<uint8_t>(out, kVersionAt, kVersion);
  Put<uint8_t>(out, kKindAt, static_cast<uint8_t>(header.kind));
  Put<uint16_t>(out, kOperationAt, header.tag.operation);
  Put<uint64_t>(out, kJobAt, header.route.job);
  Put<uint64_t>(out, kGenerationAt, static_cast<uint64_t>(header.route.generation));
  Put<uint64_t>(out, kSequenceAt, header.sequence);
  Put<uint64_t>(out, kCollectiveAt, header.tag.collective);
  Put<uint32_t>(out, kHopAt, header.tag.hop);
  Put<uint32_t>(out, kSegmentAt, header.tag.segment);
  Put<uint16_t>(out, kFromAt, static_cast<uint16_t>(header.route.from));
  Put<uint16_t>(out, kToAt, static_cast<uint16_t>(header.route.to));
  Put<uint32_t>(out, kLengthAt, header.payload_bytes);
  Put<uint32_t>(out, kPayloadCrcAt, header.payload_crc);
  Put<uint32_t>(out, kHeaderCrcAt, base::Crc32c(out, kHeaderCrcAt));
  return bytes;
}

// The CRC says that the header is as it was sent, not that the sender was sane: sizes and ranges are
// checked all the same before anyone allocates by them.
absl::StatusOr<FrameHeader> ParseFrameHeader(absl::string_view bytes) {
  RM_RETURN_IF_ERROR(CheckFixedFields(bytes));
  FrameHeader header;
  const int kind = Get<uint8_t>(bytes, kKindAt);
  if (kind < static_cast<int>(FrameKind::kHello) || kind > static_cast<int>(FrameKind::kStripe)) {
    return Damaged(absl::StrCat("there is no kind ", kind));
  }
  header.kind = static_cast<FrameKind>(kind);
  header.tag.operation = Get<uint16_t>(bytes, kOperationAt);
  header.tag.collective = Get<uint64_t>(bytes, kCollectiveAt);
  header.tag.hop = Get<uint32_t>(bytes, kHopAt);
  header.tag.segment = Get<uint32_t>(bytes, kSegmentAt);
  header.route.job = Get<uint64_t>(bytes, kJobAt);
  header.route.generation = static_cast<int64_t>(Get<uint64_t>(bytes, kGenerationAt));
  header.route.from = Get<uint16_t>(bytes, kFromAt);
  header.route.to = Get<uint16_t>(bytes, kToAt);
  header.sequence = Get<uint64_t>(bytes, kSequenceAt);
  header.payload_bytes = Get<uint32_t>(bytes, kLengthAt);
  header.payload_crc = Get<uint32_t>(bytes, kPayloadCrcAt);
  if (header.route.generation < 0) return Damaged("negative generation");
  if (header.payload_bytes > kFramePayloadBytesMax) {
    return Damaged(absl::StrCat("payload of ", header.payload_bytes, " bytes, at most ",
                                kFramePayloadBytesMax, " are allowed"));
  }
  return header;
}

std::string EncodeHello(const Hello& hello) {
  std::string payload(4, '\0');
  Put<uint32_t>(payload.data(), 0, static_cast<uint32_t>(hello.world_size));
  return payload + hello.job;
}

// A job's name follows the size of its gang; it has at least one character.
absl::StatusOr<Hello> ParseHello(absl::string_view payload) {
  if (payload.size() < 5 || payload.size() > 4 + kFrameTextBytesMax) {
    return Damaged(absl::StrCat("hello of ", payload.size(), " bytes"));
  }
  const uint32_t world_size = Get<uint32_t>(payload, 0);
  if (world_size < 1 || world_size > kRankMax + 1) {
    return Damaged(absl::StrCat("hello from a gang of ", world_size, " ranks"));
  }
  return Hello{std::string(payload.substr(4)), static_cast<int>(world_size)};
}

std::string EncodeAbort(const absl::Status& cause) {
  RM_CHECK(!cause.ok(), "an abort needs a cause");
  std::string payload(4, '\0');
  Put<uint32_t>(payload.data(), 0, static_cast<uint32_t>(cause.code()));
  return absl::StrCat(payload, cause.message().substr(0, kFrameTextBytesMax));
}

// An abort ends the gang whatever its payload is worth: one that cannot be read is still an abort.
absl::Status ParseAbort(absl::string_view payload) {
  constexpr uint32_t kCodeMax = static_cast<uint32_t>(absl::StatusCode::kUnauthenticated);
  if (payload.size() < 4 || payload.size() > 4 + kFrameTextBytesMax) {
    return absl::AbortedError("a peer aborted, its cause was damaged on the way");
  }
  const uint32_t code = Get<uint32_t>(payload, 0);
  const bool known = code > 0 && code <= kCodeMax;
  return absl::Status(known ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kAborted,
                      payload.substr(4));
}

// The bytes go to the visitor before the CRC is known, so that they are touched once; who keeps them
// must not use them when this fails.
absl::Status Frame::Consume(FramePayload::Visitor visit) const {
  uint32_t crc = 0;
  payload->ForEachPiece([&](absl::Span<const char> piece) {
    crc = base::Crc32cExtend(crc, piece.data(), piece.size());
    visit(piece);
  });
  if (crc == header.payload_crc) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("frame ", header.sequence, " from rank ", header.route.from, " to rank ",
                   header.route.to, " is damaged: its payload of ", header.payload_bytes,
                   " bytes has CRC-32C ", absl::Hex(crc, absl::kZeroPad8), ", not ",
                   absl::Hex(header.payload_crc, absl::kZeroPad8)));
}

absl::StatusOr<std::string> Frame::Text() const {
  std::string text;
  text.reserve(header.payload_bytes);
  RM_RETURN_IF_ERROR(
      Consume([&](absl::Span<const char> piece) { text.append(piece.data(), piece.size()); }));
  return text;
}

}  // namespace rm::comm
