// The head is checked from its front to its back, and every number in it against the file's own
// size before it is used: a hundred bytes may claim a gigabyte, and cost a hundred bytes.
#include "runtime/tensorfile/npy.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "runtime/tensorfile/dtype.h"
#include "runtime/tensorfile/npy_header.h"

namespace rm::tensorfile {
namespace {

constexpr absl::string_view kMagic = "\x93NUMPY";
constexpr uint64_t kVersionBytes = 2;
// NumPy pads its headers so that the data can be mapped; so do we, and files are equal bytes.
constexpr size_t kAlignment = 64;

// "<f4", and what it would take to read another one.
absl::Status RefuseDescr(absl::string_view descr) {
  std::string shown(descr.substr(0, 16));
  for (char& c : shown) {
    if (c < ' ' || c > '~') c = '?';
  }
  // The one wrong type that a user can meet by chance: files from big-endian instruments.
  if (absl::StartsWith(descr, ">")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the numbers are big-endian ('", shown, "'); save them with astype('<", shown.substr(1),
        "')"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the type '", shown,
                   "' is not read; possible: <f4 <f8 |u1 |i1 <u2 <i2 <u4 <i4 <u8 <i8 |b1"));
}

}  // namespace

// Every error below names the file, so it is put before them here, once.
absl::StatusOr<std::unique_ptr<NpyFile>> NpyFile::Open(const base::FileSystem& files,
                                                       const std::string& path) {
  RM_ASSIGN_OR_RETURN(auto file, files.Open(path));
  return Open(std::move(file), path);
}

absl::StatusOr<std::unique_ptr<NpyFile>> NpyFile::Open(std::unique_ptr<base::RandomAccessFile> file,
                                                       const std::string& path) {
  std::unique_ptr<NpyFile> npy(new NpyFile(std::move(file), path));
  RM_RETURN_IF_ERROR(base::Annotate(npy->ParseHead(), path));
  return npy;
}

// Each length is compared with the file's before a byte is allocated for it.
absl::Status NpyFile::ParseHead() {
  const uint64_t size = file_->size();
  const auto ends_early = [&](uint64_t wanted) {
    return absl::InvalidArgumentError(
        absl::StrCat("the file ends at offset ", size, ", within its head of ", wanted, " bytes"));
  };
  // Magic, version and the shorter of the two lengths; the longer one needs two bytes more.
  char head[12] = {};
  const uint64_t fixed = kMagic.size() + kVersionBytes;
  if (size < fixed + 2) return ends_early(fixed + 2);
  RM_RETURN_IF_ERROR(file_->Read(0, fixed + 2, head));
  if (absl::string_view(head, kMagic.size()) != kMagic) {
    return absl::InvalidArgumentError("it is no .npy file: it does not begin with \\x93NUMPY");
  }
  const int major = static_cast<uint8_t>(head[6]), minor = static_cast<uint8_t>(head[7]);
  if (major < 1 || major > 3 || minor != 0) {
    return absl::InvalidArgumentError(absl::StrCat("version ", major, ".", minor,
                                                   " at offset 6 is none of 1.0, 2.0, 3.0"));
  }
  // 2.0 came for headers beyond 64 KiB, 3.0 for names in UTF-8: neither matters to plain numbers.
  const uint64_t length_bytes = major == 1 ? 2 : 4;
  if (size < fixed + length_bytes) return ends_early(fixed + length_bytes);
  RM_RETURN_IF_ERROR(file_->Read(fixed, length_bytes, head + fixed));
  uint64_t length = 0;
  for (uint64_t i = length_bytes; i-- > 0;) {
    length = length << 8 | static_cast<uint8_t>(head[fixed + i]);
  }
  // Before the allocation: the number is whatever the file says.
  if (length > kNpyHeaderBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("the header claims ", length, " bytes; at most ",
                                                   kNpyHeaderBytesMax, " are possible"));
  }
  data_offset_ = fixed + length_bytes + length;
  if (size < data_offset_) return ends_early(data_offset_);
  std::string header(static_cast<size_t>(length), '\0');
  RM_RETURN_IF_ERROR(file_->Read(fixed + length_bytes, length, header.data()));
  return ParseHeader(header);
}

// The size is compared both ways: a file that is too long was not written by the header it has.
absl::Status NpyFile::ParseHeader(absl::string_view text) {
  RM_ASSIGN_OR_RETURN(NpyHeader header, ParseNpyHeader(text));
  if (header.fortran_order) {
    return absl::InvalidArgumentError(
        "the array is in Fortran order; save it with numpy.ascontiguousarray");
  }
  dtype_ = DtypeOfDescr(header.descr);
  if (dtype_.empty()) return RefuseDescr(header.descr);
  RM_ASSIGN_OR_RETURN(data_bytes_, TensorBytes(dtype_, header.shape));
  shape_ = std::move(header.shape);
  const uint64_t found = file_->size() - data_offset_;
  if (found == data_bytes_) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "expected ", data_bytes_, " bytes of data (", DescribeTensor(dtype_, shape_),
      ") behind the head of ", data_offset_, " bytes, found ", found));
}

// The data's length was checked when the file was opened; asking for more is a bug of ours.
absl::Status NpyFile::Read(uint64_t offset, uint64_t size, void* destination) const {
  RM_CHECK(offset <= data_bytes_ && size <= data_bytes_ - offset, "bytes ", offset, " to ",
           offset + size, " of ", data_bytes_);
  return file_->Read(data_offset_ + offset, size, static_cast<char*>(destination));
}

// Version 1.0 holds every header that fits 64 KiB, which is every shape of 64 dimensions.
absl::StatusOr<std::string> EncodeNpy(absl::string_view dtype, absl::Span<const int64_t> shape,
                                      absl::string_view data) {
  const std::string descr = DescrOfDtype(dtype);
  if (descr.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("an .npy file cannot hold ", dtype));
  }
  RM_ASSIGN_OR_RETURN(const uint64_t bytes, TensorBytes(dtype, shape));
  if (bytes != data.size()) {
    return absl::InvalidArgumentError(absl::StrCat(DescribeTensor(dtype, shape), " has ", bytes,
                                                   " bytes, not ", data.size()));
  }
  // Spaces up to the line feed, so that the data behind it is aligned.
  std::string header = FormatNpyHeader(descr, shape);
  const size_t before = kMagic.size() + kVersionBytes + sizeof(uint16_t);
  const size_t unpadded = before + header.size() + 1;
  header.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  header += '\n';
  if (header.size() > 0xFFFF) return absl::InvalidArgumentError("too many dimensions");
  std::string file = absl::StrCat(kMagic, absl::string_view("\x01\x00", 2));
  file += static_cast<char>(header.size() & 0xFF);
  file += static_cast<char>(header.size() >> 8);
  return absl::StrCat(file, header, data);
}

}  // namespace rm::tensorfile
