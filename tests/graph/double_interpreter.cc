#include "tests/graph/double_interpreter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/check.h"
#include "tests/graph/double_scene.h"

namespace rm::graph {
namespace {

using kernels::Shape;
using kernels::Window2d;

void RunAdd(const Scene& s) {
  const Shape& y = s.out_shapes[0];
  for (int64_t i = 0; i < kernels::ElementCount(y); ++i) {
    (*s.out[0])[Size(i)] = (*s.in[0])[BroadcastIndex(s.in_shapes[0], y, i)] +
                           (*s.in[1])[BroadcastIndex(s.in_shapes[1], y, i)];
  }
}

void RunRelu(const Scene& s) {
  std::transform(s.in[0]->begin(), s.in[0]->end(), s.out[0]->begin(),
                 [](double x) { return std::max(x, 0.0); });
}

void RunCopy(const Scene& s) { *s.out[0] = *s.in[0]; }

void RunGemm(const Scene& s) {
  const bool ta = s.node->attributes.Int("transA", 0) != 0;
  const bool tb = s.node->attributes.Int("transB", 0) != 0;
  const double alpha = static_cast<double>(s.node->attributes.Float("alpha", 1));
  const double beta = static_cast<double>(s.node->attributes.Float("beta", 1));
  const Shape& y = s.out_shapes[0];
  const int64_t inner = s.in_shapes[0][ta ? 0 : 1];
  for (int64_t i = 0; i < y[0]; ++i) {
    for (int64_t j = 0; j < y[1]; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < inner; ++k) {
        sum += (*s.in[0])[Size(ta ? k * y[0] + i : i * inner + k)] *
               (*s.in[1])[Size(tb ? j * inner + k : k * y[1] + j)];
      }
      sum *= alpha;
      const int64_t place = i * y[1] + j;
      if (s.has_input(2)) sum += beta * (*s.in[2])[BroadcastIndex(s.in_shapes[2], y, place)];
      (*s.out[0])[Size(place)] = sum;
    }
  }
}

// Calls visit(h, w, place in the window) for the places of one window that lie inside the image.
template <typename Visit>
void ForWindow(const Window2d& win, const Shape& x, int64_t oh, int64_t ow, const Visit& visit) {
  for (int64_t k = 0; k < win.kernel_h * win.kernel_w; ++k) {
    const int64_t h = oh * win.stride_h - win.pad_top + k / win.kernel_w * win.dilation_h;
    const int64_t w = ow * win.stride_w - win.pad_left + k % win.kernel_w * win.dilation_w;
    if (h >= 0 && h < x[2] && w >= 0 && w < x[3]) visit(h, w, k);
  }
}

double ConvAt(const Scene& s, const Window2d& win, int64_t n, int64_t m, int64_t oh, int64_t ow) {
  const Shape& x = s.in_shapes[0];
  const Shape& w = s.in_shapes[1];
  const int64_t first = m / (w[0] / win.group) * w[1];  // channel of the group
  double sum = s.has_input(2) ? (*s.in[2])[Size(m)] : 0;
  for (int64_t c = 0; c < w[1]; ++c) {
    ForWindow(win, x, oh, ow, [&](int64_t ih, int64_t iw, int64_t k) {
      sum += (*s.in[0])[Size(((n * x[1] + first + c) * x[2] + ih) * x[3] + iw)] *
             (*s.in[1])[Size((m * w[1] + c) * w[2] * w[3] + k)];
    });
  }
  return sum;
}

void RunConv(const Scene& s) {
  const Window2d win = kernels::ReadWindow2d(s.node->attributes, s.in_shapes[1]);
  const Shape& y = s.out_shapes[0];
  for (int64_t i = 0; i < kernels::ElementCount(y); ++i) {
    const int64_t pixel = i % (y[2] * y[3]);
    const int64_t image = i / (y[2] * y[3]);
    (*s.out[0])[Size(i)] = ConvAt(s, win, image / y[1], image % y[1], pixel / y[3], pixel % y[3]);
  }
}

// By scattering: each element of X adds its share to the window of Y that it came from.
void RunConvTranspose(const Scene& s) {
  const Window2d win = kernels::ReadWindow2d(s.node->attributes, s.in_shapes[1]);
  const Shape& x = s.in_shapes[0];
  const Shape& w = s.in_shapes[1];
  const Shape& y = s.out_shapes[0];
  std::fill(s.out[0]->begin(), s.out[0]->end(), 0.0);
  for (int64_t i = 0; i < kernels::ElementCount(x); ++i) {
    const int64_t image = i / (x[1] * x[2] * x[3]);
    const int64_t m = i / (x[2] * x[3]) % x[1];
    const int64_t first = m / (x[1] / win.group) * w[1];  // channel of the group
    for (int64_t c = 0; c < w[1]; ++c) {
      ForWindow(win, y, i / x[3] % x[2], i % x[3], [&](int64_t h, int64_t v, int64_t k) {
        (*s.out[0])[Size(((image * y[1] + first + c) * y[2] + h) * y[3] + v)] +=
            (*s.in[0])[Size(i)] * (*s.in[1])[Size((m * w[1] + c) * w[2] * w[3] + k)];
      });
    }
  }
}

void RunMaxPool(const Scene& s) {
  const Window2d win = kernels::ReadWindow2d(s.node->attributes, {});
  const Shape& x = s.in_shapes[0];
  const Shape& y = s.out_shapes[0];
  for (int64_t i = 0; i < kernels::ElementCount(y); ++i) {
    const int64_t pixel = i % (y[2] * y[3]);
    const int64_t image = i / (y[2] * y[3]);
    double best = -std::numeric_limits<double>::infinity();
    ForWindow(win, x, pixel / y[3], pixel % y[3], [&](int64_t h, int64_t w, int64_t) {
      best = std::max(best, (*s.in[0])[Size((image * x[2] + h) * x[3] + w)]);
    });
    (*s.out[0])[Size(i)] = best;
  }
}

// −Σ_c target_c · log softmax_c of one row, with the target smoothed over all classes.
double RowLoss(const double* logits, size_t classes, size_t label, double smoothing) {
  const double most = *std::max_element(logits, logits + classes);
  double sum = 0;
  for (size_t c = 0; c < classes; ++c) sum += std::exp(logits[c] - most);
  double loss = 0;
  for (size_t c = 0; c < classes; ++c) {
    const double target =
        (c == label ? 1 - smoothing : 0) + smoothing / static_cast<double>(classes);
    loss -= target * (logits[c] - most - std::log(sum));
  }
  return loss;
}

void RunLoss(const Scene& s) {
  const size_t rows = s.in[1]->size();
  const size_t classes = Size(s.in_shapes[0].back());
  const double smoothing = static_cast<double>(s.node->attributes.Float("label_smoothing", 0));
  double sum = 0;
  for (size_t b = 0; b < rows; ++b) {
    const size_t label = static_cast<size_t>((*s.in[1])[b]);
    sum += (*s.in[2])[b] * RowLoss(s.in[0]->data() + b * classes, classes, label, smoothing);
  }
  (*s.out[0])[0] = sum;
}

// Mean over a sample's elements, weighted and summed over the samples; `loss` of one element.
void RunElementLoss(const Scene& s, double (*loss)(double y, double target)) {
  const size_t rows = Size(s.in_shapes[0][0]);
  const size_t elements = s.in[0]->size() / rows;
  double sum = 0;
  for (size_t i = 0; i < s.in[0]->size(); ++i) {
    sum += (*s.in[2])[i / elements] * loss((*s.in[0])[i], (*s.in[1])[i]) /
           static_cast<double>(elements);
  }
  (*s.out[0])[0] = sum;
}

void RunMeanSquaredError(const Scene& s) {
  RunElementLoss(s, [](double y, double target) { return (y - target) * (y - target); });
}

void RunSigmoidCrossEntropy(const Scene& s) {
  RunElementLoss(s, [](double x, double target) {
    return target * std::log1p(std::exp(-x)) + (1 - target) * std::log1p(std::exp(x));
  });
}

void RunNothing(const Scene&) {}

constexpr DoubleOperator kOperators[] = {
    {"Add", &RunAdd},
    {"Conv", &RunConv},
    {"ConvTranspose", &RunConvTranspose},
    {"Flatten", &RunCopy},
    {"Gemm", &RunGemm},
    {"MaxPool", &RunMaxPool},
    {"MeanSquaredError", &RunMeanSquaredError},
    {"Relu", &RunRelu},
    {"Reshape", &RunCopy},
    {"CountCorrect", &RunNothing},
    {"SigmoidCrossEntropy", &RunSigmoidCrossEntropy},
    {"SoftmaxCrossEntropy", &RunLoss},
};

// The families of operators that have a file of their own, and those of this file.
constexpr DoubleOperators (*kFamilies[])() = {
    &BatchNormDoubleOperators,
    &CoreDoubleOperators,
    &ElementwiseDoubleOperators,
    &MatMulDoubleOperators,
    &MovementDoubleOperators,
    &NormalizeDoubleOperators,
    &RecurrentDoubleOperators,
    &ReduceDoubleOperators,
};

const DoubleOperator& FindOperator(const std::string& op) {
  for (DoubleOperators (*family)() : kFamilies) {
    for (const DoubleOperator& known : family()) {
      if (op == known.op) return known;
    }
  }
  RM_CHECK(false, "no double form of ", op);
}

void RunNode(const Scene& scene) {
  FindOperator(scene.node->op).run(scene);
  if (!scene.node->attributes.Has("activation")) return;
  for (double& y : *scene.out[0]) y = std::max(y, 0.0);
}

}  // namespace

