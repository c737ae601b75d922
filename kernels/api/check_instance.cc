// One function an operator, and one row of a table at the end. A rule returns the sentence that is
// broken, without the instance, which CheckInstance puts before it. The operands' number, dtypes
// and ranks for layouts are checked by the table before the rule runs, so a rule may index them;
// the ranks and shapes are the rule's own to check before it uses them.
#include "kernels/api/check_instance.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace rm::kernels {
namespace {

// The rule an instance breaks, or "" when it breaks none.
using Rule = std::string (*)(const OpInstance&);

const Shape& In(const OpInstance& instance, size_t i) { return instance.inputs[i].type.shape; }
const Shape& Out(const OpInstance& instance, size_t i) { return instance.outputs[i].type.shape; }

// --- Matrices ---

// ONNX broadcasts Gemm's C in one direction only: it may be stretched to Y, Y may not grow.
bool StretchesTo(const Shape& shape, const Shape& target) {
  Shape result;
  return BroadcastShape(shape, target, &result) && result == target;
}

// A transposed operand is given as it lies in memory, so its two dimensions change places here.
std::string CheckGemm(const OpInstance& op) {
  const Shape& a = In(op, 0);
  const Shape& b = In(op, 1);
  const Shape& y = Out(op, 0);
  if (a.size() != 2 || b.size() != 2 || y.size() != 2) return "A, B and Y must be matrices";
  const bool trans_a = op.attributes.Int("transA", 0) != 0;
  const bool trans_b = op.attributes.Int("transB", 0) != 0;
  if (a[trans_a ? 0 : 1] != b[trans_b ? 1 : 0]) return "the inner dimensions of A and B differ";
  if (y != Shape{a[trans_a ? 1 : 0], b[trans_b ? 0 : 1]}) return "Y has not the product's shape";
  if (op.has_input(2) && !StretchesTo(In(op, 2), y)) return "C does not broadcast to Y";
  return "";
}

// A vector is taken as a row on the left, as a column on the right; its dimension of 1 is not in Y.
std::string CheckMatMul(const OpInstance& op) {
  Shape a = In(op, 0);
  Shape b = In(op, 1);
  if (a.empty() || b.empty()) return "A and B may not be scalars";
  const bool row = a.size() == 1;
  const bool column = b.size() == 1;
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  if (a.back() != b[b.size() - 2]) return "the inner dimensions of A and B differ";
  Shape expected;
  if (!BroadcastShape(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2), &expected)) {
    return "the batch dimensions of A and B do not broadcast";
  }
  if (!row) expected.push_back(a[a.size() - 2]);
  if (!column) expected.push_back(b.back());
  return Out(op, 0) == expected ? "" : absl::StrCat("Y must be ", ShapeString(expected));
}

// --- Images ---

// What holds for convolutions and pools alike. ONNX allows none of this to be violated, but models
// come from outside, and a stride of 0 would divide by zero in every kernel.
std::string CheckWindow(const Window2d& window) {
  if (window.kernel_h < 1 || window.kernel_w < 1) return "kernel_shape must be positive";
  if (window.stride_h < 1 || window.stride_w < 1) return "strides must be positive";
  if (window.dilation_h < 1 || window.dilation_w < 1) return "dilations must be positive";
  if (std::min({window.pad_top, window.pad_left, window.pad_bottom, window.pad_right}) < 0) {
    return "pads may not be negative";
  }
  return "";
}

// The rules shared by Conv and its gradients, given the shapes of X, W and Y. The gradients have
// the same three tensors in other places: one is the output, and dX and dW have X's and W's shapes.
std::string CheckConvShapes(const OpInstance& op, const Shape& x, const Shape& w, const Shape& y) {
  if (x.size() != 4 || w.size() != 4 || y.size() != 4) return "X, W and Y must have rank 4";
  const Window2d window = ReadWindow2d(op.attributes, w);
  std::string broken = CheckWindow(window);
  if (!broken.empty()) return broken;
  if (op.attributes.String("auto_pad", "NOTSET") != "NOTSET") return "auto_pad must be NOTSET";
  if (window.kernel_h != w[2] || window.kernel_w != w[3]) return "kernel_shape is not that of W";
  if (window.group < 1 || w[0] % window.group != 0) return "group must divide the channels of Y";
  if (w[1] * window.group != x[1]) {
    return absl::StrCat("W has ", w[1], " channels a group, X has ", x[1], " in ", window.group);
  }
  const Shape expected{x[0], w[0], window.OutputHeight(x[2]), window.OutputWidth(x[3])};
  return y == expected ? "" : absl::StrCat("Y must be ", ShapeString(expected));
}

