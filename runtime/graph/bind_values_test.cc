// What the operators that are made of others compute: small nodes of ONNX over constants, which binding
// folds to numbers. The expected numbers are onnxruntime's, and for operators that it lacks those of
// ONNX's own reference evaluator; they were written by a script from these operands.
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/graph/bind.h"
#include "runtime/graph/graph_testing.h"

namespace rm::graph {
namespace {

using kernels::DType;

// An operand of known content; one without a shape and elements is absent.
struct Content {
  bool present = false;
  DType dtype = DType::kFloat32;
  Ints shape;
  std::vector<float> floats;
  Ints integers;
};

Content Floats(Ints shape, std::vector<float> elements) {
  return {true, DType::kFloat32, std::move(shape), std::move(elements), {}};
}
Content Whole(Ints shape, Ints elements) {
  return {true, DType::kInt64, std::move(shape), {}, std::move(elements)};
}

struct NodeCase {
  const char* what;
  const char* op;
  std::vector<Content> operands;
  kernels::Attributes attributes;
  size_t output;
  Ints shape;
  std::vector<float> expected;
};

// A model of the node alone, with as many outputs as the one that is looked at needs.
Graph ModelOf(const NodeCase& node) {
  Graph graph;
  std::vector<ValueId> operands;
  for (const Content& operand : node.operands) {
    const std::string name = absl::StrCat("operand", operands.size());
    if (!operand.present) {
      operands.push_back(kNoValue);
    } else if (operand.dtype == DType::kFloat32) {
      const kernels::Shape shape(operand.shape.begin(), operand.shape.end());
      operands.push_back(graph.AddConstant(name, shape, operand.floats));
    } else {
      operands.push_back(graph.AddIntegerConstant(
          name, operand.dtype, {operand.shape.begin(), operand.shape.end()}, operand.integers));
    }
  }
  const std::vector<ValueId> outputs = graph.AddNodeWithOutputs(
      node.op, "node", operands, static_cast<int>(node.output) + 1, node.attributes);
  graph.MarkOutput("y", outputs[node.output]);
  return graph;
}

// The folded elements of the only output.
std::vector<double> Elements(const Value& value) {
  std::vector<double> elements;
  if (value.initializer.values != nullptr) {
    elements.assign(value.initializer.values->begin(), value.initializer.values->end());
  }
  if (value.initializer.integers != nullptr) {
    for (const int64_t element : *value.initializer.integers) {
      elements.push_back(static_cast<double>(element));
    }
  }
  return elements;
}

const NodeCase kCases[] = {
    {"Celu", "Celu",
     {Floats({8}, {-2.5F, -1.5F, -0.5F, 0, 0.3F, 0.5F, 1.5F, 2.7F})},
     {{"alpha", 1.5F}}, 0, {8}, {-1.21669F, -0.948181F, -0.425203F, 0, 0.3F, 0.5F, 1.5F, 2.7F}},
    {"Ceil", "Ceil",
     {Floats({8}, {-2.5F, -1.5F, -0.5F, 0, 0.3F, 0.5F, 1.5F, 2.7F})},
     {}, 0, {8}, {-2, -1, 0, 0, 1, 1, 2, 3}},
    {"Floor", "Floor",
     {Floats({8}, {-2.5F, -1.5F, -0.5F, 0, 0.3F, 0.5F, 1.5F, 2.7F})},
     {}, 0, {8}, {-3, -2, -1, 0, 0, 0, 1, 2}},
    {"Round", "Round",
     {Floats({8}, {-2.5F, -1.5F, -0.5F, 0, 0.3F, 0.5F, 1.5F, 2.7F})},
     {}, 0, {8}, {-2, -2, 0, 0, 0, 0, 2, 3}},
    {"Sign", "Sign",
     {Floats({8}, {-2.5F, -1.5F, -0.5F, 0, 0.3F, 0.5F, 1.5F, 2.7F})},
     {}, 0, {8}, {-1, -1, -1, 0, 1, 1, 1, 1}},
    {"Mish", "Mish",
     {Floats({8}, {-2.5F, -1.5F, -0.5F, 0, 0.3F, 0.5F, 1.5F, 2.7F})},
     {}, 0, {8}, {-0.196816F, -0.2981F, -0.220744F, 0, 0.208001F, 0.375245F, 1.40338F, 2.67867F}},
    {"Softplus", "Softplus",
     {Floats({8}, {-2.5F, -1.5F, -0.5F, 0, 0.3F, 0.5F, 1.5F, 2.7F})},
     {}, 0, {8}, {0.0788897F, 0.201413F, 0.474077F, 0.693147F, 0.854355F, 0.974077F, 1.70141F,
      2.76504F}},
    {"Softsign", "Softsign",
     {Floats({8}, {-2.5F, -1.5F, -0.5F, 0, 0.3F, 0.5F, 1.5F, 2.7F})},
     {}, 0, {8}, {-0.714286F, -0.6F, -0.333333F, 0, 0.230769F, 0.333333F, 0.6F, 0.72973F}},
    {"Selu", "Selu",
     {Floats({8}, {-2.5F, -1.5F, -0.5F, 0, 0.3F, 0.5F, 1.5F, 2.7F})},
     {}, 0, {8}, {-1.61379F, -1.36581F, -0.691758F, 0, 0.31521F, 0.525351F, 1.57605F, 2.83689F}},
    {"Softplus far out", "Softplus",
     {Floats({2}, {-100, 100})},
     {}, 0, {2}, {3.78351e-44F, 100}},
    {"PRelu", "PRelu",
     {Floats({2, 3}, {1.2F, 1.2F, 0.1F, -0.9F, -1.8F, -0.5F}), Floats({3}, {0.1F, 0.2F, 0.3F})},
     {}, 0, {2, 3}, {1.2F, 1.2F, 0.1F, -0.09F, -0.36F, -0.15F}},
    {"ThresholdedRelu", "ThresholdedRelu",
     {Floats({8}, {-2.5F, -1.5F, -0.5F, 0, 0.3F, 0.5F, 1.5F, 2.7F})},
     {{"alpha", 0.5F}}, 0, {8}, {0, 0, 0, 0, 0, 0, 1.5F, 2.7F}},
    {"Mean", "Mean",
     {Floats({2, 3}, {-0.4F, -1.8F, -1.8F, 2, 0.6F, -1.1F}), Floats({3}, {-0.3F, 1.9F, 1.6F}),
      Floats({2, 1}, {1.4F, -0.4F})},
     {}, 0, {2, 3}, {0.233333F, 0.5F, 0.4F, 0.433333F, 0.7F, 0.0333333F}},
    {"Einsum, outer product", "Einsum",
     {Floats({2}, {0, 0.7F}), Floats({3}, {-1.8F, 0.2F, -0.9F})},
     {{"equation", std::string("i,j->ij")}}, 0, {2, 3}, {0, 0, 0, -1.26F, 0.14F, -0.63F}},
    {"Einsum, batched", "Einsum",
     {Floats({2, 2, 3}, {1.5F, -1.7F, 0.7F, 1.5F, -1.1F, 1.6F, 1.5F, -1.9F, 0.8F, -2, 0, -0.3F}),
      Floats({2, 4, 3}, {-1.2F, -0.7F, 1.2F, -0.7F, -1.4F, 0.8F, -0.2F, 1.2F, -1.1F, -0.7F, 1.2F,
      0, 0, -1.1F, -1.9F, 1.7F, -1.7F, 1.4F, -0.5F, 1.8F, -0.4F, 1.7F, 0.2F, -1})},
     {{"equation", std::string("bik,bjk->bij")}}, 0, {2, 2, 4}, {0.23F, 1.89F, -3.11F, -3.09F,
      0.89F, 1.77F, -3.38F, -2.37F, 0.57F, 6.9F, -4.49F, 1.37F, 0.57F, -3.82F, 1.12F, -3.1F}},
    {"Einsum, heads", "Einsum",
     {Floats({1, 2, 3}, {1, 0.7F, 0.7F, -0.1F, -1.1F, 0.6F}), Floats({3, 2, 2}, {-1.6F, 0.8F, 0.5F,
      -0.5F, 1.2F, -1.2F, -0.4F, 1.2F, -0.5F, 0.9F, 0.5F, 1.8F})},
     {{"equation", std::string("btd,dhe->bhte")}}, 0, {1, 2, 2, 2}, {-1.11F, 0.59F, -1.46F, 1.78F,
      0.57F, 1.6F, 0.69F, -0.19F}},
    {"Einsum, one operand", "Einsum",
     {Floats({2, 3, 2}, {2, 0.9F, 1.2F, -1.4F, 0.9F, 1.4F, -0.4F, 0.2F, -0.1F, 1.8F, -0.7F,
      -0.4F})},
     {{"equation", std::string("abc->ca")}}, 0, {2, 2}, {4.1F, -1.2F, 0.9F, 1.6F}},
    {"Einsum, dots and no arrow", "Einsum",
     {Floats({2, 2, 2}, {-2, -0.3F, 0.5F, 1.7F, 1.7F, -0.7F, 2, -1.2F}), Floats({2, 3}, {1.3F,
      -1.4F, -0.4F, -1.7F, 1.4F, 1.3F})},
     {{"equation", std::string("...ij,jk")}}, 0, {2, 2, 3}, {-2.09F, 2.38F, 0.41F, -2.24F, 1.68F,
      2.01F, 3.4F, -3.36F, -1.59F, 4.64F, -4.48F, -2.36F}},
    {"Einsum, three operands", "Einsum",
     {Floats({2, 2}, {-1.4F, 0.1F, -1, 0}), Floats({2, 3}, {0.2F, -1.6F, 1.5F, -0.9F, -0.2F,
      -1.8F}), Floats({3, 2}, {-2, -1.2F, -0.6F, 1.7F, 1.6F, -0.1F})},
     {{"equation", std::string("ab,bc,cd->ad")}}, 0, {2, 2}, {-4.24F, 4.446F, -2.96F, 3.11F}},
    {"CumSum", "CumSum",
     {Floats({2, 3}, {-0.2F, 0.7F, 1.4F, -0.7F, 1.2F, -0.4F}), Whole({}, {1})},
     {}, 0, {2, 3}, {-0.2F, 0.5F, 1.9F, -0.7F, 0.5F, 0.1F}},
    {"CumSum, reverse and exclusive", "CumSum",
     {Floats({3, 2}, {0.4F, 0.9F, 0, 0.8F, 0.8F, -2}), Whole({}, {0})},
     {{"reverse", int64_t{1}}, {"exclusive", int64_t{1}}}, 0, {3, 2}, {0.8F, -1.2F, 0.8F, -2, 0,
      0}},
    {"CumSum of integers", "CumSum",
     {Whole({2, 3}, {1, 2, 3, 4, 5, 6}), Whole({}, {-1})},
     {}, 0, {2, 3}, {1, 3, 6, 4, 9, 15}},
    {"DepthToSpace", "DepthToSpace",
     {Floats({1, 8, 1, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})},
     {{"blocksize", int64_t{2}}}, 0, {1, 2, 2, 4}, {0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14,
      11, 15}},
    {"DepthToSpace, CRD", "DepthToSpace",
     {Floats({1, 8, 1, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})},
     {{"blocksize", int64_t{2}}, {"mode", std::string("CRD")}}, 0, {1, 2, 2, 4}, {0, 2, 1, 3, 4, 6,
      5, 7, 8, 10, 9, 11, 12, 14, 13, 15}},
    {"SpaceToDepth", "SpaceToDepth",
     {Floats({1, 1, 2, 8}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})},
     {{"blocksize", int64_t{2}}}, 0, {1, 4, 1, 4}, {0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11,
      13, 15}},
    {"OneHot", "OneHot",
     {Whole({3}, {1, -1, 0}), Whole({}, {3}), Floats({2}, {2, 5})},
     {{"axis", int64_t{0}}}, 0, {3, 3}, {2, 2, 5, 5, 2, 2, 2, 5, 2}},
    {"Resize, nearest as PyTorch", "Resize",
     {Floats({1, 1, 2, 3}, {0, 1, 2, 3, 4, 5}), {}, Floats({4}, {1, 1, 2, 2})},
     {{"mode", std::string("nearest")}, {"coordinate_transformation_mode",
      std::string("asymmetric")}, {"nearest_mode", std::string("floor")}}, 0, {1, 1, 4, 6}, {0, 0,
      1, 1, 2, 2, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 3, 3, 4, 4, 5, 5}},
    {"Resize, nearest half pixels", "Resize",
     {Floats({1, 1, 1, 5}, {-1.8F, -1.4F, -1.1F, -1.2F, -1.8F}), {}, {}, Whole({4}, {1, 1, 1, 3})},
     {{"mode", std::string("nearest")}}, 0, {1, 1, 1, 3}, {-1.8F, -1.1F, -1.8F}},
    {"Resize, linear", "Resize",
     {Floats({1, 1, 2, 3}, {0, 1, 2, 3, 4, 5}), {}, Floats({4}, {1, 1, 2, 1.5F})},
     {{"mode", std::string("linear")}, {"coordinate_transformation_mode",
      std::string("half_pixel")}}, 0, {1, 1, 4, 4}, {0, 0.5F, 1.16667F, 1.83333F, 0.75F, 1.25F,
      1.91667F, 2.58333F, 2.25F, 2.75F, 3.41667F, 4.08333F, 3, 3.5F, 4.16667F, 4.83333F}},
    {"Resize, linear to a size", "Resize",
     {Floats({1, 1, 3, 3}, {-1.1F, 0.4F, 1.5F, -0.6F, -0.5F, -0.3F, 0.7F, 1.1F, 1.8F}), {}, {},
      Whole({4}, {1, 1, 2, 5})},
     {{"mode", std::string("linear")}, {"coordinate_transformation_mode",
      std::string("pytorch_half_pixel")}}, 0, {1, 1, 2, 5}, {-0.975F, -0.515F, 0.175F, 0.7F, 1.05F,
      0.375F, 0.505F, 0.7F, 1.045F, 1.275F}},
    {"Resize, corners", "Resize",
     {Floats({1, 1, 2, 3}, {0, 1, 2, 3, 4, 5}), {}, {}, Whole({4}, {1, 1, 3, 4})},
     {{"mode", std::string("linear")}, {"coordinate_transformation_mode",
      std::string("align_corners")}}, 0, {1, 1, 3, 4}, {0, 0.666667F, 1.33333F, 2, 1.5F, 2.16667F,
      2.83333F, 3.5F, 3, 3.66667F, 4.33333F, 5}},
    {"Resize, cubic", "Resize",
     {Floats({1, 1, 1, 4}, {-0.5F, 0.8F, -0.6F, 1.3F}), {}, {}, Whole({4}, {1, 1, 1, 6})},
     {{"mode", std::string("cubic")}, {"cubic_coeff_a", -0.75F}}, 0, {1, 1, 1, 6}, {-0.612848F,
      0.28125F, 0.678936F, -0.541435F, 0.21875F, 1.46493F}},
    {"Resize, cubic without what is outside", "Resize",
     {Floats({1, 1, 1, 4}, {-1.1F, 1.5F, 0, 0.9F}), {}, {}, Whole({4}, {1, 1, 1, 6})},
     {{"mode", std::string("cubic")}, {"exclude_outside", int64_t{1}}}, 0, {1, 1, 1, 6},
      {-1.36351F, 0.217143F, 1.49479F, 0.182292F, 0.36F, 0.991216F}},
    {"Resize, a scale of 0.7, rounded in float32", "Resize",
     {Floats({1, 10}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), {}, Floats({2}, {1, 0.7F})},
     {{"coordinate_transformation_mode", std::string("asymmetric")}, {"nearest_mode",
      std::string("floor")}}, 0, {1, 7}, {0, 1, 2, 4, 5, 7, 8}},
    {"GroupNormalization", "GroupNormalization",
     {Floats({1, 4, 1, 2}, {0.1F, -0.7F, 0, -1.8F, -1.8F, 0.1F, -0.1F, 1.3F}), Floats({4}, {-1.9F,
      0.2F, 0, 0.4F}), Floats({4}, {0.9F, 0.1F, 0.3F, 0})},
     {{"num_groups", int64_t{2}}}, 0, {1, 4, 1, 2}, {-0.853937F, 1.15056F, 0.25825F, -0.2165F,
      0.3F, 0.3F, 0.00904659F, 0.515656F}},
    {"InstanceNormalization", "InstanceNormalization",
     {Floats({1, 2, 1, 4}, {0.5F, -1, 0.2F, 0.7F, -1.2F, 2, 1, 1.8F}), Floats({2}, {-0.8F, -0.2F}),
      Floats({2}, {-1, -1.8F})},
     {}, 0, {1, 2, 1, 4}, {-1.48518F, 0.334237F, -1.12129F, -1.72777F, -1.46899F, -1.97338F,
      -1.81576F, -1.94186F}},
    {"LpNormalization", "LpNormalization",
     {Floats({2, 3}, {-1.9F, -1, 1.4F, -1.3F, 0.8F, -1})},
     {{"axis", int64_t{0}}, {"p", int64_t{2}}}, 0, {2, 3}, {-0.825307F, -0.780869F, 0.813733F,
      -0.564684F, 0.624695F, -0.581238F}},
    {"LpNormalization of degree 1", "LpNormalization",
     {Floats({2, 3}, {-1.7F, -1.2F, 0.7F, 0, 0.2F, -0.2F})},
     {{"p", int64_t{1}}}, 0, {2, 3}, {-0.472222F, -0.333333F, 0.194444F, 0, 0.5F, -0.5F}},
    {"LpNormalization with a row of zeros", "LpNormalization",
     {Floats({2, 2}, {0, 0, 3, -4})},
     {}, 0, {2, 2}, {0, 0, 0.6F, -0.8F}},
    {"RMSNormalization", "RMSNormalization",
     {Floats({2, 3}, {-0.9F, 0, 1.7F, -1.2F, 0.9F, -1}), Floats({3}, {-1.2F, -0.7F, -1.6F})},
     {}, 0, {2, 3}, {0.972482F, 0, -2.44921F, 1.3835F, -0.605282F, 1.53722F}},
    {"ReduceL1", "ReduceL1",
     {Floats({2, 2, 2}, {1.7F, -0.5F, -1.3F, -2, -1.8F, -1.1F, -0.3F, 0.4F}), Whole({1}, {1})},
     {{"keepdims", int64_t{0}}}, 0, {2, 2}, {3, 2.5F, 2.1F, 1.5F}},
    {"ReduceL2", "ReduceL2",
     {Floats({2, 2, 2}, {1.7F, -0.5F, -1.3F, -2, -1.8F, -1.1F, -0.3F, 0.4F}), Whole({1}, {1})},
     {{"keepdims", int64_t{0}}}, 0, {2, 2}, {2.14009F, 2.06155F, 1.82483F, 1.17047F}},
    {"ReduceLogSumExp", "ReduceLogSumExp",
     {Floats({2, 2, 2}, {1.7F, -0.5F, -1.3F, -2, -1.8F, -1.1F, -0.3F, 0.4F}), Whole({1}, {1})},
     {{"keepdims", int64_t{0}}}, 0, {2, 2}, {1.74859F, -0.298587F, -0.0985867F, 0.601413F}},
    {"ReduceSumSquare", "ReduceSumSquare",
     {Floats({2, 2, 2}, {1.7F, -0.5F, -1.3F, -2, -1.8F, -1.1F, -0.3F, 0.4F}), Whole({1}, {1})},
     {{"keepdims", int64_t{0}}}, 0, {2, 2}, {4.58F, 4.25F, 3.33F, 1.37F}},
    {"ReduceMin", "ReduceMin",
     {Floats({2, 2, 2}, {1.7F, -0.5F, -1.3F, -2, -1.8F, -1.1F, -0.3F, 0.4F}), Whole({1}, {1})},
     {{"keepdims", int64_t{0}}}, 0, {2, 2}, {-1.3F, -2, -1.8F, -1.1F}},
    {"ReduceMax", "ReduceMax",
     {Floats({2, 2, 2}, {1.7F, -0.5F, -1.3F, -2, -1.8F, -1.1F, -0.3F, 0.4F}), Whole({1}, {1})},
     {{"keepdims", int64_t{0}}}, 0, {2, 2}, {1.7F, -0.5F, -0.3F, 0.4F}},
    {"ReduceProd", "ReduceProd",
     {Floats({2, 2, 2}, {1.7F, -0.5F, -1.3F, -2, -1.8F, -1.1F, -0.3F, 0.4F}), Whole({1}, {1})},
     {{"keepdims", int64_t{0}}}, 0, {2, 2}, {-2.21F, 1, 0.54F, -0.44F}},
    {"ReduceLogSum", "ReduceLogSum",
     {Floats({2, 2, 2}, {2.2F, 1, 1.8F, 2.5F, 2.3F, 1.6F, 0.8F, 0.9F}), Whole({2}, {0, -1})},
     {}, 0, {1, 2, 1}, {1.96009F, 1.79176F}},
    {"ReduceMin over all", "ReduceMin",
     {Floats({2, 2, 2}, {1.7F, -0.5F, -1.3F, -2, -1.8F, -1.1F, -0.3F, 0.4F})},
     {}, 0, {1, 1, 1}, {-2}},
    {"ConvTranspose", "ConvTranspose",
     {Floats({1, 2, 2, 2}, {1.9F, 1.6F, -1, 0.4F, 1.7F, -1.6F, 1.4F, -0.4F}), Floats({2, 1, 2, 2},
      {1.1F, -0.7F, 0.5F, 0, -1.6F, 1, 1.3F, -0.1F}), Floats({1}, {-0.4F})},
     {{"strides", Ints{2, 2}}}, 0, {1, 1, 4, 4}, {-1.03F, -0.0299999F, 3.92F, -3.12F, 2.76F,
      -0.57F, -1.68F, -0.24F, -3.74F, 1.7F, 0.68F, -1.08F, 0.92F, -0.54F, -0.72F, -0.36F}},
    {"ConvTranspose, pads and output_padding", "ConvTranspose",
     {Floats({1, 1, 2, 2}, {1.8F, -0.5F, 1.5F, -0.3F}), Floats({1, 2, 3, 3}, {-0.5F, -0.6F, -1.8F,
      -0.9F, -1.1F, -1.8F, 0.2F, -0.2F, -1.9F, -1.4F, 1.7F, -1.5F, -0.5F, 1.8F, -1.5F, -0.4F, 1.2F,
      -1.9F})},
     {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}, {"output_padding", Ints{1, 1}}}, 0, {1,
      2, 4, 4}, {-1.98F, -2.79F, 0.55F, 0.9F, -1.26F, -6.07F, 0.28F, 1.49F, -1.65F, -2.43F, 0.33F,
      0.54F, -0.3F, -2.91F, 0.06F, 0.57F, 3.24F, -2.45F, -0.9F, 0.75F, 4.71F, -5.05F, -1.11F, 1.4F,
      2.7F, -2.1F, -0.54F, 0.45F, 1.8F, -2.73F, -0.36F, 0.57F}},
    {"ConvTranspose, groups of one dimension", "ConvTranspose",
     {Floats({1, 2, 3}, {-1.7F, 1.7F, 0.7F, -1, -0.1F, -1}), Floats({2, 1, 3}, {1.6F, 1.8F, -1.7F,
      0.1F, -1.3F, -0.4F}), Floats({2}, {1, 0.9F})},
     {{"group", int64_t{2}}, {"dilations", Ints{2}}}, 0, {1, 2, 7}, {-1.72F, 3.72F, -0.94F, 4.06F,
      5.15F, -1.89F, -0.19F, 0.8F, 0.89F, 2.1F, 1.03F, 2.6F, 0.94F, 1.3F}},
    {"ConvTranspose, output_shape", "ConvTranspose",
     {Floats({1, 1, 2, 2}, {-1.2F, -0.7F, -0.3F, -0.5F}), Floats({1, 1, 3, 3}, {0.7F, 1.2F, -0.7F,
      -0.2F, -1.7F, -0.5F, 1.8F, 0, 0.2F})},
     {{"strides", Ints{2, 2}}, {"output_shape", Ints{4, 4}}}, 0, {1, 1, 4, 4}, {2.04F, 0.74F,
      1.19F, 0.35F, -0.36F, -1.64F, -0.6F, 0.21F, 0.51F, 0.25F, 0.85F, 0.25F, 0, -0.96F, 0, -0.1F}},
    {"ConvTranspose, output_padding behind the windows", "ConvTranspose",
     {Floats({1, 1, 1, 2}, {0.4F, 0.3F}), Floats({1, 1, 1, 2}, {1.2F, -1})},
     {{"strides", Ints{1, 3}}, {"output_padding", Ints{0, 2}}}, 0, {1, 1, 1, 7}, {0.48F, -0.4F, 0,
      0.36F, -0.3F, 0, 0}},
    {"MaxPool with a ceiling", "MaxPool",
     {Floats({1, 1, 3, 4}, {-0.7F, 1.5F, 0, 1.8F, -1.4F, 1.1F, -0.1F, -0.1F, 1.5F, -1.5F, 0.1F,
      -1})},
     {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 3}}, {"ceil_mode", int64_t{1}}}, 0, {1, 1,
      2, 2}, {1.5F, 1.8F, 1.5F, -1}},
    {"AveragePool with a ceiling", "AveragePool",
     {Floats({1, 1, 3, 4}, {-0.6F, 1.3F, -0.4F, 1.1F, -1.9F, 2, 1.8F, 0.7F, -1.2F, 0.6F, -1.2F,
      -0.5F})},
     {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 3}}, {"ceil_mode", int64_t{1}}}, 0, {1, 1,
      2, 2}, {0.2F, 0.9F, -0.3F, -0.5F}},
    {"AveragePool with a ceiling and pads", "AveragePool",
     {Floats({1, 1, 1, 5}, {-1.9F, -1.7F, -1.4F, -1.3F, 1.4F})},
     {{"kernel_shape", Ints{1, 3}}, {"strides", Ints{1, 3}}, {"pads", Ints{0, 1, 0, 0}},
      {"ceil_mode", int64_t{1}}}, 0, {1, 1, 1, 2}, {-1.8F, -0.433333F}},
    {"Pad, edge", "Pad",
     {Floats({1, 4}, {-1, 1.3F, -2, -1.8F}), Whole({4}, {0, 2, 0, 3})},
     {{"mode", std::string("edge")}}, 0, {1, 9}, {-1, -1, -1, 1.3F, -2, -1.8F, -1.8F, -1.8F,
      -1.8F}},
    {"Pad, reflect", "Pad",
     {Floats({1, 4}, {-1, 1.3F, -2, -1.8F}), Whole({4}, {0, 2, 0, 3})},
     {{"mode", std::string("reflect")}}, 0, {1, 9}, {-2, 1.3F, -1, 1.3F, -2, -1.8F, -2, 1.3F, -1}},
    {"Pad, wrap", "Pad",
     {Floats({1, 4}, {-1, 1.3F, -2, -1.8F}), Whole({4}, {0, 2, 0, 3})},
     {{"mode", std::string("wrap")}}, 0, {1, 9}, {-2, -1.8F, -1, 1.3F, -2, -1.8F, -1, 1.3F, -2}},
    {"GRU", "GRU",
     {Floats({2, 1, 2}, {-1.8F, 1.7F, 1.3F, -1.9F}), Floats({1, 6, 2}, {1.7F, -1.1F, -0.9F, 0.3F,
      -1.2F, 1.9F, -0.5F, 0.3F, 0.3F, -0.9F, 0.9F, 2}), Floats({1, 6, 2}, {0.4F, -1.7F, 1.2F, 0.7F,
      0, 0.6F, -1, -0.8F, 0.1F, -1.7F, 0.4F, -1.3F}), Floats({1, 12}, {-1, 1.6F, 0.4F, -1, 0.8F, 2,
      1.6F, 1.2F, -0.7F, 0.3F, 0.3F, -1.6F}), {}, Floats({1, 1, 2}, {0.8F, 0.1F})},
     {{"hidden_size", int64_t{2}}, {"linear_before_reset", int64_t{1}}}, 0, {2, 1, 1, 2},
      {-0.762227F, 0.102306F, -0.741369F, -0.298303F}},
    {"GRU, reset before the product", "GRU",
     {Floats({2, 1, 2}, {0.1F, 0.9F, -1.7F, -1.1F}), Floats({1, 6, 2}, {2, -0.8F, -1, -1.7F, -0.8F,
      0.2F, -1.8F, -0.8F, -1, -1.4F, 1.2F, 1.8F}), Floats({1, 6, 2}, {1.7F, -0.2F, -1.7F, -0.6F,
      0.1F, -0.5F, 0.9F, 1, 1.6F, -0.1F, -1, 1.6F})},
     {{"hidden_size", int64_t{2}}}, 1, {1, 1, 2}, {0.948052F, 0.755353F}},
    {"GRU in both directions", "GRU",
     {Floats({2, 1, 2}, {1.5F, -1.5F, -1.2F, 0.6F}), Floats({2, 3, 2}, {1.3F, 1.8F, -1.9F, -1.2F,
      -0.3F, 0.2F, 1.1F, 0.2F, 0.1F, -1, 0.6F, 0.3F}), Floats({2, 3, 1}, {1.8F, -1.2F, -1.5F,
      -0.6F, -0.7F, -0.2F}), Floats({2, 6}, {-1.3F, 0.8F, 1.3F, -2, 1.6F, -1.6F, -0.8F, -0.1F,
      -0.3F, -1.1F, 0.9F, 1.4F})},
     {{"hidden_size", int64_t{1}}, {"direction", std::string("bidirectional")}}, 0, {2, 2, 1, 1},
      {-0.768419F, 0.774138F, 0.858453F, 0.48608F}},
    {"RNN", "RNN",
     {Floats({3, 1, 2}, {-1.1F, -1.3F, 0.1F, -1.4F, 1.8F, 1.4F}), Floats({1, 2, 2}, {1.3F, -0.4F,
      1.1F, -0.4F}), Floats({1, 2, 2}, {-0.2F, -1.6F, -1.9F, 0.7F}), Floats({1, 4}, {-1.2F, 1.8F,
      0.3F, 0.3F})},
     {{"hidden_size", int64_t{2}}}, 0, {3, 1, 1, 2}, {-0.947832F, 0.887494F, -0.893783F, 0.999938F,
      -0.493854F, 0.999985F}},
    {"RNN, backwards with relu", "RNN",
     {Floats({2, 1, 2}, {1.6F, -0.8F, -2, -1.1F}), Floats({1, 2, 2}, {-0.2F, -1.4F, -0.9F, 1}),
      Floats({1, 2, 2}, {-0.5F, -0.6F, -1.1F, 0.1F})},
     {{"hidden_size", int64_t{2}}, {"direction", std::string("reverse")}, {"activations",
      std::string("Relu")}}, 0, {2, 1, 1, 2}, {0, 0, 1.94F, 0.7F}},
    {"Attention", "Attention",
     {Floats({1, 2, 2, 2}, {2, -1.3F, 1.4F, 1.1F, 0.4F, 0.2F, 0.1F, -1.6F}), Floats({1, 1, 3, 2},
      {0.3F, 2, 0.9F, -0.1F, -0.2F, 1.5F}), Floats({1, 1, 3, 2}, {-2, -1.2F, 1.8F, 0.6F, 1.3F,
      0.1F})},
     {}, 0, {1, 2, 2, 2}, {1.56567F, 0.477513F, -0.467676F, -0.535702F, 0.236635F, -0.21969F,
      1.46612F, 0.409731F}},
    {"Attention, joined heads, causal", "Attention",
     {Floats({1, 2, 4}, {-1.8F, 0.1F, 0.5F, -1.6F, -0.1F, 1.8F, -1.8F, -1.8F}), Floats({1, 2, 4},
      {-1.6F, 0.7F, 1.6F, -1.4F, 1.4F, -1.1F, 0.2F, 1.1F}), Floats({1, 2, 4}, {-1.5F, -0.1F, 1.5F,
      -0.6F, 1.2F, -0.2F, 1.8F, -0.4F})},
     {{"q_num_heads", int64_t{2}}, {"kv_num_heads", int64_t{2}}, {"is_causal", int64_t{1}},
      {"softcap", 2.0F}, {"scale", 0.5F}}, 0, {1, 2, 4}, {-1.5F, -0.1F, 1.5F, -0.6F, -1.06587F,
      -0.116079F, 1.58839F, -0.541077F}},
    {"Attention with a mask", "Attention",
     {Floats({1, 1, 2, 2}, {1.3F, -1.7F, -0.6F, -1.4F}), Floats({1, 1, 2, 2}, {-0.4F, -0.4F, -1,
      -0.3F}), Floats({1, 1, 2, 2}, {0.7F, 0.3F, -1, 0.8F}), Floats({2, 2}, {0, -1, -3, 0})},
     {}, 0, {1, 1, 2, 2}, {0.431076F, 0.379095F, -0.930517F, 0.779564F}},
};

