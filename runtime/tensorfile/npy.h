// NumPy's .npy files, written and read: one array behind a short header.
//
// The format (numpy.lib.format; docs/data.md has the grammar and an example):
//   file   := "\x93NUMPY" major:u8 minor:u8 length header data
//   length := u16le (version 1.0) | u32le (2.0, 3.0)
//   header := a Python dictionary with exactly the keys 'descr', 'fortran_order' and 'shape', padded
//             with spaces and ended by a line feed
//   data   := the elements, row-major
// What is refused: big-endian numbers, Fortran order, and every type that is no plain number.
#ifndef RM_RUNTIME_TENSORFILE_NPY_H_
#define RM_RUNTIME_TENSORFILE_NPY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/file_system.h"

namespace rm::tensorfile {

// A header of ours has 128 bytes or so; NumPy itself refuses longer ones than this.
inline constexpr uint64_t kNpyHeaderBytesMax = 65'536;

// A file opened for reading: its header checked in full, its data read when asked for. Thread-safe.
class NpyFile {
 public:
  // InvalidArgument, naming the file, the offset and what is wrong, for anything the format does
  // not allow, among it a file that is shorter or longer than its header says. No memory is
  // allocated by a number of the header before it is checked.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<NpyFile>> Open(const base::FileSystem& files,
                                                                     const std::string& path);

  // The same of a file that is open already, under the name `path`.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<NpyFile>> Open(
      std::unique_ptr<base::RandomAccessFile> file, const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  // By the names of runtime/tensorfile/dtype.h: "F32", "I64", "BOOL", ….
  [[nodiscard]] const std::string& dtype() const { return dtype_; }
  // Empty: a scalar; a dimension may be 0.
  [[nodiscard]] const std::vector<int64_t>& shape() const { return shape_; }
  // Where the data begins in the file, and its length: elements × bytes of one.
  [[nodiscard]] uint64_t data_offset() const { return data_offset_; }
  [[nodiscard]] uint64_t data_bytes() const { return data_bytes_; }

  // Reads `size` bytes of the data from byte `offset` of it. REQUIRES: offset + size ≤
  // data_bytes().
  [[nodiscard]] absl::Status Read(uint64_t offset, uint64_t size, void* destination) const;

 private:
  NpyFile(std::unique_ptr<base::RandomAccessFile> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}
  [[nodiscard]] absl::Status ParseHead();
  [[nodiscard]] absl::Status ParseHeader(absl::string_view header);

  const std::unique_ptr<base::RandomAccessFile> file_;
  const std::string path_;
  std::string dtype_;
  std::vector<int64_t> shape_;
  uint64_t data_offset_ = 0;
  uint64_t data_bytes_ = 0;
};

// The bytes of a file of version 1.0 with this array, as numpy.save would write it: the data begins
// at a multiple of 64. InvalidArgument: a dtype that .npy does not have ("BF16"), a negative
// dimension, dtype × shape ≠ the size of `data`, or too many dimensions for the header.
[[nodiscard]] absl::StatusOr<std::string> EncodeNpy(absl::string_view dtype,
                                                    absl::Span<const int64_t> shape,
                                                    absl::string_view data);

}  // namespace rm::tensorfile

#endif  // RM_RUNTIME_TENSORFILE_NPY_H_
