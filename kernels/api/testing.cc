#include "kernels/api/testing.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "kernels/api/bfloat16.h"

namespace rm::kernels::testing {
namespace {

constexpr unsigned char kGuardByte = 0xA5;

size_t RoundUp64(size_t bytes) { return (bytes + 63) / 64 * 64; }

template <typename T>
float ReadAs(const void* data, int64_t i) {
  return static_cast<float>(static_cast<const T*>(data)[i]);
}

template <typename T>
void WriteAs(void* data, int64_t i, float value) {
  static_cast<T*>(data)[i] = static_cast<T>(value);
}

float ReadElement(const TensorType& type, const void* data, int64_t i) {
  switch (type.dtype) {
    case DType::kFloat32: return ReadAs<float>(data, i);
    case DType::kInt64: return ReadAs<int64_t>(data, i);
    case DType::kInt32: return ReadAs<int32_t>(data, i);
    case DType::kUInt8:
    case DType::kBool: return ReadAs<uint8_t>(data, i);
    case DType::kBfloat16: return ToFloat(static_cast<const Bfloat16*>(data)[i]);
  }
  return 0;
}

void WriteElement(const TensorType& type, void* data, int64_t i, float value) {
  switch (type.dtype) {
    case DType::kFloat32: return WriteAs<float>(data, i, value);
    case DType::kInt64: return WriteAs<int64_t>(data, i, value);
    case DType::kInt32: return WriteAs<int32_t>(data, i, value);
    case DType::kUInt8:
    case DType::kBool: return WriteAs<uint8_t>(data, i, value);
    case DType::kBfloat16:
      static_cast<Bfloat16*>(data)[i] = ToBfloat16(value);
      return;
  }
}

// The offset of the i-th logical element.
int64_t Offset(const TensorType& type, int64_t i) {
  if (type.layout == Layout::kPlain) return i;
  const int64_t w = i % type.shape[3];
  const int64_t h = i / type.shape[3] % type.shape[2];
  const int64_t c = i / type.shape[3] / type.shape[2] % type.shape[1];
  const int64_t n = i / type.shape[3] / type.shape[2] / type.shape[1];
  return LayoutOffset(type, n, c, h, w);
}

std::vector<Tensor*> Pointers(std::vector<Tensor>& tensors) {
  std::vector<Tensor*> pointers;
  for (Tensor& tensor : tensors) pointers.push_back(&tensor);
  return pointers;
}

}  // namespace

Operand Floats(const Shape& shape, Layout layout) {
  return {TensorType{DType::kFloat32, shape, layout}, true};
}

Operand Int64s(const Shape& shape) {
  return {TensorType{DType::kInt64, shape, Layout::kPlain}, true};
}

Operand Bytes(const Shape& shape, Layout layout) {
  return {TensorType{DType::kUInt8, shape, layout}, true};
}

Operand Absent() { return {TensorType(), false}; }

void Tensor::Free::operator()(unsigned char* memory) const { std::free(memory); }

Tensor::Tensor(const TensorType& type) : type_(type) {
  const size_t bytes = RoundUp64(type.bytes() + 2 * kGuard);
  memory_.reset(static_cast<unsigned char*>(std::aligned_alloc(64, bytes)));
  RM_CHECK(memory_ != nullptr, bytes, " bytes");
  std::memset(memory_.get(), kGuardByte, bytes);
  std::memset(data(), 0xFF, type.bytes());
}

Tensor::Tensor(const TensorType& type, const std::vector<float>& values) : Tensor(type) {
  Fill(values);
}

std::vector<float> Tensor::values() const {
  std::vector<float> values(static_cast<size_t>(type_.elements()));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = ReadElement(type_, data(), Offset(type_, static_cast<int64_t>(i)));
  }
  return values;
}

void Tensor::Fill(const std::vector<float>& values) {
  RM_CHECK(static_cast<int64_t>(values.size()) == type_.elements(), values.size(),
           " values for ", type_.ToString());
  std::memset(data(), 0, type_.bytes());
  for (size_t i = 0; i < values.size(); ++i) {
    WriteElement(type_, data(), Offset(type_, static_cast<int64_t>(i)), values[i]);
  }
}

