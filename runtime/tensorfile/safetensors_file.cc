// Reading: the header is parsed and checked in full before anything of it is used.
#include <algorithm>
#include <tuple>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/json.h"
#include "base/status.h"
#include "runtime/tensorfile/header.h"
#include "runtime/tensorfile/safetensors.h"

namespace rm::tensorfile {
namespace {

using base::Json;
using base::JsonQuote;

// Header object, tensor object, array: nothing lies deeper.
constexpr int kHeaderDepthMax = 4;

// All that is wrong with a file is damage: whoever wrote it so, nothing of it can be used.
absl::Status Damaged(absl::string_view what) { return absl::DataLossError(what); }

// The header's text. Its length is compared with what the format allows and with what the file has
// before any memory is taken for it.
absl::StatusOr<std::string> ReadHeader(const base::RandomAccessFile& file) {
  if (file.size() < kLengthBytes) {
    return Damaged(absl::StrCat("has ", file.size(), " bytes; the header's length alone takes 8"));
  }
  char length_bytes[kLengthBytes];
  RM_RETURN_IF_ERROR(file.Read(0, kLengthBytes, length_bytes));
  const uint64_t length = DecodeLength(length_bytes);
  if (length > kHeaderBytesMax) {
    return Damaged(absl::StrCat("claims a header of ", length, " bytes; the format allows ",
                                kHeaderBytesMax));
  }
  if (length > file.size() - kLengthBytes) {
    return Damaged(absl::StrCat("claims a header of ", length, " bytes, but only ",
                                file.size() - kLengthBytes, " follow"));
  }
  std::string header(static_cast<size_t>(length), '\0');
  RM_RETURN_IF_ERROR(file.Read(kLengthBytes, length, header.data()));
  if (header.empty() || header[0] != '{') return Damaged("header does not begin with '{'");
  return header;
}

// Strings only, as the format says.
absl::StatusOr<Metadata> ParseMetadata(const Json& entry) {
  Metadata metadata;
  if (!entry.is_object()) return Damaged("__metadata__ is no object");
  for (const auto& [key, value] : entry.object()) {
    if (!value.is_string()) {
      return Damaged(absl::StrCat("__metadata__ ", JsonQuote(key), " is no string"));
    }
    metadata[key] = value.string_or("");
  }
  return metadata;
}

// The member `key` of `entry` as a list of numbers ≥ 0.
absl::StatusOr<std::vector<int64_t>> ParseNumbers(const Json& entry, absl::string_view key) {
  const Json* list = entry.Find(key);
  if (list == nullptr || !list->is_array()) return Damaged(absl::StrCat("has no list ", key));
  std::vector<int64_t> numbers;
  for (const Json& number : list->array()) {
    numbers.push_back(number.int_or(-1));
    if (numbers.back() < 0) {
      return Damaged(absl::StrCat(key, " holds ", number.Dump(), ", not a whole number ≥ 0"));
    }
  }
  return numbers;
}

// `data_begin` is where offsets count from, `data_bytes` what lies there.
absl::StatusOr<TensorInfo> ParseTensor(const Json& entry, uint64_t data_begin,
                                       uint64_t data_bytes) {
  TensorInfo tensor;
  const Json* dtype = entry.Find("dtype");
  if (dtype == nullptr || !dtype->is_string()) return Damaged("has no dtype");
  tensor.dtype = dtype->string_or("");
  RM_ASSIGN_OR_RETURN(tensor.shape, ParseNumbers(entry, "shape"));
  RM_ASSIGN_OR_RETURN(const std::vector<int64_t> offsets, ParseNumbers(entry, "data_offsets"));
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    return Damaged("data_offsets are not [begin, end] with begin ≤ end");
  }
  const uint64_t begin = static_cast<uint64_t>(offsets[0]);
  const uint64_t end = static_cast<uint64_t>(offsets[1]);
  if (end > data_bytes) {
    return Damaged(absl::StrCat("ends at ", end, ", but the file has ", data_bytes,
                                " bytes of data"));
  }
  const auto bytes = TensorBytes(tensor.dtype, tensor.shape);
  if (!bytes.ok()) return Damaged(bytes.status().message());
  if (*bytes != end - begin) {
    return Damaged(absl::StrCat(DescribeTensor(tensor.dtype, tensor.shape), " needs ", *bytes,
                                " bytes, data_offsets give it ", end - begin));
  }
  tensor.offset = data_begin + begin;
  tensor.bytes = *bytes;
  return tensor;
}

// Sorts the tensors by place and checks that they cover [begin, end) without hole or overlap.
absl::Status CheckCover(std::vector<TensorInfo>& tensors, uint64_t begin, uint64_t end) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorInfo& a, const TensorInfo& b) {
    return std::tie(a.offset, a.bytes) < std::tie(b.offset, b.bytes);
  });
  uint64_t covered = begin;
  for (const TensorInfo& tensor : tensors) {
    if (tensor.offset != covered) {
      const absl::string_view fault = tensor.offset < covered
                                          ? ", within the one before it, which ends at "
                                          : ", leaving a hole from ";
      return Damaged(absl::StrCat("tensor ", JsonQuote(tensor.name), " begins at byte ",
                                  tensor.offset, fault, covered));
    }
    covered += tensor.bytes;
  }
  if (covered == end) return absl::OkStatus();
  return Damaged(absl::StrCat("tensors end at byte ", covered, ", the file at ", end));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SafetensorsFile>> SafetensorsFile::Open(
    const base::FileSystem& files, const std::string& path) {
  RM_ASSIGN_OR_RETURN(auto file, files.Open(path));
  return Open(std::move(file), path);
}

absl::StatusOr<std::unique_ptr<SafetensorsFile>> SafetensorsFile::Open(
    std::unique_ptr<base::RandomAccessFile> file, const std::string& name) {
  auto opened = absl::WrapUnique(new SafetensorsFile());
  opened->file_ = std::move(file);
  const absl::Status status = opened->ParseHeader();
  if (!status.ok()) return base::Annotate(status, name);
  return opened;
}

// Every claim is checked before the first tensor can be asked for. Unknown members of an entry are
// passed over, as the reference implementation does.
absl::Status SafetensorsFile::ParseHeader() {
  RM_ASSIGN_OR_RETURN(const std::string text, ReadHeader(*file_));
  const auto header = Json::Parse(text, kHeaderDepthMax);
  if (!header.ok()) return Damaged(absl::StrCat("header: ", header.status().message()));
  const uint64_t data_begin = kLengthBytes + text.size();
  for (const auto& [name, entry] : header->object()) {
    if (name == kMetadataKey) {
      RM_ASSIGN_OR_RETURN(metadata_, ParseMetadata(entry));
      continue;
    }
    auto tensor = ParseTensor(entry, data_begin, file_->size() - data_begin);
    if (!tensor.ok()) {
      return base::Annotate(tensor.status(), absl::StrCat("tensor ", JsonQuote(name)));
    }
    tensor->name = name;
    tensors_.push_back(*std::move(tensor));
  }
  RM_RETURN_IF_ERROR(CheckCover(tensors_, data_begin, file_->size()));
  for (size_t i = 0; i < tensors_.size(); ++i) index_[tensors_[i].name] = i;
  return absl::OkStatus();
}

const TensorInfo* SafetensorsFile::Find(absl::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

absl::Status SafetensorsFile::Read(const TensorInfo& tensor, void* destination) const {
  return file_->Read(tensor.offset, tensor.bytes, static_cast<char*>(destination));
}

}  // namespace rm::tensorfile
