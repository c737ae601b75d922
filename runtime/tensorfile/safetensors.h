// safetensors files, written and read: named tensors behind a JSON header, readable by every
// framework.
//
// The format (https://github.com/huggingface/safetensors, README "Format"):
//   file   := header_bytes:u64le header data
//   header := UTF-8 JSON object of header_bytes bytes, beginning with '{', possibly padded with
//   spaces at its end:
//             {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, …,
//              "__metadata__": {"key": "value", …}}
//   data   := the tensors, row-major, little-endian; offsets count from the first byte after the
//   header
// The data is covered without holes and without overlap, names are unique, and a header has at most
// 100 MB. What we write has the header padded to a multiple of 8 bytes, its entries in the order of
// the data, and the tensors ordered by the size of their elements, the largest first, so that each
// is aligned in a mapped file.
#ifndef RM_RUNTIME_TENSORFILE_SAFETENSORS_H_
#define RM_RUNTIME_TENSORFILE_SAFETENSORS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/file_system.h"
#include "runtime/tensorfile/dtype.h"

namespace rm::tensorfile {

// Free text beside the tensors.
using Metadata = std::map<std::string, std::string>;

// A tensor to be written. Borrows its data.
struct TensorData {
  // Any UTF-8 but "__metadata__".
  std::string name;
  // "F32", "I64", …: ElementBytes knows them.
  std::string dtype;
  // Empty: a scalar; a dimension may be 0.
  std::vector<int64_t> shape;
  // `bytes` bytes, row-major, little-endian.
  const void* data = nullptr;
  uint64_t bytes = 0;
};

// A tensor in a file.
struct TensorInfo {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  // Where its first byte is, from the beginning of the file (not of the data).
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

// A whole file as pieces of memory, so that it can be written and summed up without a copy.
struct FileImage {
  // The length of the header, and the header.
  std::string head;
  // The tensors' own memory, in file order.
  std::vector<absl::string_view> data;
  // Of the whole file.
  uint64_t bytes = 0;
};

// Lays out a file. The image borrows the tensors' data, not the span. InvalidArgument: a name
// twice, an unknown dtype, a negative dimension, dtype × shape ≠ bytes, or a header above 100 MB.
[[nodiscard]] absl::StatusOr<FileImage> LayOut(absl::Span<const TensorData> tensors,
                                               const Metadata& metadata = {});

// Appends LayOut(…) to `file`, tensor by tensor, without a copy. Neither syncs nor closes.
[[nodiscard]] absl::Status WriteSafetensors(absl::Span<const TensorData> tensors,
                                            const Metadata& metadata, base::WritableFile& file);

// A file opened for reading: its header checked in full, its tensors read when asked for.
// Thread-safe.
class SafetensorsFile {
 public:
  // DataLoss, naming the file, the tensor and what is wrong, for anything the format does not
  // allow. No number of the header is believed, nor any memory allocated by it, before it is
  // checked.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<SafetensorsFile>> Open(
      const base::FileSystem& files, const std::string& path);
  // The same over an open file; `name` stands for it in messages.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<SafetensorsFile>> Open(
      std::unique_ptr<base::RandomAccessFile> file, const std::string& name);

  // In the order of the data.
  [[nodiscard]] const std::vector<TensorInfo>& tensors() const { return tensors_; }
  [[nodiscard]] const Metadata& metadata() const { return metadata_; }
  // Lives as long as this; nullptr when there is none of that name.
  [[nodiscard]] const TensorInfo* Find(absl::string_view name) const;

  // Reads a tensor. REQUIRES: `tensor` is of this file; `destination` has tensor.bytes bytes.
  [[nodiscard]] absl::Status Read(const TensorInfo& tensor, void* destination) const;

 private:
  SafetensorsFile() = default;
  [[nodiscard]] absl::Status ParseHeader();

  std::unique_ptr<base::RandomAccessFile> file_;
  std::vector<TensorInfo> tensors_;
  Metadata metadata_;
  // From a tensor's name to its position in tensors_.
  absl::flat_hash_map<std::string, size_t> index_;
};

}  // namespace rm::tensorfile

#endif  // RM_RUNTIME_TENSORFILE_SAFETENSORS_H_
