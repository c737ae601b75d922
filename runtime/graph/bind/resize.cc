// Resize: images of another size.
//
// Along each axis the result is a linear map of the operand, known when the sizes are. The nearest
// element is a Gather with constant indices; linear and cubic interpolation are products with a
// constant matrix of weights:
//
//   Y (…, H', W') = M_h (H', H) · X (…, H, W) · M_wᵀ (W, W')
//
// Both have gradients, and a matrix serves every mode of coordinates alike. A row of M_h has two numbers
// other than 0 for linear interpolation, four for cubic:
//
//   3 elements to 6, half pixels:  row 1 is [3/4 1/4 0], element 1 of Y being 1/4 of the way from
//   element 0 of X to element 1
//
// That the zeros are multiplied too costs less than a pass over memory for each neighbour, up to images
// of a few hundred pixels a side. Axes that keep their size cost nothing.
#include <algorithm>
#include <cmath>
#include <string>

#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

using kernels::DType;
using kernels::Misfit;

using Ints = std::vector<int64_t>;

// One axis that changes its size. The scale is outputs / inputs where sizes were given: as two
// whole numbers, so that a coordinate which falls on an element falls on it exactly.
struct AxisResize {
  int64_t axis;
  int64_t inputs;
  int64_t outputs;
  double times;    // a coordinate of Y times this, over
  double divisor;  // this, is one of X
};

// Where element `i` of Y lies among the elements of X: 0 is the middle of the first one. The names are
// ONNX's. PyTorch writes half_pixel or pytorch_half_pixel for images, align_corners where it is asked for
// that, and asymmetric with floor for its nearest neighbours.
absl::StatusOr<double> Coordinate(const std::string& mode, const AxisResize& resize, int64_t i) {
  const auto at = static_cast<double>(i);
  const double half = (at + 0.5) * resize.times / resize.divisor - 0.5;
  if (mode == "half_pixel") return half;
  if (mode == "pytorch_half_pixel") return resize.outputs > 1 ? half : 0.0;
  if (mode == "asymmetric") return at * resize.times / resize.divisor;
  if (mode == "align_corners") {
    if (resize.outputs == 1) return 0.0;
    return at * static_cast<double>(resize.inputs - 1) / static_cast<double>(resize.outputs - 1);
  }
  if (mode == "half_pixel_symmetric") {
    const auto inputs = static_cast<double>(resize.inputs);
    const double exact = inputs * resize.divisor / resize.times;
    return half + inputs / 2 * (1 - static_cast<double>(resize.outputs) / exact);
  }
  return Misfit("attribute coordinate_transformation_mode is '", mode, "', which is not known");
}

// The element that a coordinate between two of them stands for. Halves are what the modes differ in.
absl::StatusOr<int64_t> Nearest(const std::string& mode, double x, int64_t inputs) {
  double whole = 0;
  if (mode == "round_prefer_floor") {
    whole = std::ceil(x - 0.5);
  } else if (mode == "round_prefer_ceil") {
    whole = std::floor(x + 0.5);
  } else if (mode == "floor") {
    whole = std::floor(x);
  } else if (mode == "ceil") {
    whole = std::ceil(x);
  } else {
    return Misfit("attribute nearest_mode is '", mode, "', which is not known");
  }
  return static_cast<int64_t>(std::clamp(whole, 0.0, static_cast<double>(inputs - 1)));
}

