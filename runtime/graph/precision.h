// Mixed precision: which values of a program are kept and computed in bfloat16.
//
// Convolutions and products are (Bfloat16Use::kAlways): their operands are rounded to bfloat16, their
// sums are float32. What stands between them and moves more memory than it computes, normalisation,
// relu, sums, pooling, goes on in the type that its operands have (kFollows). All else is float32:
// losses, softmax, layer norm, parameters and their gradients, buffers, and what callers write or read.
// kernels/api/bfloat16_form.h lists the operators.
//
//   x ─Cast─► conv ═► batch norm, relu ═► conv ═► pool ═Cast─► loss          ─ float32  ═ bfloat16
//
// A gradient has the type of what it belongs to. Casts are inserted where types meet, one for each
// value and type, shared by all its readers: a weight that products read is rounded once a step, one
// that convolutions read by their kernels, which reorder it anyway.
#ifndef RM_RUNTIME_GRAPH_PRECISION_H_
#define RM_RUNTIME_GRAPH_PRECISION_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/graph/types.h"

namespace rm::graph {

enum class Precision { kFloat32, kBfloat16 };

// "fp32", "bf16", as job files name them (train.precision).
[[nodiscard]] const char* PrecisionName(Precision precision);
// InvalidArgument lists the names there are.
[[nodiscard]] absl::StatusOr<Precision> FindPrecision(absl::string_view name);

// Sets the types of a graph for kBfloat16 and inserts the casts. Every layout is plain still; outputs
// and gradients of parameters stay float32, under the same names. REQUIRES: dead nodes are gone
// (runtime/graph/prune.h).
void UseBfloat16(TypedGraph* graph);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_PRECISION_H_