DoubleOperators CoreDoubleOperators() { return kOperators; }

size_t BroadcastIndex(const Shape& from, const Shape& to, int64_t flat) {
  int64_t index = 0, stride = 1;
  for (size_t i = 0; i < to.size(); ++i) {  // from the last dimension
    const int64_t dim = to[to.size() - 1 - i];
    const int64_t at = flat % dim;
    flat /= dim;
    if (i >= from.size()) continue;
    const int64_t own = from[from.size() - 1 - i];
    index += (own == 1 ? 0 : at) * stride;
    stride *= own;
  }
  return Size(index);
}

DoubleInterpreter::DoubleInterpreter(const Graph& graph, int64_t batch) : graph_(graph) {
  auto types = InferTypes(graph, batch);
  RM_CHECK(types.ok(), types.status().ToString());
  types_ = *std::move(types);
}

DoubleValues DoubleInterpreter::NewValues() const {
  DoubleValues values;
  for (size_t i = 0; i < types_.size(); ++i) {
    values.emplace_back(Size(types_[i].elements()), 0.0);
    const Value& value = graph_.values()[i];
    if (value.kind != ValueKind::kConstant) continue;
    const Initializer& given = value.initializer;
    if (given.values != nullptr) values[i].assign(given.values->begin(), given.values->end());
    if (given.integers != nullptr) values[i].assign(given.integers->begin(), given.integers->end());
  }
  return values;
}

void DoubleInterpreter::Run(DoubleValues* values) const {
  for (const Node& node : graph_.nodes()) {
    if (node.backward) return;
    Scene scene;
    scene.node = &node;
    for (ValueId id : node.inputs) {
      scene.in.push_back(id == kNoValue ? nullptr : &(*values)[static_cast<size_t>(id)]);
      scene.in_shapes.push_back(id == kNoValue ? Shape() : types_[static_cast<size_t>(id)].shape);
    }
    for (ValueId id : node.outputs) {
      scene.out.push_back(&(*values)[static_cast<size_t>(id)]);
      scene.out_shapes.push_back(types_[static_cast<size_t>(id)].shape);
    }
    RunNode(scene);
  }
}

}  // namespace rm::graph
