// Writing: the header is made first, the tensors follow from their own memory.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "base/json.h"
#include "base/status.h"
#include "base/utf8.h"
#include "runtime/tensorfile/header.h"
#include "runtime/tensorfile/safetensors.h"

namespace rm::tensorfile {
namespace {

using base::Json;
using base::JsonQuote;

// JSON is UTF-8: another name would come back changed.
bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t length = base::Utf8SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// One tensor by itself.
absl::Status CheckTensor(const TensorData& tensor) {
  if (!IsUtf8(tensor.name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the name ", JsonQuote(tensor.name), " is not valid UTF-8"));
  }
  if (tensor.name == kMetadataKey) {
    return absl::InvalidArgumentError(
        absl::StrCat("a tensor may not be called ", JsonQuote(kMetadataKey)));
  }
  const std::string who = absl::StrCat("tensor ", JsonQuote(tensor.name));
  const auto bytes = TensorBytes(tensor.dtype, tensor.shape);
  if (!bytes.ok()) return base::Annotate(bytes.status(), who);
  if (*bytes != tensor.bytes) {
    return absl::InvalidArgumentError(absl::StrCat(who, ": ",
                                                   DescribeTensor(tensor.dtype, tensor.shape),
                                                   " has ", *bytes, " bytes, not ", tensor.bytes));
  }
  return absl::OkStatus();
}

// All of them together: a name stands for one tensor.
absl::Status CheckTensors(absl::Span<const TensorData> tensors) {
  std::set<absl::string_view> names;
  for (const TensorData& tensor : tensors) {
    RM_RETURN_IF_ERROR(CheckTensor(tensor));
    if (!names.insert(tensor.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("two tensors are called ", JsonQuote(tensor.name)));
    }
  }
  return absl::OkStatus();
}

// The tensors as they will lie in the file: large elements first, so that each is aligned to its
// own element size.
std::vector<const TensorData*> FileOrder(absl::Span<const TensorData> tensors) {
  std::vector<const TensorData*> order;
  order.reserve(tensors.size());
  for (const TensorData& tensor : tensors) order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(), [](const TensorData* a, const TensorData* b) {
    return ElementBytes(a->dtype) > ElementBytes(b->dtype);
  });
  return order;
}

// A list of numbers as JSON.
Json Numbers(absl::Span<const int64_t> numbers) {
  Json::Array array(numbers.begin(), numbers.end());
  return Json(std::move(array));
}

// One tensor's entry, beginning at `begin` of the data.
Json HeaderEntry(const TensorData& tensor, uint64_t begin) {
  const int64_t offsets[] = {static_cast<int64_t>(begin),
                             static_cast<int64_t>(begin + tensor.bytes)};
  Json entry;
  entry.Set("dtype", tensor.dtype);
  entry.Set("shape", Numbers(tensor.shape));
  entry.Set("data_offsets", Numbers(offsets));
  return entry;
}

// The header, padded with spaces so that the data begins aligned.
std::string HeaderText(absl::Span<const TensorData* const> order, const Metadata& metadata) {
  Json::Object header;
  if (!metadata.empty()) {
    Json entries;
    for (const auto& [key, value] : metadata) entries.Set(key, value);
    header.emplace_back(kMetadataKey, std::move(entries));
  }
  uint64_t offset = 0;
  for (const TensorData* tensor : order) {
    header.emplace_back(tensor->name, HeaderEntry(*tensor, offset));
    offset += tensor->bytes;
  }
  std::string text = Json(std::move(header)).Dump();
  text.resize((text.size() + kHeaderAlignment - 1) / kHeaderAlignment * kHeaderAlignment, ' ');
  return text;
}

}  // namespace

// Empty tensors have an entry and no piece: there is nothing of them to write.
absl::StatusOr<FileImage> LayOut(absl::Span<const TensorData> tensors, const Metadata& metadata) {
  RM_RETURN_IF_ERROR(CheckTensors(tensors));
  const std::vector<const TensorData*> order = FileOrder(tensors);
  const std::string header = HeaderText(order, metadata);
  if (header.size() > kHeaderBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("the header would have ", header.size(),
                                                   " bytes, the format allows ", kHeaderBytesMax));
  }
  FileImage image;
  image.head = absl::StrCat(EncodeLength(header.size()), header);
  image.bytes = image.head.size();
  for (const TensorData* tensor : order) {
    if (tensor->bytes == 0) continue;
    image.data.emplace_back(static_cast<const char*>(tensor->data), tensor->bytes);
    image.bytes += tensor->bytes;
  }
  return image;
}

absl::Status WriteSafetensors(absl::Span<const TensorData> tensors, const Metadata& metadata,
                              base::WritableFile& file) {
  RM_ASSIGN_OR_RETURN(const FileImage image, LayOut(tensors, metadata));
  RM_RETURN_IF_ERROR(file.Append(image.head));
  for (const absl::string_view piece : image.data) RM_RETURN_IF_ERROR(file.Append(piece));
  return absl::OkStatus();
}

}  // namespace rm::tensorfile
