// What every rank does in a save: two files, durable, and their checksums.
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/folder.h"
#include "runtime/checkpoint/names.h"
#include "runtime/checkpoint/sums.h"

namespace rm::checkpoint {
namespace {

using tensorfile::FileImage;

// Below this a thread costs more than it saves.
constexpr uint64_t kThreadBytesMin = uint64_t{1} << 20;

// One of the two files of a shard.
struct NamedImage {
  std::string file;
  FileImage image;
};

// The files of a shard, in memory that is mostly the tensors' own.
absl::StatusOr<std::vector<NamedImage>> MakeImages(const SaveId& id, const ShardSpec& shard) {
  // "format": other frameworks' loaders ask for it; "pt" is row-major with PyTorch's names, as ours
  // are.
  const tensorfile::Metadata metadata = {{"format", "pt"}, {"step", absl::StrCat(id.step)}};
  std::vector<NamedImage> images(2);
  images[0].file = WeightsFile(shard.rank, shard.world_size);
  RM_ASSIGN_OR_RETURN(images[0].image, tensorfile::LayOut(shard.weights, metadata));
  images[1].file = OptimizerFile(shard.rank, shard.world_size);
  RM_ASSIGN_OR_RETURN(images[1].image, tensorfile::LayOut(shard.optimizer, metadata));
  return images;
}

// The checksums of a file as it is meant to be, whatever the disk makes of it.
ShardReport SumUp(const std::string& save, const NamedImage& named) {
  Sums sums;
  sums.Update(named.image.head);
  for (const absl::string_view piece : named.image.data) sums.Update(piece);
  return sums.Finish(save, named.file);
}

// Durable when it returns OK. After a failed Sync the file is given up, never synced again: the
// kernel may have dropped the pages and would answer the second call with success.
absl::Status WriteImage(base::FileSystem& files, const std::string& folder,
                        const NamedImage& named) {
  RM_ASSIGN_OR_RETURN(const auto file, files.Create(base::JoinPath(folder, named.file)));
  RM_RETURN_IF_ERROR(file->Append(named.image.head));
  for (const absl::string_view piece : named.image.data) RM_RETURN_IF_ERROR(file->Append(piece));
  RM_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

// The folder is synced once, when both names are in it.
absl::Status WriteImages(base::FileSystem& files, const std::string& folder,
                         absl::Span<const NamedImage> images) {
  RM_RETURN_IF_ERROR(files.MakeFolders(folder));
  for (const NamedImage& named : images) RM_RETURN_IF_ERROR(WriteImage(files, folder, named));
  return files.SyncFolder(folder);
}

}  // namespace

// On a failure the folder stays: other ranks write into it, and it is rank 0 that abandons the
// save.
absl::StatusOr<std::vector<ShardReport>> WriteShard(base::FileSystem& files,
                                                    const std::string& folder, const SaveId& id,
                                                    const ShardSpec& shard) {
  RM_ASSIGN_OR_RETURN(const std::vector<NamedImage> images, MakeImages(id, shard));
  const std::string temporary = TemporaryFolder(folder, id);
  std::vector<ShardReport> reports(images.size());
  const auto sum_up = [&] {
    for (size_t i = 0; i < images.size(); ++i) {
      reports[i] = SumUp(base::BaseName(temporary), images[i]);
    }
  };
  // The sums are of the tensors' memory, so another core computes them while this one waits for the
  // disk.
  std::thread summing;
  if (images[0].image.bytes + images[1].image.bytes >= kThreadBytesMin) {
    summing = std::thread(sum_up);
  } else {
    sum_up();
  }
  const absl::Status written = WriteImages(files, temporary, images);
  if (summing.joinable()) summing.join();
  if (written.ok()) return reports;
  for (const NamedImage& named : images) {
    files.RemoveFile(base::JoinPath(temporary, named.file)).IgnoreError();
  }
  return written;
}

}  // namespace rm::checkpoint
