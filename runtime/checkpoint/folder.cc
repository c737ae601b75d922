#include "runtime/checkpoint/folder.h"

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"

namespace rm::checkpoint {
namespace {

using Kind = FolderName::Kind;

bool IsLeftover(const FolderName& name, const SaveId& id) {
  switch (name.kind) {
    case Kind::kCheckpoint:
      return false;
    case Kind::kRemoved:
      return name.generation <= id.generation;
    case Kind::kTemporary:
      // A generation makes one save at a time, so another one of ours that is not ahead was given
      // up.
      return name.generation < id.generation ||
             (name.generation == id.generation && name.step <= id.step && name.nonce != id.nonce);
  }
  return false;
}

}  // namespace

std::string NewNonce() {
  std::random_device device;
  return absl::StrFormat("%08x%08x", device(), device());
}

std::string TemporaryFolder(const std::string& folder, const SaveId& id) {
  return base::JoinPath(
      folder, FormatFolderName({Kind::kTemporary, id.step, id.generation, id.nonce}));
}

std::string CheckpointFolder(const std::string& folder, int64_t step, int64_t generation) {
  return base::JoinPath(folder, FormatFolderName({Kind::kCheckpoint, step, generation, ""}));
}

absl::StatusOr<std::vector<FolderName>> ListNames(const base::FileSystem& files,
                                                  const std::string& folder) {
  const auto entries = files.List(folder);
  if (absl::IsNotFound(entries.status())) return std::vector<FolderName>();
  if (!entries.ok()) return entries.status();
  std::vector<FolderName> names;
  for (const std::string& entry : *entries) {
    if (const auto name = ParseFolderName(entry)) names.push_back(*name);
  }
  return names;
}

absl::Status CheckNoNewerGeneration(const base::FileSystem& files, const std::string& folder,
                                    int64_t generation) {
  RM_ASSIGN_OR_RETURN(const std::vector<FolderName> names, ListNames(files, folder));
  for (const FolderName& name : names) {
    if (name.generation <= generation) continue;
    return absl::AbortedError(absl::StrCat("generation ", name.generation, " has taken over ",
                                           folder, "; generation ", generation,
                                           " saves nothing more there"));
  }
  return absl::OkStatus();
}

std::vector<std::string> RemoveLeftovers(base::FileSystem& files, const std::string& folder,
                                         const SaveId& id) {
  std::vector<std::string> warnings;
  const auto names = ListNames(files, folder);
  if (!names.ok()) return {std::string(names.status().message())};
  for (const FolderName& name : *names) {
    if (!IsLeftover(name, id)) continue;
    const absl::Status removed = files.RemoveAll(base::JoinPath(folder, FormatFolderName(name)));
    if (!removed.ok()) warnings.emplace_back(removed.message());
  }
  return warnings;
}

absl::Status MakeDurableFolders(base::FileSystem& files, const std::string& path) {
  // The names to be made durable: of those that are missing, and of `path` itself, which someone
  // else may just have made.
  std::vector<std::string> parents = {base::ParentPath(path)};
  for (std::string at = parents.back(); !files.Exists(at) && at != base::ParentPath(at);) {
    at = base::ParentPath(at);
    parents.push_back(at);
  }
  RM_RETURN_IF_ERROR(files.MakeFolders(path));
  for (const std::string& parent : parents) {
    const absl::Status synced = files.SyncFolder(parent);
    // A folder of someone else's that we may pass through but not open: its owner answers for its
    // names.
    if (!synced.ok() && !absl::IsPermissionDenied(synced)) return synced;
  }
  return absl::OkStatus();
}

}  // namespace rm::checkpoint
