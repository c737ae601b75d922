#include "tests/parity/kernel_cases.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "base/random.h"
#include "kernels/api/bfloat16.h"
#include "kernels/api/bfloat16_form.h"
#include "kernels/api/testing.h"
#include "kernels/kernels.h"
#include "tests/parity/case_tools.h"

namespace rm::tests {
namespace {

using base::RandomStream;
using kernels::Attributes;
using kernels::ElementCount;
using kernels::Operand;
using kernels::OpInstance;
using kernels::Shape;
using kernels::testing::Bytes;
using kernels::testing::Floats;
using kernels::testing::Int64s;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// --- Matrices ---

struct GemmShape {
  int64_t m, n, k;
};

constexpr GemmShape kGemmShapes[] = {
    {1, 1, 1},     {1, 7, 5},    {3, 1, 9},     {5, 3, 1},     {17, 19, 23},    {64, 10, 128},
    {8, 512, 40},  {33, 512, 64}, {40, 1024, 33}, {2, 33, 5000}, {128, 256, 64},
};

OpInstance Gemm(const GemmShape& s, bool trans_a, bool trans_b) {
  return {"Gemm",
          {{"transA", int64_t{trans_a}}, {"transB", int64_t{trans_b}}},
          {Floats(trans_a ? Shape{s.k, s.m} : Shape{s.m, s.k}),
           Floats(trans_b ? Shape{s.n, s.k} : Shape{s.k, s.n})},
          {Floats({s.m, s.n})}};
}

std::vector<KernelCase> GemmCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const GemmShape& s : kGemmShapes) {
    for (int form = 0; form < 4; ++form) {
      OpInstance op = Gemm(s, form % 2 != 0, form / 2 != 0);
      const auto terms = static_cast<double>(s.k);
      cases.push_back(Linear(random, op, terms));
      op.inputs.push_back(Floats({s.n}));
      op.attributes.Set("activation", std::string("relu"));
      cases.push_back(Linear(random, op, terms + 1));
    }
    for (const Shape& c : {Shape{s.m, s.n}, Shape{s.m, 1}, Shape{1, s.n}, Shape{1}, Shape{}}) {
      OpInstance op = Gemm(s, false, true);
      op.inputs.push_back(Floats(c));
      cases.push_back(Linear(random, op, static_cast<double>(s.k) + 1));
      op.attributes.Set("alpha", 0.75F);
      op.attributes.Set("beta", 1.5F);
      cases.push_back(Linear(random, op, static_cast<double>(s.k) + 1));
    }
  }
  OpInstance empty = Gemm({2, 3, 0}, false, false);
  empty.inputs.push_back(Floats({3}));
  cases.push_back(Linear(random, empty, 1));
  return cases;
}

// --- Convolutions ---

struct ConvShape {
  int64_t n, c, h, w, o;     // X is (n, c, h, w), Y has o channels
  int64_t kernel_h, kernel_w;
  Ints strides, pads, dilations;
  int64_t group;
};

const Ints kOnes{1, 1};
const Ints kNoPads{0, 0, 0, 0};

Attributes ConvAttributes(const ConvShape& s) {
  return {{"strides", s.strides}, {"pads", s.pads}, {"dilations", s.dilations},
          {"group", s.group}};
}

Shape XOf(const ConvShape& s) { return {s.n, s.c, s.h, s.w}; }
Shape WOf(const ConvShape& s) { return {s.o, s.c / s.group, s.kernel_h, s.kernel_w}; }
Shape YOf(const ConvShape& s) {
  const kernels::Window2d window = kernels::ReadWindow2d(ConvAttributes(s), WOf(s));
  return {s.n, s.o, window.OutputHeight(s.h), window.OutputWidth(s.w)};
}

// Whether a window fits into the padded image at all.
bool Fits(const ConvShape& s) { return ElementCount(YOf(s)) > 0; }

