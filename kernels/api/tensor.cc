#include "kernels/api/tensor.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"

namespace rm::kernels {

// The switches below have no default, so that the compiler names the one that a new dtype or layout
// was forgotten in.
size_t ByteSize(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kInt32: return 4;
    case DType::kInt64: return 8;
    case DType::kUInt8:
    case DType::kBool: return 1;
    case DType::kBfloat16: return 2;
  }
  RM_CHECK(false, "no such dtype: ", static_cast<int>(dtype));
  return 0;
}

const char* DTypeName(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return "float32";
    case DType::kInt64: return "int64";
    case DType::kInt32: return "int32";
    case DType::kUInt8: return "uint8";
    case DType::kBool: return "bool";
    case DType::kBfloat16: return "bfloat16";
  }
  return "unknown";
}

std::optional<DType> FindDType(absl::string_view name) {
  for (const DType dtype : {DType::kFloat32, DType::kInt64, DType::kInt32, DType::kUInt8,
                            DType::kBool, DType::kBfloat16}) {
    if (name == DTypeName(dtype)) return dtype;
  }
  return std::nullopt;
}

// The empty product, a scalar's, is 1.
int64_t ElementCount(const Shape& shape) {
  int64_t count = 1;
  for (const int64_t dimension : shape) count *= dimension;
  return count;
}

std::string ShapeString(const Shape& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

const char* LayoutName(Layout layout) {
  switch (layout) {
    case Layout::kPlain: return "plain";
    case Layout::kChannelsLast: return "channels_last";
    case Layout::kChannels8: return "channels8";
    case Layout::kChannels16: return "channels16";
  }
  return "unknown";
}

// One is also right for channels last: its channels need no padding.
int64_t ChannelBlock(Layout layout) {
  switch (layout) {
    case Layout::kChannels8: return 8;
    case Layout::kChannels16: return 16;
    case Layout::kPlain:
    case Layout::kChannelsLast: return 1;
  }
  return 1;
}

// Only blocked layouts hold more than the logical elements. Their blocks run over the channels of
// one image, so an image's channels are padded, never the whole tensor's.
int64_t TensorType::physical_elements() const {
  const int64_t block = ChannelBlock(layout);
  if (block == 1) return elements();
  RM_CHECK(shape.size() == 4, ToString(), " is not an image (N, C, H, W)");
  const int64_t blocks = (shape[1] + block - 1) / block;
  return shape[0] * blocks * block * shape[2] * shape[3];
}

size_t TensorType::bytes() const {
  return static_cast<size_t>(physical_elements()) * ByteSize(dtype);
}

// Most tensors are float32 and plain: only the exceptions are worth a reader's time.
std::string TensorType::ToString() const {
  std::string text = ShapeString(shape);
  if (dtype != DType::kFloat32) text = absl::StrCat(DTypeName(dtype), " ", text);
  if (layout != Layout::kPlain) absl::StrAppend(&text, " ", LayoutName(layout));
  return text;
}

}  // namespace rm::kernels
