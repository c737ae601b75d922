#include "kernels/api/bfloat16_form.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "kernels/api/op_signature.h"
#include "kernels/api/testing.h"

namespace rm::kernels {
namespace {

using testing::Absent;
using testing::Bytes;
using testing::Floats;

Operand Halves(const Shape& shape, Layout layout = Layout::kPlain) {
  return {TensorType{DType::kBfloat16, shape, layout}, true};
}

TEST_CASE("forms are listed in order, once each, for operators and operands that there are") {
  std::vector<std::string> ops;
  for (const Bfloat16Form& form : Bfloat16Forms()) {
    INFO(form.op);
    ops.emplace_back(form.op);
    const OpSignature* signature = FindOpSignature(form.op);
    REQUIRE(signature != nullptr);
    CHECK(form.inputs != 0);
    CHECK((form.inputs | form.rounded) >> signature->inputs.most == 0);
    CHECK(form.outputs >> signature->outputs.most == 0);
    CHECK((form.inputs & form.rounded) == 0);
  }
  CHECK(std::is_sorted(ops.begin(), ops.end()));
  CHECK(std::adjacent_find(ops.begin(), ops.end()) == ops.end());
  CHECK(FindBfloat16Form("Softmax") == nullptr);
}

TEST_CASE("narrowing changes just the operands of the form, widening all of them back") {
  const OpInstance conv{
      "Conv", {}, {Floats({1, 2, 4, 4}), Floats({3, 2, 3, 3}), Absent()}, {Floats({1, 3, 2, 2})}};
  const OpInstance narrowed = Narrowed(conv);
  CHECK(narrowed.ToString() ==
        "Conv(bfloat16 [1, 2, 4, 4], [3, 2, 3, 3], -) → bfloat16 [1, 3, 2, 2]");
  CHECK(Widened(narrowed).ToString() == conv.ToString());
}

TEST_CASE("other dtypes and layouts stay as they are") {
  const Attributes pool{{"kernel_shape", std::vector<int64_t>{2, 2}}};
  const Layout blocked = Layout::kChannels16;
  const OpInstance op{"MaxPool",
                      pool,
                      {Floats({1, 2, 3, 3}, blocked)},
                      {Floats({1, 2, 2, 2}, blocked), Bytes({1, 2, 2, 2}, blocked)}};
  CHECK(Narrowed(op).ToString() ==
        "MaxPool(bfloat16 [1, 2, 3, 3] channels16) → bfloat16 [1, 2, 2, 2] channels16, "
        "uint8 [1, 2, 2, 2] channels16");
}

TEST_CASE("an instance has the form when its dtypes and its shapes fit") {
  const Operand x = Halves({2, 3});
  CHECK(IsBfloat16Form({"Relu", {}, {x}, {x}}));
  CHECK_FALSE(IsBfloat16Form({"Relu", {}, {Floats({2, 3})}, {Floats({2, 3})}}));
  CHECK_FALSE(IsBfloat16Form({"Relu", {}, {x}, {Floats({2, 3})}}));
  CHECK_FALSE(IsBfloat16Form({"Relu", {}, {x}, {Halves({2, 4})}}));
  CHECK_FALSE(IsBfloat16Form({"Softmax", {}, {x}, {x}}));
  const Operand whole = testing::Int64s({2});
  CHECK_FALSE(IsBfloat16Form({"Add", {}, {whole, whole}, {whole}}));
  CHECK(IsBfloat16Form({"MatMul", {}, {x, Halves({3, 4})}, {Floats({2, 4})}}));
  CHECK_FALSE(IsBfloat16Form({"MatMul", {}, {x, Floats({3, 4})}, {Floats({2, 4})}}));
}

TEST_CASE("the float32 rules know no bfloat16") {
  const Operand x = Halves({2, 3});
  CHECK(FindOpSignature("Relu") != nullptr);
  OpInstance relu{"Relu", {}, {x}, {x}};
  CHECK_FALSE(InferOutputs(&relu).ok());
}

}  // namespace
}  // namespace rm::kernels