std::vector<ConvShape> ConvShapes(RandomStream& random) {
  std::vector<ConvShape> shapes = {
      {1, 1, 1, 1, 1, 1, 1, kOnes, kNoPads, kOnes, 1},
      {2, 1, 9, 7, 32, 3, 3, kOnes, kNoPads, kOnes, 1},           // a first layer
      {2, 3, 9, 8, 16, 3, 3, {2, 2}, {1, 1, 1, 1}, kOnes, 1},
      {1, 16, 8, 8, 16, 3, 3, kOnes, {1, 1, 1, 1}, kOnes, 1},
      {3, 20, 7, 5, 33, 3, 3, kOnes, {1, 1, 1, 1}, kOnes, 1},     // blocks that are not full
      {2, 8, 6, 6, 8, 1, 1, kOnes, kNoPads, kOnes, 1},
      {2, 32, 6, 5, 16, 1, 1, {2, 2}, kNoPads, kOnes, 1},
      {1, 5, 9, 11, 7, 3, 2, {2, 3}, {1, 0, 2, 1}, kOnes, 1},     // nothing symmetrical
      {1, 4, 9, 9, 6, 3, 3, kOnes, {2, 2, 2, 2}, {2, 2}, 1},      // dilated
      {2, 16, 7, 7, 16, 3, 3, kOnes, {1, 1, 1, 1}, kOnes, 16},    // depthwise
      {2, 32, 7, 7, 32, 3, 3, {2, 2}, {1, 1, 1, 1}, kOnes, 2},
      {1, 6, 5, 5, 9, 2, 2, kOnes, kNoPads, kOnes, 3},
      {1, 2, 12, 12, 4, 5, 5, kOnes, {2, 2, 2, 2}, kOnes, 1},
  };
  while (shapes.size() < 25) {
    const int64_t group = Pick(random, {1, 1, 1, 2});
    ConvShape s{Pick(random, {1, 2, 3}),
                group * Pick(random, {1, 2, 3, 8, 11, 16}),
                Pick(random, {4, 5, 7, 10}),
                Pick(random, {4, 6, 9, 13}),
                group * Pick(random, {1, 3, 4, 8, 16, 17}),
                Pick(random, {1, 2, 3}),
                Pick(random, {1, 2, 3}),
                {Pick(random, {1, 2}), Pick(random, {1, 2, 3})},
                {Pick(random, {0, 1}), Pick(random, {0, 1}), Pick(random, {0, 1}), 0},
                {1, Pick(random, {1, 1, 2})},
                group};
    if (Fits(s)) shapes.push_back(s);
  }
  return shapes;
}

// The smallest for which oneDNN chooses Winograd's algorithm on AVX-512: for Y and dX, and for dW.
const ConvShape kWinograd[] = {
    {32, 16, 14, 14, 16, 3, 3, kOnes, {1, 1, 1, 1}, kOnes, 1},
    {2, 128, 6, 6, 256, 3, 3, kOnes, {1, 1, 1, 1}, kOnes, 1},
};

// Winograd's transforms add and subtract before they multiply, which costs a few roundings more.
constexpr double kWinogradSlack = 4;

using MakeConvCases = void (*)(RandomStream&, const ConvShape&, std::vector<KernelCase>*);

std::vector<KernelCase> AllConvShapes(RandomStream& random, MakeConvCases make) {
  std::vector<KernelCase> cases;
  for (const ConvShape& s : ConvShapes(random)) make(random, s, &cases);
  const size_t small = cases.size();
  for (const ConvShape& s : kWinograd) make(random, s, &cases);
  for (size_t i = small; i < cases.size(); ++i) cases[i].chosen_layouts_only = true;
  return cases;
}

void ConvCase(RandomStream& random, const ConvShape& s, std::vector<KernelCase>* cases) {
  const auto terms = static_cast<double>(ElementCount(WOf(s)) / s.o + 1);
  OpInstance op{"Conv", ConvAttributes(s), {Floats(XOf(s)), Floats(WOf(s))}, {Floats(YOf(s))}};
  cases->push_back(Linear(random, op, terms, kWinogradSlack));
  op.inputs.push_back(Floats({s.o}));
  op.attributes.Set("activation", std::string("relu"));
  cases->push_back(Linear(random, op, terms, kWinogradSlack));
}

