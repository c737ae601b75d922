// Folding runs the kernel that a program without folding would run, the plain reference one, so a
// constant has the value that the node would have computed. Memory is taken for each node anew and
// given back: there are hundreds of such nodes in an export, of a few elements each.
#include "runtime/graph/bind/fold.h"

#include <array>
#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "base/status.h"
#include "kernels/kernels.h"
#include "runtime/graph/aligned_memory.h"
#include "runtime/graph/constant_memory.h"

namespace rm::graph {
namespace {

using kernels::Operand;
using kernels::OpInstance;

// Operators whose reference kernel needs far more steps than it has operands.
constexpr std::array<absl::string_view, 7> kHeavy = {"Conv", "ConvTranspose", "GRU",    "Gemm",
                                                     "LSTM", "MatMul",        "MaxPool"};
// With as many elements in all operands a product of matrices takes a quarter of a second.
constexpr int64_t kHeavyElementsMax = int64_t{1} << 20;

bool IsHeavy(absl::string_view op) {
  for (absl::string_view heavy : kHeavy) {
    if (op == heavy) return true;
  }
  return false;
}

int64_t Bytes(const std::vector<Operand>& operands) {
  int64_t bytes = 0;
  for (const Operand& operand : operands) {
    if (operand.present) bytes += static_cast<int64_t>(operand.type.bytes());
  }
  return bytes;
}

// Memory for each present operand; an empty tensor has some too, as kernels may look at pointers.
absl::StatusOr<std::vector<AlignedMemory>> Allocate(const std::vector<Operand>& operands) {
  std::vector<AlignedMemory> memory;
  for (const Operand& operand : operands) {
    const size_t bytes = operand.present ? operand.type.bytes() : 0;
    RM_ASSIGN_OR_RETURN(AlignedMemory block, AlignedMemory::Allocate(bytes + 1));
    memory.push_back(std::move(block));
  }
  return memory;
}

template <typename Pointer>
std::vector<Pointer> Pointers(const std::vector<Operand>& operands,
                              const std::vector<AlignedMemory>& memory) {
  std::vector<Pointer> pointers;
  for (size_t i = 0; i < operands.size(); ++i) {
    pointers.push_back(operands[i].present ? memory[i].data() : nullptr);
  }
  return pointers;
}

}  // namespace

int64_t ConstantMemory(const kernels::TensorType& type) {
  return type.elements() * (type.dtype == kernels::DType::kFloat32 ? 4 : 8);
}

// Three bounds: memory, work, and whether there is a kernel at all. An operator that is declined is
// not an error: the program computes it in every step, as the model says.
bool IsFoldable(const OpInstance& instance, int64_t bytes_max) {
  int64_t constants = 0;
  for (const Operand& operand : instance.outputs) constants += ConstantMemory(operand.type);
  if (constants > bytes_max) return false;
  const int64_t results = Bytes(instance.outputs);
  const int64_t elements = (results + Bytes(instance.inputs)) / 4;
  if (IsHeavy(instance.op) && elements > kHeavyElementsMax) return false;
  return kernels::FindKernel(kernels::ReferenceKernels(), instance) != nullptr;
}

// A kernel may refuse its operands' contents (an index that is out of range, a division of integers by
// zero); the step would fail in the same way, so that binding says it at once.
absl::StatusOr<std::vector<Initializer>> Fold(const OpInstance& instance,
                                              const std::vector<const Value*>& inputs) {
  const kernels::KernelEntry* entry = kernels::FindKernel(kernels::ReferenceKernels(), instance);
  RM_ASSIGN_OR_RETURN(const std::unique_ptr<kernels::Kernel> kernel, entry->make(instance, {}));
  RM_ASSIGN_OR_RETURN(const std::vector<AlignedMemory> in, Allocate(instance.inputs));
  RM_ASSIGN_OR_RETURN(const std::vector<AlignedMemory> out, Allocate(instance.outputs));
  RM_ASSIGN_OR_RETURN(const AlignedMemory scratch,
                      AlignedMemory::Allocate(kernel->scratch_bytes() + 1));
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] != nullptr) WriteConstant(*inputs[i], in[i].data());
  }
  const auto reads = Pointers<const void*>(instance.inputs, in);
  const auto writes = Pointers<void*>(instance.outputs, out);
  RM_RETURN_IF_ERROR(kernel->Run({reads, writes, scratch.data()}));
  std::vector<Initializer> results;
  for (size_t i = 0; i < instance.outputs.size(); ++i) {
    results.push_back(ReadConstant(instance.outputs[i].type, out[i].data()));
  }
  return results;
}

}  // namespace rm::graph
