// Convolutions and pooling: automatic padding and ceil_mode become pads,
// and windows over one dimension become windows over two, the first of which is 1.
#include <algorithm>
#include <string>
#include <utility>

#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

using kernels::Attributes;
using kernels::Misfit;

using Ints = std::vector<int64_t>;

// The geometry of a window over `spatial` dimensions, with every default filled in.
struct Window {
  Ints kernel;
  Ints strides;
  Ints dilations;
  Ints pads;  // all beginnings, then all ends
};

absl::StatusOr<Ints> ReadList(const Attributes& attributes, const char* name, size_t size,
                              int64_t fallback, int64_t least) {
  const Ints list = attributes.Ints(name, Ints(size, fallback));
  if (list.size() != size) {
    return Misfit("attribute ", name, " has ", list.size(), " numbers, it must have ", size);
  }
  for (int64_t number : list) {
    if (number < least || number > (int64_t{1} << 31)) {
      return Misfit("attribute ", name, " holds ", number);
    }
  }
  return list;
}

// Sizes along an axis within 32 bits, like the strides and dilations that they are multiplied by: no sum
// of two such products overflows.
absl::Status CheckAxes(const char* what, const Ints& sizes) {
  for (int64_t size : sizes) {
    if (size > (int64_t{1} << 31)) return Misfit(what, " has ", size, " elements along an axis");
  }
  return absl::OkStatus();
}

// The kernel is an attribute, or the last dimensions of a weight, which may be anything.
absl::StatusOr<Window> ReadWindow(const Attributes& attributes, const Ints& kernel) {
  RM_RETURN_IF_ERROR(CheckAxes("the window", kernel));
  Window window;
  window.kernel = kernel;
  RM_ASSIGN_OR_RETURN(window.strides, ReadList(attributes, "strides", kernel.size(), 1, 1));
  RM_ASSIGN_OR_RETURN(window.dilations, ReadList(attributes, "dilations", kernel.size(), 1, 1));
  RM_ASSIGN_OR_RETURN(window.pads, ReadList(attributes, "pads", 2 * kernel.size(), 0, 0));
  return window;
}

// auto_pad: SAME gives ⌈in / stride⌉ outputs, the odd element at the end (UPPER) or the beginning
// (LOWER); VALID pads nothing.
// An exporter of TensorFlow's leaves the pads to the runtime, since its batch has no fixed size:
//   in 6, kernel 3, stride 2: 3 outputs reach over 7 elements, so that 1 is added, at the end (UPPER).
absl::Status SettlePads(const std::string& mode, const Ints& spatial, Window* window) {
  if (mode == "NOTSET" || mode.empty()) return absl::OkStatus();
  const size_t n = spatial.size();
  window->pads = Ints(2 * n, 0);
  if (mode == "VALID") return absl::OkStatus();
  if (mode != "SAME_UPPER" && mode != "SAME_LOWER") {
    return Misfit("attribute auto_pad is '", mode, "'");
  }
  for (size_t i = 0; i < n; ++i) {
    const int64_t stride = window->strides[i];
    const int64_t outputs = (spatial[i] + stride - 1) / stride;
    const int64_t reach = (window->kernel[i] - 1) * window->dilations[i] + 1;
    const int64_t total = std::max((outputs - 1) * stride + reach - spatial[i], int64_t{0});
    const int64_t less = total / 2;
    window->pads[i] = mode == "SAME_UPPER" ? less : total - less;
    window->pads[i + n] = total - window->pads[i];
  }
  return absl::OkStatus();
}

// With ceil_mode the last window may hang over the edge: the pads at the end grow until it fits, but no
// window begins there. A maximum never takes what is padded. A mean counts what ONNX counts: none of
// it, or with count_include_pad the pads of the file, which a kernel cannot tell from the new ones.
absl::Status SettleCeilMode(const Attributes& attributes, const Ints& spatial, bool counts_pads,
                            Window* window) {
  if (attributes.Int("ceil_mode", 0) == 0) return absl::OkStatus();
  const size_t n = spatial.size();
  for (size_t i = 0; i < n; ++i) {
    const int64_t reach = (window->kernel[i] - 1) * window->dilations[i] + 1;
    const int64_t padded = spatial[i] + window->pads[i];
    const int64_t room = padded + window->pads[i + n] - reach;
    const int64_t over = room < 0 ? 0 : room % window->strides[i];
    if (over == 0) continue;
    const int64_t start = room - over + window->strides[i];
    if (start >= padded) continue;  // it would begin in the pads at the end, and see nothing
    if (counts_pads) {
      return Misfit("attributes ceil_mode and count_include_pad are 1, and windows of ",
                    window->kernel[i], " by ", window->strides[i], " do not fill ", spatial[i],
                    " padded elements");
    }
    window->pads[i + n] += window->strides[i] - over;
  }
  return absl::OkStatus();
}

