// What is to be computed: an operator with its attributes and the types of its operands.
//
// Operators are ONNX operators (opset 17 names, attributes and semantics) and, for training, the
// gradient, loss and update operators of our own that are listed here. The semantics below bind
// every implementation; kernels/ref is their executable form. All of them take float32 unless said
// otherwise. `dX` is the gradient of the loss with respect to X, of X's shape.
//
//   Gemm(A, B[, C]) → Y             ONNX; transA, transB, alpha, beta; C broadcasts to (M, N).
//                                   Extra attribute activation = "relu": Y = max(Y, 0).
//   MatMul(A, B) → Y                ONNX. Extra attributes: transA, transB (ints, 0): the last two
//                                   dimensions of that operand are swapped first, and both
//                                   operands have at least two; alpha (float, 1): Y is times alpha.
//   Conv(X, W[, B]) → Y             ONNX, 2-D; strides, pads, dilations, group. Extra attribute
//                                   activation as above.
//   ConvGradInput(dY, W) → dX       Same attributes; X's shape is the output type's. dY is the
//                                   gradient before any activation.
//   ConvGradWeight(X, dY) → dW[, dB]
//                                   Same attributes; W's shape is the output type's; dB (C_out).
//   ConvTranspose(X, W) → Y         ONNX, 2-D, without bias: the Y of which Conv(Y, W) would make
//                                   something of X's shape, each element of X handing its share to
//                                   a window of Y. pads as given; output_padding (2 ints, 0; less
//                                   than the strides): rows and columns of Y behind all windows.
//   Relu(X) → Y                     ONNX.
//   ReluGrad(dY, Y) → dX            dX = Y > 0 ? dY : 0.
//   MaxPool(X) → Y[, WindowIndex]   ONNX, 2-D, floor mode; WindowIndex (uint8, of Y's shape and
//                                   layout): position inside the window, row by row over the
//                                   kernel, of the first maximum in that order (padding never
//                                   wins, a NaN wins over numbers). Needs windows of at most 256
//                                   elements, each with at least one element of X.
//   MaxPoolGrad(dY, WindowIndex) → dX
//                                   kernel_shape, strides, pads, dilations as the forward op; X's
//                                   shape is the output type's.
//   BatchNormalization(X, scale, B, mean, var) → Y
//                                   ONNX, the form for inference: X is (N, C, …), the others (C);
//                                   epsilon (1e-5). Extra attribute activation as above.
//   BatchNormTraining(X, scale, B[, residual]) → Y[, batch_mean, batch_variance, inverse_stddev]
//                                   The same with the batch's own statistics over all axes but C:
//                                   batch_variance is the unbiased one (n / (n − 1); 0 for n = 1),
//                                   inverse_stddev that of the biased one, plus epsilon. A residual
//                                   of X's shape is added before the activation.
//   BatchNormGrad(dY, X, scale, batch_mean, inverse_stddev[, Y]) → dX[, dscale, dB]
//                                   The gradient through these statistics. With activation = "relu"
//                                   there is Y, the forward result, and dY counts where Y > 0.
//   LayerNormalization(X, Scale[, B]) → Y[, Mean, InvStdDev]
//                                   ONNX; axis (−1), epsilon (1e-5). Scale and B have the shape of
//                                   a row: X's dimensions from the axis on. Mean and InvStdDev: X's
//                                   shape with 1 in the place of those.
//   LayerNormGrad(dY, X, Scale, Mean, InvStdDev) → dX[, dScale, dB]
//                                   axis as the forward op.
//   LSTM(X, W, R[, B, initial_h, initial_c]) → Y[, Y_h, Y_c, Gates, Cells]
//                                   ONNX without sequence_lens, peepholes, clip and input_forget,
//                                   layout 0; direction. Kept for the gradient: Gates (steps,
//                                   directions, batch, 4 · hidden), the activated gates in the
//                                   order input, output, forget, cell; Cells, of Y's shape.
//   LSTMGrad(X, W, R, Gates, Cells[, dY, dY_h, dY_c, initial_h, initial_c])
//       → dX[, dW, dR, dB, dinitial_h, dinitial_c]
//                                   direction as the forward op; absent gradients are zero.
//   Softmax(X) → Y, LogSoftmax(X) → Y
//                                   ONNX; axis (−1). A line of −infinity alone becomes NaN.
//   SoftmaxGrad(dY, Y) → dX, LogSoftmaxGrad(dY, Y) → dX
//                                   axis as the forward op, whose result is Y.
//   Flatten(X) → Y, Reshape(X) → Y  Shapes are in the types; a copy, or nothing when in place. Any
//                                   dtype. 
//   AveragePool(X) → Y              ONNX, 2-D, floor mode; count_include_pad (0).
//   GlobalAveragePool(X) → Y        ONNX, of images.
//   AveragePoolGrad(dY) → dX, GlobalAveragePoolGrad(dY) → dX
//                                   Attributes as the forward op; X's shape is the output type's.
//   ReduceSum ReduceMean ReduceMax (X) → Y
//                                   axes (ints; none: all), keepdims (int, 1).
//   ReduceSumGrad(dY) → dX, ReduceMeanGrad(dY) → dX
//                                   Attributes as the forward op; X's shape is the output type's.
//   Reorder(X) → Y                  Same logical tensor, another Layout. Not an ONNX operator.
//   Dropout(X) → Y                  ONNX in use: a copy. ratio (0.5) is for training.
//   DropoutTraining(X, counters int64 (3)) → Y
//                                   ratio, stream (int). counters = {seed, step, place of row 0 in
//                                   the global batch}. The first dimension counts samples; an
//                                   element is dropped when its random word, by
//                                   kernels/api/dropout.h, is below ratio · 2³²; else it is X / (1
//                                   − ratio). Of dY it makes dX.
//   MeanSquaredError(Y (B, …), targets like Y, weights (B)) → loss_sum (1)
//                                   loss_sum = Σ_b weights[b] · mean over the elements of sample b
//                                   of (Y − targets)², summed in double; a row of weight 0 adds
//                                   nothing, whatever it holds.
//   MeanSquaredErrorGrad(Y, targets, weights, scale (1)) → dY
//                                   zeros for a row of weight 0.
//   SigmoidCrossEntropy(logits (B, …), targets, weights) → loss_sum (1), and
//   SigmoidCrossEntropyGrad(logits, targets, weights, scale) → dlogits
//                                   the same for −t·log σ(x) − (1 − t)·log(1 − σ(x)).
//   SoftmaxCrossEntropy(logits (…, C), labels int64 (…), weights (…))
//       → loss_sum (1), probabilities (…, C)
//                                   Rows b over all dimensions but the last.
//                                   loss_sum = Σ_b weights[b] · −log softmax(logits[b])[labels[b]],
//                                   summed in double. label_smoothing (float) as in PyTorch's
//                                   cross_entropy. A label outside 0…C−1 is InvalidArgument naming
//                                   the row, unless its weight is 0: such a row adds nothing to
//                                   the loss, whatever its logits and label are.
//   SoftmaxCrossEntropyGrad(probabilities, labels, weights, scale (1)) → dlogits
//                                   dlogits[b] = scale · weights[b] · (probabilities[b] −
//                                   target[b]) with the forward op's label_smoothing in the target;
//                                   zeros for a row of weight 0. Labels as in the forward op.
//   CountCorrect(logits, labels, weights) → count (1)
//                                   Σ_b weights[b] · (argmax(logits[b]) = labels[b]), summed in
//                                   double; the first maximum wins.
//   SgdUpdate(w, g, m, hyper (5)) → w, m
//                                   hyper = {learning rate, momentum, weight decay, nesterov 0|1,
//                                   scale}. In place: the outputs are the memory of inputs 0 and
//                                   2. PyTorch's rule: g' = scale·g + decay·w; m = momentum·m + g';
//                                   w −= lr·(nesterov ? g' + momentum·m : m).
//   AdamUpdate(w, g, m, v, hyper (10)) → w, m, v
//                                   hyper = {rate, β₁, 1 − β₁, β₂, 1 − β₂, ε, decay, keep,
//                                   correction, scale}. In place as above.
//                                   g' = scale·g + decay·w; m = β₁·m + (1 − β₁)·g';
//                                   v = β₂·v + (1 − β₂)·g'²;
//                                   w = keep·w − rate·m / (√v / correction + ε).
//                                   PyTorch's Adam and AdamW at step t: rate = lr / (1 − β₁ᵗ),
//                                   correction = √(1 − β₂ᵗ), and of the weight decay Adam gives
//                                   decay (keep 1), AdamW keep = 1 − lr·weight decay (decay 0).
//
// Element by element with ONNX broadcasting; float32, int64 or int32, the same for all operands:
//   Add Sub Mul Div (A, B) → Y      Integers wrap around; their division drops the fraction, and a
//                                   divisor of 0 is InvalidArgument.
//   Max Min (A, B, …) → Y           One operand or more. A NaN wins.
//   Mod(A, B) → Y                   fmod = 0 (integers alone): the sign of B; 1: the sign of A. An
//                                   integer divisor of 0 is InvalidArgument.
//   Pow(X, Y) → Z                   float32 alone.
//   PowGrad(dZ, X, Y) → dX          dX = dZ · Y · X^(Y − 1), and 0 where Y is 0; of Z's shape.
//   Where(C, X, Y) → Z              C is bool; X and Y of any dtype, the same.
//   Equal Greater GreaterOrEqual Less LessOrEqual (A, B) → bool. Equal takes any dtype.
//   And Or (A, B) → Y, Not(X) → Y   bool.
//   IsNaN(X) → Y                    float32 to bool.
//
// Functions of one tensor, and the gradients of those whose gradient is no product of others:
//   Abs Neg (X) → Y                 float32, int64 or int32; the least integer stays as it is.
//   Cos Erf Exp Log Reciprocal Sigmoid Sin Sqrt Tanh (X) → Y
//   Clip(X) → Y                     min, max (floats; missing: no bound). First min, then max.
//   Elu(X), LeakyRelu(X) → Y        alpha (1; 0.01).
//   Gelu(X) → Y                     approximate = "none" (by Erf) or "tanh".
//   HardSigmoid(X) → Y              alpha (0.2), beta (0.5). HardSwish(X) → Y: ONNX.
//   AbsGrad ClipGrad EluGrad ErfGrad GeluGrad HardSwishGrad LeakyReluGrad (dY, X) → dX
//   HardSigmoidGrad ReciprocalGrad SigmoidGrad SqrtGrad TanhGrad (dY, Y) → dX
//                                   dX = dY times the slope, which is told from X or from Y;
//                                   attributes as the function's. At a corner the slope is 0 for
//                                   Abs and HardSigmoid, 1 for Clip, alpha for Elu and LeakyRelu,
//                                   that of the straight side for HardSwish.
//
// Movement of elements of any dtype; indices are int64 or int32, and one outside −n…n−1 is
// InvalidArgument:
//   Cast(X) → Y                     to = "float32", "int64", "int32", "uint8", "bool". From float32
//                                   to an integer the fraction is dropped, what is out of range
//                                   becomes the end of the range, and a NaN 0. "bfloat16": from
//                                   float32 alone, rounded to the nearest, and back.
//   Concat(X, …) → Y                axis ≥ 0.
//   Expand(X) → Y                   shape; Y's shape is that to which X's and this one broadcast.
//   Gather(X, indices) → Y          axis ≥ 0.
//   GatherElements(X, indices) → Y  axis ≥ 0.
//   GatherND(X, indices) → Y        batch_dims (0).
//   GatherGrad GatherElementsGrad GatherNDGrad (dY, indices) → dX
//                                   float32, attributes as the forward op: the elements of dY,
//                                   in their order, are added where X's were taken. X's shape is
//                                   the output type's.
//   Slice(X) → Y                    starts, ends, and of the same length axes (≥ 0; missing: 0, 1,
//                                   …) and steps (missing: 1). Normalised: 0 ≤ start ≤ end ≤ n for
//                                   a step > 0, −1 ≤ end ≤ start < n for one < 0.
//   SliceGrad(dY) → dX              float32, attributes as the forward op: dY where the elements of
//                                   X were taken, 0 elsewhere. X's shape is the output type's.
//   Split(X) → Y, …                 axis ≥ 0; split: the sizes along it.
//   Transpose(X) → Y                perm (missing: the dimensions in reverse).
//   Trilu(X) → Y                    upper (1), k (0): of the last two dimensions what lies on and
//                                   above (upper = 0: below) the k-th diagonal; zeros elsewhere.
#ifndef RM_KERNELS_API_OP_H_
#define RM_KERNELS_API_OP_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "kernels/api/tensor.h"

