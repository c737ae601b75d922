// Convolutions and pooling: automatic padding is worked out, ceil_mode is checked to change nothing,
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

absl::StatusOr<Window> ReadWindow(const Attributes& attributes, const Ints& kernel) {
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

// With ceil_mode the last window may hang over the edge. Kernels do not know that: it may only be
// asked for where it makes no difference.
absl::Status CheckCeilMode(const Attributes& attributes, const Ints& spatial,
                           const Window& window) {
  if (attributes.Int("ceil_mode", 0) == 0) return absl::OkStatus();
  for (size_t i = 0; i < spatial.size(); ++i) {
    const int64_t reach = (window.kernel[i] - 1) * window.dilations[i] + 1;
    const int64_t room = spatial[i] + window.pads[i] + window.pads[i + spatial.size()] - reach;
    if (room >= 0 && room % window.strides[i] != 0) {
      return Misfit("attribute ceil_mode is 1, and windows of ", window.kernel[i], " by ",
                    window.strides[i], " do not fill ", spatial[i],
                    " elements; pad the input to a full number of windows");
    }
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
  RM_RETURN_IF_ERROR(CheckCeilMode(given, spatial, window));
  Attributes attributes;
  if (given.Has("count_include_pad")) {
    attributes.Set("count_include_pad", given.Int("count_include_pad", 0));
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
