// Numbers of the archive are read one by one from bytes: its records are not aligned, and a struct
// laid over them would not be what another compiler makes of it.
#include "runtime/tensorfile/npz.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"

namespace rm::tensorfile {
namespace {

constexpr uint32_t kLocal = 0x04034b50;
constexpr uint32_t kCentral = 0x02014b50;
constexpr uint32_t kEnd = 0x06054b50;
constexpr uint32_t kEnd64 = 0x06064b50;
constexpr uint32_t kLocator64 = 0x07064b50;
constexpr uint64_t kLocalBytes = 30;
constexpr uint64_t kCentralBytes = 46;
constexpr uint64_t kEndBytes = 22;
constexpr uint64_t kEnd64Bytes = 56;
constexpr uint64_t kLocatorBytes = 20;
constexpr uint64_t kCommentMax = 0xFFFF;
constexpr uint64_t kIn64Bits = 0xFFFFFFFF;  // stands for a number that the 64-bit extra has
// A directory of all arrays of a model has some hundred bytes an array.
constexpr uint64_t kDirectoryBytesMax = 64 << 20;

// A little-endian number of `bytes` bytes. REQUIRES: they are there. Not inlined: GCC 12 then warns
// of a string whose bytes have been read from a file.
[[gnu::noinline]] uint64_t Number(absl::string_view text, size_t offset, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = bytes; i-- > 0;) value = value << 8 | static_cast<uint8_t>(text[offset + i]);
  return value;
}

// Bytes of the file, or an error when it does not have them.
absl::StatusOr<std::string> ReadPart(const base::RandomAccessFile& file, uint64_t offset,
                                     uint64_t size, absl::string_view what) {
  if (offset > file.size() || size > file.size() - offset) {
    return absl::InvalidArgumentError(absl::StrCat(what, " at offset ", offset, " with ", size,
                                                   " bytes lies beyond the file's ", file.size()));
  }
  std::string text(static_cast<size_t>(size), '\0');
  RM_RETURN_IF_ERROR(file.Read(offset, size, text.data()));
  return text;
}

// A member of the archive as a file of its own. Shares the archive's file with its siblings.
class Member final : public base::RandomAccessFile {
 public:
  Member(std::shared_ptr<const base::RandomAccessFile> archive, uint64_t offset, uint64_t size)
      : archive_(std::move(archive)), offset_(offset), size_(size) {}

  absl::Status Read(uint64_t offset, uint64_t size, char* destination) const override {
    if (offset > size_ || size > size_ - offset) {
      return absl::OutOfRangeError("beyond the end of the array");
    }
    return archive_->Read(offset_ + offset, size, destination);
  }
  uint64_t size() const override { return size_; }

