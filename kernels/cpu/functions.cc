// Functions of one tensor and their gradients: over memory as it lies, whatever the layout.
//
// The padding of blocked channels is zero, and stays so where the function of 0 is 0; where it is
// not (Exp, Sigmoid) only images whose channels fill their blocks may be blocked. A gradient is
// dY times something finite, and dY's padding is zero.
#include <limits>

#include "kernels/api/check_instance.h"
#include "kernels/cpu/function_loops.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/parallel.h"

namespace rm::kernels::cpu {
namespace {

// Elements below which a second thread costs more than it gives: tens of cycles go into each.
constexpr int64_t kGrain = 4096;

struct FunctionRow {
  const char* op;
  bool tanh;  // of Gelu the form with approximate = "tanh"
  FunctionLoops::Function* FunctionLoops::*loop;
  bool keeps_zero;  // f(0) = 0; of Clip where it does not move 0
};

constexpr FunctionRow kFunctions[] = {
    {"Abs", false, &FunctionLoops::abs, true},
    {"Clip", false, &FunctionLoops::clip, true},
    {"Elu", false, &FunctionLoops::elu, true},
    {"Erf", false, &FunctionLoops::erf, true},
    {"Exp", false, &FunctionLoops::exp, false},
    {"Gelu", false, &FunctionLoops::gelu, true},
    {"Gelu", true, &FunctionLoops::gelu_tanh, true},
    {"HardSigmoid", false, &FunctionLoops::hard_sigmoid, false},
    {"HardSwish", false, &FunctionLoops::hard_swish, true},
    {"LeakyRelu", false, &FunctionLoops::leaky_relu, true},
    {"Neg", false, &FunctionLoops::neg, true},
    {"Reciprocal", false, &FunctionLoops::reciprocal, false},
    {"Sigmoid", false, &FunctionLoops::sigmoid, false},
    {"Sqrt", false, &FunctionLoops::sqrt, true},
    {"Tanh", false, &FunctionLoops::tanh, true},
};

struct SlopeRow {
  const char* op;
  bool tanh;
  FunctionLoops::Slope* FunctionLoops::*loop;
  bool keeps_zero;  // f'(0) is finite: 0 times it is 0
};

constexpr SlopeRow kSlopes[] = {
    {"ClipGrad", false, &FunctionLoops::clip_grad, true},
    {"EluGrad", false, &FunctionLoops::elu_grad, true},
    {"ErfGrad", false, &FunctionLoops::erf_grad, true},
    {"GeluGrad", false, &FunctionLoops::gelu_grad, true},
    {"GeluGrad", true, &FunctionLoops::gelu_tanh_grad, true},
    {"HardSigmoidGrad", false, &FunctionLoops::hard_sigmoid_grad, true},
    {"HardSwishGrad", false, &FunctionLoops::hard_swish_grad, true},
    {"LeakyReluGrad", false, &FunctionLoops::leaky_relu_grad, true},
    {"ReciprocalGrad", false, &FunctionLoops::reciprocal_grad, true},
    {"SigmoidGrad", false, &FunctionLoops::sigmoid_grad, true},
    {"SqrtGrad", false, &FunctionLoops::sqrt_grad, false},
    {"TanhGrad", false, &FunctionLoops::tanh_grad, true},
};

// The row of the operator, nullptr when there is none.
template <typename Row, size_t kRows>
const Row* Find(const Row (&rows)[kRows], const OpInstance& op) {
  const bool tanh = op.attributes.String("approximate", "none") == "tanh" && op.op[0] == 'G';
  for (const Row& row : rows) {
    if (op.op == row.op && row.tanh == tanh) return &row;
  }
  return nullptr;
}

// By ONNX's fallbacks, as op.h has them.
FunctionNumbers NumbersOf(const OpInstance& op) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Attributes& attributes = op.attributes;
  switch (op.op[0]) {
    case 'C': return {attributes.Float("min", -kInfinity), attributes.Float("max", kInfinity)};
    case 'E': return {attributes.Float("alpha", 1.0F), 0};
    case 'H': return {attributes.Float("alpha", 0.2F), attributes.Float("beta", 0.5F)};
    case 'L': return {attributes.Float("alpha", 0.01F), 0};
    default: return {};
  }
}

// The padding's zeros stay what they are.
bool KeepsZero(const FunctionRow& row, const OpInstance& op) {
  if (op.op != "Clip") return row.keeps_zero;
  const FunctionNumbers numbers = NumbersOf(op);
  return numbers.a <= 0 && numbers.b >= 0;
}

// Floats, one layout for all operands, in which padding stays zero.
bool SupportsLayouts(const OpInstance& op, bool keeps_zero) {
  const TensorType& y = op.outputs[0].type;
  if (y.dtype != DType::kFloat32) return false;
  for (const Operand& input : op.inputs) {
    if (input.type.layout != y.layout) return false;
  }
  return (keeps_zero || y.physical_elements() == y.elements()) && CheckInstance(op).ok();
}

class Function final : public Kernel {
 public:
  Function(const OpInstance& op, const KernelOptions& options)
      : loop_(ChooseIsa(v1::kFunctionLoops, v3::kFunctionLoops, v4::kFunctionLoops)
              .*Find(kFunctions, op)->loop),
        numbers_(NumbersOf(op)),
        count_(op.outputs[0].type.physical_elements()),
        threads_(options.threads) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    auto* y = arguments.output<float>(0);
    ParallelFor(threads_, count_, kGrain, [&](int64_t begin, int64_t end) {
      loop_(x + begin, y + begin, end - begin, numbers_);
    });
    return absl::OkStatus();
  }

