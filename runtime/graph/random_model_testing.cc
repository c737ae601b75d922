#include "runtime/graph/random_model_testing.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/random.h"
#include "runtime/graph/training.h"

namespace rm::graph {
namespace {

using Ints = std::vector<int64_t>;
using kernels::Shape;

class ModelMaker {
 public:
  ModelMaker(uint64_t seed, bool wide) : random_(seed, 11), wide_(wide) {}

  Graph Make() {
    channels_ = Channels();
    height_ = Between(5, 8);
    width_ = Between(5, 8);
    x_ = graph_.AddInput("input", kernels::DType::kFloat32, {kBatch, channels_, height_, width_});
    for (int64_t layers = Between(0, 4); layers > 0; --layers) AddImageLayer();
    Flatten();
    for (int64_t layers = Between(0, 4); layers > 0; --layers) AddMatrixLayer();
    const int64_t classes = Between(2, 5);
    x_ = Product(classes);
    graph_.MarkOutput(kModelOutput, x_);
    return std::move(graph_);
  }

 private:
  int64_t Between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random_.NextBelow(static_cast<uint64_t>(most - least + 1)));
  }
  bool Coin() { return Between(0, 1) == 1; }

  int64_t Channels() {
    const int64_t wide[] = {1, 3, 8, 16, 17, 32};
    return wide_ ? wide[Between(0, 5)] : Between(1, 4);
  }

  std::string Name(const char* what) { return absl::StrCat(what, ++count_); }

  ValueId Parameter(const char* what, Shape shape) {
    Initializer initializer;
    initializer.kind = Initializer::Kind::kUniform;
    const int64_t fan_in = shape.size() > 1 ? kernels::ElementCount(shape) / shape[0] : 2;
    // Values keep their size from layer to layer, so that the softmax does not saturate.
    initializer.scale = 1.5F / std::sqrt(static_cast<float>(fan_in));
    return graph_.AddParameter(Name(what), std::move(shape), initializer);
  }

  void AddImageLayer() {
    switch (Between(0, 4)) {
      case 0:
      case 1:
        AddConv();
        if (Coin()) x_ = graph_.AddNode("Relu", Name("relu"), {x_});
        return;
      case 2:
        AddPool();
        return;
      case 3:
        AddResidual();
        return;
      default:
        x_ = graph_.AddNode("Add", Name("shift"), {x_, Parameter("shift", {channels_, 1, 1})});
        return;
    }
  }

  void AddConv() {
    const int64_t kernel = std::min(Between(1, 3), std::min(height_, width_));
    const int64_t stride = Between(1, 2);
    const int64_t pad = kernel > 1 ? Between(0, 1) : 0;
    const int64_t dilation = std::min(height_, width_) >= 2 * kernel ? Between(1, 2) : 1;
    int64_t out = Channels();
    int64_t group = 1;
    if (Between(0, 3) == 0) {  // depthwise
      group = channels_;
      out = channels_;
    }
    std::vector<ValueId> inputs = {x_, Parameter("w", {out, channels_ / group, kernel, kernel})};
    if (Coin()) inputs.push_back(Parameter("b", {out}));
    kernels::Attributes attributes = {{"strides", Ints{stride, 1}},
                                      {"pads", Ints{pad, 0, pad, pad}},
                                      {"dilations", Ints{1, dilation}},
                                      {"group", group}};
    x_ = graph_.AddNode("Conv", Name("conv"), inputs, attributes);
    const kernels::Window2d window =
        kernels::ReadWindow2d(attributes, {out, channels_ / group, kernel, kernel});
    height_ = window.OutputHeight(height_);
    width_ = window.OutputWidth(width_);
    channels_ = out;
  }

  void AddPool() {
    const int64_t kernel = std::min<int64_t>(Between(1, 3), std::min(height_, width_));
    const int64_t stride = Between(1, 2);
    const int64_t pad = kernel > 1 ? Between(0, 1) : 0;
    if (Coin()) x_ = graph_.AddNode("Relu", Name("relu"), {x_});
    const kernels::Attributes attributes = {{"kernel_shape", Ints{kernel, kernel}},
                                            {"strides", Ints{stride, stride}},
                                            {"pads", Ints{pad, pad, 0, 0}}};
    x_ = graph_.AddNode("MaxPool", Name("pool"), {x_}, attributes);
    const kernels::Window2d window = kernels::ReadWindow2d(attributes, {});
    height_ = window.OutputHeight(height_);
    width_ = window.OutputWidth(width_);
  }

