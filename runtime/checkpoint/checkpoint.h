// Checkpoints: what a job needs to go on from a step, durable, whole or not there, and checked to
// the last byte.
//
// The format is docs/checkpoint_format.md. A save goes through four calls:
//
//   rank 0      Prepare     there is space; the folders of the job and of this save exist
//   every rank  WriteShard  its tensors, fsynced; the report (size, checksums) goes to rank 0
//   rank 0      Commit      manifest, fsync, rename: now the checkpoint is there; then retention
//   (rank 0     Abandon     on a failure: the temporary folder goes, the previous checkpoint stays)
//
// and a start through FindNewest (rank 0; the others are told the name) and Checkpoint::Load (every
// rank). Invariants:
//   1. A name step-… exists only with its manifest and every file the manifest names, all of them
//      durable before.
//   2. Nothing is removed before a newer checkpoint has been read back and found whole.
//   3. A rank of an older generation never removes what a newer one wrote, and refuses to commit
//      once it sees it.
// Functions are thread-safe, given that one save at a time runs in a folder for one generation.
#ifndef RM_RUNTIME_CHECKPOINT_CHECKPOINT_H_
#define RM_RUNTIME_CHECKPOINT_CHECKPOINT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/file_system.h"
#include "base/json.h"
#include "runtime/checkpoint/folder.h"
#include "runtime/checkpoint/manifest.h"
#include "runtime/checkpoint/shard_report.h"
#include "runtime/tensorfile/safetensors.h"