std::string CheckConv(const OpInstance& op) {
  std::string broken = CheckConvShapes(op, In(op, 0), In(op, 1), Out(op, 0));
  if (broken.empty() && op.has_input(2) && In(op, 2) != Shape{Out(op, 0)[1]}) {
    broken = "B must have one element for each channel of Y";
  }
  return broken;
}

// dY takes Y's place among the inputs, X is the output.
std::string CheckConvGradInput(const OpInstance& op) {
  return CheckConvShapes(op, Out(op, 0), In(op, 1), In(op, 0));
}

// W is the output; its gradient may come with the bias's.
std::string CheckConvGradWeight(const OpInstance& op) {
  std::string broken = CheckConvShapes(op, In(op, 0), Out(op, 0), In(op, 1));
  if (broken.empty() && op.has_output(1) && Out(op, 1) != Shape{In(op, 1)[1]}) {
    broken = "dB must have one element for each channel of Y";
  }
  return broken;
}

// True when every window along one dimension holds an element of the image: padding alone has no
// maximum.
bool EveryWindowHasAnElement(int64_t outputs, int64_t input, int64_t pad, int64_t kernel,
                             int64_t stride, int64_t dilation) {
  for (int64_t o = 0; o < outputs; ++o) {
    bool found = false;
    for (int64_t k = 0; k < kernel; ++k) {
      const int64_t position = o * stride - pad + k * dilation;
      found = found || (position >= 0 && position < input);
    }
    if (!found) return false;
  }
  return true;
}

// The rules shared by MaxPool and its gradient, given the shapes of X and Y. An index of one byte
// can tell 256 positions apart.
std::string CheckPool(const OpInstance& op, const Shape& x, const Shape& y, bool has_index) {
  if (x.size() != 4 || y.size() != 4) return "X and Y must have rank 4";
  const Window2d window = ReadWindow2d(op.attributes, {});
  std::string broken = CheckWindow(window);
  if (!broken.empty()) return broken;
  if (op.attributes.String("auto_pad", "NOTSET") != "NOTSET") return "auto_pad must be NOTSET";
  if (op.attributes.Int("ceil_mode", 0) != 0) return "ceil_mode must be 0";
  if (op.attributes.Int("storage_order", 0) != 0) return "storage_order must be 0";
  if (has_index && window.kernel_h * window.kernel_w > 256) {
    return "WindowIndex needs windows of at most 256 elements";
  }
  const Shape expected{x[0], x[1], window.OutputHeight(x[2]), window.OutputWidth(x[3])};
  if (y != expected) return absl::StrCat("Y must be ", ShapeString(expected));
  if (!EveryWindowHasAnElement(y[2], x[2], window.pad_top, window.kernel_h, window.stride_h,
                               window.dilation_h) ||
      !EveryWindowHasAnElement(y[3], x[3], window.pad_left, window.kernel_w, window.stride_w,
                               window.dilation_w)) {
    return "a window lies wholly in the padding";
  }
  return "";
}

// The index says for each element of Y where in the window it came from.
std::string CheckMaxPool(const OpInstance& op) {
  if (op.has_output(1) && Out(op, 1) != Out(op, 0)) return "WindowIndex must have Y's shape";
  return CheckPool(op, In(op, 0), Out(op, 0), op.has_output(1));
}

std::string CheckMaxPoolGrad(const OpInstance& op) {
  if (In(op, 1) != In(op, 0)) return "WindowIndex must have dY's shape";
  return CheckPool(op, Out(op, 0), In(op, 0), true);
}

// --- Elements ---

std::string CheckAdd(const OpInstance& op) {
  Shape expected;
  if (!BroadcastShape(In(op, 0), In(op, 1), &expected)) return "A and B do not broadcast";
  return Out(op, 0) == expected ? "" : absl::StrCat("Y must be ", ShapeString(expected));
}

