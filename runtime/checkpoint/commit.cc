// What rank 0 does in a save: make room before it, and make it a checkpoint after it.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/units.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/folder.h"
#include "runtime/checkpoint/names.h"
#include "runtime/checkpoint/retention.h"
#include "runtime/checkpoint/sums.h"

namespace rm::checkpoint {
namespace {

// What a save needs beside the tensors: headers, manifest (8 hex digits a MiB), trainer state, file
// system blocks.
uint64_t SpaceNeeded(uint64_t tensor_bytes) {
  constexpr uint64_t kFixedBytes = uint64_t{1} << 20;
  return tensor_bytes + tensor_bytes / 256 + kFixedBytes;
}

// Before anything is written: a disk that fills up half-way through a save would take other users
// of it along.
absl::Status CheckSpace(const base::FileSystem& files, const std::string& folder, int64_t step,
                        uint64_t tensor_bytes) {
  const uint64_t needed = SpaceNeeded(tensor_bytes);
  RM_ASSIGN_OR_RETURN(const uint64_t free, files.FreeBytes(folder));
  if (free >= needed) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "no space for the checkpoint of step ", step, ": it needs ",
      base::FormatBytes(static_cast<int64_t>(needed)), ", ", folder, " has ",
      base::FormatBytes(static_cast<int64_t>(free)), " free"));
}

// A small file, synced. Its name becomes durable with the folder's sync.
absl::Status WriteDurably(base::FileSystem& files, const std::string& path,
                          absl::string_view bytes) {
  RM_ASSIGN_OR_RETURN(const auto file, files.Create(path));
  RM_RETURN_IF_ERROR(file->Append(bytes));
  RM_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

// Every report must be of this save, and its file as long as it says.
absl::Status CheckReports(const base::FileSystem& files, const std::string& temporary,
                          const std::vector<ShardReport>& reports) {
  for (const ShardReport& report : reports) {
    if (report.save != base::BaseName(temporary)) {
      return absl::InvalidArgumentError(absl::StrCat("report of ", report.file, " is of save ",
                                                     report.save, ", not ",
                                                     base::BaseName(temporary)));
    }
    RM_ASSIGN_OR_RETURN(const auto info, files.Stat(base::JoinPath(temporary, report.file)));
    if (info.bytes != report.bytes) {
      return absl::InvalidArgumentError(absl::StrCat(report.file, " has ", info.bytes,
                                                     " bytes, its report says ", report.bytes));
    }
  }
  return absl::OkStatus();
}

// All that the ranks and the trainer say; trainer.json's own entry comes behind it.
Manifest MakeManifest(const CommitSpec& commit) {
  Manifest manifest;
  manifest.step = commit.id.step;
  manifest.generation = commit.id.generation;
  manifest.world_size = commit.world_size;
  manifest.nonce = commit.id.nonce;
  manifest.created = commit.created;
  manifest.lineage = commit.lineage;
  manifest.metrics = commit.metrics;
  manifest.weights_sha256 = commit.weights_sha256;
  manifest.files = commit.reports;
  return manifest;
}

// Completes the temporary folder: trainer.json and the manifest, all durable. Returns the bytes of
// all files.
absl::StatusOr<uint64_t> Complete(base::FileSystem& files, const std::string& temporary,
                                  const CommitSpec& commit) {
  if (!commit.trainer_state.is_object()) {
    return absl::InvalidArgumentError("the trainer's state is no JSON object");
  }
  const std::string trainer = absl::StrCat(commit.trainer_state.Dump(1), "\n");
  Sums sums;
  sums.Update(trainer);
  Manifest manifest = MakeManifest(commit);
  manifest.files.push_back(sums.Finish(base::BaseName(temporary), kTrainerFile));
  RM_RETURN_IF_ERROR(CheckComplete(manifest));
  RM_RETURN_IF_ERROR(CheckReports(files, temporary, commit.reports));
  const std::string text = FormatManifest(manifest);
  RM_RETURN_IF_ERROR(WriteDurably(files, base::JoinPath(temporary, kTrainerFile), trainer));
  RM_RETURN_IF_ERROR(WriteDurably(files, base::JoinPath(temporary, kManifestFile), text));
  RM_RETURN_IF_ERROR(files.SyncFolder(temporary));
  return manifest.file_bytes() + text.size();
}

// Gives the complete folder its name. Whoever holds that name already is kept if it is whole, and
// gives way if it is not.
absl::Status Publish(base::FileSystem& files, const std::string& folder, const SaveId& id,
                     const std::string& temporary, const std::string& path) {
  if (files.Exists(path)) {
    RM_ASSIGN_OR_RETURN(const Verification present, Verify(files, path));
    if (present.ok()) {
      RM_RETURN_IF_ERROR(files.RemoveAll(temporary));
      return files.SyncFolder(folder);
    }
    RM_RETURN_IF_ERROR(files.Rename(path, RemovedFolder(folder, id)));
  }
  RM_RETURN_IF_ERROR(files.Rename(temporary, path));
  return files.SyncFolder(folder);
}

}  // namespace

// Leftovers go first: a disk that is full of saves that were given up must not refuse the one that
// would clear them.
absl::Status Prepare(base::FileSystem& files, const std::string& folder, const SaveId& id,
                     uint64_t bytes) {
  RM_RETURN_IF_ERROR(CheckNoNewerGeneration(files, folder, id.generation));
  RemoveLeftovers(files, folder, id);  // they may hold the space; what stays is told by Commit
  RM_RETURN_IF_ERROR(MakeDurableFolders(files, folder));
  RM_RETURN_IF_ERROR(CheckSpace(files, folder, id.step, bytes));
  const absl::Status made = files.MakeFolders(TemporaryFolder(folder, id));
  if (!made.ok()) Abandon(files, folder, id);
  return made;
}

// One way out for every failure before the rename: the temporary folder goes, and the error says
// why.
absl::StatusOr<CommitResult> Commit(base::FileSystem& files, const std::string& folder,
                                    const CommitSpec& commit) {
  const std::string temporary = TemporaryFolder(folder, commit.id);
  CommitResult result;
  result.path = CheckpointFolder(folder, commit.id.step, commit.id.generation);
  absl::Status status = CheckNoNewerGeneration(files, folder, commit.id.generation);
  if (status.ok()) {
    auto bytes = Complete(files, temporary, commit);
    status = bytes.status();
    if (status.ok()) result.bytes = *bytes;
  }
  if (status.ok()) status = Publish(files, folder, commit.id, temporary, result.path);
  if (!status.ok()) {
    Abandon(files, folder, commit.id);
    return status;
  }
  RM_ASSIGN_OR_RETURN(result.warnings, ApplyRetention(files, folder, commit.id, commit.lineage,
                                                      std::max(1, commit.keep_last)));
  return result;
}

void Abandon(base::FileSystem& files, const std::string& folder, const SaveId& id) {
  files.RemoveAll(TemporaryFolder(folder, id)).IgnoreError();
}

}  // namespace rm::checkpoint