void ConvGradInputCase(RandomStream& random, const ConvShape& s, std::vector<KernelCase>* cases) {
  const auto terms = static_cast<double>(s.o / s.group * s.kernel_h * s.kernel_w);
  const OpInstance op{
      "ConvGradInput", ConvAttributes(s), {Floats(YOf(s)), Floats(WOf(s))}, {Floats(XOf(s))}};
  cases->push_back(Linear(random, op, terms, kWinogradSlack));
}

void ConvGradWeightCase(RandomStream& random, const ConvShape& s,
                        std::vector<KernelCase>* cases) {
  const auto terms = static_cast<double>(ElementCount(YOf(s)) / s.o);
  OpInstance op{
      "ConvGradWeight", ConvAttributes(s), {Floats(XOf(s)), Floats(YOf(s))}, {Floats(WOf(s))}};
  cases->push_back(Linear(random, op, terms, kWinogradSlack));
  op.outputs.push_back(Floats({s.o}));
  cases->push_back(Linear(random, op, terms, kWinogradSlack));
}

// The same product, forward: rows and columns that no window of X would reach are asked for.
void ConvTransposeCase(RandomStream& random, const ConvShape& s, std::vector<KernelCase>* cases) {
  const auto terms = static_cast<double>(s.o / s.group * s.kernel_h * s.kernel_w);
  const kernels::Window2d window = kernels::ReadWindow2d(ConvAttributes(s), WOf(s));
  const int64_t rows = s.h + window.pad_top + window.pad_bottom -
                       window.dilation_h * (window.kernel_h - 1) - 1;
  const int64_t columns = s.w + window.pad_left + window.pad_right -
                          window.dilation_w * (window.kernel_w - 1) - 1;
  Attributes attributes = ConvAttributes(s);
  attributes.Set("output_padding", Ints{rows % window.stride_h, columns % window.stride_w});
  const OpInstance op{
      "ConvTranspose", attributes, {Floats(YOf(s)), Floats(WOf(s))}, {Floats(XOf(s))}};
  cases->push_back(Linear(random, op, terms, kWinogradSlack));
}

std::vector<KernelCase> ConvCases(RandomStream& random) {
  return AllConvShapes(random, &ConvCase);
}
std::vector<KernelCase> ConvGradInputCases(RandomStream& random) {
  return AllConvShapes(random, &ConvGradInputCase);
}
std::vector<KernelCase> ConvGradWeightCases(RandomStream& random) {
  return AllConvShapes(random, &ConvGradWeightCase);
}

std::vector<KernelCase> ConvTransposeCases(RandomStream& random) {
  return AllConvShapes(random, &ConvTransposeCase);
}

// --- Pools ---

struct PoolShape {
  Shape x;
  Ints kernel, strides, pads, dilations;
};

const PoolShape kPoolShapes[] = {
    {{1, 1, 2, 2}, {2, 2}, {2, 2}, kNoPads, kOnes},
    {{2, 64, 8, 6}, {2, 2}, {2, 2}, kNoPads, kOnes},
    {{3, 20, 7, 9}, {2, 2}, {2, 2}, kNoPads, kOnes},             // a row and a column are left over
    {{2, 17, 9, 8}, {3, 3}, {2, 2}, {1, 1, 1, 1}, kOnes},        // overlapping
    {{1, 5, 6, 7}, {3, 2}, {1, 1}, {1, 1, 2, 0}, kOnes},
    {{1, 8, 9, 9}, {2, 3}, {3, 4}, kNoPads, kOnes},              // gaps
    {{2, 3, 11, 10}, {2, 2}, {1, 2}, kNoPads, {3, 2}},           // dilated
    {{1, 4, 17, 16}, {16, 16}, {1, 1}, kNoPads, kOnes},          // the most that an index can tell
    {{2, 16, 5, 5}, {1, 1}, {2, 2}, kNoPads, kOnes},
    {{1, 9, 5, 1}, {5, 1}, {1, 1}, {2, 0, 2, 0}, kOnes},
};