// For operators that compute each element of the output from those at the same place.
std::string CheckSameShapes(const OpInstance& op) {
  for (const Operand& input : op.inputs) {
    if (input.type.shape != Out(op, 0)) return "all operands must have one shape";
  }
  return "";
}

// Reshape's second input (the shape) is ignored, whatever it is.
std::string CheckCopy(const OpInstance& op) {
  if (op.inputs[0].type.dtype != op.outputs[0].type.dtype) return "X and Y must have one dtype";
  if (op.inputs[0].type.elements() != op.outputs[0].type.elements()) {
    return "X and Y must have as many elements";
  }
  return "";
}

// The same logical tensor on both sides; that both are images is checked where a layout is not
// plain.
std::string CheckReorder(const OpInstance& op) {
  if (op.inputs[0].type.dtype != op.outputs[0].type.dtype) return "X and Y must have one dtype";
  return In(op, 0) == Out(op, 0) ? "" : "X and Y must have one shape";
}

// Negative axes count from the back. An axis that is named twice is summed once, as in numpy.
std::string CheckReduceSum(const OpInstance& op) {
  const Shape& x = In(op, 0);
  const auto rank = static_cast<int64_t>(x.size());
  absl::InlinedVector<bool, 6> reduced(x.size(), op.attributes.Ints("axes", {}).empty());
  for (const int64_t axis : op.attributes.Ints("axes", {})) {
    if (axis < -rank || axis >= rank) return absl::StrCat("there is no axis ", axis);
    reduced[static_cast<size_t>(axis < 0 ? axis + rank : axis)] = true;
  }
  const bool keep = op.attributes.Int("keepdims", 1) != 0;
  Shape expected;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!reduced[i]) expected.push_back(x[i]);
    if (reduced[i] && keep) expected.push_back(1);
  }
  return Out(op, 0) == expected ? "" : absl::StrCat("Y must be ", ShapeString(expected));
}

// --- Loss and update ---

// Rows (B, C) with a label and a weight each.
std::string CheckLabelled(const OpInstance& op) {
  if (In(op, 0).size() != 2) return "the first input must be (B, C)";
  const Shape rows{In(op, 0)[0]};
  return In(op, 1) == rows && In(op, 2) == rows ? "" : "labels and weights must be (B)";
}

// The loss is a tensor of one element, not a scalar, so that it can lie in a flat buffer.
std::string CheckLoss(const OpInstance& op) {
  if (Out(op, 0) != Shape{1}) return "the loss must be (1)";
  if (op.has_output(1) && Out(op, 1) != In(op, 0)) return "probabilities must be (B, C)";
  return CheckLabelled(op);
}

std::string CheckLossGrad(const OpInstance& op) {
  if (In(op, 3) != Shape{1}) return "scale must be (1)";
  if (Out(op, 0) != In(op, 0)) return "dlogits must be (B, C)";
  return CheckLabelled(op);
}

std::string CheckCountCorrect(const OpInstance& op) {
  if (Out(op, 0) != Shape{1}) return "the count must be (1)";
  return CheckLabelled(op);
}

// The update runs over whole buckets, whose shape is one number; any shape is as good.
std::string CheckSgdUpdate(const OpInstance& op) {
  const Shape& w = In(op, 0);
  if (In(op, 1) != w || In(op, 2) != w || Out(op, 0) != w || Out(op, 1) != w) {
    return "w, g and m must have one shape";
  }
  return In(op, 3) == Shape{4} ? "" : "hyper must be (4)";
}

// --- The table ---

// Operands are written as one letter each: f float32, i int64, u uint8, * any dtype.
struct OpRules {
  absl::string_view op;
  absl::string_view inputs;
  size_t inputs_min;  // the others are optional
  absl::string_view outputs;
  size_t outputs_min;
  Rule rule;
};