 private:
  const std::shared_ptr<const base::RandomAccessFile> archive_;
  const uint64_t offset_;
  const uint64_t size_;
};

// Where the central entries lie.
struct Directory {
  uint64_t entries = 0;
  uint64_t bytes = 0;
  uint64_t offset = 0;
};

// The end record stands at the end but for a comment, so it is looked for from there.
absl::StatusOr<Directory> FindDirectory(const base::RandomAccessFile& file) {
  const uint64_t tail_bytes = std::min(file.size(), kEndBytes + kCommentMax);
  RM_ASSIGN_OR_RETURN(const std::string tail,
                      ReadPart(file, file.size() - tail_bytes, tail_bytes, "the end record"));
  for (size_t at = tail.size() < kEndBytes ? 0 : tail.size() - kEndBytes + 1; at-- > 0;) {
    if (Number(tail, at, 4) != kEnd) continue;
    Directory directory = {Number(tail, at + 10, 2), Number(tail, at + 12, 4),
                           Number(tail, at + 16, 4)};
    const uint64_t end = file.size() - tail_bytes + at;
    if (end < kLocatorBytes) return directory;
    RM_ASSIGN_OR_RETURN(const std::string locator,
                        ReadPart(file, end - kLocatorBytes, kLocatorBytes, "the locator"));
    if (Number(locator, 0, 4) != kLocator64) return directory;
    RM_ASSIGN_OR_RETURN(const std::string end64, ReadPart(file, Number(locator, 8, 8), kEnd64Bytes,
                                                          "the 64-bit end record"));
    if (Number(end64, 0, 4) != kEnd64) {
      return absl::InvalidArgumentError("the 64-bit end record is not where it should be");
    }
    return Directory{Number(end64, 32, 8), Number(end64, 40, 8), Number(end64, 48, 8)};
  }
  return absl::InvalidArgumentError("it is no .npz file: no end of a zip archive is found");
}

// One central entry.
struct Entry {
  std::string name;
  uint64_t bytes = 0;
  uint64_t offset = 0;      // of the local header
  uint64_t next_entry = 0;  // behind this one, in the directory
};

// The extra field of 64-bit sizes holds, in order, those numbers that did not fit.
void TakeSizesOf64Bits(absl::string_view extra, uint64_t packed, Entry* entry) {
  while (extra.size() >= 4) {
    const size_t id = static_cast<size_t>(Number(extra, 0, 2));
    const size_t length = static_cast<size_t>(Number(extra, 2, 2));
    if (extra.size() - 4 < length) return;
    absl::string_view field = extra.substr(4, length);
    extra.remove_prefix(4 + length);
    if (id != 1) continue;
    const auto take = [&](uint64_t* number) {
      if (*number != kIn64Bits || field.size() < 8) return;
      *number = Number(field, 0, 8);
      field.remove_prefix(8);
    };
    take(&entry->bytes);
    take(&packed);
    take(&entry->offset);
    return;
  }
}

absl::StatusOr<Entry> ParseEntry(absl::string_view directory, uint64_t at) {
  if (directory.size() - at < kCentralBytes || Number(directory, at, 4) != kCentral) {
    return absl::InvalidArgumentError(absl::StrCat("its directory ends in entry at byte ", at));
  }
  const uint64_t flags = Number(directory, at + 8, 2);
  const uint64_t method = Number(directory, at + 10, 2);
  const uint64_t packed = Number(directory, at + 20, 4);
  const uint64_t name_bytes = Number(directory, at + 28, 2);
  const uint64_t extra_bytes = Number(directory, at + 30, 2);
  const uint64_t comment_bytes = Number(directory, at + 32, 2);
  Entry entry;
  entry.bytes = Number(directory, at + 24, 4);
  entry.offset = Number(directory, at + 42, 4);
  entry.next_entry = at + kCentralBytes + name_bytes + extra_bytes + comment_bytes;
  if (entry.next_entry > directory.size()) {
    return absl::InvalidArgumentError(absl::StrCat("its directory ends in entry at byte ", at));
  }
  entry.name = std::string(directory.substr(at + kCentralBytes, name_bytes));
  TakeSizesOf64Bits(directory.substr(at + kCentralBytes + name_bytes, extra_bytes), packed, &entry);
  if ((flags & 1) != 0) {
    return absl::InvalidArgumentError(absl::StrCat("'", entry.name, "' is encrypted"));
  }
  if (method != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", entry.name, "' is compressed; write it with numpy.savez"));
  }
  return entry;
}

// The data begins behind the local header, whose name and extra field may be longer than the
// directory's.
absl::StatusOr<std::unique_ptr<NpyFile>> OpenMember(
    const std::shared_ptr<const base::RandomAccessFile>& file, const std::string& path,
    const Entry& entry) {
  char bytes[kLocalBytes] = {};
  const absl::string_view head(bytes, kLocalBytes);
  const bool fits = entry.offset <= file->size() && kLocalBytes <= file->size() - entry.offset;
  if (fits) RM_RETURN_IF_ERROR(file->Read(entry.offset, kLocalBytes, bytes));
  if (Number(head, 0, 4) != kLocal) {
    return absl::InvalidArgumentError(
        absl::StrCat("no member begins at offset ", entry.offset));
  }
  const uint64_t data =
      entry.offset + kLocalBytes + Number(head, 26, 2) + Number(head, 28, 2);
  if (data > file->size() || entry.bytes > file->size() - data) {
    return absl::InvalidArgumentError(absl::StrCat(entry.bytes, " bytes at offset ", data,
                                                   " lie beyond the file's ", file->size()));
  }
  return NpyFile::Open(std::make_unique<Member>(file, data, entry.bytes), path);
}

// Appends a little-endian number.
void Put(std::string* out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) *out += static_cast<char>(value >> (8 * i) & 0xFF);
}

// What local and central headers share: from the version to the name's length. The time is the
// epoch of the format, 1980-01-01, so that equal arrays make equal files.
void PutCommon(std::string* out, uint32_t crc, uint64_t bytes, const std::string& name) {
  Put(out, 20, 2);      // version needed: 2.0
  Put(out, 1 << 11, 2); // names are UTF-8
  Put(out, 0, 2);       // stored
  Put(out, 0, 2);       // time
  Put(out, 1 << 5 | 1, 2);
  Put(out, crc, 4);
  Put(out, bytes, 4);
  Put(out, bytes, 4);
  Put(out, name.size(), 2);
}

}  // namespace

