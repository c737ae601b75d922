// What the engine knows about an operator beside its kernels: arity, shapes, gradient.
//
// One file an operator family holds its rules; one line in the table (op_table.cc) makes them
// known. What an operator computes is said in kernels/api/op.h. A family's file, in short:
//
//   absl::Status InferSquare(kernels::OpInstance* instance) {
//     RM_RETURN_IF_ERROR(RequireType(*instance, 0, "X", kernels::DType::kFloat32));
//     SetOutput(instance, 0, InputShape(*instance, 0));
//     return absl::OkStatus();
//   }
//
//   absl::Status DifferentiateSquare(GradientContext* context) {
//     context->SetInputGradient(
//         0, context->Append("SquareGrad", "dX", {context->output_gradient(0), context->input(0)},
//                            context->input(0)));
//     return absl::OkStatus();
//   }
//
// A gradient rule may use any operator of the table. What it reads of the forward pass is kept in
// memory until then, so it should read Y rather than X where either will do.
#ifndef RM_RUNTIME_GRAPH_OPS_OP_RULE_H_
#define RM_RUNTIME_GRAPH_OPS_OP_RULE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "kernels/api/op.h"

namespace rm::graph {

class GradientContext;

// How many operands a node may have. Those beyond `least` are optional: they may be absent, and an
// optional output that nobody reads is dropped.
struct Arity {
  int least = 1;
  int most = 1;
};

enum class OpTrait {
  kNone,
  kElementwise,  // operands of equal shape may have any layout, as long as it is the same one
  kView,         // output 0 is input 0 with another shape: no work when both are in plain layout
};

// Fills the types of the outputs that are present, given the types of the inputs. An output that
// must have the type of another value (Value::like) has that type already: a rule which cannot
// derive it checks it; what a rule derives is compared with it afterwards. Attributes may come from
// a user's file: all that a kernel relies on is checked here. Errors say what does not fit; the
// caller adds node, operator and shapes.
using ShapeRule = absl::Status (*)(kernels::OpInstance* instance);

// Appends the backward nodes of one forward node. The nodes that finish parameter gradients come
// first: those gradients travel while the rest is computed.
using GradientRule = absl::Status (*)(GradientContext* context);

struct OpRule {
  const char* op;
  Arity inputs;
  Arity outputs;
  OpTrait trait;
  ShapeRule infer;
  GradientRule differentiate;  // nullptr: no gradient flows through this operator
};

// All operators, in alphabetical order. Lives for ever.
[[nodiscard]] absl::Span<const OpRule> OpTable();

// nullptr for an operator that is not in the table.
[[nodiscard]] const OpRule* FindOp(absl::string_view op);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_OPS_OP_RULE_H_
