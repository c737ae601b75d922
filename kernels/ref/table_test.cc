#include "kernels/ref/table.h"

#include <catch2/catch.hpp>
#include <set>

#include "kernels/api/testing.h"

namespace rm::kernels::ref {
namespace {

using testing::Floats;

TEST_CASE("every operator of op.h has one reference kernel of its own name") {
  const std::set<std::string> expected{
      "Add",       "BatchNormGrad", "BatchNormTraining", "BatchNormalization", "Conv",        "ConvGradInput", "ConvGradWeight",      "CountCorrect",
      "Flatten",   "Gemm",        "LayerNormGrad", "LayerNormalization",  "LogSoftmax",
      "LogSoftmaxGrad",           "MatMul",        "MaxPool",             "MaxPoolGrad",
      "ReduceSum", "Relu",        "ReluGrad",      "Reorder",             "Reshape",
      "SgdUpdate", "Softmax",     "SoftmaxCrossEntropy",          "SoftmaxCrossEntropyGrad",
      "SoftmaxGrad"};
  std::set<std::string> ops;
  std::set<std::string> names;
  for (const KernelEntry& entry : Table()) {
    ops.insert(entry.op);
    names.insert(entry.name);
  }
  CHECK(ops == expected);
  CHECK(Table().size() == expected.size());
  CHECK(names.size() == expected.size());
}

TEST_CASE("only Reorder takes layouts other than plain") {
  const Operand plain = Floats({1, 2, 3, 3});
  const Operand blocked = Floats({1, 2, 3, 3}, Layout::kChannels8);
  CHECK(FindKernel(Table(), {"Relu", {}, {plain}, {plain}}) != nullptr);
  CHECK(FindKernel(Table(), {"Relu", {}, {blocked}, {blocked}}) == nullptr);
  CHECK(FindKernel(Table(), {"Reorder", {}, {plain}, {blocked}}) != nullptr);
}

TEST_CASE("what breaks the rules of its operator is not supported") {
  CHECK(FindKernel(Table(), {"Relu", {}, {Floats({2})}, {Floats({3})}}) == nullptr);
  CHECK(FindKernel(Table(), {"Relu", {}, {}, {Floats({3})}}) == nullptr);
}

}  // namespace
}  // namespace rm::kernels::ref
