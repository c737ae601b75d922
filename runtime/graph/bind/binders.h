// The binders, by file; for the table of table.cc alone. Each says in its file what ONNX allows
// beyond the canonical form (kernels/api/op.h).
#ifndef RM_RUNTIME_GRAPH_BIND_BINDERS_H_
#define RM_RUNTIME_GRAPH_BIND_BINDERS_H_

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "runtime/graph/bind/bind_context.h"

namespace rm::graph {

// shape.cc: what asks for a shape, or changes nothing else.
// Expand(X, shape): to the shape to which both broadcast; nothing where that is X's own.
absl::Status BindExpand(BindContext* context);
// Identity(X): nothing; readers read X.
absl::Status BindIdentity(BindContext* context);
// Range(start, limit, delta), all known: a constant, within the limit of memory.
absl::Status BindRange(BindContext* context);
// Reshape(X, shape) {allowzero}: 0 and −1 in the target are settled.
absl::Status BindReshape(BindContext* context);
// Shape(X) {start, end}: a constant.
absl::Status BindShape(BindContext* context);
// Size(X): a constant of one element.
absl::Status BindSize(BindContext* context);
// Squeeze(X[, axes]): a reshape. Without axes every dimension of 1 goes.
absl::Status BindSqueeze(BindContext* context);
// Unsqueeze(X, axes): a reshape. Axes count in the result.
absl::Status BindUnsqueeze(BindContext* context);

// movement.cc: elements that move.
// Concat(X, …) {axis}: nothing for one operand.
absl::Status BindConcat(BindContext* context);
// Gather and GatherElements (X, indices) {axis}.
absl::Status BindGather(BindContext* context);
// SequenceAt(sequence, position), of a SplitToSequence, the position known: that part.
absl::Status BindSequenceAt(BindContext* context);
// Slice(X, starts, ends[, axes, steps]): clamped to the tensor; nothing where all is taken.
absl::Status BindSlice(BindContext* context);
// Split(X[, split]) {axis, num_outputs}: sizes, or equal parts.
absl::Status BindSplit(BindContext* context);
// SplitToSequence(X[, split]) {axis, keepdims}: a Split whose parts SequenceAt takes.
absl::Status BindSplitToSequence(BindContext* context);
// Transpose(X) {perm}: nothing where the order stays.
absl::Status BindTranspose(BindContext* context);
// Trilu(X[, k]) {upper}: the diagonal is an attribute.
absl::Status BindTrilu(BindContext* context);

// repetition.cc: pads and tiles, as the operators there are.
// Pad(X, pads[, value, axes]) {mode}: Concat with constants, Slice, or Gather.
absl::Status BindPad(BindContext* context);
// Tile(X, repeats): a reshape, an Expand, a reshape.
absl::Status BindTile(BindContext* context);

// arithmetic.cc: element by element.
// Cast(X) {to}: nothing where X has the type.
absl::Status BindCast(BindContext* context);
// CastLike(X, Y): a Cast to Y's type.
absl::Status BindCastLike(BindContext* context);
// Clip(X[, min, max]): bounds are attributes; Max and Min for integers.
absl::Status BindClip(BindContext* context);
// Neg(X): 0 − X for integers.
absl::Status BindNeg(BindContext* context);
// Pow(X, Y): by way of float32 where an operand is not.
absl::Status BindPow(BindContext* context);
// Sum(X, …): one Add after the other.
absl::Status BindSum(BindContext* context);

// What follows up to reduce.cc has no kernel of its own. Such an operator becomes a few nodes of those that
// have kernels and gradients, all named after it:
//
//   PRelu 'act' of X and slope → 'act/part' = Relu(X), 'act/part…' = Neg, Relu, Neg, Mul, Add
//
// Where many nodes come of one, or a constant of a size that the file only names, the limit on what
// binding may make is asked first (BindContext::CheckRoom, TakeRoomForNodes). A form that the parts cannot
// express is refused with the attribute or the operand that asks for it.

// functions.cc: functions of one tensor, by those that have kernels.
// Celu(X) {alpha}, PRelu(X, slope), Selu(X) {alpha, gamma}, ThresholdedRelu(X) {alpha}.
absl::Status BindCelu(BindContext* context);
absl::Status BindPRelu(BindContext* context);
absl::Status BindSelu(BindContext* context);
absl::Status BindThresholdedRelu(BindContext* context);
// Mish(X), Softplus(X), Softsign(X), Swish(X) {alpha}.
absl::Status BindMish(BindContext* context);
absl::Status BindSoftplus(BindContext* context);
absl::Status BindSoftsign(BindContext* context);
absl::Status BindSwish(BindContext* context);
// Ceil(X), Floor(X), Round(X), Sign(X): no gradient flows through them.
absl::Status BindCeil(BindContext* context);
absl::Status BindFloor(BindContext* context);
absl::Status BindRound(BindContext* context);
absl::Status BindSign(BindContext* context);
// Mean(X, …).
absl::Status BindMean(BindContext* context);

// attention.cc
// Attention(Q, K, V[, mask]) {q_num_heads, kv_num_heads, is_causal, scale, softcap}.
absl::Status BindAttention(BindContext* context);

// einsum.cc
// Einsum(X, …) {equation}: without diagonals.
absl::Status BindEinsum(BindContext* context);

// rearrange.cc
// CumSum(X, axis) {exclusive, reverse}: a product with a triangle of ones.
absl::Status BindCumSum(BindContext* context);
// DepthToSpace(X) {blocksize, mode} and SpaceToDepth(X) {blocksize}.
absl::Status BindDepthToSpace(BindContext* context);
absl::Status BindSpaceToDepth(BindContext* context);
// OneHot(indices, depth, values) {axis}.
absl::Status BindOneHot(BindContext* context);

// resize.cc
// Resize(X, roi, scales, sizes) {mode, …}: a Gather or a product with a constant, axis by axis.
absl::Status BindResize(BindContext* context);

// normalization.cc: by LayerNormalization, or by a mean of squares.
// GroupNormalization(X, scale, bias) {num_groups, epsilon}.
absl::Status BindGroupNormalization(BindContext* context);
// InstanceNormalization(X, scale, B) {epsilon}.
absl::Status BindInstanceNormalization(BindContext* context);
// LpNormalization(X) {axis, p}.
absl::Status BindLpNormalization(BindContext* context);
// RMSNormalization(X, scale) {axis, epsilon}.
absl::Status BindRmsNormalization(BindContext* context);

// reduce.cc: along axes.
// GlobalMaxPool(X): ReduceMax over what lies behind the channels.
absl::Status BindGlobalMaxPool(BindContext* context);
// ReduceMax and its kin (X[, axes]) {axes, keepdims, noop_with_empty_axes}.
absl::Status BindReduce(BindContext* context);
// ReduceMin and ReduceProd, the operands as above.
absl::Status BindReduceMin(BindContext* context);
absl::Status BindReduceProd(BindContext* context);
// ReduceL1, ReduceL2, ReduceLogSum, ReduceLogSumExp, ReduceSumSquare: by sums.
absl::Status BindReduceComposite(BindContext* context);
// Softmax and LogSoftmax (X) {axis}.
absl::Status BindSoftmax(BindContext* context);

// window.cc: convolutions and pooling.
// Conv(X, W[, B]) {auto_pad, …}: one or two dimensions.
absl::Status BindConv(BindContext* context);
// ConvTranspose(X, W[, B]) {auto_pad, output_shape, …}: one or two dimensions; a bias is an Add.
absl::Status BindConvTranspose(BindContext* context);
// GlobalAveragePool(X): one or two dimensions.
absl::Status BindGlobalAveragePool(BindContext* context);
// MaxPool and AveragePool (X) {auto_pad, ceil_mode, …}: one or two dimensions.
absl::Status BindPool(BindContext* context);

// recurrent.cc: sequences as long as the tensor.
// GRU(X, W, R[, B, sequence_lens, h0]) {linear_before_reset, …}: the nodes of all steps.
absl::Status BindGru(BindContext* context);
// LSTM(X, W, R[, B, sequence_lens, h0, c0, P]).
absl::Status BindLstm(BindContext* context);
// RNN(X, W, R[, B, sequence_lens, h0]) {activations, …}: the nodes of all steps.
absl::Status BindRnn(BindContext* context);

// layers.cc: normalisation, dropout, products of matrices.
// BatchNormalization(X, scale, B, mean, var) {training_mode, …}: the inference form.
absl::Status BindBatchNormalization(BindContext* context);
// Dropout(X[, ratio, training_mode]): nothing, or {ratio} where training wants it.
absl::Status BindDropout(BindContext* context);
// LayerNormalization(X, scale[, B]) {axis, epsilon}: outputs that nobody reads go.
absl::Status BindLayerNormalization(BindContext* context);
// MatMul(A, B): vectors become matrices and lose that again.
absl::Status BindMatMul(BindContext* context);

// An operator of the model, and what its binder may leave behind.
struct BinderEntry {
  const char* op;
  // The operator it needs kernels for; nullptr where none is left.
  const char* canonical;
  Binder bind;
};

// All binders, in alphabetical order. Lives for ever. An operator with a signature
// (kernels/api/op_signature.h) and without a line here is canonical as it stands.
[[nodiscard]] absl::Span<const BinderEntry> BinderTable();

// A sum of powers for what has no slope or quotient at 0: norms by square roots and divisions. Where
// `is_zero`, `value` is 1 instead; elsewhere it is the sum, and gradients reach the sum there alone.
// Choosing only the result would not do: a slope of ∞, times the 0 that comes back, is NaN.
struct OffZero {
  ValueId is_zero = kNoValue;  // bool, of the sum's shape
  ValueId value = kNoValue;    // float32, of the sum's shape
};
[[nodiscard]] absl::StatusOr<OffZero> KeptOffZero(BindContext* context, ValueId sum);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_BIND_BINDERS_H_
