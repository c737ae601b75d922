#include "runtime/checkpoint/folder.h"

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"

namespace rm::checkpoint {
namespace {

using Kind = FolderName::Kind;

// Nobody will finish or miss it. What a newer generation has made is none of ours to judge.
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

// From the system and not from a seeded stream: two processes that take themselves for rank 0 of
// the same generation must not draw the same.
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

// The folder may hold logs, metrics and notes of people; they are passed over.
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

// Temporary folders count as well: a newer generation that has begun to save has taken over. This
// is a courtesy and no lock (the newer one may come a moment later); what makes it safe is that
// readers judge by the lineage.
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

// Best effort: what cannot be removed costs space, not correctness.
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

// A commit promises durability, and a job's folder whose own name is lost in a power cut takes
// every checkpoint in it along.
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