// A window of one dimension as one of two, of height 1.
Window Flat(const Window& window) {
  return {{1, window.kernel[0]},
          {1, window.strides[0]},
          {1, window.dilations[0]},
          {0, window.pads[0], 0, window.pads[1]}};
}

void SetWindow(const Window& window, Attributes* attributes) {
  attributes->Set("kernel_shape", window.kernel);
  attributes->Set("strides", window.strides);
  attributes->Set("dilations", window.dilations);
  attributes->Set("pads", window.pads);
}

// (N, C, L) as (N, C, 1, L).
absl::StatusOr<ValueId> WithHeight(BindContext* context, ValueId value, absl::string_view suffix) {
  Ints shape = context->shape(value);
  shape.insert(shape.begin() + 2, 1);
  return context->Reshaped(value, shape, suffix);
}

// The result of a window of height 1 without its third dimension.
absl::Status BecomeWithoutHeight(BindContext* context, ValueId value) {
  Ints shape = context->shape(value);
  shape.erase(shape.begin() + 2);
  RM_ASSIGN_OR_RETURN(const ValueId output, context->Reshaped(value, shape));
  context->SetOutput(0, output);
  return absl::OkStatus();
}

// The operator with its settled window; operands of three dimensions get a fourth and lose it again.
// A weight of three dimensions is a parameter: its reshape is a view, and the gradient goes back
// through it to the parameter in its own shape.
absl::Status BecomeWindow(BindContext* context, std::vector<ValueId> inputs, const Window& window,
                          Attributes attributes) {
  const bool flat = window.kernel.size() == 1;
  SetWindow(flat ? Flat(window) : window, &attributes);
  if (!flat) return context->Become(context->node().op, std::move(inputs), attributes);
  RM_ASSIGN_OR_RETURN(inputs[0], WithHeight(context, inputs[0], "/image"));
  if (inputs.size() > 1) {
    RM_ASSIGN_OR_RETURN(inputs[1], WithHeight(context, inputs[1], "/kernel"));
  }
  RM_ASSIGN_OR_RETURN(const ValueId output,
                      context->Append(context->node().op, inputs, attributes, "/flat"));
  return BecomeWithoutHeight(context, output);
}

// Sizes without batch and channels. One or two of them: more have no kernels.
absl::StatusOr<Ints> SpatialSizes(const Ints& shape) {
  if (shape.size() < 3 || shape.size() > 4) {
    return Misfit("X has ", shape.size(), " dimensions; 3 and 4 are known");
  }
  return Ints(shape.begin() + 2, shape.end());
}

}  // namespace

absl::Status BindConv(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(2));
  const Attributes& given = context->node().attributes;
  RM_ASSIGN_OR_RETURN(const Ints spatial, SpatialSizes(context->shape(context->input(0))));
  const Ints weight = context->shape(context->input(1));
  if (weight.size() != spatial.size() + 2) {
    return Misfit("W has ", weight.size(), " dimensions, X has ", spatial.size() + 2);
  }
  const Ints kernel(weight.begin() + 2, weight.end());
  if (given.Has("kernel_shape") && given.Ints("kernel_shape", {}) != kernel) {
    return Misfit("attribute kernel_shape is not that of W");
  }
  RM_ASSIGN_OR_RETURN(Window window, ReadWindow(given, kernel));
  RM_RETURN_IF_ERROR(SettlePads(given.String("auto_pad", "NOTSET"), spatial, &window));
  Attributes attributes = {{"group", given.Int("group", 1)}};
  if (given.Has("activation")) attributes.Set("activation", given.String("activation", ""));
  return BecomeWindow(context, context->inputs(), window, attributes);
}

namespace {

// A transposed convolution lays the window of each element of X onto Y, a stride apart, and adds up where they
// overlap. The pads are cut off:
//
//   in 2, kernel 3, stride 2:  windows at 0 … 2 and 2 … 4; with pads 1, 1 the output is elements 1 … 3
//
// The pads of a transposed convolution, whose output is
//   stride · (in − 1) + output_padding + reach − pads
// elements along an axis: what output_shape or auto_pad ask for decides about them. Elements that the
// output has more than windows reach (output_padding) are less padding at the end, which may be
// negative there.
absl::StatusOr<Ints> TransposedPads(const Attributes& given, const Ints& spatial,
                                    const Window& window) {
  const size_t n = spatial.size();
  RM_RETURN_IF_ERROR(CheckAxes("X", spatial));
  RM_ASSIGN_OR_RETURN(const Ints more, ReadList(given, "output_padding", n, 0, 0));
  const std::string mode = given.String("auto_pad", "NOTSET");
  const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  if (!same && mode != "NOTSET" && mode != "VALID" && !mode.empty()) {
    return Misfit("attribute auto_pad is '", mode, "'");
  }
  Ints pads = mode == "VALID" ? Ints(2 * n, 0) : window.pads;
  const Ints wanted = given.Ints("output_shape", {});
  if (!wanted.empty() && wanted.size() != n) {
    return Misfit("attribute output_shape has ", wanted.size(), " numbers, it must have ", n);
  }
  for (size_t i = 0; i < n; ++i) {
    const int64_t reach = (window.kernel[i] - 1) * window.dilations[i] + 1;
    const int64_t full = window.strides[i] * (spatial[i] - 1) + more[i] + reach;
    if (same || !wanted.empty()) {
      const int64_t outputs = wanted.empty() ? spatial[i] * window.strides[i] : wanted[i];
      if (outputs < 1) return Misfit("attribute output_shape holds ", outputs);
      const int64_t total = full - outputs;
      const int64_t before = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
      if (before < 0) return Misfit("attribute output_shape holds ", outputs);
      pads[i] = before;
      pads[i + n] = total - before;
    }
    pads[i + n] -= more[i];
  }
  return pads;
}

}  // namespace

