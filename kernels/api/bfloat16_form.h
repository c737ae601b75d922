// Which operators there are in bfloat16, and which of their operands then are.
//
// An operator of op.h takes float32. Those listed in bfloat16_form.cc have a second form that takes
// some operands in bfloat16, computes in float32 as the first one does, and rounds those results
// that are bfloat16 once, when it stores them:
//
//   Conv(X bfloat16, W, B) → Y bfloat16          W is rounded to bfloat16 before it is used, B is not
//   ConvGradWeight(X bfloat16, dY bfloat16) → dW, dB      gradients of parameters stay float32
//   MatMul(A bfloat16, B bfloat16) → Y           so do products
//
// What a form computes is therefore said by the float32 operator: round what is to be rounded, widen,
// compute, round. kernels/ref does just that.
#ifndef RM_KERNELS_API_BFLOAT16_FORM_H_
#define RM_KERNELS_API_BFLOAT16_FORM_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "kernels/api/op.h"

namespace rm::kernels {

// How an operator takes part in a graph of mixed precision (runtime/graph/precision.h).
enum class Bfloat16Use {
  kAlways,   // products and convolutions: what bfloat16 is for
  kFollows,  // moves memory more than it computes: in bfloat16 where its operands are
};

// Operands are bits: 1 << i stands for operand i. Those that are absent, or not float32 in the first
// place, do not count.
struct Bfloat16Form {
  const char* op;
  Bfloat16Use use;
  uint32_t inputs;   // bfloat16
  uint32_t outputs;  // bfloat16
  uint32_t rounded;  // inputs that are float32 and rounded before use

  [[nodiscard]] bool takes(size_t input) const { return (inputs >> input & 1) != 0; }
  [[nodiscard]] bool gives(size_t output) const { return (outputs >> output & 1) != 0; }
  [[nodiscard]] bool rounds(size_t input) const { return (rounded >> input & 1) != 0; }
};

// In alphabetical order. Lives for ever.
[[nodiscard]] absl::Span<const Bfloat16Form> Bfloat16Forms();

// nullptr for an operator without such a form. Thread-safe.
[[nodiscard]] const Bfloat16Form* FindBfloat16Form(absl::string_view op);

// The instance with bfloat16 where the form has it, and with float32 in its place. Shapes, layouts and
// other dtypes stay. REQUIRES (Narrowed): the operator has a form.
[[nodiscard]] OpInstance Narrowed(OpInstance instance);
[[nodiscard]] OpInstance Widened(OpInstance instance);

// True when the instance is one that the form allows: operands in bfloat16 just where it says, and in
// float32 a legal instance (kernels/api/check_instance.h). Thread-safe.
[[nodiscard]] bool IsBfloat16Form(const OpInstance& instance);

// True when the instance is legal, in float32 or in such a form. Thread-safe.
[[nodiscard]] bool IsLegalInEitherForm(const OpInstance& instance);

}  // namespace rm::kernels

#endif  // RM_KERNELS_API_BFLOAT16_FORM_H_
