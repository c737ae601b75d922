// What the graph compiler knows about an operator beside its shapes (kernels/api/op_signature.h) and
// its kernels: whether it moves data at all, and its gradient.
//
// One file an operator family holds its gradient rules; one line in the table (op_table.cc) makes
// them known. An operator without a line has no trait and no gradient. A rule, in short:
//
//   absl::Status DifferentiateSquare(GradientContext* context) {
//     context->SetInputGradient(
//         0, context->Append("SquareGrad", "dX", {context->output_gradient(0), context->input(0)},
//                            context->input(0)));
//     return absl::OkStatus();
//   }
//
// A gradient rule may use any operator that has a signature. What it reads of the forward pass is
// kept in memory until then, so it should read Y rather than X where either will do.
#ifndef RM_RUNTIME_GRAPH_OPS_OP_RULE_H_
#define RM_RUNTIME_GRAPH_OPS_OP_RULE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rm::graph {

class GradientContext;

enum class OpTrait {
  kNone,
  kElementwise,  // operands of equal shape may have any layout, as long as it is the same one
  kView,         // output 0 is input 0 with another shape: no work when both are in plain layout
};

// Appends the backward nodes of one forward node. The nodes that finish parameter gradients come
// first: those gradients travel while the rest is computed.
using GradientRule = absl::Status (*)(GradientContext* context);

struct OpRule {
  const char* op;
  OpTrait trait;
  GradientRule differentiate;  // nullptr: no gradient flows through this operator
};

// All operators that have a trait or a gradient, in alphabetical order. Lives for ever.
[[nodiscard]] absl::Span<const OpRule> OpTable();

// nullptr for an operator that is not in the table.
[[nodiscard]] const OpRule* FindOp(absl::string_view op);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_OPS_OP_RULE_H_