namespace rm::kernels {

using Attribute =
    std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>>;

// Attributes by name, in the order of their names. Thread-compatible. The getters return the
// fallback when the attribute is missing or of another kind.
class Attributes {
 public:
  Attributes() = default;
  Attributes(std::initializer_list<std::pair<const std::string, Attribute>> list) : map_(list) {}

  // Adds the attribute, or replaces its value.
  void Set(absl::string_view name, Attribute value);
  // Removes the attribute; nothing happens when there is none of this name.
  void Remove(absl::string_view name);

  [[nodiscard]] bool Has(absl::string_view name) const;
  [[nodiscard]] int64_t Int(absl::string_view name, int64_t fallback) const;
  [[nodiscard]] float Float(absl::string_view name, float fallback) const;
  [[nodiscard]] std::string String(absl::string_view name, absl::string_view fallback) const;
  [[nodiscard]] std::vector<int64_t> Ints(absl::string_view name,
                                          const std::vector<int64_t>& fallback) const;
  [[nodiscard]] const std::map<std::string, Attribute>& all() const { return map_; }

  friend bool operator==(const Attributes& a, const Attributes& b) { return a.map_ == b.map_; }

 private:
  std::map<std::string, Attribute> map_;
};

// An operand of one use of an operator. An absent optional operand (input or output) is marked by
// present == false and keeps its place.
struct Operand {
  TensorType type;
  bool present = true;
};

// One use of an operator with every type known. Value semantics.
struct OpInstance {
  std::string op;  // "Conv"
  Attributes attributes;
  std::vector<Operand> inputs;
  std::vector<Operand> outputs;