  // x + relu(conv1x1(x)).
  void AddResidual() {
    const ValueId w = Parameter("w", {channels_, channels_, 1, 1});
    const ValueId conv = graph_.AddNode("Conv", Name("conv"), {x_, w});
    const ValueId relu = graph_.AddNode("Relu", Name("relu"), {conv});
    x_ = graph_.AddNode("Add", Name("residual"), {x_, relu});
  }

  void Flatten() {
    features_ = channels_ * height_ * width_;
    if (Coin()) {
      x_ = graph_.AddNode("Flatten", Name("flatten"), {x_});
    } else {
      x_ = graph_.AddNode("Reshape", Name("reshape"), {x_}, {{"shape", Ints{-1, features_}}});
    }
  }

  void AddMatrixLayer() {
    switch (Between(0, 4)) {
      case 0:
        x_ = Product(Between(2, 6));
        return;
      case 1:
        x_ = graph_.AddNode("Relu", Name("relu"), {Product(Between(2, 6))});
        return;
      case 2:
        AddTiedPair();
        return;
      case 3: {  // a parameter read through a view
        const ValueId shift = Parameter("shift", {1, 1, features_});
        const ValueId view =
            graph_.AddNode("Reshape", Name("view"), {shift}, {{"shape", Ints{1, features_}}});
        x_ = graph_.AddNode("Add", Name("add"), {view, x_});
        return;
      }
      default: {
        const ValueId half = graph_.AddNode("Relu", Name("relu"), {x_});
        x_ = graph_.AddNode("Add", Name("twice"),
                            {half, graph_.AddNode("Add", Name("sum"), {half, x_})});
        return;
      }
    }
  }

  // The same square matrix twice; its gradient is a sum.
  void AddTiedPair() {
    x_ = Product(3);
    const ValueId w = Parameter("tied", {3, 3});
    x_ = graph_.AddNode("Gemm", Name("tied_a"), {x_, w});
    x_ = graph_.AddNode("Gemm", Name("tied_b"), {x_, w}, {{"transB", int64_t{1}}});
  }

  // x by a matrix of `columns` columns, by any of the operators and forms.
  ValueId Product(int64_t columns) {
    const int64_t rows = std::exchange(features_, columns);
    if (Between(0, 3) == 0) {
      return graph_.AddNode("MatMul", Name("matmul"), {x_, Parameter("w", {rows, columns})});
    }
    kernels::Attributes attributes;
    const bool transposed = Coin();
    if (transposed) attributes.Set("transB", int64_t{1});
    if (Between(0, 3) == 0) attributes.Set("alpha", 0.5F);
    std::vector<ValueId> inputs = {
        x_, transposed ? Parameter("w", {columns, rows}) : Parameter("w", {rows, columns})};
    const int64_t bias = Between(0, 4);
    if (bias == 1) inputs.push_back(Parameter("b", {columns}));
    if (bias == 2) inputs.push_back(Parameter("b", {1, columns}));
    if (bias == 3) inputs.push_back(Parameter("b", {1}));
    if (bias > 0 && bias < 4 && Between(0, 3) == 0) attributes.Set("beta", -1.5F);
    return graph_.AddNode("Gemm", Name("gemm"), inputs, attributes);
  }

  base::RandomStream random_;
  const bool wide_;
  Graph graph_;
  ValueId x_ = kNoValue;
  int64_t channels_ = 0, height_ = 0, width_ = 0, features_ = 0;
  int count_ = 0;
};

}  // namespace

Graph RandomModel(uint64_t seed, bool wide) { return ModelMaker(seed, wide).Make(); }

Graph RandomTrainingGraph(uint64_t seed, bool wide) {
  Graph graph = RandomModel(seed, wide);
  LossOptions options;
  options.label_smoothing = seed % 3 == 0 ? 0.1F : 0.0F;
  const absl::Status attached = AttachLoss(options, &graph);
  RM_CHECK(attached.ok(), "seed ", seed, ": ", attached.ToString());
  const absl::Status differentiated = Differentiate(&graph);
  RM_CHECK(differentiated.ok(), "seed ", seed, ": ", differentiated.ToString());
  return graph;
}

}  // namespace rm::graph
