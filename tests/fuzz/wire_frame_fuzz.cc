// What two ranks say to each other: the header of a frame, a hello, an abort. The first byte says
// which of them the rest is; a header comes as it is, and with its CRC made right again, so that the
// checks behind the CRC see something.
#include <string>

#include "base/check.h"
#include "base/crc32c.h"
#include "comm/transport/frame.h"
#include "tests/fuzz/fuzz_target.h"

namespace rm::fuzz {
namespace {

void CheckHeader(absl::string_view bytes) {
  const auto header = comm::ParseFrameHeader(bytes);
  if (!header.ok()) {
    RM_CHECK(absl::IsDataLoss(header.status()) || absl::IsFailedPrecondition(header.status()),
             header.status().ToString());
    return;
  }
  Accepted();
  RM_CHECK(header->payload_bytes <= comm::kFramePayloadBytesMax, "payload ", header->payload_bytes);
  RM_CHECK(header->route.generation >= 0, "generation ", header->route.generation);
  const auto encoded = comm::EncodeFrameHeader(*header);
  RM_CHECK(absl::string_view(encoded.data(), encoded.size()) == bytes.substr(0, encoded.size()),
           "another header");
}

// The header under a CRC that is right: docs/wire_format.md has it in the last four bytes.
std::string Forged(absl::string_view bytes) {
  std::string forged(bytes.substr(0, comm::kFrameHeaderBytes));
  forged.resize(comm::kFrameHeaderBytes);
  const size_t crc_at = comm::kFrameHeaderBytes - 4;
  const uint32_t crc = base::Crc32c(forged.data(), crc_at);
  for (size_t i = 0; i < 4; ++i) forged[crc_at + i] = static_cast<char>(crc >> (8 * i));
  return forged;
}

void CheckHello(absl::string_view bytes) {
  const auto hello = comm::ParseHello(bytes);
  if (!hello.ok()) return;
  Accepted();
  RM_CHECK(hello->job.size() <= comm::kFrameTextBytesMax, "a job's name of ", hello->job.size());
  RM_CHECK(comm::EncodeHello(*hello) == bytes, "another hello");
}

// Damage or not: an abort is always a cause.
void CheckAbort(absl::string_view bytes) {
  const absl::Status cause = comm::ParseAbort(bytes);
  RM_CHECK(!cause.ok(), "an abort without a cause");
  const absl::Status again = comm::ParseAbort(comm::EncodeAbort(cause));
  RM_CHECK(again.code() == cause.code(), again.ToString());
  Accepted();
}

comm::FrameHeader Example() {
  comm::FrameHeader header;
  header.kind = comm::FrameKind::kData;
  header.tag = {7, 123, 4, 5};
  header.route = {0x1122334455667788, 3, 1, 2};
  header.sequence = 99;
  header.payload_bytes = 4096;
  header.payload_crc = 0xdeadbeef;
  return header;
}

}  // namespace

TargetOptions Options() {
  TargetOptions options;
  options.cases = 200'000;
  options.input_bytes_max = 512;
  return options;
}

std::vector<std::string> Seeds() {
  const auto header = comm::EncodeFrameHeader(Example());
  comm::Hello hello;
  hello.job = "mnist-abc123";
  hello.world_size = 4;
  const std::string bytes(header.data(), header.size());
  return {"F" + bytes, "G" + bytes, "H" + comm::EncodeHello(hello),
          "A" + comm::EncodeAbort(absl::UnavailableError("rank 3 is gone"))};
}

std::vector<std::string> Words() { return {"mnist-abc123", "rank 3", std::string(8, '\0')}; }

}  // namespace rm::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const absl::string_view rest = rm::fuzz::TextOf(data, size).substr(1);
  switch (data[0] % 4) {
    case 'F' % 4: rm::fuzz::CheckHeader(rest); break;
    case 'G' % 4: rm::fuzz::CheckHeader(rm::fuzz::Forged(rest)); break;
    case 'H' % 4: rm::fuzz::CheckHello(rest); break;
    default: rm::fuzz::CheckAbort(rest); break;
  }
  return 0;
}