absl::StatusOr<std::unique_ptr<NpzFile>> NpzFile::Open(const base::FileSystem& files,
                                                       const std::string& path) {
  RM_ASSIGN_OR_RETURN(auto opened, files.Open(path));
  const std::shared_ptr<const base::RandomAccessFile> file = std::move(opened);
  auto npz = std::make_unique<NpzFile>();
  const auto read = [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(const Directory directory, FindDirectory(*file));
    if (directory.bytes > kDirectoryBytesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("its directory claims ", directory.bytes, " bytes"));
    }
    RM_ASSIGN_OR_RETURN(const std::string text,
                        ReadPart(*file, directory.offset, directory.bytes, "the directory"));
    uint64_t at = 0;
    for (uint64_t i = 0; i < directory.entries; ++i) {
      RM_ASSIGN_OR_RETURN(const Entry entry, ParseEntry(text, at));
      at = entry.next_entry;
      auto array = OpenMember(file, path, entry);
      RM_RETURN_IF_ERROR(base::Annotate(array.status(), entry.name));
      npz->arrays_[std::string(absl::StripSuffix(entry.name, ".npy"))] = *std::move(array);
    }
    return absl::OkStatus();
  };
  RM_RETURN_IF_ERROR(base::Annotate(read(), path));
  return npz;
}

absl::StatusOr<std::vector<float>> NpzFile::ReadFloats(const std::string& name) const {
  const auto array = arrays_.find(name);
  if (array == arrays_.end()) return absl::NotFoundError(absl::StrCat("no array '", name, "'"));
  const NpyFile& npy = *array->second;
  if (npy.dtype() != "F32") {
    return absl::InvalidArgumentError(
        absl::StrCat(npy.path(), ": '", name, "' is ", npy.dtype(), ", it must be F32"));
  }
  std::vector<float> values(static_cast<size_t>(npy.data_bytes() / sizeof(float)));
  RM_RETURN_IF_ERROR(npy.Read(0, npy.data_bytes(), values.data()));
  return values;
}

// Members as they come, the directory from what was noted on the way.
absl::Status WriteNpz(absl::Span<const NpzArray> arrays, base::WritableFile& file) {
  std::string directory;
  uint64_t offset = 0;
  for (const NpzArray& array : arrays) {
    RM_ASSIGN_OR_RETURN(const std::string npy, EncodeNpy(array.dtype, array.shape, array.data));
    const std::string name = absl::StrCat(array.name, ".npy");
    if (npy.size() >= kIn64Bits || offset + npy.size() >= kIn64Bits || name.size() > 0xFFFF) {
      return absl::InvalidArgumentError(
          absl::StrCat("array '", array.name, "' makes the archive larger than 4 GiB"));
    }
    const auto crc = static_cast<uint32_t>(
        ::crc32_z(0, reinterpret_cast<const Bytef*>(npy.data()), npy.size()));
    std::string local;
    Put(&local, kLocal, 4);
    PutCommon(&local, crc, npy.size(), name);
    Put(&local, 0, 2);  // no extra field
    RM_RETURN_IF_ERROR(file.Append(absl::StrCat(local, name)));
    RM_RETURN_IF_ERROR(file.Append(npy));
    Put(&directory, kCentral, 4);
    Put(&directory, 20, 2);  // version made by
    PutCommon(&directory, crc, npy.size(), name);
    Put(&directory, 0, 8);  // no extra field, no comment, first disk, no attributes
  Put(&directory, 0, 4);
    Put(&directory, offset, 4);
    absl::StrAppend(&directory, name);
    offset += local.size() + name.size() + npy.size();
  }
  std::string end;
  Put(&end, kEnd, 4);
  Put(&end, 0, 4);  // of one disk
  Put(&end, arrays.size(), 2);
  Put(&end, arrays.size(), 2);
  Put(&end, directory.size(), 4);
  Put(&end, offset, 4);
  Put(&end, 0, 2);  // no comment
  if (arrays.size() > 0xFFFF) return absl::InvalidArgumentError("more than 65,535 arrays");
  return file.Append(absl::StrCat(directory, end));
}

}  // namespace rm::tensorfile