Attributes PoolAttributes(const PoolShape& s) {
  return {{"kernel_shape", s.kernel}, {"strides", s.strides}, {"pads", s.pads},
          {"dilations", s.dilations}};
}

OpInstance MaxPool(const PoolShape& s) {
  const kernels::Window2d window = kernels::ReadWindow2d(PoolAttributes(s), {});
  const Shape y{s.x[0], s.x[1], window.OutputHeight(s.x[2]), window.OutputWidth(s.x[3])};
  return {"MaxPool", PoolAttributes(s), {Floats(s.x)}, {Floats(y), Bytes(y)}};
}

std::vector<KernelCase> MaxPoolCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const PoolShape& s : kPoolShapes) {
    OpInstance op = MaxPool(s);
    cases.push_back(Exact(op, {Coarse(random, s.x)}));
    Values odd = Uniform(random, s.x);
    for (float& value : odd) {
      const uint64_t dice = random.NextBelow(8);
      if (dice == 0) value = kNaN;
      if (dice == 1) value = -kInfinity;
    }
    cases.push_back(Exact(op, {odd}));
    op.outputs.pop_back();
    cases.push_back(Exact(op, {Uniform(random, s.x)}));
  }
  return cases;
}

std::vector<KernelCase> MaxPoolGradCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const PoolShape& s : kPoolShapes) {
    const OpInstance forward = MaxPool(s);
    const auto pooled = kernels::testing::Compute(kernels::ReferenceKernels(), forward,
                                                  {Coarse(random, s.x)});
    RM_CHECK(pooled.ok(), forward.ToString());
    const Shape& y = forward.outputs[0].type.shape;
    const OpInstance op{
        "MaxPoolGrad", forward.attributes, {Floats(y), Bytes(y)}, {Floats(s.x)}};
    KernelCase grad = Linear(random, op, static_cast<double>(s.kernel[0] * s.kernel[1]));
    grad.inputs[1] = grad.magnitude_inputs[1] = pooled->at(1);
    cases.push_back(grad);
  }
  return cases;
}

// --- Elements ---

const Shape kShapes[] = {{}, {1}, {7}, {3, 5}, {1000}, {2, 3, 4}, {2, 20, 3, 5}, {1, 1, 9, 7},
                         {3, 16, 4, 4}, {2, 0, 3}};

std::vector<KernelCase> ReluCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const Shape& shape : kShapes) {
    const OpInstance op{"Relu", {}, {Floats(shape)}, {Floats(shape)}};
    cases.push_back(Exact(op, {Coarse(random, shape)}));
  }
  const OpInstance special{"Relu", {}, {Floats({5})}, {Floats({5})}};
  cases.push_back(Exact(special, {{kNaN, kInfinity, -kInfinity, -0.0F, 0.0F}}));
  return cases;
}

std::vector<KernelCase> ReluGradCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const Shape& shape : kShapes) {
    const OpInstance op{"ReluGrad", {}, {Floats(shape), Floats(shape)}, {Floats(shape)}};
    cases.push_back(Exact(op, {Uniform(random, shape), Coarse(random, shape)}));
  }
  return cases;
}

// One row of all the elements: what Flatten makes with axis 0, and Reshape as its output says.
std::vector<KernelCase> CopyCases(RandomStream& random, const std::string& op,
                                  const Attributes& attributes) {
  std::vector<KernelCase> cases;
  for (const Shape& shape : kShapes) {
    const Shape row{1, ElementCount(shape)};
    cases.push_back(
        Exact({op, attributes, {Floats(shape)}, {Floats(row)}}, {Uniform(random, shape)}));
  }
  return cases;
}