  [[nodiscard]] bool has_input(size_t i) const { return i < inputs.size() && inputs[i].present; }
  [[nodiscard]] bool has_output(size_t i) const { return i < outputs.size() && outputs[i].present; }

  // "Conv([64, 1, 28, 28], [32, 1, 3, 3]) → [64, 32, 26, 26]", for messages. "-" is an absent
  // operand.
  [[nodiscard]] std::string ToString() const;
};

// The geometry of a 2-D convolution or pooling, read from the ONNX attributes (kernel_shape,
// strides, pads, dilations, group; auto_pad NOTSET only). Sizes in elements.
struct Window2d {
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  int64_t dilation_h = 1, dilation_w = 1;
  int64_t group = 1;

  // ⌊(in + pads − dilation·(kernel − 1) − 1) / stride⌋ + 1; ≤ 0 when the window does not fit.
  [[nodiscard]] int64_t OutputHeight(int64_t input_h) const;
  [[nodiscard]] int64_t OutputWidth(int64_t input_w) const;
};

// Reads the geometry. `weight_shape` (O, I/group, H, W) gives kernel_shape when the attribute is
// missing; it may be empty for pooling. Lists that are too short leave the defaults.
[[nodiscard]] Window2d ReadWindow2d(const Attributes& attributes, const Shape& weight_shape);

}  // namespace rm::kernels

#endif  // RM_KERNELS_API_OP_H_
