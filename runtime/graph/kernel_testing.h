// Kernels for tests of the compiler: their results tell which of their operands they read, and an
// entry says by its name what layouts it wants.
#ifndef RM_RUNTIME_GRAPH_KERNEL_TESTING_H_
#define RM_RUNTIME_GRAPH_KERNEL_TESTING_H_

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/api/kernel.h"

namespace rm::graph {

// Every float of every output becomes 1 + the sum of the first floats of all float inputs; other
// outputs become zeros.
class FakeKernel final : public kernels::Kernel {
 public:
  explicit FakeKernel(const kernels::OpInstance& instance) : instance_(instance) {}

  size_t scratch_bytes() const override { return 128; }

  absl::Status Run(const kernels::Arguments& arguments) override {
    float sum = 1;
    for (size_t i = 0; i < instance_.inputs.size(); ++i) {
      if (!instance_.has_input(i) || !IsFloat(instance_.inputs[i])) continue;
      sum += static_cast<const float*>(arguments.inputs[i])[0];
    }
    for (size_t i = 0; i < instance_.outputs.size(); ++i) {
      if (!instance_.has_output(i) || !IsFloat(instance_.outputs[i])) continue;
      float* out = static_cast<float*>(arguments.outputs[i]);
      std::fill_n(out, instance_.outputs[i].type.physical_elements(), sum);
    }
    // What other steps left in the scratch memory must not matter to them.
    std::fill_n(static_cast<char*>(arguments.scratch), scratch_bytes(), char{-1});
    return absl::OkStatus();
  }

 private:
  static bool IsFloat(const kernels::Operand& operand) {
    return operand.type.dtype == kernels::DType::kFloat32;
  }

  const kernels::OpInstance instance_;
};

inline absl::StatusOr<std::unique_ptr<kernels::Kernel>> MakeFakeKernel(
    const kernels::OpInstance& instance, const kernels::KernelOptions& /*options*/) {
  return std::unique_ptr<kernels::Kernel>(std::make_unique<FakeKernel>(instance));
}

inline bool AllInLayout(const kernels::OpInstance& instance, kernels::Layout layout) {
  for (const kernels::Operand& operand : instance.inputs) {
    if (operand.present && operand.type.layout != layout) return false;
  }
  for (const kernels::Operand& operand : instance.outputs) {
    if (operand.present && operand.type.layout != layout) return false;
  }
  return true;
}
inline bool AllPlain(const kernels::OpInstance& instance) {
  return AllInLayout(instance, kernels::Layout::kPlain);
}
inline bool Anything(const kernels::OpInstance& /*instance*/) { return true; }

// An entry for plain layout.
inline kernels::KernelEntry PlainEntry(const char* op, int in_place_input = -1) {
  return {op, "plain", &AllPlain, nullptr, &MakeFakeKernel, in_place_input};
}
// An entry for any layouts that has no wish.
inline kernels::KernelEntry AnyEntry(const char* op, int in_place_input = -1) {
  return {op, "any", &Anything, nullptr, &MakeFakeKernel, in_place_input};
}

// Plain kernels for everything that mlp and convnet need, and generated models.
inline std::vector<kernels::KernelEntry> PlainTable() {
  return {PlainEntry("Gemm"),
          PlainEntry("Conv"),
          PlainEntry("ConvGradInput"),
          PlainEntry("ConvGradWeight"),
          PlainEntry("MatMul"),
          PlainEntry("Add", 0),
          PlainEntry("Mul", 0),
          PlainEntry("Relu", 0),
          PlainEntry("ReluGrad", 0),
          PlainEntry("MaxPool"),
          PlainEntry("MaxPoolGrad"),
          PlainEntry("Flatten"),
          PlainEntry("Reshape"),
          PlainEntry("ReduceSum"),
          PlainEntry("SoftmaxCrossEntropy"),
          PlainEntry("SoftmaxCrossEntropyGrad"),
          PlainEntry("CountCorrect"),
          AnyEntry("Reorder")};
}

inline bool IsImage(const kernels::Operand& operand) { return operand.type.shape.size() == 4; }

// Wants image operands in blocks of 16 channels, except those of one channel and all weights; so
// does oneDNN.
inline kernels::LayoutChoice WantBlocked(const kernels::OpInstance& instance,
                                         const kernels::KernelOptions& /*options*/) {
  const auto want = [](const kernels::Operand& operand, bool is_weight) {
    const bool blocked = IsImage(operand) && !is_weight && operand.type.shape[1] > 1;
    return blocked ? kernels::Layout::kChannels16 : kernels::Layout::kPlain;
  };
  const bool is_conv = instance.op == "Conv" || instance.op == "ConvGradInput";
  kernels::LayoutChoice choice;
  for (size_t i = 0; i < instance.inputs.size(); ++i) {
    choice.inputs.push_back(want(instance.inputs[i], is_conv && i == 1));
  }
  for (const kernels::Operand& operand : instance.outputs) {
    choice.outputs.push_back(want(operand, instance.op == "ConvGradWeight"));
  }
  return choice;
}

inline kernels::KernelEntry BlockedEntry(const char* op) {
  return {op, "blocked", &Anything, &WantBlocked, &MakeFakeKernel, -1};
}

// Convolutions and pooling in blocks, element-wise operators in any layout, the rest plain.
inline std::vector<kernels::KernelEntry> BlockedTable() {
  std::vector<kernels::KernelEntry> table = {
      BlockedEntry("Conv"),           BlockedEntry("ConvGradInput"),
      BlockedEntry("ConvGradWeight"), BlockedEntry("MaxPool"),
      BlockedEntry("MaxPoolGrad"),    AnyEntry("Relu", 0),
      AnyEntry("ReluGrad", 0),        AnyEntry("Add", 0)};
  for (const kernels::KernelEntry& entry : PlainTable()) table.push_back(entry);
  return table;
}

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_KERNEL_TESTING_H_
