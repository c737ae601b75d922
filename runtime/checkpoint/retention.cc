#include "runtime/checkpoint/retention.h"

#include <tuple>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/checkpoint/folder.h"
#include "runtime/checkpoint/names.h"

namespace rm::checkpoint {
namespace {

// The order of List, seen from the other end.
bool IsOlder(const Info& a, const Info& b) {
  return std::tie(a.step, a.generation) < std::tie(b.step, b.generation);
}

// The lineage with the committed generation in it. Its first step may not be known here, but it is
// not beyond a step that it has saved, so this is enough to see which checkpoints of older
// generations lie on an abandoned branch.
Lineage WithOwnGeneration(Lineage lineage, const SaveId& committed) {
  if (!lineage.empty() && lineage.back().generation < committed.generation) {
    lineage.push_back({committed.generation, committed.step});
  }
  return lineage;
}

// First out of sight in one durable rename, then file by file: a crash on the way leaves a folder
// that nobody takes for a checkpoint, and the next save removes it.
absl::Status RemoveCheckpoint(base::FileSystem& files, const std::string& folder,
                              const Info& info) {
  const std::string removed = RemovedFolder(folder, {info.step, info.generation, NewNonce()});
  RM_RETURN_IF_ERROR(files.Rename(info.path, removed));
  RM_RETURN_IF_ERROR(files.SyncFolder(folder));
  return files.RemoveAll(removed);
}

}  // namespace

std::string RemovedFolder(const std::string& folder, const SaveId& id) {
  return base::JoinPath(folder, FormatFolderName({FolderName::Kind::kRemoved, id.step,
                                                  id.generation, id.nonce}));
}

// Everything from the oldest one kept on is left alone, counted or not; what is older goes, counted
// or not. So a checkpoint that does not count is not removed on suspicion, but does not stay for
// ever either.
std::vector<Info> Superseded(const std::vector<Info>& infos, const SaveId& committed,
                             int keep_last) {
  const Info* oldest_kept = nullptr;
  for (const Info& info : infos) {
    if (!info.counts) continue;
    oldest_kept = &info;
    if (--keep_last == 0) break;
  }
  std::vector<Info> superseded;
  if (oldest_kept == nullptr || keep_last > 0) return superseded;
  for (const Info& info : infos) {
    const bool is_committed =
        info.step == committed.step && info.generation == committed.generation;
    if (is_committed || info.generation > committed.generation) continue;
    if (IsOlder(info, *oldest_kept)) superseded.push_back(info);
  }
  return superseded;
}

// A folder that cannot be listed, or a checkpoint that cannot be removed, is a warning: the commit
// stands.
absl::StatusOr<std::vector<std::string>> ApplyRetention(base::FileSystem& files,
                                                        const std::string& folder,
                                                        const SaveId& committed,
                                                        const Lineage& lineage, int keep_last) {
  std::vector<std::string> warnings = RemoveLeftovers(files, folder, committed);
  const auto infos = List(files, folder, WithOwnGeneration(lineage, committed));
  if (!infos.ok()) {
    warnings.emplace_back(infos.status().message());
    return warnings;
  }
  const std::vector<Info> superseded = Superseded(*infos, committed, keep_last);
  if (superseded.empty()) return warnings;
  const std::string path = CheckpointFolder(folder, committed.step, committed.generation);
  RM_ASSIGN_OR_RETURN(const Verification readback, Verify(files, path));
  if (!readback.ok()) {
    return absl::DataLossError(absl::StrCat(path, " was written, but what is read back differs: ",
                                            readback.problems.front(),
                                            "; older checkpoints are kept"));
  }
  for (const Info& info : superseded) {
    const absl::Status removed = RemoveCheckpoint(files, folder, info);
    if (!removed.ok()) warnings.emplace_back(removed.message());
  }
  return warnings;
}

}  // namespace rm::checkpoint
