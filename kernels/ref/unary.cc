// Functions of one tensor, element by element: Abs, Clip, …, Tanh; and their gradients.
//
// All of them compute in double and round once, so that what is left between a fast kernel and this
// one is the fast kernel's error.
#include "kernels/ref/unary.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

using P = UnaryParameters;

constexpr double kSqrtHalf = 0.70710678118654752440;        // √½
constexpr double kTwoBySqrtPi = 1.12837916709551257390;     // 2 / √π
constexpr double kSqrtTwoByPi = 0.79788456080286535588;     // √(2 / π)
constexpr double kCubic = 0.044715;                         // of Gelu's approximation

// --- Functions of x ---

double Abs(double x, const P&) { return std::abs(x); }
// A NaN stays: it is neither below min nor above max.
double Clip(double x, const P& p) {
  const double raised = x < p.min ? p.min : x;
  return raised > p.max ? p.max : raised;
}
double Cos(double x, const P&) { return std::cos(x); }
double Elu(double x, const P& p) { return x > 0 ? x : p.alpha * std::expm1(x); }
double Erf(double x, const P&) { return std::erf(x); }
double Exp(double x, const P&) { return std::exp(x); }
double HardSigmoid(double x, const P& p) {
  return std::min(std::max(p.alpha * x + p.beta, 0.0), 1.0);
}
double HardSwish(double x, const P&) { return x * std::min(std::max(x / 6 + 0.5, 0.0), 1.0); }
double LeakyRelu(double x, const P& p) { return x > 0 ? x : p.alpha * x; }
double Log(double x, const P&) { return std::log(x); }
double Neg(double x, const P&) { return -x; }
double Reciprocal(double x, const P&) { return 1 / x; }
double Sigmoid(double x, const P&) { return 1 / (1 + std::exp(-x)); }
double Sin(double x, const P&) { return std::sin(x); }
double Sqrt(double x, const P&) { return std::sqrt(x); }
double Tanh(double x, const P&) { return std::tanh(x); }

// The argument of the approximation's tanh, and its slope.
double GeluArgument(double x) { return kSqrtTwoByPi * (x + kCubic * x * x * x); }
double GeluArgumentSlope(double x) { return kSqrtTwoByPi * (1 + 3 * kCubic * x * x); }

// x times the share of a normal distribution that lies below x.
double Gelu(double x, const P& p) {
  if (p.tanh) return 0.5 * x * (1 + std::tanh(GeluArgument(x)));
  return 0.5 * x * std::erfc(-x * kSqrtHalf);
}

// --- Slopes, by x or by y ---

double AbsSlope(double x, const P&) { return x > 0 ? 1 : x < 0 ? -1 : 0; }
double ClipSlope(double x, const P& p) { return x < p.min || x > p.max ? 0 : 1; }
double EluSlope(double x, const P& p) { return x > 0 ? 1 : p.alpha * std::exp(x); }
double ErfSlope(double x, const P&) { return kTwoBySqrtPi * std::exp(-x * x); }
double HardSigmoidSlope(double y, const P& p) { return y > 0 && y < 1 ? p.alpha : 0; }
double HardSwishSlope(double x, const P&) { return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5; }
double LeakyReluSlope(double x, const P& p) { return x > 0 ? 1 : p.alpha; }
double ReciprocalSlope(double y, const P&) { return -y * y; }
double SigmoidSlope(double y, const P&) { return y * (1 - y); }
double SqrtSlope(double y, const P&) { return 0.5 / y; }
double TanhSlope(double y, const P&) { return 1 - y * y; }

double GeluSlope(double x, const P& p) {
  if (p.tanh) {
    const double t = std::tanh(GeluArgument(x));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * GeluArgumentSlope(x);
  }
  const double density = 0.5 * kTwoBySqrtPi * kSqrtHalf * std::exp(-0.5 * x * x);
  return 0.5 * std::erfc(-x * kSqrtHalf) + x * density;
}

struct Row {
  const char* op;
  UnaryFunction* function;
};

constexpr Row kFunctions[] = {
    {"Abs", &Abs},
    {"Clip", &Clip},
    {"Cos", &Cos},
    {"Elu", &Elu},
    {"Erf", &Erf},
    {"Exp", &Exp},
    {"Gelu", &Gelu},
    {"HardSigmoid", &HardSigmoid},
    {"HardSwish", &HardSwish},
    {"LeakyRelu", &LeakyRelu},
    {"Log", &Log},
    {"Neg", &Neg},
    {"Reciprocal", &Reciprocal},
    {"Sigmoid", &Sigmoid},
    {"Sin", &Sin},
    {"Sqrt", &Sqrt},
    {"Tanh", &Tanh},
};

