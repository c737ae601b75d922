// The table of operators: how many operands each takes, and what it makes of their shapes.
//
// One file an operator family holds its shape rules (infer_*.cc), one line in the table
// (op_signature.cc) makes them known. What an operator computes is said in op.h. A rule, in short:
//
//   absl::Status InferSquare(OpInstance* instance) {
//     RM_RETURN_IF_ERROR(RequireType(*instance, 0, "X", DType::kFloat32));
//     SetOutput(instance, 0, InputShape(*instance, 0));
//     return absl::OkStatus();
//   }
#ifndef RM_KERNELS_API_OP_SIGNATURE_H_
#define RM_KERNELS_API_OP_SIGNATURE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "kernels/api/op.h"

namespace rm::kernels {

// How many operands an operator may have. Those beyond `least` are optional: they may be absent,
// and an optional output that nobody reads is dropped.
struct Arity {
  int least = 1;
  int most = 1;
};

// Fills the types of the outputs that are present, given the types of the inputs. An output that
// must have a certain type (the gradient of an image whose size cannot be told from dY) has that
// type already: a rule which cannot derive it checks it. Attributes may come from a user's file:
// all that a kernel relies on is checked here. Errors say what does not fit; the caller adds node,
// operator and shapes.
using ShapeRule = absl::Status (*)(OpInstance* instance);

struct OpSignature {
  const char* op;
  Arity inputs;
  Arity outputs;
  ShapeRule infer;
};

// All operators, in alphabetical order. Lives for ever.
[[nodiscard]] absl::Span<const OpSignature> OpSignatures();

// nullptr for an operator that is not in the table.
[[nodiscard]] const OpSignature* FindOpSignature(absl::string_view op);

// Checks the number of operands, then applies the operator's rule. InvalidArgument says what does
// not fit, or that there is no such operator. Thread-safe.
[[nodiscard]] absl::Status InferOutputs(OpInstance* instance);

}  // namespace rm::kernels

#endif  // RM_KERNELS_API_OP_SIGNATURE_H_