std::vector<KernelCase> FlattenCases(RandomStream& random) {
  return CopyCases(random, "Flatten", {{"axis", int64_t{0}}});
}
std::vector<KernelCase> ReshapeCases(RandomStream& random) {
  return CopyCases(random, "Reshape", {});
}

std::vector<KernelCase> ReorderCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{2, 3, 4, 5}, Shape{1, 16, 3, 3},
                             Shape{2, 20, 5, 1}, Shape{3, 33, 2, 7}}) {
    const OpInstance floats{"Reorder", {}, {Floats(shape)}, {Floats(shape)}};
    cases.push_back(Exact(floats, {Uniform(random, shape)}));
    Values bytes = Uniform(random, shape);
    for (float& value : bytes) value = std::floor(100 * (value + 1));
    const OpInstance op{"Reorder", {}, {Bytes(shape)}, {Bytes(shape)}};
    cases.push_back(Exact(op, {bytes}));
  }
  return cases;
}

// --- Loss and update ---

constexpr int64_t kClasses[] = {1, 2, 10, 16, 65, 1000};

struct Batch {
  Values logits, labels, weights;
};

// Every fifth row has weight 0 and a label that is no class.
Batch RandomBatch(RandomStream& random, int64_t rows, int64_t classes) {
  Batch batch;
  batch.logits = Uniform(random, {rows, classes});
  for (float& value : batch.logits) value *= 8;
  for (int64_t row = 0; row < rows; ++row) {
    const bool counts = row % 5 != 4;
    batch.weights.push_back(counts ? random.NextUniform() + 0.5F : 0);
    const auto label = random.NextBelow(static_cast<uint64_t>(classes));
    batch.labels.push_back(counts ? static_cast<float>(label) : -1.0F);
  }
  return batch;
}

std::vector<Operand> BatchOperands(int64_t rows, int64_t classes) {
  return {Floats({rows, classes}), Int64s({rows}), Floats({rows})};
}

std::vector<KernelCase> LossCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const int64_t classes : kClasses) {
    for (const float smoothing : {0.0F, 0.1F}) {
      const int64_t rows = Pick(random, {1, 7, 33});
      OpInstance op{"SoftmaxCrossEntropy",
                    {{"label_smoothing", smoothing}},
                    BatchOperands(rows, classes),
                    {Floats({1}), Floats({rows, classes})}};
      const Batch batch = RandomBatch(random, rows, classes);
      // The exponential of a difference of 16 is good to about 16 roundings of the difference.
      const Tolerance tolerance{16, 4};
      cases.push_back({op, {batch.logits, batch.labels, batch.weights}, tolerance, {}, false});
    }
  }
  return cases;
}

std::vector<KernelCase> LossGradCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const int64_t classes : kClasses) {
    for (const float smoothing : {0.0F, 0.1F}) {
      const int64_t rows = Pick(random, {1, 7, 33});
      OpInstance op{"SoftmaxCrossEntropyGrad",
                    {{"label_smoothing", smoothing}},
                    BatchOperands(rows, classes),
                    {Floats({rows, classes})}};
      op.inputs.push_back(Floats({1}));
      const Batch batch = RandomBatch(random, rows, classes);
      Values probabilities = batch.logits;
      for (float& value : probabilities) value = std::abs(value) / 8;
      cases.push_back(
          {op, {probabilities, batch.labels, batch.weights, {0.01F}}, {1, 1}, {}, false});
    }
  }
  return cases;
}

std::vector<KernelCase> CountCorrectCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const int64_t classes : kClasses) {
    const OpInstance op{"CountCorrect", {}, BatchOperands(33, classes), {Floats({1})}};
    const Batch batch = RandomBatch(random, 33, classes);
    cases.push_back(Exact(op, {batch.logits, batch.labels, batch.weights}));
  }
  return cases;
}

