#include "runtime/graph/constant_memory.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/check.h"

namespace rm::graph {
namespace {

// Elements were checked to fit their dtype when the constant was added.
template <typename T>
void Narrow(const std::vector<int64_t>& integers, void* memory) {
  std::transform(integers.begin(), integers.end(), static_cast<T*>(memory),
                 [](int64_t element) { return static_cast<T>(element); });
}

template <typename T>
std::vector<int64_t> Widen(const void* memory, int64_t elements) {
  const T* begin = static_cast<const T*>(memory);
  return {begin, begin + elements};
}

}  // namespace

size_t ConstantBytes(const Value& constant) {
  return kernels::TensorType{constant.dtype, constant.shape}.bytes();
}

void WriteConstant(const Value& constant, void* memory) {
  const Initializer& given = constant.initializer;
  if (constant.dtype == kernels::DType::kFloat32) {
    RM_CHECK(given.values != nullptr, "constant '", constant.name, "' lacks its floats");
    std::copy(given.values->begin(), given.values->end(), static_cast<float*>(memory));
    return;
  }
  RM_CHECK(given.integers != nullptr, "constant '", constant.name, "' lacks its integers");
  switch (constant.dtype) {
    case kernels::DType::kInt64:
      return Narrow<int64_t>(*given.integers, memory);
    case kernels::DType::kInt32:
      return Narrow<int32_t>(*given.integers, memory);
    case kernels::DType::kUInt8:
    case kernels::DType::kBool:  // one byte, 0 or 1
      return Narrow<uint8_t>(*given.integers, memory);
    case kernels::DType::kFloat32:
    case kernels::DType::kBfloat16:  // no constant is of it
      return;
  }
}

Initializer ReadConstant(const kernels::TensorType& type, const void* memory) {
  const int64_t elements = type.elements();
  switch (type.dtype) {
    case kernels::DType::kInt64:
      return Initializer::OfIntegers(Widen<int64_t>(memory, elements));
    case kernels::DType::kInt32:
      return Initializer::OfIntegers(Widen<int32_t>(memory, elements));
    case kernels::DType::kUInt8:
    case kernels::DType::kBool:
      return Initializer::OfIntegers(Widen<uint8_t>(memory, elements));
    case kernels::DType::kFloat32:
    case kernels::DType::kBfloat16:
      break;
  }
  const float* begin = static_cast<const float*>(memory);
  return Initializer::Of({begin, begin + elements});
}

}  // namespace rm::graph
