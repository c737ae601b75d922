// Tools for tests of kernels: operands in one word, tensors with guarded memory, one-line runs.
#ifndef RM_KERNELS_API_TESTING_H_
#define RM_KERNELS_API_TESTING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/api/kernel.h"

namespace rm::kernels::testing {

// Operands of an instance.
[[nodiscard]] Operand Floats(const Shape& shape, Layout layout = Layout::kPlain);
[[nodiscard]] Operand Int64s(const Shape& shape);
[[nodiscard]] Operand Bytes(const Shape& shape, Layout layout = Layout::kPlain);
[[nodiscard]] Operand Absent();

// The memory of one tensor, aligned to 64 bytes and with 64 bytes of known content on either side.
// New memory is all ones, which is NaN to a float: what a kernel forgets to write is seen.
class Tensor {
 public:
  explicit Tensor(const TensorType& type);

  // A plain vector or image with the given elements, in logical order.
  Tensor(const TensorType& type, const std::vector<float>& values);

  [[nodiscard]] const TensorType& type() const { return type_; }
  [[nodiscard]] void* data() { return memory_.get() + kGuard; }
  [[nodiscard]] const void* data() const { return memory_.get() + kGuard; }

  // The elements as floats in logical order (N, C, H, W), whatever the layout and dtype.
  [[nodiscard]] std::vector<float> values() const;

  // Writes the elements, given in logical order; the padding of blocked layouts becomes zero.
  void Fill(const std::vector<float>& values);

  // True when every element of the padding is zero (no padding: true).
  [[nodiscard]] bool PaddingIsZero() const;

  // True when nothing wrote outside the tensor.
  [[nodiscard]] bool GuardsAreIntact() const;

  // Equal bytes.
  [[nodiscard]] bool SameBits(const Tensor& other) const;

 private:
  struct Free {
    void operator()(unsigned char* memory) const;
  };
  static constexpr size_t kGuard = 64;  // bytes

  TensorType type_;
  std::unique_ptr<unsigned char[], Free> memory_;
};

// The offset, in elements, of (n, c, h, w) in a layout.
[[nodiscard]] int64_t LayoutOffset(const TensorType& type, int64_t n, int64_t c, int64_t h,
                                   int64_t w);

// Makes the entry's kernel for the instance and runs it once, with scratch memory of just the size
// it asks for. A nullptr among the tensors is an absent operand.
[[nodiscard]] absl::Status RunEntry(const KernelEntry& entry, const OpInstance& instance,
                                    const std::vector<Tensor*>& inputs,
                                    const std::vector<Tensor*>& outputs,
                                    const KernelOptions& options = {});

// Runs an all-plain instance through the first fitting entry of `table` on inputs given as numbers,
// and returns the outputs as numbers. For hand-computed cases.
[[nodiscard]] absl::StatusOr<std::vector<std::vector<float>>> Compute(
    KernelTable table, const OpInstance& instance, const std::vector<std::vector<float>>& inputs);

}  // namespace rm::kernels::testing

#endif  // RM_KERNELS_API_TESTING_H_