// In the graph it is the operator of a convolution's gradient (kernels/api/op.h), run forward. A bias is
// added behind it. Pads at the end that came out negative are zeros behind it: no
// window reaches there.
absl::Status BindConvTranspose(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(2));
  const Attributes& given = context->node().attributes;
  const Ints w = context->shape(context->input(1));
  RM_ASSIGN_OR_RETURN(const Ints spatial, SpatialSizes(context->shape(context->input(0))));
  if (w.size() != spatial.size() + 2) {
    return Misfit("W has ", w.size(), " dimensions, X ", spatial.size() + 2);
  }
  RM_ASSIGN_OR_RETURN(Window window, ReadWindow(given, Ints(w.begin() + 2, w.end())));
  RM_ASSIGN_OR_RETURN(window.pads, TransposedPads(given, spatial, window));
  ValueId x = context->input(0);
  ValueId kernel = context->input(1);
  const bool flat = spatial.size() == 1;
  if (flat) {
    window = Flat(window);
    RM_ASSIGN_OR_RETURN(x, WithHeight(context, x, "/image"));
    RM_ASSIGN_OR_RETURN(kernel, WithHeight(context, kernel, "/kernel"));
  }
  Ints beyond = {0, 0};
  for (size_t i : {size_t{0}, size_t{1}}) {
    beyond[i] = std::max(-window.pads[i + 2], int64_t{0});
    window.pads[i + 2] += beyond[i];
  }
  Attributes attributes = {{"group", given.Int("group", 1)}};
  SetWindow(window, &attributes);
  attributes.Set("output_padding", beyond);
  RM_ASSIGN_OR_RETURN(ValueId y,
                      context->Append("ConvTranspose", {x, kernel}, attributes, "/images"));
  if (context->has_input(2)) {
    const int64_t channels = context->shape(y)[1];
    RM_ASSIGN_OR_RETURN(const ValueId bias,
                        context->Reshaped(context->input(2), {channels, 1, 1}, "/bias"));
    RM_ASSIGN_OR_RETURN(y, context->Append("Add", {y, bias}, {}, flat ? "/biased" : ""));
  }
  if (flat) return BecomeWithoutHeight(context, y);
  context->SetOutput(0, y);
  return absl::OkStatus();
}

// MaxPool and AveragePool.
absl::Status BindPool(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  if (context->output_is_used(1)) return Misfit("its output 'Indices' is used, which is not known");
  const Attributes& given = context->node().attributes;
  RM_ASSIGN_OR_RETURN(const Ints spatial, SpatialSizes(context->shape(context->input(0))));
  RM_ASSIGN_OR_RETURN(const Ints kernel,
                      ReadList(given, "kernel_shape", spatial.size(), 1, 1));
  if (!given.Has("kernel_shape")) return Misfit("it lacks the attribute kernel_shape");
  RM_ASSIGN_OR_RETURN(Window window, ReadWindow(given, kernel));
  RM_RETURN_IF_ERROR(SettlePads(given.String("auto_pad", "NOTSET"), spatial, &window));
  const auto padded = [](int64_t pad) { return pad != 0; };
  const bool counts_pads = given.Int("count_include_pad", 0) != 0 &&
                           std::any_of(window.pads.begin(), window.pads.end(), padded);
  RM_RETURN_IF_ERROR(SettleCeilMode(given, spatial, counts_pads, &window));
  Attributes attributes;
  if (context->node().op == "AveragePool") {
    attributes.Set("count_include_pad", int64_t{counts_pads ? 1 : 0});
  }
  return BecomeWindow(context, {context->input(0)}, window, attributes);
}

// Over whatever lies behind the channels.
absl::Status BindGlobalAveragePool(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const ValueId x = context->input(0);
  if (context->shape(x).size() != 3) return context->Become("GlobalAveragePool", {x});
  RM_ASSIGN_OR_RETURN(const ValueId image, WithHeight(context, x, "/image"));
  RM_ASSIGN_OR_RETURN(const ValueId output,
                      context->Append("GlobalAveragePool", {image}, {}, "/flat"));
  return BecomeWithoutHeight(context, output);
}

}  // namespace rm::graph
