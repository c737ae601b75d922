// Everything that combines tensors element by element with ONNX broadcasting: arithmetic,
// comparisons, logic and Where.
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "kernels/ref/ops.h"
#include "kernels/ref/strides.h"

namespace rm::kernels::ref {
namespace {

// --- Functions of two numbers ---

// Integers as their unsigned twins, whose arithmetic wraps around instead of being undefined.
template <typename T>
auto Wrapping(T x) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<std::make_unsigned_t<T>>(x);
  } else {
    return x;
  }
}

template <typename T>
T Add(T a, T b) {
  return static_cast<T>(Wrapping(a) + Wrapping(b));
}

template <typename T>
T Sub(T a, T b) {
  return static_cast<T>(Wrapping(a) - Wrapping(b));
}

template <typename T>
T Mul(T a, T b) {
  return static_cast<T>(Wrapping(a) * Wrapping(b));
}

// The least integer has no positive twin: by −1 it is divided as everything wraps, into itself.
template <typename T>
T Div(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == -1) return Sub(T{0}, a);
  }
  return a / b;
}

// C's remainder has the sign of the dividend.
template <typename T>
T FMod(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return b == -1 ? 0 : a % b;
  } else {
    return std::fmod(a, b);
  }
}

// Python's has that of the divisor.
template <typename T>
T Mod(T a, T b) {
  const T rest = FMod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

// Comparing a NaN with itself finds it.
template <typename T>
T Max(T a, T b) {
  return a > b || a != a ? a : b;
}

template <typename T>
T Min(T a, T b) {
  return a < b || a != a ? a : b;
}

float Pow(float x, float y) {
  return static_cast<float>(std::pow(static_cast<double>(x), static_cast<double>(y)));
}

template <typename T>
bool Equal(T a, T b) {
  return a == b;
}

template <typename T>
bool Less(T a, T b) {
  return a < b;
}

template <typename T>
bool LessOrEqual(T a, T b) {
  return a <= b;
}

bool And(uint8_t a, uint8_t b) { return a != 0 && b != 0; }
bool Or(uint8_t a, uint8_t b) { return a != 0 || b != 0; }

// --- Walks ---

// The strides of all inputs by axis of the output; a dimension that is broadcast has a stride of 0.
std::vector<Shape> InputStrides(const OpInstance& op) {
  std::vector<Shape> strides;
  for (const Operand& input : op.inputs) {
    strides.push_back(BroadcastStrides(input.type.shape, op.outputs[0].type.shape));
  }
  return strides;
}

// An integer has no quotient by 0. Floats do.
template <typename T>
absl::Status CheckDivisors(const T* divisors, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    if (divisors[i] == 0) {
      return absl::InvalidArgumentError(absl::StrCat("element ", i, " of the divisor B is 0"));
    }
  }
  return absl::OkStatus();
}

// y = f(…f(f(a, b), c)…): walks Y in order and finds the operands by strides, so that the same walk
// serves all of ONNX's broadcasting: rows, columns, numbers, several sides at once.
template <typename T>
class Fold final : public Kernel {
 public:
  Fold(const OpInstance& op, T (*function)(T, T), bool divides)
      : function_(function),
        divides_(divides),
        shape_(op.outputs[0].type.shape),
        strides_(InputStrides(op)),
        divisors_(divides ? op.inputs[1].type.elements() : 0) {}

  absl::Status Run(const Arguments& arguments) override {
    if (divides_) RM_RETURN_IF_ERROR(CheckDivisors(arguments.input<T>(1), divisors_));
    auto* y = arguments.output<T>(0);
    const int64_t count = ElementCount(shape_);
    for (int64_t i = 0; i < count; ++i) {
      T value = At(arguments, 0, i);
      for (size_t k = 1; k < strides_.size(); ++k) value = function_(value, At(arguments, k, i));
      y[i] = value;
    }
    return absl::OkStatus();
  }

 private:
  // The element of operand k that belongs to element i of Y.
  T At(const Arguments& arguments, size_t k, int64_t i) const {
    return arguments.input<T>(k)[StridedOffset(i, shape_, strides_[k])];
  }

  T (*const function_)(T, T);
  const bool divides_;  // operand 1 must have no 0
  const Shape shape_;   // of Y
  const std::vector<Shape> strides_;
  const int64_t divisors_;  // elements of operand 1
};

// The same for a relation: y is a truth value. `swap` turns Less into Greater.
template <typename T>
class Relation final : public Kernel {
 public:
  Relation(const OpInstance& op, bool (*relation)(T, T), bool swap)
      : relation_(relation),
        left_(swap ? 1 : 0),
        shape_(op.outputs[0].type.shape),
        strides_(InputStrides(op)) {}

  absl::Status Run(const Arguments& arguments) override {
    const T* left = arguments.input<T>(left_);
    const T* right = arguments.input<T>(1 - left_);
    auto* y = arguments.output<uint8_t>(0);
    const int64_t count = ElementCount(shape_);
    for (int64_t i = 0; i < count; ++i) {
      const bool holds = relation_(left[StridedOffset(i, shape_, strides_[left_])],
                                   right[StridedOffset(i, shape_, strides_[1 - left_])]);
      y[i] = holds ? 1 : 0;
    }
    return absl::OkStatus();
  }

 private:
  bool (*const relation_)(T, T);
  const size_t left_;  // the operand on the left of the relation
  const Shape shape_;  // of Y
  const std::vector<Shape> strides_;
};