bool Tensor::PaddingIsZero() const {
  const int64_t block = ChannelBlock(type_.layout);
  if (block == 1) return true;
  const int64_t padded = (type_.shape[1] + block - 1) / block * block;
  const int64_t pixels = type_.shape[2] * type_.shape[3];
  for (int64_t n = 0; n < type_.shape[0]; ++n) {
    for (int64_t c = type_.shape[1]; c < padded; ++c) {
      for (int64_t i = 0; i < pixels; ++i) {
        if (ReadElement(type_, data(), LayoutOffset(type_, n, c, 0, i)) != 0) return false;
      }
    }
  }
  return true;
}

bool Tensor::GuardsAreIntact() const {
  const unsigned char* begin = memory_.get();
  const unsigned char* end = begin + kGuard + type_.bytes();
  const auto intact = [](unsigned char byte) { return byte == kGuardByte; };
  return std::all_of(begin, begin + kGuard, intact) && std::all_of(end, end + kGuard, intact);
}

bool Tensor::SameBits(const Tensor& other) const {
  return type_ == other.type_ && std::memcmp(data(), other.data(), type_.bytes()) == 0;
}

int64_t LayoutOffset(const TensorType& type, int64_t n, int64_t c, int64_t h, int64_t w) {
  const int64_t channels = type.shape[1];
  const int64_t height = type.shape[2];
  const int64_t width = type.shape[3];
  if (type.layout == Layout::kPlain) return w + width * (h + height * (c + channels * n));
  if (type.layout == Layout::kChannelsLast) return c + channels * (w + width * (h + height * n));
  const int64_t block = ChannelBlock(type.layout);
  const int64_t blocks = (channels + block - 1) / block;
  return c % block + block * (w + width * (h + height * (c / block + blocks * n)));
}

absl::Status RunEntry(const KernelEntry& entry, const OpInstance& instance,
                      const std::vector<Tensor*>& inputs, const std::vector<Tensor*>& outputs,
                      const KernelOptions& options) {
  RM_ASSIGN_OR_RETURN(const std::unique_ptr<Kernel> kernel, entry.make(instance, options));
  std::vector<const void*> in;
  std::vector<void*> out;
  for (const Tensor* tensor : inputs) in.push_back(tensor != nullptr ? tensor->data() : nullptr);
  for (Tensor* tensor : outputs) out.push_back(tensor != nullptr ? tensor->data() : nullptr);
  const auto bytes = static_cast<int64_t>(kernel->scratch_bytes());
  Tensor scratch(TensorType{DType::kUInt8, {bytes}, Layout::kPlain});
  RM_RETURN_IF_ERROR(kernel->Run({in, out, scratch.data()}));
  if (scratch.GuardsAreIntact()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(entry.name, " wrote outside its scratch memory"));
}

absl::StatusOr<std::vector<std::vector<float>>> Compute(
    KernelTable table, const OpInstance& instance, const std::vector<std::vector<float>>& inputs) {
  const KernelEntry* entry = FindKernel(table, instance);
  if (entry == nullptr) return absl::NotFoundError(instance.ToString());
  std::vector<Tensor> in;
  std::vector<Tensor> out;
  for (size_t i = 0; i < inputs.size(); ++i) {
    in.emplace_back(instance.inputs[i].type);
    if (instance.inputs[i].present) in.back().Fill(inputs[i]);
  }
  for (const Operand& operand : instance.outputs) out.emplace_back(operand.type);
  std::vector<Tensor*> in_pointers = Pointers(in);
  for (size_t i = 0; i < in.size(); ++i) {
    if (!instance.inputs[i].present) in_pointers[i] = nullptr;
  }
  RM_RETURN_IF_ERROR(RunEntry(*entry, instance, in_pointers, Pointers(out)));
  std::vector<std::vector<float>> results;
  for (const Tensor& tensor : out) {
    if (!tensor.GuardsAreIntact()) return absl::InternalError("wrote outside an output");
    results.push_back(tensor.values());
  }
  return results;
}

}  // namespace rm::kernels::testing
