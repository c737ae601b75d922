#include "kernels/ref/bfloat16.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "kernels/api/bfloat16_form.h"
#include "kernels/api/testing.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Values = std::vector<float>;

// Runs the bfloat16 form of a float32 instance.
std::vector<Values> Run(const OpInstance& instance, const std::vector<Values>& inputs) {
  const auto outputs = Compute(Bfloat16Table(), Narrowed(instance), inputs);
  INFO(outputs.status());
  REQUIRE(outputs.ok());
  return *outputs;
}

TEST_CASE("every form has its reference") {
  std::vector<std::string> rows;
  std::vector<std::string> forms;
  for (const KernelEntry& entry : Bfloat16Table()) rows.emplace_back(entry.op);
  for (const Bfloat16Form& form : Bfloat16Forms()) forms.emplace_back(form.op);
  CHECK(rows == forms);
}

TEST_CASE("results are rounded once, behind a sum in float32") {
  // 256 + 1 is a tie between 256 and 258 in bfloat16; 1 + 1 first would make 258 of it.
  const OpInstance pool{"AveragePool",
                        {{"kernel_shape", std::vector<int64_t>{1, 4}}},
                        {Floats({1, 1, 1, 4})},
                        {Floats({1, 1, 1, 1})}};
  CHECK(Run(pool, {{1024, 4, 4, 8}})[0] == Values{260});  // 1040 / 4
  const OpInstance add{"Add", {}, {Floats({3}), Floats({3})}, {Floats({3})}};
  CHECK(Run(add, {{256, 256, 1}, {1, 3, 2}})[0] == Values{256, 260, 3});
}

TEST_CASE("weights of a convolution are rounded before they are used, a bias is not") {
  const float near_one = 1.001F;  // 1 in bfloat16
  const OpInstance conv{"Conv",
                        {},
                        {Floats({1, 1, 1, 1}), Floats({1, 1, 1, 1}), Floats({1})},
                        {Floats({1, 1, 1, 1})}};
  CHECK(Run(conv, {{2}, {near_one}, {0}})[0] == Values{2});
  // 2 · 1 − 2 + 0.001, of which bfloat16 keeps two digits: not the 0 that a rounded bias would give.
  const float difference = Run(conv, {{2}, {near_one}, {-1.999F}})[0][0];
  CHECK(difference == Approx(0.001F).epsilon(0.01));
}

TEST_CASE("products and gradients of weights come out in float32") {
  const OpInstance product{"MatMul", {}, {Floats({1, 2}), Floats({2, 1})}, {Floats({1, 1})}};
  CHECK(Run(product, {{256, 1}, {1, 1}})[0] == Values{257});
  const OpInstance gradient{"ConvGradWeight",
                            {},
                            {Floats({1, 1, 1, 2}), Floats({1, 1, 1, 2})},
                            {Floats({1, 1, 1, 1}), Floats({1})}};
  const auto outputs = Run(gradient, {{256, 1}, {1, 1}});
  CHECK(outputs[0] == Values{257});
  CHECK(outputs[1] == Values{2});
}

TEST_CASE("float32 instances and layouts are not its own") {
  const Operand wide = Floats({1, 2, 3, 3});
  CHECK(FindKernel(Bfloat16Table(), {"Relu", {}, {wide}, {wide}}) == nullptr);
  const Operand blocked = Floats({1, 2, 3, 3}, Layout::kChannels8);
  const OpInstance relu{"Relu", {}, {blocked}, {blocked}};
  CHECK(FindKernel(Bfloat16Table(), Narrowed(relu)) == nullptr);
}

}  // namespace
}  // namespace rm::kernels::ref
