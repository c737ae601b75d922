#include "kernels/cpu/table.h"

#include <catch2/catch.hpp>
#include <set>

#include "kernels/api/testing.h"

namespace rm::kernels::cpu {
namespace {

using testing::Bytes;
using testing::Floats;
using testing::Int64s;

constexpr Layout kLayouts[] = {Layout::kPlain, Layout::kChannelsLast, Layout::kChannels8,
                               Layout::kChannels16};

// `instance` in the layouts that the entry wants.
OpInstance InChosenLayouts(OpInstance instance, const KernelEntry& entry) {
  if (entry.choose_layouts == nullptr) return instance;
  const LayoutChoice choice = entry.choose_layouts(instance, {});
  REQUIRE(choice.inputs.size() == instance.inputs.size());
  REQUIRE(choice.outputs.size() == instance.outputs.size());
  for (size_t i = 0; i < choice.inputs.size(); ++i) {
    instance.inputs[i].type.layout = choice.inputs[i];
  }
  for (size_t i = 0; i < choice.outputs.size(); ++i) {
    instance.outputs[i].type.layout = choice.outputs[i];
  }
  return instance;
}

// `instance` with every operand plain.
OpInstance InPlain(OpInstance instance) {
  for (Operand& operand : instance.inputs) operand.type.layout = Layout::kPlain;
  for (Operand& operand : instance.outputs) operand.type.layout = Layout::kPlain;
  return instance;
}

TEST_CASE("names are unique and every row has its functions") {
  std::set<std::string> names;
  for (const KernelEntry& entry : Table()) {
    names.insert(entry.name);
    CHECK(entry.supports != nullptr);
    CHECK(entry.make != nullptr);
  }
  CHECK(names.size() == Table().size());
}

TEST_CASE("the layouts an entry chooses are layouts it supports") {
  const Attributes pool{{"kernel_shape", std::vector<int64_t>{2, 2}}};
  for (const Layout layout : kLayouts) {
    const Operand x = Floats({2, 6, 5, 5}, layout);
    const Operand y = Floats({2, 32, 3, 3}, layout);
    const Operand w = Floats({32, 6, 3, 3});
    const Operand pooled = Floats({2, 6, 4, 4}, layout);
    const Operand index = Bytes({2, 6, 4, 4}, layout);
    const OpInstance instances[] = {
        {"Add", {}, {x, x}, {x}},
        {"Conv", {}, {x, w, Floats({32})}, {y}},
        {"ConvGradInput", {}, {y, w}, {x}},
        {"ConvGradWeight", {}, {x, y}, {w, Floats({32})}},
        {"MaxPool", pool, {x}, {pooled, index}},
        {"MaxPoolGrad", pool, {pooled, index}, {x}},
        {"Mul", {}, {x, x}, {x}},
        {"Relu", {}, {x}, {x}},
        {"ReluGrad", {}, {x, x}, {x}},
        {"Sigmoid", {}, {x}, {x}},
        {"SigmoidGrad", {}, {x, x}, {x}},
        {"Reorder", {}, {x}, {Floats({2, 6, 5, 5})}},
    };
    for (const OpInstance& instance : instances) {
      int rows = 0;
      for (const KernelEntry& row : Table()) {
        if (instance.op != row.op || !row.supports(InPlain(instance))) continue;
        const OpInstance chosen = InChosenLayouts(instance, row);
        INFO(row.name << ": " << chosen.ToString());
        CHECK(row.supports(chosen));
        ++rows;
      }
      CHECK(rows > 0);
    }
  }
}

TEST_CASE("the backward pass goes on in the layouts of the forward pass") {
  const Attributes pool{{"kernel_shape", std::vector<int64_t>{2, 2}}};
  const Operand plain = Floats({2, 6, 4, 4});
  for (const Layout layout : kLayouts) {
    const OpInstance relu_grad{
        "ReluGrad", {}, {plain, Floats({2, 6, 4, 4}, layout)}, {plain}};
    const OpInstance pool_grad{
        "MaxPoolGrad", pool, {plain, Bytes({2, 6, 4, 4}, layout)}, {Floats({2, 6, 5, 5})}};
    for (const OpInstance& instance : {relu_grad, pool_grad}) {
      for (const KernelEntry& entry : Table()) {
        if (instance.op != entry.op) continue;
        const LayoutChoice choice = entry.choose_layouts(instance, {});
        CHECK(choice.inputs == std::vector<Layout>{layout, layout});
        CHECK(choice.outputs == std::vector<Layout>{layout});
      }
    }
  }
}

TEST_CASE("what the fast kernels leave out they do not claim") {
  const Operand empty = Floats({0, 6, 5, 5});
  const OpInstance instances[] = {
      {"Conv", {}, {empty, Floats({4, 6, 3, 3})}, {Floats({0, 4, 3, 3})}},
      {"Gemm", {}, {Floats({2, 0}), Floats({0, 3})}, {Floats({2, 3})}},
      {"MatMul", {}, {Floats({2, 1, 3, 4}), Floats({5, 4, 2})}, {Floats({2, 5, 3, 2})}},
      {"Add", {}, {Int64s({4}), Int64s({4})}, {Int64s({4})}},
      {"Reorder", {}, {Int64s({2, 3, 4, 5})}, {Int64s({2, 3, 4, 5})}},
      {"SoftmaxCrossEntropy",
       {},
       {Floats({2, 3}), Int64s({2}), Floats({2})},
       {Floats({1})}},
      {"CountCorrect", {}, {Floats({2, 3}), Int64s({2}), Floats({2})}, {Floats({1})}},
  };
  for (const OpInstance& instance : instances) {
    INFO(instance.ToString());
    CHECK(FindKernel(Table(), instance) == nullptr);
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
