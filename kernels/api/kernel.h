// What a kernel is: one implementation of one operator on one kind of device, made for fixed types.
//
// A kernel table is an array of KernelEntry that lives for ever; the graph compiler goes through it
// in order and takes the first entry whose op matches and that supports the instance. Making a
// kernel may be slow (code is generated, memory allocated); Run allocates nothing.
//
//   const KernelEntry* entry = FindKernel(CpuKernels(), instance);        // nullptr: nobody can
//   RM_ASSIGN_OR_RETURN(std::unique_ptr<Kernel> kernel, entry->make(instance, options));
//   scratch = …                              // at least kernel->scratch_bytes(), aligned to 64
//   for each step: RM_RETURN_IF_ERROR(kernel->Run({inputs, outputs, scratch}));
#ifndef RM_KERNELS_API_KERNEL_H_
#define RM_KERNELS_API_KERNEL_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "kernels/api/op.h"

namespace rm::kernels {

// The memory of one run, all of it the caller's. Absent optional operands are nullptr. Every
// pointer, scratch included, is aligned to 64 bytes; weights and gradients, which lie in flat
// buckets, are so because the bucket plan aligns each of them. Memory of blocked channels that is
// read has zeros in its padding. Inputs and outputs do not overlap, except output 0 with the input
// named by KernelEntry::in_place_input, which may be exactly the same memory.
struct Arguments {
  absl::Span<const void* const> inputs;
  absl::Span<void* const> outputs;
  void* scratch = nullptr;  // scratch_bytes() of memory, content undefined between runs

  // Operand i as elements of type T; nullptr when it is absent or beyond the list.
  template <typename T>
  [[nodiscard]] const T* input(size_t i) const {
    return i < inputs.size() ? static_cast<const T*>(inputs[i]) : nullptr;
  }
  template <typename T>
  [[nodiscard]] T* output(size_t i) const {
    return i < outputs.size() ? static_cast<T*>(outputs[i]) : nullptr;
  }
};

// Thread-compatible: one Run at a time. Deterministic: equal inputs, types and threads give equal
// bits. Does not own what Arguments point to and keeps none of it after Run.
class Kernel {
 public:
  virtual ~Kernel() = default;

  // Bytes of scratch memory a Run needs; the memory may be shared with other kernels. Constant.
  [[nodiscard]] virtual size_t scratch_bytes() const { return 0; }

  // Computes the outputs; every element of them is written (padding of blocked layouts as zero).
  [[nodiscard]] virtual absl::Status Run(const Arguments& arguments) = 0;
};

// How kernels of one process are made.
struct KernelOptions {
  int threads = 1;  // OpenMP threads a kernel may use; the same for all kernels of a process
};

// The layouts an entry wants for an instance, operand by operand; same sizes as the instance's
// operands.
struct LayoutChoice {
  std::vector<Layout> inputs;
  std::vector<Layout> outputs;
};

// One row of a kernel table. The functions are thread-safe.
struct KernelEntry {
  const char* op;    // operator implemented
  const char* name;  // "onednn_conv": shown by `trainctl graph` and in parity tests

  // True when this entry can compute the instance in the layouts of its types. Cheap.
  bool (*supports)(const OpInstance& instance);

  // Layouts in which this entry runs fastest, given the logical types and the layouts that the
  // inputs have now. The answer, put into the instance's types, is one that `supports` accepts
  // whenever it accepts the same types in kPlain. nullptr: kPlain everywhere.
  LayoutChoice (*choose_layouts)(const OpInstance& instance, const KernelOptions& options);

  // Makes the kernel. REQUIRES: supports(instance).
  absl::StatusOr<std::unique_ptr<Kernel>> (*make)(const OpInstance& instance,
                                                  const KernelOptions& options);

  // Output 0 may be the same memory as this input (of equal bytes); −1: never.
  int in_place_input = -1;
};

using KernelTable = absl::Span<const KernelEntry>;

// The first entry of `table` that implements and supports `instance`, or nullptr.
[[nodiscard]] const KernelEntry* FindKernel(KernelTable table, const OpInstance& instance);

}  // namespace rm::kernels

#endif  // RM_KERNELS_API_KERNEL_H_