TEST_CASE("operators that are made of others compute what ONNX says", "[bind]") {
  for (const NodeCase& node : kCases) {
    CAPTURE(node.what);
    const absl::StatusOr<Graph> bound = BindBatch(ModelOf(node), 1);
    REQUIRE(bound.status() == absl::OkStatus());
    const Value& value = bound->value(bound->FindOutput("y"));
    REQUIRE(value.kind == ValueKind::kConstant);
    CHECK(Ints(value.shape.begin(), value.shape.end()) == node.shape);
    const std::vector<double> elements = Elements(value);
    REQUIRE(elements.size() == node.expected.size());
    for (size_t i = 0; i < elements.size(); ++i) {
      CAPTURE(i);
      const auto expected = static_cast<double>(node.expected[i]);
      CHECK(std::abs(elements[i] - expected) <= 1e-5 + 1e-5 * std::abs(expected));
    }
  }
}

// What is wrong with a node that is refused.
std::string Refusal(const NodeCase& node) {
  return std::string(BindBatch(ModelOf(node), 1).status().message());
}

TEST_CASE("forms that the parts cannot express are refused by attribute or operand", "[bind]") {
  const Content x = Floats({1, 2, 2}, {1, 2, 3, 4});
  const auto einsum = [&](const char* equation) {
    return Refusal({"", "Einsum", {x}, {{"equation", std::string(equation)}}, 0, {}, {}});
  };
  CHECK(absl::EndsWith(einsum("aab->b"), "diagonals are not known"));
  CHECK(absl::EndsWith(einsum("abc->d"), "no one 'd' for its result"));
  CHECK(absl::EndsWith(einsum("abc->......"), "letters and one '...' are known"));
  CHECK(absl::EndsWith(einsum("a.b->a"), "letters and one '...' are known"));
  CHECK(absl::EndsWith(einsum("ab->a"), "has 'ab' for [1, 2, 2]"));
  CHECK(absl::EndsWith(einsum("ab,c->a"), "is 'ab,c->a' for 1 operands"));
  const auto resize = [&](const Content& scales, const kernels::Attributes& attributes) {
    return Refusal({"", "Resize", {x, {}, scales}, attributes, 0, {}, {}});
  };
  CHECK(absl::EndsWith(resize({}, {}), "it has neither scales nor sizes"));
  CHECK(absl::EndsWith(resize(Floats({2}, {1, 2}), {}), "2 numbers for 3 axes"));
  CHECK(absl::EndsWith(resize(Floats({3}, {1, 1, -2}), {}), "holds -2 for 2 elements"));
  CHECK(absl::EndsWith(resize(Floats({3}, {1, 1, 2}), {{"antialias", int64_t{1}}}),
                       "attribute antialias is not known"));
  CHECK(absl::EndsWith(resize(Floats({3}, {2, 1, 1}), {{"mode", std::string("linear")}}),
                       "interpolates along axis 0 of 3; the last two are known"));
}

