#include "comm/transport/frame.h"

#include <catch2/catch.hpp>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "base/random.h"

namespace rm::comm {
namespace {

// The worked example of docs/wire_format.md.
FrameHeader ExampleHeader() {
  FrameHeader header;
  header.kind = FrameKind::kData;
  header.tag = {2, 3, 0, 0};
  header.route = {base::StableHash("mnist-1"), 7, 1, 2};
  header.sequence = 5;
  header.payload_bytes = 8;
  const float payload[] = {1.0F, -2.0F};
  header.payload_crc = base::Crc32c(payload, sizeof(payload));
  return header;
}

std::string Encoded(const FrameHeader& header) {
  const auto bytes = EncodeFrameHeader(header);
  return std::string(bytes.data(), bytes.size());
}

// The header with a valid CRC after its bytes were changed.
std::string Resealed(std::string bytes) {
  const uint32_t crc = base::Crc32c(bytes.data(), 60);
  std::memcpy(bytes.data() + 60, &crc, sizeof(crc));
  return bytes;
}

// Bytes as a payload in pieces of the given sizes, the rest as the last piece.
class PiecesPayload final : public FramePayload {
 public:
  PiecesPayload(std::string bytes, std::vector<size_t> sizes)
      : bytes_(std::move(bytes)), sizes_(std::move(sizes)) {}
  void ForEachPiece(Visitor visit) const override {
    size_t begin = 0;
    for (const size_t size : sizes_) {
      visit({bytes_.data() + begin, size});
      begin += size;
    }
    visit({bytes_.data() + begin, bytes_.size() - begin});
  }

 private:
  std::string bytes_;
  std::vector<size_t> sizes_;
};

Frame FrameOf(const std::string& payload, const std::vector<size_t>& pieces) {
  Frame frame;
  frame.header = ExampleHeader();
  frame.header.payload_bytes = static_cast<uint32_t>(payload.size());
  frame.header.payload_crc = base::Crc32c(payload);
  frame.payload = std::make_unique<PiecesPayload>(payload, pieces);
  return frame;
}

TEST_CASE("the worked example of the wire format is what the code writes") {
  const std::string expected = absl::HexStringToBytes(
      "524d4652010302003605a847bf801ff3"
      "07000000000000000500000000000000"
      "03000000000000000000000000000000"
      "0100020008000000c9f236aaf90bad05");
  CHECK(absl::BytesToHexString(Encoded(ExampleHeader())) == absl::BytesToHexString(expected));
}

TEST_CASE("a header is read as it was written") {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    base::RandomStream random(seed, base::StableHash("frame_test.round_trip"));
    FrameHeader header;
    header.kind = static_cast<FrameKind>(1 + random.NextBelow(5));
    header.tag.operation = static_cast<uint16_t>(random.NextBits());
    header.tag.collective = random.NextBits();
    header.tag.hop = static_cast<uint32_t>(random.NextBits());
    header.tag.segment = static_cast<uint32_t>(random.NextBits());
    header.route.job = random.NextBits();
    header.route.generation = static_cast<int64_t>(random.NextBits() >> 1);
    header.route.from = static_cast<int>(random.NextBelow(65536));
    header.route.to = static_cast<int>(random.NextBelow(65536));
    header.sequence = random.NextBits();
    header.payload_bytes = static_cast<uint32_t>(random.NextBelow(kFramePayloadBytesMax + 1));
    header.payload_crc = static_cast<uint32_t>(random.NextBits());
    const auto read = ParseFrameHeader(Encoded(header));
    REQUIRE(read.ok());
    CHECK(read->kind == header.kind);
    CHECK(read->tag == header.tag);
    CHECK(read->route == header.route);
    CHECK(read->sequence == header.sequence);
    CHECK(read->payload_bytes == header.payload_bytes);
    CHECK(read->payload_crc == header.payload_crc);
  }
}

TEST_CASE("every single bit flip in a header is noticed") {
  const std::string sound = Encoded(ExampleHeader());
  for (size_t bit = 0; bit < 8 * kFrameHeaderBytes; ++bit) {
    std::string damaged = sound;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    INFO("bit " << bit);
    CHECK(ParseFrameHeader(damaged).status().code() == absl::StatusCode::kDataLoss);
  }
}

TEST_CASE("a header that is cut short is damage") {
  const std::string sound = Encoded(ExampleHeader());
  for (size_t size = 0; size < kFrameHeaderBytes; ++size) {
    CHECK(absl::IsDataLoss(ParseFrameHeader(sound.substr(0, size)).status()));
  }
  CHECK(ParseFrameHeader(sound + "payload").ok());
}

TEST_CASE("random bytes are never a header, and never more than an error") {
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    base::RandomStream random(seed, base::StableHash("frame_test.garbage"));
    std::string bytes(random.NextBelow(200), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.NextBits());
    CHECK_FALSE(ParseFrameHeader(bytes).ok());
  }
}