 private:
  FunctionLoops::Function* const loop_;
  const FunctionNumbers numbers_;
  const int64_t count_;
  const int threads_;
};

class Slope final : public Kernel {
 public:
  Slope(const OpInstance& op, const KernelOptions& options)
      : loop_(ChooseIsa(v1::kFunctionLoops, v3::kFunctionLoops, v4::kFunctionLoops)
              .*Find(kSlopes, op)->loop),
        numbers_(NumbersOf(op)),
        count_(op.outputs[0].type.physical_elements()),
        threads_(options.threads) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* dy = arguments.input<float>(0);
    const auto* by = arguments.input<float>(1);
    auto* dx = arguments.output<float>(0);
    ParallelFor(threads_, count_, kGrain, [&](int64_t begin, int64_t end) {
      loop_(dy + begin, by + begin, dx + begin, end - begin, numbers_);
    });
    return absl::OkStatus();
  }

 private:
  FunctionLoops::Slope* const loop_;
  const FunctionNumbers numbers_;
  const int64_t count_;
  const int threads_;
};

}  // namespace

bool SupportsFunction(const OpInstance& instance) {
  const FunctionRow* row = Find(kFunctions, instance);
  return row != nullptr && instance.inputs.size() == 1 && instance.outputs.size() == 1 &&
         SupportsLayouts(instance, KeepsZero(*row, instance));
}

// Any layout is as good as another, the input's costs no reorder; but for padding.
LayoutChoice ChooseFunctionLayouts(const OpInstance& instance, const KernelOptions& /*options*/) {
  const TensorType& x = instance.inputs[0].type;
  const FunctionRow* row = Find(kFunctions, instance);
  const bool free = KeepsZero(*row, instance) || x.physical_elements() == x.elements();
  const Layout layout = free ? x.layout : Layout::kPlain;
  return {{layout}, {layout}};
}

// The forward pass's layout, in which the rest of the backward pass goes on.
LayoutChoice ChooseSlopeLayouts(const OpInstance& instance, const KernelOptions& /*options*/) {
  const TensorType& by = instance.inputs[1].type;
  const SlopeRow* row = Find(kSlopes, instance);
  const bool free = row->keeps_zero || by.physical_elements() == by.elements();
  const Layout layout = free ? by.layout : Layout::kPlain;
  return {{layout, layout}, {layout}};
}

bool SupportsSlope(const OpInstance& instance) {
  const SlopeRow* row = Find(kSlopes, instance);
  return row != nullptr && instance.inputs.size() == 2 && instance.outputs.size() == 1 &&
         SupportsLayouts(instance, row->keeps_zero);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeFunction(const OpInstance& instance,
                                                     const KernelOptions& options) {
  return std::make_unique<Function>(instance, options);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeSlope(const OpInstance& instance,
                                                  const KernelOptions& options) {
  return std::make_unique<Slope>(instance, options);
}

}  // namespace rm::kernels::cpu
