// The manifest of a checkpoint. Its checksum refuses nearly every change, so half of the cases have
// theirs made right again: a lie, not damage, which only the checks behind the checksum can refuse.
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/sha256.h"
#include "runtime/checkpoint/manifest.h"
#include "tests/fuzz/fuzz_target.h"

namespace rm::fuzz {
namespace {

constexpr char kSumKey[] = ",\n \"manifest_sha256\"";

checkpoint::ShardReport File(const std::string& name, uint64_t bytes) {
  checkpoint::ShardReport report;
  report.file = name;
  report.bytes = bytes;
  report.sha256 = std::string(64, '0');
  report.crc32c = {0x0a0b0c0d};
  return report;
}

checkpoint::Manifest Example() {
  checkpoint::Manifest manifest;
  manifest.step = 1000;
  manifest.generation = 2;
  manifest.nonce = "9f3c5a7b00112233";
  manifest.created = absl::FromUnixNanos(1'800'000'000'123'456'789);
  manifest.lineage = {{1, 0}, {2, 500}};
  manifest.metrics = {{"train/loss", 0.25}, {"validation/accuracy", 1}};
  manifest.weights_sha256 = std::string(64, 'b');
  manifest.files = {File("weights-00000-of-00001.safetensors", 100),
                    File("optimizer-00000-of-00001.safetensors", 16), File("trainer.json", 50)};
  return manifest;
}

// The text under a checksum that is right.
std::string Forged(absl::string_view text) {
  const absl::string_view body = text.substr(0, text.rfind(kSumKey));
  return absl::StrCat(body, kSumKey, ": \"", base::Sha256Hex(body), "\"\n}\n");
}

void CheckManifest(absl::string_view text) {
  const auto manifest = checkpoint::ParseManifest(text);
  if (!manifest.ok()) {
    const absl::string_view message = manifest.status().message();
    RM_CHECK(absl::IsDataLoss(manifest.status()) || absl::IsUnimplemented(manifest.status()),
             manifest.status().ToString());
    RM_CHECK(!message.empty() && absl::ascii_isdigit(static_cast<unsigned char>(message[0])),
             "no offset: ", message);
    return;
  }
  Accepted();
  const std::string written = checkpoint::FormatManifest(*manifest);
  const auto again = checkpoint::ParseManifest(written);
  RM_CHECK(again.ok(), again.status().message());
  RM_CHECK(checkpoint::FormatManifest(*again) == written, "another manifest: ", written);
  // Whether its files are all there is another question, which must have an answer.
  (void)checkpoint::CheckComplete(*manifest).ok();
}

}  // namespace

TargetOptions Options() {
  TargetOptions options;
  options.cases = 60'000;
  return options;
}

std::vector<std::string> Seeds() {
  checkpoint::Manifest empty = Example();
  empty.lineage.clear();
  empty.metrics.clear();
  return {"+" + checkpoint::FormatManifest(Example()), "+" + checkpoint::FormatManifest(empty),
          "-" + checkpoint::FormatManifest(Example())};
}

std::vector<std::string> Words() {
  return {"\"step\": ",  "-1",        "1e99",  "null",     "\"files\": [", "{}",   "[",
          "\"version\"", "\"crc32c\"", "2000-01-01T00:00:00Z", "9223372036854775807", "\"\"",
          "../../x",     "\"bytes\": 18446744073709551615",    "0.5",         "true"};
}

}  // namespace rm::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const absl::string_view text = rm::fuzz::TextOf(data, size).substr(1);
  rm::fuzz::CheckManifest(data[0] == '-' ? rm::fuzz::Forged(text) : std::string(text));
  return 0;
}
