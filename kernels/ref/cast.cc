// Cast(X) → Y between any two dtypes, IsNaN(X) → Y and Not(X) → Y.
#include <cmath>
#include <limits>
#include <type_traits>

#include "kernels/api/bfloat16.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// From a float towards zero, and what is out of range to the end of the range: C++ leaves that
// undefined. A NaN has no neighbour; it becomes 0. Between integers what does not fit is cut off.
template <typename To, typename From>
To Convert(From x) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if (std::isnan(x)) return 0;
    // Both bounds are powers of two (or 0), which a double has exactly.
    const double value = std::trunc(static_cast<double>(x));
    if (value < static_cast<double>(std::numeric_limits<To>::min())) {
      return std::numeric_limits<To>::min();
    }
    if (value >= std::ldexp(1.0, std::numeric_limits<To>::digits)) {
      return std::numeric_limits<To>::max();
    }
    return static_cast<To>(value);
  } else {
    return static_cast<To>(x);
  }
}

template <typename To, typename From>
void ConvertAll(const void* x, void* y, int64_t count) {
  const auto* from = static_cast<const From*>(x);
  auto* to = static_cast<To*>(y);
  for (int64_t i = 0; i < count; ++i) to[i] = Convert<To>(from[i]);
}

// Whatever is not zero is true, a NaN too.
template <typename From>
void ConvertToBool(const void* x, void* y, int64_t count) {
  const auto* from = static_cast<const From*>(x);
  auto* to = static_cast<uint8_t*>(y);
  for (int64_t i = 0; i < count; ++i) to[i] = from[i] != From{0} ? 1 : 0;
}

using Conversion = void(const void* x, void* y, int64_t count);

template <typename From>
Conversion* ConversionTo(DType to) {
  switch (to) {
    case DType::kFloat32: return &ConvertAll<float, From>;
    case DType::kInt64: return &ConvertAll<int64_t, From>;
    case DType::kInt32: return &ConvertAll<int32_t, From>;
    case DType::kUInt8: return &ConvertAll<uint8_t, From>;
    case DType::kBool: return &ConvertToBool<From>;
    case DType::kBfloat16: break;  // from float32 alone: FindConversion
  }
  return nullptr;
}

// Between float32 and bfloat16, which has no other partner.
void Widen(const void* x, void* y, int64_t count) {
  const auto* from = static_cast<const Bfloat16*>(x);
  auto* to = static_cast<float*>(y);
  for (int64_t i = 0; i < count; ++i) to[i] = ToFloat(from[i]);
}

void Narrow(const void* x, void* y, int64_t count) {
  const auto* from = static_cast<const float*>(x);
  auto* to = static_cast<Bfloat16*>(y);
  for (int64_t i = 0; i < count; ++i) to[i] = ToBfloat16(from[i]);
}

// A truth value is 0 or 1 as a number, and lies in memory as uint8 does.
Conversion* FindConversion(DType from, DType to) {
  if (to == DType::kBfloat16) return &Narrow;
  switch (from) {
    case DType::kFloat32: return ConversionTo<float>(to);
    case DType::kInt64: return ConversionTo<int64_t>(to);
    case DType::kInt32: return ConversionTo<int32_t>(to);
    case DType::kUInt8:
    case DType::kBool: return ConversionTo<uint8_t>(to);
    case DType::kBfloat16: return &Widen;
  }
  return nullptr;
}

void FindNaNs(const void* x, void* y, int64_t count) {
  const auto* from = static_cast<const float*>(x);
  auto* to = static_cast<uint8_t*>(y);
  for (int64_t i = 0; i < count; ++i) to[i] = std::isnan(from[i]) ? 1 : 0;
}

void Invert(const void* x, void* y, int64_t count) {
  const auto* from = static_cast<const uint8_t*>(x);
  auto* to = static_cast<uint8_t*>(y);
  for (int64_t i = 0; i < count; ++i) to[i] = from[i] == 0 ? 1 : 0;
}

// One conversion from the first element to the last.
class Conversions final : public Kernel {
 public:
  Conversions(const OpInstance& op, Conversion* conversion)
      : conversion_(conversion), count_(op.inputs[0].type.elements()) {}

  absl::Status Run(const Arguments& arguments) override {
    conversion_(arguments.inputs[0], arguments.outputs[0], count_);
    return absl::OkStatus();
  }

 private:
  Conversion* const conversion_;
  const int64_t count_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeCast(const OpInstance& instance,
                                                 const KernelOptions& /*options*/) {
  const DType from = instance.inputs[0].type.dtype;
  return std::make_unique<Conversions>(instance,
                                    FindConversion(from, instance.outputs[0].type.dtype));
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeIsNaN(const OpInstance& instance,
                                                  const KernelOptions& /*options*/) {
  return std::make_unique<Conversions>(instance, &FindNaNs);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeNot(const OpInstance& instance,
                                                const KernelOptions& /*options*/) {
  return std::make_unique<Conversions>(instance, &Invert);
}

}  // namespace rm::kernels::ref
