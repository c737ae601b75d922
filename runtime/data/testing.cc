#include "runtime/data/testing.h"

#include <zlib.h>

#include "base/check.h"

namespace rm::data {

std::string IdxFile(const std::vector<uint32_t>& shape, absl::string_view data) {
  std::string bytes = {0, 0, 8, static_cast<char>(shape.size())};
  for (const uint32_t size : shape) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(size >> shift));
  }
  return bytes.append(data.data(), data.size());
}

std::string Gzip(absl::string_view bytes) {
  z_stream zlib = {};
  RM_CHECK(deflateInit2(&zlib, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "deflate");
  std::string input(bytes);
  std::string output(deflateBound(&zlib, input.size()) + 64, '\0');
  zlib.next_in = reinterpret_cast<Bytef*>(input.data());
  zlib.avail_in = static_cast<uInt>(input.size());
  zlib.next_out = reinterpret_cast<Bytef*>(output.data());
  zlib.avail_out = static_cast<uInt>(output.size());
  RM_CHECK(deflate(&zlib, Z_FINISH) == Z_STREAM_END, "deflate");
  output.resize(zlib.total_out);
  deflateEnd(&zlib);
  return output;
}

void WriteFile(base::FileSystem& files, const std::string& path, absl::string_view bytes) {
  RM_CHECK(files.MakeFolders(base::ParentPath(path)).ok(), path);
  auto file = files.Create(path);
  RM_CHECK(file.ok() && (*file)->Append(bytes).ok() && (*file)->Close().ok(), path);
}

void WriteIdx(base::FileSystem& files, const std::string& prefix, absl::string_view pixels,
              absl::string_view labels, uint32_t height, uint32_t width) {
  const uint32_t count = static_cast<uint32_t>(labels.size());
  WriteFile(files, prefix + "-images-idx3-ubyte", IdxFile({count, height, width}, pixels));
  WriteFile(files, prefix + "-labels-idx1-ubyte", IdxFile({count}, labels));
}

}  // namespace rm::data