constexpr Row kSlopes[] = {
    {"AbsGrad", &AbsSlope},
    {"ClipGrad", &ClipSlope},
    {"EluGrad", &EluSlope},
    {"ErfGrad", &ErfSlope},
    {"GeluGrad", &GeluSlope},
    {"HardSigmoidGrad", &HardSigmoidSlope},
    {"HardSwishGrad", &HardSwishSlope},
    {"LeakyReluGrad", &LeakyReluSlope},
    {"ReciprocalGrad", &ReciprocalSlope},
    {"SigmoidGrad", &SigmoidSlope},
    {"SqrtGrad", &SqrtSlope},
    {"TanhGrad", &TanhSlope},
};

template <size_t kRows>
UnaryFunction* Find(const Row (&rows)[kRows], const std::string& op) {
  for (const Row& row : rows) {
    if (op == row.op) return row.function;
  }
  return nullptr;
}

// y = f(x)
class Unary final : public Kernel {
 public:
  explicit Unary(const OpInstance& op)
      : function_(FindUnary(op.op)),
        parameters_(ReadUnaryParameters(op)),
        count_(op.inputs[0].type.elements()) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    auto* y = arguments.output<float>(0);
    for (int64_t i = 0; i < count_; ++i) {
      y[i] = static_cast<float>(function_(static_cast<double>(x[i]), parameters_));
    }
    return absl::OkStatus();
  }

 private:
  UnaryFunction* const function_;
  const UnaryParameters parameters_;
  const int64_t count_;
};

// dx = dy · f'(operand)
class UnaryGrad final : public Kernel {
 public:
  explicit UnaryGrad(const OpInstance& op)
      : slope_(FindSlope(op.op)),
        parameters_(ReadUnaryParameters(op)),
        count_(op.inputs[0].type.elements()) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* dy = arguments.input<float>(0);
    const auto* operand = arguments.input<float>(1);
    auto* dx = arguments.output<float>(0);
    for (int64_t i = 0; i < count_; ++i) {
      const double slope = slope_(static_cast<double>(operand[i]), parameters_);
      dx[i] = static_cast<float>(static_cast<double>(dy[i]) * slope);
    }
    return absl::OkStatus();
  }

 private:
  UnaryFunction* const slope_;
  const UnaryParameters parameters_;
  const int64_t count_;
};

// Abs and Neg of whole numbers. The least of them has no positive twin; it wraps around to itself.
template <typename Integer>
class Signed final : public Kernel {
 public:
  explicit Signed(const OpInstance& op)
      : absolute_(op.op == "Abs"), count_(op.inputs[0].type.elements()) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<Integer>(0);
    auto* y = arguments.output<Integer>(0);
    for (int64_t i = 0; i < count_; ++i) {
      using Unsigned = std::make_unsigned_t<Integer>;
      const auto negative = static_cast<Integer>(Unsigned{0} - static_cast<Unsigned>(x[i]));
      y[i] = absolute_ && x[i] >= 0 ? x[i] : negative;
    }
    return absl::OkStatus();
  }

 private:
  const bool absolute_;  // Abs, not Neg
  const int64_t count_;
};

// "EluGrad" has the attributes of "Elu".
bool IsOf(const OpInstance& instance, const std::string& function) {
  return instance.op == function || instance.op == function + "Grad";
}

}  // namespace

UnaryParameters ReadUnaryParameters(const OpInstance& instance) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Attributes& attributes = instance.attributes;
  const float alpha = IsOf(instance, "Elu") ? 1.0F : IsOf(instance, "LeakyRelu") ? 0.01F : 0.2F;
  return {static_cast<double>(attributes.Float("alpha", alpha)),
          static_cast<double>(attributes.Float("beta", 0.5F)),
          static_cast<double>(attributes.Float("min", -kInfinity)),
          static_cast<double>(attributes.Float("max", kInfinity)),
          attributes.String("approximate", "none") == "tanh"};
}

UnaryFunction* FindUnary(const std::string& op) { return Find(kFunctions, op); }

UnaryFunction* FindSlope(const std::string& op) { return Find(kSlopes, op); }

absl::StatusOr<std::unique_ptr<Kernel>> MakeUnary(const OpInstance& instance,
                                                  const KernelOptions& /*options*/) {
  const DType dtype = instance.inputs[0].type.dtype;
  if (dtype == DType::kInt64) return std::make_unique<Signed<int64_t>>(instance);
  if (dtype == DType::kInt32) return std::make_unique<Signed<int32_t>>(instance);
  return std::make_unique<Unary>(instance);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeUnaryGrad(const OpInstance& instance,
                                                      const KernelOptions& /*options*/) {
  return std::make_unique<UnaryGrad>(instance);
}

}  // namespace rm::kernels::ref
