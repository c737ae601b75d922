// Small data files for tests.
#ifndef RM_RUNTIME_DATA_TESTING_H_
#define RM_RUNTIME_DATA_TESTING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/file_system.h"

namespace rm::data {

// The bytes of an IDX file: magic number, dimensions, data.
[[nodiscard]] std::string IdxFile(const std::vector<uint32_t>& shape, absl::string_view data);

// `bytes` as one gzip member.
[[nodiscard]] std::string Gzip(absl::string_view bytes);

// Writes `bytes` to `path`, whose folder is made if missing. Aborts on an error.
void WriteFile(base::FileSystem& files, const std::string& path, absl::string_view bytes);

// Writes `<prefix>-images-idx3-ubyte` and `<prefix>-labels-idx1-ubyte`: labels.size() images of
// height × width.
void WriteIdx(base::FileSystem& files, const std::string& prefix, absl::string_view pixels,
              absl::string_view labels, uint32_t height, uint32_t width);

}  // namespace rm::data

#endif  // RM_RUNTIME_DATA_TESTING_H_
