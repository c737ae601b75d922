// Attention and rotary embeddings, which opset 23 has as operators, in the products that older exports
// write out.
//
//   Y = softmax(scale · Q · Kᵀ [capped] [+ mask]) · V
//
// The softmax keeps its shares for the backward pass, queries · keys numbers a head, as an export that writes
// attention out does; a kernel that computes them twice instead would save that memory.
//
// over Q (batch, heads, queries, size), K and V (batch, heads, keys, size). Three dimensions hold the
// heads in the last one. Fewer heads of K and V than of Q are repeated in place: heads 0, 0, 1, 1.
#include <cmath>
#include <limits>
#include <string>

#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

using kernels::DType;
using kernels::Misfit;

using Ints = std::vector<int64_t>;
using Result = absl::StatusOr<ValueId>;

// (batch, length, heads · size) as (batch, heads, length, size).
Result HeadsApart(BindContext* context, ValueId value, int64_t heads) {
  const Ints shape = context->shape(value);
  if (shape.size() == 4) return value;
  if (shape.size() != 3) return Misfit("an operand has ", shape.size(), " dimensions, not 3 or 4");
  if (heads < 1 || shape[2] % heads != 0) {
    return Misfit(shape[2], " elements do not divide into ", heads, " heads");
  }
  RM_ASSIGN_OR_RETURN(
      const ValueId apart,
      context->Reshaped(value, {shape[0], shape[1], heads, shape[2] / heads}, "/apart"));
  return context->Append("Transpose", {apart}, {{"perm", Ints{0, 2, 1, 3}}}, "/heads");
}

// Each head `times` times in place.
Result RepeatHeads(BindContext* context, ValueId value, int64_t times) {
  if (times == 1) return value;
  const Ints s = context->shape(value);
  RM_ASSIGN_OR_RETURN(const ValueId wide,
                      context->Reshaped(value, {s[0], s[1], 1, s[2], s[3]}, "/one"));
  RM_ASSIGN_OR_RETURN(
      const ValueId repeated,
      context->Append("Expand", {wide}, {{"shape", Ints{s[0], s[1], times, s[2], s[3]}}},
                      "/repeated"));
  return context->Reshaped(repeated, {s[0], s[1] * times, s[2], s[3]}, "/all");
}

Result Scaled(BindContext* context, const char* op, ValueId value, float factor) {
  if (factor == 1) return value;
  const ValueId number =
      context->Constant("/factor", DType::kFloat32, {}, Initializer::Of({factor}));
  return context->Append(op, {value, number}, {}, "/scaled");
}

// A mask of flags hides where it is false, one of numbers is added.
Result Masked(BindContext* context, ValueId scores, ValueId mask) {
  if (context->type(mask).dtype == DType::kFloat32) {
    return context->Append("Add", {scores, mask}, {}, "/masked");
  }
  const ValueId hidden = context->Constant(
      "/hidden", DType::kFloat32, {},
      Initializer::Of({-std::numeric_limits<float>::infinity()}));
  return context->Append("Where", {mask, scores, hidden}, {}, "/masked");
}

// Query i sees keys 0 … i: the mask is a constant of the two lengths, shared by all heads and all nodes.
Result Causal(BindContext* context, ValueId scores) {
  const Ints shape = context->shape(scores);
  const int64_t queries = shape[2];
  const int64_t keys = shape[3];
  ValueId& mask = context->causal_mask(queries, keys);
  if (mask != kNoValue) return Masked(context, scores, mask);
  RM_RETURN_IF_ERROR(CheckedElements({queries, keys}).status());
  RM_RETURN_IF_ERROR(context->CheckRoom(8 * queries * keys));
  Ints seen;
  for (int64_t i = 0; i < queries; ++i) {
    for (int64_t j = 0; j < keys; ++j) seen.push_back(j <= i ? 1 : 0);
  }
  mask = context->Constant("/seen", DType::kBool, {queries, keys},
                           Initializer::OfIntegers(std::move(seen)));
  return Masked(context, scores, mask);
}