constexpr OpRules kRules[] = {
    {"Gemm", "fff", 2, "f", 1, &CheckGemm},
    {"MatMul", "ff", 2, "f", 1, &CheckMatMul},
    {"Conv", "fff", 2, "f", 1, &CheckConv},
    {"ConvGradInput", "ff", 2, "f", 1, &CheckConvGradInput},
    {"ConvGradWeight", "ff", 2, "ff", 1, &CheckConvGradWeight},
    {"Add", "ff", 2, "f", 1, &CheckAdd},
    {"Relu", "f", 1, "f", 1, &CheckSameShapes},
    {"ReluGrad", "ff", 2, "f", 1, &CheckSameShapes},
    {"MaxPool", "f", 1, "fu", 1, &CheckMaxPool},
    {"MaxPoolGrad", "fu", 2, "f", 1, &CheckMaxPoolGrad},
    {"Flatten", "*", 1, "*", 1, &CheckCopy},
    {"Reshape", "**", 1, "*", 1, &CheckCopy},
    {"ReduceSum", "f", 1, "f", 1, &CheckReduceSum},
    {"Reorder", "*", 1, "*", 1, &CheckReorder},
    {"SoftmaxCrossEntropy", "fif", 3, "ff", 1, &CheckLoss},
    {"SoftmaxCrossEntropyGrad", "fiff", 4, "f", 1, &CheckLossGrad},
    {"CountCorrect", "fif", 3, "f", 1, &CheckCountCorrect},
    {"SgdUpdate", "ffff", 4, "ff", 2, &CheckSgdUpdate},
};

// Some twenty rows, asked when a graph is compiled: no index is needed.
const OpRules* FindRules(absl::string_view op) {
  for (const OpRules& rules : kRules) {
    if (rules.op == op) return &rules;
  }
  return nullptr;
}

// A letter of OpRules against a dtype.
bool DTypeFits(char letter, DType dtype) {
  switch (letter) {
    case 'f': return dtype == DType::kFloat32;
    case 'i': return dtype == DType::kInt64;
    case 'u': return dtype == DType::kUInt8;
    default: return true;
  }
}

// Number, presence, dtype and layout of one side's operands; the first thing that is wrong.
// `side` is "input" or "output".
std::string CheckOperands(const std::vector<Operand>& operands, absl::string_view letters,
                          size_t min, absl::string_view side) {
  if (operands.size() < min || operands.size() > letters.size()) {
    return absl::StrCat("wrong number of ", side, "s");
  }
  for (size_t i = 0; i < operands.size(); ++i) {
    const TensorType& type = operands[i].type;
    if (!operands[i].present) {
      if (i < min) return absl::StrCat(side, " ", i, " is missing");
      continue;
    }
    if (!DTypeFits(letters[i], type.dtype)) {
      return absl::StrCat(side, " ", i, " may not be ", DTypeName(type.dtype));
    }
    if (type.layout != Layout::kPlain && type.shape.size() != 4) {
      return absl::StrCat(side, " ", i, " is no image and must be plain");
    }
  }
  return "";
}

// An absent operand has no layout that could matter.
bool IsPlain(const Operand& operand) {
  return !operand.present || operand.type.layout == Layout::kPlain;
}

}  // namespace

absl::Status CheckInstance(const OpInstance& instance) {
  const OpRules* rules = FindRules(instance.op);
  if (rules == nullptr) {
    return absl::NotFoundError(absl::StrCat("there is no operator ", instance.op));
  }
  std::string broken =
      CheckOperands(instance.inputs, rules->inputs, rules->inputs_min, "input");
  if (broken.empty()) {
    broken = CheckOperands(instance.outputs, rules->outputs, rules->outputs_min, "output");
  }
  if (broken.empty()) broken = rules->rule(instance);
  if (broken.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(instance.ToString(), ": ", broken));
}

bool AllPlain(const OpInstance& instance) {
  return std::all_of(instance.inputs.begin(), instance.inputs.end(), &IsPlain) &&
         std::all_of(instance.outputs.begin(), instance.outputs.end(), &IsPlain);
}

bool BroadcastShape(const Shape& a, const Shape& b, Shape* result) {
  const size_t rank = std::max(a.size(), b.size());
  result->assign(rank, 1);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t da = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t db = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (da != db && da != 1 && db != 1) return false;
    (*result)[rank - 1 - i] = da == 1 ? db : da;
  }
  return true;
}

}  // namespace rm::kernels