TEST_CASE("lengths of sequences are not read from an X of another rank", "[bind]") {
  const Content weights = Floats({1, 1, 1}, {1});
  for (const char* op : {"GRU", "RNN"}) {
    CAPTURE(op);
    const std::string message = Refusal(
        {"", op, {Floats({}, {1}), weights, weights, {}, Whole({1}, {1})}, {}, 0, {}, {}});
    CHECK(absl::EndsWith(message, "X has 0 dimensions, it needs 3"));
  }
}

TEST_CASE("nodes of Attention share the mask of their lengths", "[bind]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 1, 4, 2});
  const ValueId shorter = graph.AddInput("shorter", DType::kFloat32, {kBatch, 1, 3, 2});
  const kernels::Attributes causal = {{"is_causal", int64_t{1}}};
  const ValueId first = graph.AddNode("Attention", "first", {x, x, x}, causal);
  const ValueId second = graph.AddNode("Attention", "second", {first, x, x}, causal);
  graph.MarkOutput("y", second);
  graph.MarkOutput("z", graph.AddNode("Attention", "third", {shorter, x, x}, causal));
  const absl::StatusOr<Graph> bound = BindBatch(graph, 2);
  REQUIRE(bound.status() == absl::OkStatus());
  std::vector<kernels::Shape> masks;
  for (const Value& value : bound->values()) {
    if (value.kind == ValueKind::kConstant && value.dtype == DType::kBool) {
      masks.push_back(value.shape);
    }
  }
  CHECK(masks == std::vector<kernels::Shape>{{4, 4}, {3, 4}});
}

TEST_CASE("a few bytes of a model do not make constants or nodes without limit", "[bind]") {
  const Content x = Floats({1, 2, 2}, {1, 2, 3, 4});
  const auto room = [](const NodeCase& node) {
    const absl::Status status = BindBatch(ModelOf(node), 1).status();
    return absl::StrContains(status.message(), "bytes of constants");
  };
  CHECK(room({"", "Resize", {x, {}, Floats({3}, {1, 1, 1e8F})}, {}, 0, {}, {}}));
  CHECK(room({"",
              "Resize",
              {x, {}, Floats({3}, {1, 1, 1e9F})},
              {{"mode", std::string("linear")}},
              0,
              {},
              {}}));
  CHECK(room({"", "OneHot", {Whole({1}, {0}), Whole({}, {1 << 30}), Floats({2}, {0, 1})}, {}, 0,
              {}, {}}));
  CHECK(room({"", "Pad", {x, Whole({6}, {0, 0, 0, 0, 0, 1 << 30})},
              {{"mode", std::string("edge")}}, 0, {}, {}}));
}

}  // namespace
}  // namespace rm::graph
