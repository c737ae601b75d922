// NumPy's .npz files: several arrays by name in one zip archive, stored and not compressed, as
// numpy.savez writes them.
//
// The format (PKWARE's APPNOTE.TXT 6.3, of which this is what numpy.savez uses):
//   file    := (local member)* (central entry)* end
//   local   := "PK\3\4" … name extra data          data: an .npy file (npy.h), method 0 (stored)
//   central := "PK\1\2" … CRC-32, sizes, offset of the local member, name "<array>.npy"
//   end     := "PK\5\6" … number of entries, size and offset of the central entries; before it, in
//              archives beyond 4 GiB, the same in 64 bits ("PK\6\6", found by "PK\6\7")
// Arrays are found by the central entries; local headers are only passed over (numpy fills in sizes
// of 64 bits there, whatever the size).
#ifndef RM_RUNTIME_TENSORFILE_NPZ_H_
#define RM_RUNTIME_TENSORFILE_NPZ_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/file_system.h"
#include "runtime/tensorfile/npy.h"

namespace rm::tensorfile {

// An archive opened for reading: entries and heads of arrays checked, data read when asked for.
// Thread-safe.
class NpzFile {
 public:
  // InvalidArgument, naming the file and what is wrong: no zip archive, a compressed or encrypted
  // member, offsets beyond the file, an array that is no .npy. No memory is allocated by a number
  // of the file before it is checked against the file's size.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<NpzFile>> Open(const base::FileSystem& files,
                                                                     const std::string& path);

  // By name, without ".npy".
  [[nodiscard]] const std::map<std::string, std::unique_ptr<NpyFile>>& arrays() const {
    return arrays_;
  }
  // The elements of a float32 array. NotFound, or InvalidArgument for another dtype.
  [[nodiscard]] absl::StatusOr<std::vector<float>> ReadFloats(const std::string& name) const;

 private:
  std::map<std::string, std::unique_ptr<NpyFile>> arrays_;
};

// One array to be written; `data` is borrowed.
struct NpzArray {
  std::string name;  // without ".npy"
  std::string dtype;
  std::vector<int64_t> shape;
  absl::string_view data;
};

// Writes an archive of these arrays, in this order. InvalidArgument as EncodeNpy, and for an array
// or an archive of 4 GiB or more.
[[nodiscard]] absl::Status WriteNpz(absl::Span<const NpzArray> arrays, base::WritableFile& file);

}  // namespace rm::tensorfile

#endif  // RM_RUNTIME_TENSORFILE_NPZ_H_