std::vector<KernelCase> SgdCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const int64_t count : {1, 15, 16, 1003, 40000}) {
    for (const Values& hyper : {Values{0.1F, 0, 0, 0, 1}, Values{0.1F, 0.9F, 0, 0, 0.5F},
                                Values{0.1F, 0.9F, 0.01F, 0, 1}, Values{0.1F, 0.9F, 0.01F, 1, 1}}) {
      const Operand x = Floats({count});
      KernelCase update =
          Linear(random, {"SgdUpdate", {}, {x, x, x, Floats({5})}, {x, x}}, 4);
      update.inputs[3] = hyper;
      // Absolute terms: the step is added instead of subtracted.
      update.magnitude_inputs[3] = {-hyper[0], hyper[1], hyper[2], hyper[3], hyper[4]};
      cases.push_back(update);
    }
  }
  return cases;
}

// --- All of them ---

constexpr Generator kGenerators[] = {
    {"Conv", &ConvCases},
    {"ConvGradInput", &ConvGradInputCases},
    {"ConvGradWeight", &ConvGradWeightCases},
    {"ConvTranspose", &ConvTransposeCases},
    {"CountCorrect", &CountCorrectCases},
    {"Flatten", &FlattenCases},
    {"Gemm", &GemmCases},
    {"MaxPool", &MaxPoolCases},
    {"MaxPoolGrad", &MaxPoolGradCases},
    {"Relu", &ReluCases},
    {"ReluGrad", &ReluGradCases},
    {"Reorder", &ReorderCases},
    {"Reshape", &ReshapeCases},
    {"SgdUpdate", &SgdCases},
    {"SoftmaxCrossEntropy", &LossCases},
    {"SoftmaxCrossEntropyGrad", &LossGradCases},
};

// The families of operators whose cases have a file of their own, and those of this file.
constexpr Generators (*kFamilies[])() = {
    &BatchNormGenerators,
    &BroadcastGenerators,
    &CoreGenerators,
    &MatMulGenerators,
    &MovementGenerators,
    &NormalizeGenerators,
    &RecurrentGenerators,
    &ReduceGenerators,
    &TrainingGenerators,
    &UnaryGenerators,
};

// Absolute values, but of hyperparameters, which are given with the signs they need.
void MakeMagnitudes(KernelCase* kernel_case) {
  for (Values& values : kernel_case->magnitude_inputs) {
    if (values.size() == 5 && kernel_case->instance.op == "SgdUpdate") continue;
    for (float& value : values) value = std::abs(value);
  }
}

}  // namespace

namespace {

// Every case again in bfloat16, for operators that have such a form. Operands in it are rounded here,
// so that reference and kernel read the same; what the kernel itself rounds is left to it.
void AppendNarrowed(std::vector<KernelCase>* cases) {
  const size_t wide = cases->size();
  for (size_t i = 0; i < wide; ++i) {
    const kernels::Bfloat16Form* form = kernels::FindBfloat16Form((*cases)[i].instance.op);
    if (form == nullptr) return;
    KernelCase narrowed = (*cases)[i];
    narrowed.instance = kernels::Narrowed(narrowed.instance);
    if (!kernels::IsBfloat16Form(narrowed.instance)) continue;  // of integers
    for (size_t operand = 0; operand < narrowed.inputs.size(); ++operand) {
      if (!form->takes(operand)) continue;
      for (float& value : narrowed.inputs[operand]) {
        value = kernels::ToFloat(kernels::ToBfloat16(value));
      }
    }
    cases->push_back(std::move(narrowed));
  }
}

}  // namespace

Generators CoreGenerators() { return kGenerators; }

std::vector<KernelCase> CasesOf(const std::string& op) {
  for (Generators (*family)() : kFamilies) {
    for (const Generator& generator : family()) {
      if (op != generator.op) continue;
      RandomStream random(20221122, base::StableHash(op));
      std::vector<KernelCase> cases = generator.cases(random);
      for (KernelCase& kernel_case : cases) MakeMagnitudes(&kernel_case);
      AppendNarrowed(&cases);
      return cases;
    }
  }
  return {};
}

}  // namespace rm::tests
