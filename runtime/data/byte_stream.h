// A file read from front to back, decompressed on the way if it is a gzip file.
#ifndef RM_RUNTIME_DATA_BYTE_STREAM_H_
#define RM_RUNTIME_DATA_BYTE_STREAM_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/file_system.h"

namespace rm::data {

// Not thread-safe.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  // Reads up to `size` bytes and returns how many; fewer only at the end of the stream. DataLoss
  // when the file is a damaged gzip file: the message says where in it.
  [[nodiscard]] virtual absl::StatusOr<uint64_t> Read(uint64_t size, char* destination) = 0;

  // More bytes than the stream can possibly hold: the bound on what may be allocated for it. The
  // size of a plain file; for a gzip file the most that its bytes can expand to (deflate: 1032 to
  // 1).
  [[nodiscard]] virtual uint64_t bytes_max() const = 0;

  // The file's own path, for messages.
  [[nodiscard]] const std::string& path() const { return path_; }

 protected:
  explicit ByteStream(std::string path) : path_(std::move(path)) {}

 private:
  const std::string path_;
};

// Opens `path`, or `path`.gz if there is no such file. NotFound names both.
[[nodiscard]] absl::StatusOr<std::unique_ptr<ByteStream>> OpenPlainOrGzip(
    const base::FileSystem& files, const std::string& path);

}  // namespace rm::data

#endif  // RM_RUNTIME_DATA_BYTE_STREAM_H_
