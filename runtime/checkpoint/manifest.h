// manifest.json: what a checkpoint consists of, with the checksums that everything is verified by.
#ifndef RM_RUNTIME_CHECKPOINT_MANIFEST_H_
#define RM_RUNTIME_CHECKPOINT_MANIFEST_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "runtime/checkpoint/shard_report.h"

namespace rm::checkpoint {

// Generation `generation` (1 is the first) went on from `first_step`.
struct LineageEntry {
  int64_t generation = 0;
  int64_t first_step = 0;
};
// The generations of a job so far, ascending. Empty: not known, then every generation counts.
using Lineage = std::vector<LineageEntry>;

// A value type; field by field as in docs/checkpoint_format.md.
struct Manifest {
  int64_t step = 0;
  int64_t generation = 1;
  int world_size = 1;
  std::string nonce;
  absl::Time created;
  Lineage lineage;
  std::map<std::string, double> metrics;
  std::string weights_sha256;
  // Entries of trainer.json and the files of all ranks; without `save`.
  std::vector<ShardReport> files;

  // Of all files in it.
  [[nodiscard]] uint64_t file_bytes() const;
};

// The manifest's text. It ends with a checksum of itself.
[[nodiscard]] std::string FormatManifest(const Manifest& manifest);

// The manifest of a text. DataLoss, "<offset>: what", when its checksum or anything else is wrong:
// nothing of a damaged manifest is believed. Unimplemented when it is of a later version of the
// format.
[[nodiscard]] absl::StatusOr<Manifest> ParseManifest(absl::string_view text);

// OK when the files are exactly trainer.json and two files for each rank.
[[nodiscard]] absl::Status CheckComplete(const Manifest& manifest);

}  // namespace rm::checkpoint

#endif  // RM_RUNTIME_CHECKPOINT_MANIFEST_H_