// Elements are moved as words of their size, so that one kernel serves every dtype of that size.
template <typename Word>
class Where final : public Kernel {
 public:
  explicit Where(const OpInstance& op)
      : shape_(op.outputs[0].type.shape), strides_(InputStrides(op)) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* condition = arguments.input<uint8_t>(0);
    auto* z = arguments.output<Word>(0);
    const int64_t count = ElementCount(shape_);
    for (int64_t i = 0; i < count; ++i) {
      const size_t k = condition[StridedOffset(i, shape_, strides_[0])] != 0 ? 1 : 2;
      z[i] = arguments.input<Word>(k)[StridedOffset(i, shape_, strides_[k])];
    }
    return absl::OkStatus();
  }

 private:
  const Shape shape_;  // of Z
  const std::vector<Shape> strides_;
};

// dX = dZ · Y · X^(Y − 1); 0 where Y is 0, as X^−1 may be infinite.
class PowGrad final : public Kernel {
 public:
  explicit PowGrad(const OpInstance& op)
      : shape_(op.outputs[0].type.shape), strides_(InputStrides(op)) {}

  absl::Status Run(const Arguments& arguments) override {
    auto* dx = arguments.output<float>(0);
    const int64_t count = ElementCount(shape_);
    for (int64_t i = 0; i < count; ++i) {
      const double y = At(arguments, 2, i);
      const double slope = y == 0 ? 0 : y * std::pow(At(arguments, 1, i), y - 1);
      dx[i] = static_cast<float>(At(arguments, 0, i) * slope);
    }
    return absl::OkStatus();
  }

 private:
  double At(const Arguments& arguments, size_t k, int64_t i) const {
    return static_cast<double>(arguments.input<float>(k)[StridedOffset(i, shape_, strides_[k])]);
  }

  const Shape shape_;
  const std::vector<Shape> strides_;
};

// --- Tables ---

template <typename T>
struct ArithmeticRow {
  const char* op;
  T (*function)(T, T);
  bool divides;  // a divisor of 0 is an error, where T is an integer
};

template <typename T>
constexpr ArithmeticRow<T> kArithmetic[] = {
    {"Add", &Add<T>, false}, {"Div", &Div<T>, true},  {"Max", &Max<T>, false},
    {"Min", &Min<T>, false}, {"Mod", &Mod<T>, true},  {"Mul", &Mul<T>, false},
    {"Sub", &Sub<T>, false}, {"FMod", &FMod<T>, true},
};

template <typename T>
absl::StatusOr<std::unique_ptr<Kernel>> MakeFold(const OpInstance& op) {
  const bool fmod = op.op == "Mod" && op.attributes.Int("fmod", 0) != 0;
  for (const ArithmeticRow<T>& row : kArithmetic<T>) {
    if ((fmod ? "FMod" : op.op) != row.op) continue;
    return std::make_unique<Fold<T>>(op, row.function, row.divides && std::is_integral_v<T>);
  }
  return absl::UnimplementedError(op.ToString());
}

template <typename T>
struct RelationRow {
  const char* op;
  bool (*relation)(T, T);
  bool swap;
};

template <typename T>
constexpr RelationRow<T> kRelations[] = {
    {"Equal", &Equal<T>, false},
    {"Greater", &Less<T>, true},
    {"GreaterOrEqual", &LessOrEqual<T>, true},
    {"Less", &Less<T>, false},
    {"LessOrEqual", &LessOrEqual<T>, false},
};

template <typename T>
absl::StatusOr<std::unique_ptr<Kernel>> MakeRelation(const OpInstance& op) {
  for (const RelationRow<T>& row : kRelations<T>) {
    if (op.op == row.op) return std::make_unique<Relation<T>>(op, row.relation, row.swap);
  }
  return absl::UnimplementedError(op.ToString());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeArithmetic(const OpInstance& instance,
                                                       const KernelOptions& /*options*/) {
  switch (instance.inputs[0].type.dtype) {
    case DType::kFloat32: return MakeFold<float>(instance);
    case DType::kInt64: return MakeFold<int64_t>(instance);
    case DType::kInt32: return MakeFold<int32_t>(instance);
    case DType::kUInt8:
    case DType::kBool:
    case DType::kBfloat16: break;
  }
  return absl::UnimplementedError(instance.ToString());
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeCompare(const OpInstance& instance,
                                                    const KernelOptions& /*options*/) {
  switch (instance.inputs[0].type.dtype) {
    case DType::kFloat32: return MakeRelation<float>(instance);
    case DType::kInt64: return MakeRelation<int64_t>(instance);
    case DType::kInt32: return MakeRelation<int32_t>(instance);
    case DType::kUInt8:
    case DType::kBool: return MakeRelation<uint8_t>(instance);
    case DType::kBfloat16: break;
  }
  return absl::UnimplementedError(instance.ToString());
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeLogic(const OpInstance& instance,
                                                  const KernelOptions& /*options*/) {
  return std::make_unique<Relation<uint8_t>>(instance, instance.op == "And" ? &And : &Or, false);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakePow(const OpInstance& instance,
                                                const KernelOptions& /*options*/) {
  return std::make_unique<Fold<float>>(instance, &Pow, false);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakePowGrad(const OpInstance& instance,
                                                    const KernelOptions& /*options*/) {
  return std::make_unique<PowGrad>(instance);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeWhere(const OpInstance& instance,
                                                  const KernelOptions& /*options*/) {
  switch (ByteSize(instance.outputs[0].type.dtype)) {
    case 8: return std::make_unique<Where<uint64_t>>(instance);
    case 4: return std::make_unique<Where<uint32_t>>(instance);
    default: return std::make_unique<Where<uint8_t>>(instance);
  }
}

}  // namespace rm::kernels::ref
