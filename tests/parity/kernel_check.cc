#include "tests/parity/kernel_check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "kernels/api/testing.h"
#include "kernels/kernels.h"

namespace rm::tests {
namespace {

using kernels::KernelEntry;
using kernels::KernelOptions;
using kernels::Layout;
using kernels::Operand;
using kernels::OpInstance;
using kernels::testing::Tensor;

constexpr Layout kLayouts[] = {Layout::kPlain, Layout::kChannelsLast, Layout::kChannels8,
                               Layout::kChannels16};
constexpr double kRounding = 1.0 / (1 << 24);  // of float32, relative
constexpr double kBfloat16Step = 1.0 / (1 << 7);  // to the next bfloat16, relative, at most
constexpr double kTiny = 1e-37;                // below float32's normal numbers, nobody is judged

std::vector<Values> ReferenceOutputs(const OpInstance& instance,
                                     const std::vector<Values>& inputs) {
  const auto outputs =
      kernels::testing::Compute(kernels::ReferenceKernels(), instance, inputs);
  RM_CHECK(outputs.ok(), instance.ToString(), ": ", outputs.status().ToString());
  return *outputs;
}

// --- Layouts ---

// All operands of an instance that may have any layout: images, inputs first.
std::vector<Layout*> LayoutsOf(OpInstance* instance) {
  std::vector<Layout*> layouts;
  for (std::vector<Operand>* side : {&instance->inputs, &instance->outputs}) {
    for (Operand& operand : *side) {
      if (operand.type.shape.size() == 4) layouts.push_back(&operand.type.layout);
    }
  }
  return layouts;
}

OpInstance InChosenLayouts(const KernelEntry& entry, OpInstance instance) {
  if (entry.choose_layouts == nullptr) return instance;
  const kernels::LayoutChoice choice = entry.choose_layouts(instance, {});
  for (size_t i = 0; i < choice.inputs.size(); ++i) {
    instance.inputs[i].type.layout = choice.inputs[i];
  }
  for (size_t i = 0; i < choice.outputs.size(); ++i) {
    instance.outputs[i].type.layout = choice.outputs[i];
  }
  return instance;
}

// --- One run ---

struct Run {
  absl::Status status;
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
};

// The input whose memory output `i` shares when an entry runs in place, or −1.
int SharedInput(const KernelEntry& entry, const OpInstance& instance, size_t i) {
  if (i == 0) return entry.in_place_input;
  return instance.op == "SgdUpdate" && i == 1 ? 2 : -1;
}

// In place, an output that shares an input's memory lends it for the run and has it afterwards.
Run RunOnce(const KernelEntry& entry, const OpInstance& instance, const KernelCase& kernel_case,
            const KernelOptions& options, bool in_place) {
  Run run;
  std::vector<Tensor*> in;
  std::vector<Tensor*> out;
  for (size_t i = 0; i < instance.inputs.size(); ++i) {
    run.inputs.emplace_back(instance.inputs[i].type);
    if (instance.inputs[i].present) run.inputs.back().Fill(kernel_case.inputs[i]);
  }
  for (const Operand& operand : instance.outputs) run.outputs.emplace_back(operand.type);
  for (size_t i = 0; i < run.inputs.size(); ++i) {
    in.push_back(instance.inputs[i].present ? &run.inputs[i] : nullptr);
  }
  for (size_t i = 0; i < run.outputs.size(); ++i) {
    const int shared = in_place ? SharedInput(entry, instance, i) : -1;
    out.push_back(shared >= 0 ? &run.inputs[static_cast<size_t>(shared)] : &run.outputs[i]);
  }
  run.status = kernels::testing::RunEntry(entry, instance, in, out, options);
  for (size_t i = 0; i < run.outputs.size(); ++i) {
    if (out[i] != &run.outputs[i]) std::swap(*out[i], run.outputs[i]);
  }
  return run;
}

// --- Judgement ---

// Equal memory, whatever the types that it is seen as.
bool SameMemory(const Tensor& a, const Tensor& b) {
  return a.type().bytes() == b.type().bytes() &&
         std::memcmp(a.data(), b.data(), a.type().bytes()) == 0;
}

std::string CompareOutput(kernels::DType dtype, const Values& got, const Values& want,
                          const Values& magnitudes, const Tolerance& tolerance) {
  const double roundings =
      tolerance.terms == 0 ? 0 : tolerance.slack * (4 + 2 * std::sqrt(tolerance.terms));
  for (size_t i = 0; i < want.size(); ++i) {
    if (std::isnan(want[i]) && std::isnan(got[i])) continue;
    const auto magnitude = static_cast<double>(magnitudes[i]);
    double limit = roundings == 0 ? 0 : roundings * kRounding * magnitude + kTiny;
    if (limit > 0 && dtype == kernels::DType::kBfloat16) {
      limit += kBfloat16Step * std::abs(static_cast<double>(want[i]));
    }
    const double error = std::abs(static_cast<double>(got[i]) - static_cast<double>(want[i]));
    if (error <= limit || got[i] == want[i]) continue;
    return absl::StrCat("element ", i, " is ", got[i], ", must be ", want[i], ": off by ",
                        error / (kRounding * magnitude), " roundings of ", magnitude,
                        ", allowed are ", roundings);
  }
  return "";
}

std::string CheckOutputs(const Run& run, const ExpectedCase& expected) {
  for (size_t i = 0; i < run.outputs.size(); ++i) {
    const Tensor& output = run.outputs[i];
    if (!output.GuardsAreIntact()) return absl::StrCat("wrote outside output ", i);
    if (!output.PaddingIsZero()) return absl::StrCat("the padding of output ", i, " is not zero");
    const std::string wrong =
        CompareOutput(output.type().dtype, output.values(), expected.outputs[i], expected.magnitudes[i],
                      expected.kernel_case.tolerance);
    if (!wrong.empty()) return absl::StrCat("output ", i, ", ", wrong);
  }
  return "";
}

std::string CheckInputsUntouched(const Run& run, const KernelCase& kernel_case) {
  for (size_t i = 0; i < run.inputs.size(); ++i) {
    if (!kernel_case.instance.inputs[i].present) continue;
    const Tensor fresh(run.inputs[i].type(), kernel_case.inputs[i]);
    if (!run.inputs[i].GuardsAreIntact()) return absl::StrCat("wrote outside input ", i);
    if (!run.inputs[i].SameBits(fresh)) return absl::StrCat("wrote input ", i);
  }
  return "";
}

std::string CompareRuns(const Run& first, const Run& other, const std::string& what) {
  if (!other.status.ok()) return absl::StrCat(what, ": ", other.status.ToString());
  for (size_t i = 0; i < first.outputs.size(); ++i) {
    if (!SameMemory(first.outputs[i], other.outputs[i])) {
      return absl::StrCat("output ", i, " has other bits ", what);
    }
  }
  return "";
}

bool CanRunInPlace(const KernelEntry& entry, const OpInstance& instance) {
  if (entry.in_place_input < 0) return false;
  const auto operand = static_cast<size_t>(entry.in_place_input);
  if (!instance.has_input(operand)) return false;
  const Operand& input = instance.inputs[operand];
  return input.type.bytes() == instance.outputs[0].type.bytes();
}

}  // namespace

ExpectedCase Expect(const KernelCase& kernel_case) {
  ExpectedCase expected{kernel_case, {}, {}};
  expected.outputs = ReferenceOutputs(kernel_case.instance, kernel_case.inputs);
  if (!kernel_case.magnitude_inputs.empty()) {
    expected.magnitudes = ReferenceOutputs(kernel_case.instance, kernel_case.magnitude_inputs);
    return expected;
  }
  expected.magnitudes = expected.outputs;
  for (Values& values : expected.magnitudes) {
    for (float& value : values) value = std::max(std::abs(value), kernel_case.magnitude_least);
  }
  return expected;
}

std::vector<OpInstance> SupportedInstances(const KernelEntry& entry,
                                           const KernelCase& kernel_case) {
  OpInstance instance = kernel_case.instance;
  std::vector<OpInstance> supported;
  if (kernel_case.chosen_layouts_only) {
    if (entry.choose_layouts == nullptr) return supported;
    instance = InChosenLayouts(entry, instance);
    if (entry.supports(instance)) supported.push_back(instance);
    return supported;
  }
  const std::vector<Layout*> layouts = LayoutsOf(&instance);
  size_t combinations = 1;
  for (size_t i = 0; i < layouts.size(); ++i) combinations *= 4;
  for (size_t code = 0; code < combinations; ++code) {
    for (size_t i = 0, rest = code; i < layouts.size(); ++i, rest /= 4) {
      *layouts[i] = kLayouts[rest % 4];
    }
    if (entry.supports(instance)) supported.push_back(instance);
  }
  return supported;
}

std::string CheckKernel(const KernelEntry& entry, const OpInstance& instance,
                        const ExpectedCase& expected, const KernelOptions& options) {
  const KernelCase& kernel_case = expected.kernel_case;
  const Run run = RunOnce(entry, instance, kernel_case, options, false);
  if (!run.status.ok()) return run.status.ToString();
  std::string wrong = CheckOutputs(run, expected);
  if (wrong.empty()) wrong = CheckInputsUntouched(run, kernel_case);
  if (wrong.empty()) {
    wrong = CompareRuns(run, RunOnce(entry, instance, kernel_case, options, false), "run again");
  }
  if (wrong.empty() && CanRunInPlace(entry, instance)) {
    wrong = CompareRuns(run, RunOnce(entry, instance, kernel_case, options, true), "in place");
  }
  return wrong;
}

}  // namespace rm::tests
