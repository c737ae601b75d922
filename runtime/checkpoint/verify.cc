// Every byte of a checkpoint against every checksum.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/sha256.h"
#include "base/status.h"
#include "runtime/checkpoint/checked_file.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/names.h"
#include "runtime/checkpoint/open.h"

namespace rm::checkpoint {
namespace {

// Reads one file to its end. Damage is told by its first block; the error of a file that cannot be
// read as it is.
absl::Status VerifyFile(const base::FileSystem& files, const std::string& path,
                        const ShardReport& report, std::string& buffer) {
  RM_ASSIGN_OR_RETURN(const auto file, CheckedFile::Open(files, path, report));
  base::Sha256 sha256;
  for (uint64_t block = 0; block < file->block_count(); ++block) {
    buffer.resize(static_cast<size_t>(file->block_size(block)));
    RM_RETURN_IF_ERROR(file->ReadBlock(block, buffer.data()));
    sha256.Update(buffer);
  }
  if (sha256.HexDigest() == report.sha256) return absl::OkStatus();
  return DamagedAt(report.file, 0, "its SHA-256 differs, though every block's CRC32C is right");
}

// The fingerprint of the weights as they can be loaded.
absl::StatusOr<std::string> FingerprintOf(const Checkpoint& checkpoint) {
  base::Sha256 sha256;
  std::string bytes;
  for (const auto& [name, tensor] : checkpoint.weights()) {
    bytes.resize(static_cast<size_t>(tensor.bytes));
    RM_RETURN_IF_ERROR(checkpoint.ReadWeights(name, bytes.data(), tensor.bytes));
    sha256.Update(bytes);
  }
  return sha256.HexDigest();
}

// What the files say together, once each is whole.
absl::Status VerifyContents(const base::FileSystem& files, const std::string& path,
                            Verification& result) {
  RM_ASSIGN_OR_RETURN(const auto checkpoint, Checkpoint::Load(files, path));
  RM_ASSIGN_OR_RETURN(result.weights_sha256, FingerprintOf(*checkpoint));
  if (result.weights_sha256 == checkpoint->info().weights_sha256) return absl::OkStatus();
  return DamagedAt(kManifestFile, 0,
                   absl::StrCat("weights_sha256 is ", checkpoint->info().weights_sha256,
                                ", but the weights have ", result.weights_sha256));
}

// Whatever the kind of error, it is a problem of this checkpoint: a file that cannot be read is as
// useless as a damaged one.
void Judge(const absl::Status& status, Verification& result) {
  if (!status.ok()) result.problems.emplace_back(status.message());
}

}  // namespace

// Goes on after the first damaged file, so that all are named. What the files say together is only
// asked when each is whole: else every answer would be a consequence.
absl::StatusOr<Verification> Verify(const base::FileSystem& files, const std::string& path) {
  RM_RETURN_IF_ERROR(files.Stat(path).status());
  Verification result;
  result.info.name = base::BaseName(path);
  result.info.path = path;
  const auto opened = OpenManifest(files, path);
  Judge(opened.status(), result);
  if (opened.ok()) {
    result.info = InfoOf(*opened, path);
    result.files = 1;
    result.bytes = opened->text_bytes;
    std::string buffer;
    for (const ShardReport& report : opened->manifest.files) {
      Judge(VerifyFile(files, path, report, buffer), result);
      ++result.files;
      result.bytes += report.bytes;
    }
    if (result.ok()) Judge(VerifyContents(files, path, result), result);
  }
  if (!result.ok()) result.weights_sha256.clear();
  result.info.counts = result.ok();
  if (!result.ok()) result.info.problem = result.problems.front();
  return result;
}

// The tensors come in whatever order the caller has them in; names decide.
std::string WeightsSha256(absl::Span<const TensorData> tensors) {
  std::vector<const TensorData*> order;
  for (const TensorData& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(),
            [](const TensorData* a, const TensorData* b) { return a->name < b->name; });
  base::Sha256 sha256;
  for (const TensorData* tensor : order) {
    sha256.Update(tensor->data, static_cast<size_t>(tensor->bytes));
  }
  return sha256.HexDigest();
}

}  // namespace rm::checkpoint
