#include "runtime/data/byte_stream.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"

namespace rm::data {
namespace {

// The most that deflate can expand a byte to (zlib's technical notes, "Maximum expansion factor").
constexpr uint64_t kExpansionMax = 1032;

// A file as it is.
class PlainStream final : public ByteStream {
 public:
  PlainStream(std::string path, std::unique_ptr<base::RandomAccessFile> file)
      : ByteStream(std::move(path)), file_(std::move(file)) {}

  absl::StatusOr<uint64_t> Read(uint64_t size, char* destination) override {
    const uint64_t count = std::min(size, file_->size() - at_);
    RM_RETURN_IF_ERROR(file_->Read(at_, count, destination));
    at_ += count;
    return count;
  }

  uint64_t bytes_max() const override { return file_->size(); }

 private:
  const std::unique_ptr<base::RandomAccessFile> file_;
  uint64_t at_ = 0;
};

// RFC 1952; several members in a row are one stream, as gzip itself reads them.
class GzipStream final : public ByteStream {
 public:
  GzipStream(std::string path, std::unique_ptr<base::RandomAccessFile> file)
      : ByteStream(std::move(path)), file_(std::move(file)) {
    constexpr int kGzipWindow = 15 + 16;  // largest window; +16: gzip and nothing else
    RM_CHECK(inflateInit2(&zlib_, kGzipWindow) == Z_OK, "inflateInit2");
  }
  ~GzipStream() override { inflateEnd(&zlib_); }
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  absl::StatusOr<uint64_t> Read(uint64_t size, char* destination) override {
    uint64_t done = 0;
    while (done < size && !ended_) {
      const uint64_t wanted = std::min<uint64_t>(size - done, std::numeric_limits<uInt>::max());
      zlib_.next_out = reinterpret_cast<Bytef*>(destination + done);
      zlib_.avail_out = static_cast<uInt>(wanted);
      RM_RETURN_IF_ERROR(Refill());
      RM_RETURN_IF_ERROR(Inflate());
      done += wanted - zlib_.avail_out;
    }
    return done;
  }

  uint64_t bytes_max() const override {
    return file_->size() > std::numeric_limits<uint64_t>::max() / kExpansionMax
               ? std::numeric_limits<uint64_t>::max()
               : file_->size() * kExpansionMax;
  }

 private:
  // Offset in the compressed file of the next byte that inflate will see.
  uint64_t offset() const { return at_ - zlib_.avail_in; }

  absl::Status Damaged(absl::string_view what) const {
    return absl::DataLossError(
        absl::StrCat(path(), ": damaged gzip file at offset ", offset(), ": ", what));
  }

  // Makes sure that inflate has input, unless the file is at its end.
  absl::Status Refill() {
    if (zlib_.avail_in > 0) return absl::OkStatus();
    const uint64_t count = std::min<uint64_t>(buffer_.size(), file_->size() - at_);
    RM_RETURN_IF_ERROR(file_->Read(at_, count, buffer_.data()));
    at_ += count;
    zlib_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
    zlib_.avail_in = static_cast<uInt>(count);
    return absl::OkStatus();
  }

  // One step of decompression: whatever input and room there is. Between two members, and at the
  // end, the next byte decides which of the two it is.
  absl::Status Inflate() {
    if (zlib_.avail_in == 0) {
      if (!member_done_) return Damaged("it ends in the middle");
      ended_ = true;
      return absl::OkStatus();
    }
    if (member_done_) {
      inflateReset(&zlib_);
      member_done_ = false;
    }
    const int result = inflate(&zlib_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      member_done_ = true;
      return absl::OkStatus();
    }
    // Z_BUF_ERROR: more input or room is needed, and the next round brings it.
    if (result == Z_OK || result == Z_BUF_ERROR) return absl::OkStatus();
    return Damaged(zlib_.msg != nullptr ? zlib_.msg : "it cannot be decompressed");
  }

  const std::unique_ptr<base::RandomAccessFile> file_;
  z_stream zlib_ = {};
  std::array<char, size_t{1} << 16> buffer_;
  uint64_t at_ = 0;           // bytes of the file that have been read into the buffer
  bool member_done_ = false;  // between two members, or at the end
  bool ended_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteStream>> OpenPlainOrGzip(const base::FileSystem& files,
                                                            const std::string& path) {
  auto plain = files.Open(path);
  if (plain.ok()) return std::make_unique<PlainStream>(path, *std::move(plain));
  if (!absl::IsNotFound(plain.status())) return plain.status();
  const std::string compressed = path + ".gz";
  auto gzip = files.Open(compressed);
  if (gzip.ok()) return std::make_unique<GzipStream>(compressed, *std::move(gzip));
  if (!absl::IsNotFound(gzip.status())) return gzip.status();
  return absl::NotFoundError(absl::StrCat("there is neither ", path, " nor ", compressed));
}

}  // namespace rm::data