TEST_CASE("fields out of bounds are refused even with a sound CRC") {
  struct Case {
    const char* what;
    size_t at;
    std::string bytes;
    absl::StatusCode code;
    const char* says;
  };
  const std::vector<Case> cases = {
      {"magic", 0, "RMFS", absl::StatusCode::kDataLoss, "does not begin with RMFR"},
      {"a later version", 4, "\x02", absl::StatusCode::kFailedPrecondition, "version 2"},
      {"kind 0", 5, std::string(1, '\0'), absl::StatusCode::kDataLoss, "no kind 0"},
      {"kind 9", 5, "\x09", absl::StatusCode::kDataLoss, "no kind 9"},
      {"a negative generation", 23, "\x80", absl::StatusCode::kDataLoss, "negative generation"},
      {"a payload of 16 MiB and a byte", 52, std::string("\x01\x00\x00\x01", 4),
       absl::StatusCode::kDataLoss, "16777217 bytes"},
      {"a payload of 4 GiB", 52, "\xff\xff\xff\xff", absl::StatusCode::kDataLoss, "4294967295"},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    std::string bytes = Encoded(ExampleHeader());
    bytes.replace(c.at, c.bytes.size(), c.bytes);
    const absl::Status status = ParseFrameHeader(Resealed(bytes)).status();
    CHECK(status.code() == c.code);
    CHECK_THAT(std::string(status.message()), Catch::Contains(c.says));
  }
}

TEST_CASE("random headers with a sound CRC are read within bounds or refused") {
  int accepted = 0;
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    base::RandomStream random(seed, base::StableHash("frame_test.sealed_garbage"));
    std::string bytes = Encoded(ExampleHeader());
    for (size_t i = 5; i < 60; ++i) bytes[i] = static_cast<char>(random.NextBits());
    bytes[5] = static_cast<char>(random.NextBelow(10));
    bytes[55] = static_cast<char>(random.NextBelow(3));
    const auto header = ParseFrameHeader(Resealed(bytes));
    if (!header.ok()) continue;
    ++accepted;
    CHECK(header->payload_bytes <= kFramePayloadBytesMax);
    CHECK(header->route.generation >= 0);
    CHECK(header->kind >= FrameKind::kHello);
    CHECK(header->kind <= FrameKind::kStripe);
  }
  CHECK(accepted > 100);
}

TEST_CASE("hello carries the job and the size of the gang") {
  const auto hello = ParseHello(EncodeHello({"mnist-1", 65536}));
  REQUIRE(hello.ok());
  CHECK(hello->job == "mnist-1");
  CHECK(hello->world_size == 65536);
}

TEST_CASE("a hello out of bounds is damage") {
  const std::vector<std::string> payloads = {
      "", "abc", std::string("\x02\x00\x00\x00", 4),                  // no job
      std::string("\x00\x00\x00\x00job", 7),                          // no ranks
      std::string("\x01\x00\x01\x00job", 7),                          // 65537 ranks
      EncodeHello({std::string(kFrameTextBytesMax + 1, 'j'), 2})};
  for (const std::string& payload : payloads) {
    CHECK(absl::IsDataLoss(ParseHello(payload).status()));
  }
}

TEST_CASE("an abort carries its cause") {
  const absl::Status cause = absl::DataLossError("rank 1 lost rank 2");
  CHECK(ParseAbort(EncodeAbort(cause)) == cause);
}

TEST_CASE("a long cause is cut, and a damaged one is still an abort") {
  const absl::Status read = ParseAbort(EncodeAbort(absl::AbortedError(std::string(9000, 'x'))));
  CHECK(read == absl::AbortedError(std::string(kFrameTextBytesMax, 'x')));
  CHECK(absl::IsAborted(ParseAbort("")));
  CHECK(absl::IsAborted(ParseAbort(std::string(5000, '\x01'))));
  // Code 0 would be OK, which is no cause; code 17 is none that we know.
  CHECK(ParseAbort(std::string("\0\0\0\0x", 5)) == absl::AbortedError("x"));
  CHECK(ParseAbort(std::string("\x11\0\0\0x", 5)) == absl::AbortedError("x"));
}

TEST_CASE("a payload is the same however it is cut into pieces") {
  const std::string text = "twelve bytes";
  const std::vector<std::vector<size_t>> cuts = {{}, {0}, {12}, {1, 1, 1}, {5, 0, 6}};
  for (const std::vector<size_t>& cut : cuts) {
    const auto read = FrameOf(text, cut).Text();
    REQUIRE(read.ok());
    CHECK(*read == text);
  }
}

TEST_CASE("a payload that does not match its CRC is damage, and says where") {
  Frame frame = FrameOf("twelve bytes", {7});
  frame.header.payload_crc ^= 0x100;
  int visited = 0;
  const absl::Status status = frame.Consume([&](absl::Span<const char> piece) {
    visited += static_cast<int>(piece.size());
  });
  CHECK(visited == 12);
  CHECK(absl::IsDataLoss(status));
  CHECK_THAT(std::string(status.message()), Catch::Contains("frame 5 from rank 1 to rank 2"));
  CHECK_FALSE(frame.Text().ok());
}

TEST_CASE("every kind has a name") {
  const std::vector<std::string> names = {"hello", "welcome", "data", "abort", "bye"};
  for (size_t i = 0; i < names.size(); ++i) {
    CHECK(FrameKindName(static_cast<FrameKind>(i + 1)) == names[i]);
  }
}

}  // namespace
}  // namespace rm::comm
