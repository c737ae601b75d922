#include "runtime/checkpoint/open.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/checkpoint/checked_file.h"
#include "runtime/checkpoint/names.h"

namespace rm::checkpoint {
namespace {

// A manifest is at most this long: 10⁶ blocks are a TiB of tensors.
constexpr uint64_t kManifestBytesMax = uint64_t{64} << 20;

}  // namespace

// The length is looked at before the text is read: a manifest is no reason to fill the memory.
absl::StatusOr<OpenedManifest> OpenManifest(const base::FileSystem& files,
                                            const std::string& path) {
  const std::string file = base::JoinPath(path, kManifestFile);
  const auto stat = files.Stat(file);
  if (absl::IsNotFound(stat.status())) return DamagedAt(kManifestFile, 0, "the file is missing");
  if (!stat.ok()) return stat.status();
  if (stat->bytes > kManifestBytesMax) {
    return DamagedAt(kManifestFile, kManifestBytesMax, "the file is too long for a manifest");
  }
  RM_ASSIGN_OR_RETURN(const std::string text, files.ReadFile(file));
  auto manifest = ParseManifest(text);
  if (!manifest.ok()) return base::Annotate(manifest.status(), kManifestFile);
  const auto name = ParseFolderName(base::BaseName(path));
  // A copy may have any name; a name of this format must be the right one.
  if (name.has_value() &&
      (name->step != manifest->step || name->generation != manifest->generation)) {
    return DamagedAt(kManifestFile, 0,
                     absl::StrCat("it is of step ", manifest->step, " of generation ",
                                  manifest->generation, ", the folder is ", base::BaseName(path)));
  }
  return OpenedManifest{*std::move(manifest), text.size()};
}

Info InfoOf(const OpenedManifest& opened, const std::string& path) {
  const Manifest& manifest = opened.manifest;
  Info info;
  info.name = base::BaseName(path);
  info.path = path;
  info.step = manifest.step;
  info.generation = manifest.generation;
  info.world_size = manifest.world_size;
  info.bytes = manifest.file_bytes() + opened.text_bytes;
  info.created = manifest.created;
  info.metrics = manifest.metrics;
  info.weights_sha256 = manifest.weights_sha256;
  return info;
}

}  // namespace rm::checkpoint