namespace rm::checkpoint {

using tensorfile::TensorData;
using tensorfile::TensorInfo;

// ---- saving --------------------------------------------------------------------------------

// Makes `folder` (the job's, absolute) and the temporary folder of the save, and checks that
// `bytes` (of all ranks, about: the tensors' bytes) fit. ResourceExhausted, with what is needed and
// what is free; Aborted when a newer generation has already written here.
[[nodiscard]] absl::Status Prepare(base::FileSystem& files, const std::string& folder,
                                   const SaveId& id, uint64_t bytes);

// What one rank writes. Borrows the tensors' data; lists may be empty.
struct ShardSpec {
  int rank = 0;
  int world_size = 1;
  // This rank's part of parameters and buffers.
  std::vector<TensorData> weights;
  // This rank's part of the optimizer state.
  std::vector<TensorData> optimizer;
};

// Writes this rank's two files into the temporary folder (made if missing), makes them durable, and
// returns their reports. The checksums are of the tensors' memory and are computed beside the
// writing, so the time is that of the disk. On an error its files are removed as far as possible.
[[nodiscard]] absl::StatusOr<std::vector<ShardReport>> WriteShard(base::FileSystem& files,
                                                                  const std::string& folder,
                                                                  const SaveId& id,
                                                                  const ShardSpec& shard);

struct CommitSpec {
  SaveId id;
  int world_size = 1;
  // Of all ranks, in any order.
  std::vector<ShardReport> reports;
  // As the coordinator told it; the entry of this generation may still be missing.
  Lineage lineage;
  // What goes into trainer.json: an object.
  base::Json trainer_state;
  // As last measured: "train/loss", "validation/accuracy", …
  std::map<std::string, double> metrics;
  // WeightsSha256 over all weights.
  std::string weights_sha256;
  absl::Time created;
  // Checkpoints that stay, this one included, ≥ 1.
  int keep_last = 2;
};

struct CommitResult {
  // Of the checkpoint: <folder>/step-<12 digits>-g<generation>.
  std::string path;
  // Of all its files together.
  uint64_t bytes = 0;
  // What retention could not remove: no reason to fail, but to be told.
  std::vector<std::string> warnings;
};

// Makes the save a checkpoint, then applies retention: the newest keep_last that count stay, what
// is older goes, and so do temporary folders of older generations and of abandoned saves.
// Committing a step that is already there and whole drops the new copy and succeeds.
// InvalidArgument when reports are missing, of another save, or do not fit the files; Aborted when
// a newer generation has written here. On an error before the rename the temporary folder is
// removed.
[[nodiscard]] absl::StatusOr<CommitResult> Commit(base::FileSystem& files,
                                                  const std::string& folder,
                                                  const CommitSpec& commit);

// Removes the temporary folder of a save, as far as possible.
void Abandon(base::FileSystem& files, const std::string& folder, const SaveId& id);

// ---- finding -------------------------------------------------------------------------------

// One step-… folder.
struct Info {
  // The folder's name, "step-000000001000-g1".
  std::string name;
  std::string path;
  int64_t step = 0;
  int64_t generation = 0;
  int world_size = 0;
  uint64_t bytes = 0;
  absl::Time created;
  std::map<std::string, double> metrics;
  std::string weights_sha256;
  // Whole at first sight, and part of the job's history.
  bool counts = false;
  // Why it does not count; empty when it does.
  std::string problem;
  // It does not count because a file of it is damaged or missing, not because it was given up.
  bool damaged = false;
};

// Every step-… folder, the newest (highest step, then highest generation) first. Reads manifests
// and file sizes, not the files. A missing folder holds none.
[[nodiscard]] absl::StatusOr<std::vector<Info>> List(const base::FileSystem& files,
                                                     const std::string& folder,
                                                     const Lineage& lineage);

struct Verification {
  Info info;
  // How many files were read, and how many bytes.
  int64_t files = 0;
  uint64_t bytes = 0;
  // One for each damaged file, "<file>: <offset>: what".
  std::vector<std::string> problems;
  // Computed from the files; empty when there are problems.
  std::string weights_sha256;
  [[nodiscard]] bool ok() const { return problems.empty(); }
};

// Reads every byte of the checkpoint at `path` (a step-… folder) and compares every checksum.
// Offsets are those of the first damaged block. An error status only when there is no such folder.
[[nodiscard]] absl::StatusOr<Verification> Verify(const base::FileSystem& files,
                                                  const std::string& path);

// The newest checkpoint that counts and verifies. Those newer that do not are named in `warnings`
// with the reason, and those of the job's history that are damaged go into `damaged` (newest first,
// `problem` set) unless it is null. NotFound when none is left: whether there never was one, or
// damage has taken all, is seen by `damaged`.
[[nodiscard]] absl::StatusOr<Info> FindNewest(const base::FileSystem& files,
                                              const std::string& folder, const Lineage& lineage,
                                              std::vector<std::string>* warnings,
                                              std::vector<Info>* damaged = nullptr);

// ---- loading -------------------------------------------------------------------------------

// A checkpoint opened for reading, at whatever world size it was written. What is read is checked
// against the block checksums of the manifest, so nothing damaged is ever handed out. Thread-safe.
class Checkpoint {
 public:
  // Opens the checkpoint at `path`. DataLoss, with file and offset, when manifest, trainer state or
  // headers are damaged.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Checkpoint>> Load(
      const base::FileSystem& files, const std::string& path);
  ~Checkpoint();

  [[nodiscard]] const Info& info() const;
  [[nodiscard]] const base::Json& trainer_state() const;

  // All tensors of all ranks, by name.
  [[nodiscard]] const std::map<std::string, TensorInfo>& weights() const;
  [[nodiscard]] const std::map<std::string, TensorInfo>& optimizer() const;

  // Reads one tensor into `destination`. NotFound when there is none of that name, InvalidArgument
  // (with both sizes) when its bytes are not `bytes`, DataLoss when it is damaged.
  [[nodiscard]] absl::Status ReadWeights(absl::string_view name, void* destination,
                                         uint64_t bytes) const;
  [[nodiscard]] absl::Status ReadOptimizer(absl::string_view name, void* destination,
                                           uint64_t bytes) const;

 private:
  struct Contents;
  explicit Checkpoint(std::unique_ptr<Contents> contents);
  std::unique_ptr<Contents> contents_;
};

// SHA-256 over the tensors' raw little-endian bytes in the order of their names (bytewise): the
// fingerprint of a model that `bench train` prints and that can be computed again from a
// checkpoint.
[[nodiscard]] std::string WeightsSha256(absl::Span<const TensorData> tensors);

}  // namespace rm::checkpoint

#endif  // RM_RUNTIME_CHECKPOINT_CHECKPOINT_H_
