// What lies in a job's folder, judged by manifests and sizes.
#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/names.h"
#include "runtime/checkpoint/open.h"

namespace rm::checkpoint {
namespace {

// Why a checkpoint of this generation and step is not part of the job's history; empty when it is.
std::string ForeignTo(const Lineage& lineage, int64_t generation, int64_t step) {
  if (lineage.empty()) return "";
  const auto own = std::find_if(lineage.begin(), lineage.end(), [&](const LineageEntry& entry) {
    return entry.generation == generation;
  });
  if (own == lineage.end()) {
    return absl::StrCat("generation ", generation, " is not part of the job's lineage");
  }
  const auto next = own + 1;
  if (next == lineage.end() || step <= next->first_step) return "";
  return absl::StrCat("generation ", next->generation, " went on from step ", next->first_step,
                      ", so step ", step, " of generation ", generation, " was given up");
}

// The first file that is missing or of a wrong size; empty when there is none.
std::string WrongFile(const base::FileSystem& files, const std::string& path,
                      const Manifest& manifest) {
  for (const ShardReport& file : manifest.files) {
    const auto info = files.Stat(base::JoinPath(path, file.file));
    if (absl::IsNotFound(info.status())) return absl::StrCat(file.file, ": 0: the file is missing");
    if (!info.ok()) return std::string(info.status().message());
    if (info->bytes != file.bytes) {
      return absl::StrCat(file.file, ": ", std::min(info->bytes, file.bytes), ": the file has ",
                          info->bytes, " bytes, not ", file.bytes);
    }
  }
  return "";
}

// What is known without reading the tensors. A checkpoint whose manifest cannot be believed is
// known by its name.
Info Inspect(const base::FileSystem& files, const std::string& path, const FolderName& name,
             const Lineage& lineage) {
  Info info;
  const auto manifest = OpenManifest(files, path);
  if (manifest.ok()) {
    info = InfoOf(*manifest, path);
    info.problem = WrongFile(files, path, manifest->manifest);
  } else {
    info.name = base::BaseName(path);
    info.path = path;
    info.step = name.step;
    info.generation = name.generation;
    info.problem = std::string(manifest.status().message());
  }
  info.damaged = !info.problem.empty();
  const std::string foreign = ForeignTo(lineage, name.generation, name.step);
  if (!foreign.empty()) {  // what was given up is nobody's loss, whole or not
    info.damaged = false;
    if (info.problem.empty()) info.problem = foreign;
  }
  info.counts = info.problem.empty();
  return info;
}

}  // namespace

// By step, and of equal steps the later generation first: it went on from the earlier one's.
absl::StatusOr<std::vector<Info>> List(const base::FileSystem& files, const std::string& folder,
                                       const Lineage& lineage) {
  RM_ASSIGN_OR_RETURN(const std::vector<FolderName> names, ListNames(files, folder));
  std::vector<Info> infos;
  for (const FolderName& name : names) {
    if (name.kind != FolderName::Kind::kCheckpoint) continue;
    const std::string path = CheckpointFolder(folder, name.step, name.generation);
    infos.push_back(Inspect(files, path, name, lineage));
  }
  std::sort(infos.begin(), infos.end(), [](const Info& a, const Info& b) {
    return std::tie(a.step, a.generation) > std::tie(b.step, b.generation);
  });
  return infos;
}

// Verifies from the newest on, so in the usual case one checkpoint is read, once.
absl::StatusOr<Info> FindNewest(const base::FileSystem& files, const std::string& folder,
                                const Lineage& lineage, std::vector<std::string>* warnings,
                                std::vector<Info>* damaged) {
  RM_ASSIGN_OR_RETURN(std::vector<Info> infos, List(files, folder, lineage));
  for (Info& info : infos) {
    if (info.counts) {
      RM_ASSIGN_OR_RETURN(const Verification verification, Verify(files, info.path));
      if (verification.ok()) return info;
      info.counts = false;
      info.damaged = true;
      info.problem = verification.problems.front();
    }
    warnings->push_back(absl::StrCat("checkpoint ", info.path, " is not used: ", info.problem));
    if (info.damaged && damaged != nullptr) damaged->push_back(info);
  }
  return absl::NotFoundError(absl::StrCat("there is no usable checkpoint in ", folder));
}

}  // namespace rm::checkpoint