// The weights of the four neighbours of a coordinate `t` behind the second of them, by Keys' cubic.
std::vector<double> CubicWeights(double t, double a) {
  const auto near = [a](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
  const auto far = [a](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
  return {far(1 + t), near(t), near(1 - t), far(2 - t)};
}

// Adds the weights of one element of Y to its row. Neighbours beyond the edge are the edge's own
// element, or with exclude_outside nothing, the others taking their share.
void AddWeights(const kernels::Attributes& given, double x, int64_t inputs, float* row,
                size_t stride) {
  const double below = std::floor(x);
  const bool cubic = given.String("mode", "nearest") == "cubic";
  const double a = static_cast<double>(given.Float("cubic_coeff_a", -0.75F));
  const std::vector<double> weights =
      cubic ? CubicWeights(x - below, a) : std::vector<double>{1 - (x - below), x - below};
  const auto first = static_cast<int64_t>(below) - (cubic ? 1 : 0);
  const bool exclude = cubic && given.Int("exclude_outside", 0) != 0;
  double total = 0;
  for (size_t k = 0; k < weights.size(); ++k) {
    const int64_t at = first + static_cast<int64_t>(k);
    if (!exclude || (at >= 0 && at < inputs)) total += weights[k];
  }
  for (size_t k = 0; k < weights.size(); ++k) {
    const int64_t at = first + static_cast<int64_t>(k);
    if (exclude && (at < 0 || at >= inputs)) continue;
    const auto to = static_cast<size_t>(std::clamp(at, int64_t{0}, inputs - 1));
    row[to * stride] += static_cast<float>(weights[k] / total);
  }
}

// The nearest elements: indices along the axis.
absl::StatusOr<ValueId> ResizeNearest(BindContext* context, ValueId x, const AxisResize& resize,
                                      const std::string& mode) {
  const std::string rounding =
      context->node().attributes.String("nearest_mode", "round_prefer_floor");
  RM_RETURN_IF_ERROR(context->CheckRoom(8 * resize.outputs));
  Ints indices;
  for (int64_t i = 0; i < resize.outputs; ++i) {
    RM_ASSIGN_OR_RETURN(const double at, Coordinate(mode, resize, i));
    RM_ASSIGN_OR_RETURN(const int64_t index, Nearest(rounding, at, resize.inputs));
    indices.push_back(index);
  }
  const ValueId taken = context->Constant("/indices", DType::kInt64, {resize.outputs},
                                          Initializer::OfIntegers(indices));
  return context->Append("Gather", {x, taken}, {{"axis", resize.axis}}, "/axis");
}

// Interpolated elements: the weights as a matrix, in front of X or behind it.
absl::StatusOr<ValueId> Interpolate(BindContext* context, ValueId x, const AxisResize& resize,
                                    const std::string& mode) {
  const auto rank = static_cast<int64_t>(context->shape(x).size());
  const bool last = resize.axis == rank - 1;
  if (!last && resize.axis != rank - 2) {
    return Misfit("it interpolates along axis ", resize.axis, " of ", rank,
                  "; the last two are known");
  }
  RM_ASSIGN_OR_RETURN(const int64_t elements, CheckedElements({resize.outputs, resize.inputs}));
  RM_RETURN_IF_ERROR(context->CheckRoom(4 * elements));
  const auto inputs = static_cast<size_t>(resize.inputs);
  const auto outputs = static_cast<size_t>(resize.outputs);
  std::vector<float> weights(static_cast<size_t>(elements));
  for (int64_t i = 0; i < resize.outputs; ++i) {
    RM_ASSIGN_OR_RETURN(const double at, Coordinate(mode, resize, i));
    const auto row = static_cast<size_t>(i);
    AddWeights(context->node().attributes, at, resize.inputs,
               weights.data() + (last ? row : row * inputs), last ? outputs : 1);
  }
  const Ints shape = last ? Ints{resize.inputs, resize.outputs}
                          : Ints{resize.outputs, resize.inputs};
  const ValueId matrix = context->Constant("/weights", DType::kFloat32, shape,
                                           Initializer::Of(std::move(weights)));
  const std::vector<ValueId> operands =
      last ? std::vector<ValueId>{x, matrix} : std::vector<ValueId>{matrix, x};
  return context->Append("MatMul", operands, {}, "/axis");
}

// What is neither a default nor known. Antialiasing would be more numbers a row, and a scale that keeps the
// aspect another size; no exporter of the ones that were tried writes either.
absl::Status CheckForm(const kernels::Attributes& given, const std::string& mode) {
  if (mode != "nearest" && mode != "linear" && mode != "cubic") {
    return Misfit("attribute mode is '", mode, "', which is not known");
  }
  if (given.Int("antialias", 0) != 0) return Misfit("attribute antialias is not known");
  const std::string policy = given.String("keep_aspect_ratio_policy", "stretch");
  if (policy != "stretch") {
    return Misfit("attribute keep_aspect_ratio_policy is '", policy, "'; only stretch is known");
  }
  return absl::OkStatus();
}

// Which axes change, and how: by sizes, or else by scales.
absl::StatusOr<std::vector<AxisResize>> ReadAxes(BindContext* context) {
  const Ints shape = context->shape(context->input(0));
  Ints axes = context->node().attributes.Ints("axes", {});
  for (int64_t i = 0; axes.size() < shape.size() && !context->node().attributes.Has("axes"); ++i) {
    axes.push_back(i);
  }
  const bool by_size = context->has_input(3);
  if (!by_size && !context->has_input(2)) return Misfit("it has neither scales nor sizes");
  RM_ASSIGN_OR_RETURN(const std::vector<double> given,
                      by_size ? context->Numbers(3, "sizes") : context->Numbers(2, "scales"));
  if (given.size() != axes.size()) {
    return Misfit("its input '", by_size ? "sizes" : "scales", "' has ", given.size(),
                  " numbers for ", axes.size(), " axes");
  }
  std::vector<AxisResize> resizes;
  for (size_t i = 0; i < axes.size(); ++i) {
    RM_ASSIGN_OR_RETURN(const int64_t axis, kernels::NormalizeAxis(axes[i], shape.size()));
    const int64_t inputs = shape[static_cast<size_t>(axis)];
    // The product in float32, as ONNX's definition and PyTorch have it: the scale 0.7 as a float is a
    // little less than 0.7, and 10 elements become 7 only because the product is rounded.
    const float scaled = static_cast<float>(inputs) * static_cast<float>(given[i]);
    const double outputs = by_size ? given[i] : static_cast<double>(std::floor(scaled));
    if (!(given[i] > 0) || !(outputs >= 1 && outputs <= static_cast<double>(int64_t{1} << 31))) {
      return Misfit("its input '", by_size ? "sizes" : "scales", "' holds ", given[i], " for ",
                    inputs, " elements");
    }
    AxisResize resize = {axis, inputs, static_cast<int64_t>(outputs), 1, given[i]};
    if (by_size) resize.times = static_cast<double>(inputs);
    // A scale such as 1.1 may leave a short axis its size and move its elements all the same.
    if (resize.outputs != inputs || (!by_size && given[i] != 1)) resizes.push_back(resize);
  }
  return resizes;
}

}  // namespace

absl::Status BindResize(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const kernels::Attributes& given = context->node().attributes;
  const std::string mode = given.String("mode", "nearest");
  const std::string coordinates = given.String("coordinate_transformation_mode", "half_pixel");
  RM_RETURN_IF_ERROR(CheckForm(given, mode));
  RM_ASSIGN_OR_RETURN(const std::vector<AxisResize> resizes, ReadAxes(context));
  ValueId value = context->input(0);
  for (const AxisResize& resize : resizes) {
    if (resize.inputs < 1) return Misfit("axis ", resize.axis, " has no elements");
    RM_ASSIGN_OR_RETURN(value, mode == "nearest"
                                   ? ResizeNearest(context, value, resize, coordinates)
                                   : Interpolate(context, value, resize, coordinates));
  }
  context->SetOutput(0, value);
  return absl::OkStatus();
}

}  // namespace rm::graph