// Forms without kernels, each by name. All of them are for generating text token by token, with keys and
// values that are kept from call to call; nothing is trained that way.
absl::Status CheckForm(BindContext* context) {
  if (context->has_input(4) || context->has_input(5)) {
    return Misfit("its inputs 'past_key' and 'past_value' are not known");
  }
  if (context->has_input(6)) return Misfit("its input 'nonpad_kv_seqlen' is not known");
  for (size_t i = 1; i < context->node().outputs.size(); ++i) {
    if (context->output_is_used(i)) return Misfit("its output ", i, " is used, which is not known");
  }
  return absl::OkStatus();
}

// The scores of every query and key, before the softmax: the scale comes first, then the cap
// (c · tanh(s / c), which bounds scores to ±c), then the masks.
Result Scores(BindContext* context, ValueId q, ValueId k) {
  const kernels::Attributes& given = context->node().attributes;
  const auto size = static_cast<float>(context->shape(q)[3]);
  RM_ASSIGN_OR_RETURN(const ValueId keys,
                      context->Append("Transpose", {k}, {{"perm", Ints{0, 1, 3, 2}}}, "/keys"));
  RM_ASSIGN_OR_RETURN(ValueId scores, context->Append("MatMul", {q, keys}, {}, "/scores"));
  RM_ASSIGN_OR_RETURN(scores, Scaled(context, "Mul", scores,
                                     given.Float("scale", 1 / std::sqrt(size))));
  const float cap = given.Float("softcap", 0);
  if (cap != 0) {
    RM_ASSIGN_OR_RETURN(scores, Scaled(context, "Div", scores, cap));
    RM_ASSIGN_OR_RETURN(scores, context->Append("Tanh", {scores}, {}, "/capped"));
    RM_ASSIGN_OR_RETURN(scores, Scaled(context, "Mul", scores, cap));
  }
  if (given.Int("is_causal", 0) != 0) {
    RM_ASSIGN_OR_RETURN(scores, Causal(context, scores));
  }
  if (!context->has_input(3)) return scores;
  return Masked(context, scores, context->input(3));
}

}  // namespace

absl::Status BindAttention(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(3));
  RM_RETURN_IF_ERROR(CheckForm(context));
  const kernels::Attributes& given = context->node().attributes;
  const bool joined = context->shape(context->input(0)).size() == 3;
  const int64_t kv_heads = given.Int("kv_num_heads", 0);
  RM_ASSIGN_OR_RETURN(const ValueId q,
                      HeadsApart(context, context->input(0), given.Int("q_num_heads", 0)));
  RM_ASSIGN_OR_RETURN(ValueId k, HeadsApart(context, context->input(1), kv_heads));
  RM_ASSIGN_OR_RETURN(ValueId v, HeadsApart(context, context->input(2), kv_heads));
  const int64_t heads = context->shape(q)[1];
  const int64_t repeated = context->shape(k)[1];
  if (repeated < 1 || heads % repeated != 0 || context->shape(v)[1] != repeated) {
    return Misfit("it has ", heads, " heads of Q, ", repeated, " of K and ", context->shape(v)[1],
                  " of V");
  }
  RM_ASSIGN_OR_RETURN(k, RepeatHeads(context, k, heads / repeated));
  RM_ASSIGN_OR_RETURN(v, RepeatHeads(context, v, heads / repeated));
  RM_ASSIGN_OR_RETURN(const ValueId scores, Scores(context, q, k));
  RM_ASSIGN_OR_RETURN(const ValueId shares,
                      context->Append("Softmax", {scores}, {{"axis", int64_t{3}}}, "/shares"));
  if (!joined) return context->Become("MatMul", {shares, v});
  RM_ASSIGN_OR_RETURN(const ValueId values, context->Append("MatMul", {shares, v}, {}, "/values"));
  RM_ASSIGN_OR_RETURN(const ValueId back, context->Append("Transpose", {values},
                                                          {{"perm", Ints{0, 2, 1, 3}}}, "/back"));
  const Ints s = context->shape(back);
  RM_ASSIGN_OR_RETURN(const ValueId output, context->Reshaped(back, {s[0], s[1], s[2] * s[3]}));
  context->SetOutput(0, output);
  return absl::OkStatus();
}

}  // namespace rm::graph
