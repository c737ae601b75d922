#include "kernels/api/op_signature.h"

#include <catch2/catch.hpp>
#include <string>

namespace rm::kernels {
namespace {

TEST_CASE("the table is in alphabetical order, each operator once, with possible arities") {
  std::string last;
  for (const OpSignature& signature : OpSignatures()) {
    INFO(signature.op);
    CHECK(last < signature.op);
    last = signature.op;
    CHECK(signature.infer != nullptr);
    CHECK(signature.inputs.least >= 1);
    CHECK(signature.inputs.least <= signature.inputs.most);
    CHECK(signature.outputs.least >= 1);
    CHECK(signature.outputs.least <= signature.outputs.most);
    CHECK(FindOpSignature(signature.op) == &signature);
  }
}

TEST_CASE("an operator outside the table is not found") {
  CHECK(FindOpSignature("relu") == nullptr);
  CHECK(FindOpSignature("") == nullptr);
  OpInstance unknown{"Frobnicate", {}, {}, {}};
  CHECK(InferOutputs(&unknown).message() == "this operator is not known");
}

TEST_CASE("an update keeps the bucket's shape and wants its hyperparameters") {
  const Operand w{{DType::kFloat32, {7}}};
  const auto error = [&](const Operand& m, const Operand& hyper) {
    OpInstance instance{"SgdUpdate", {}, {w, w, m, hyper}, {w, w}};
    return std::string(InferOutputs(&instance).message());
  };
  CHECK(error(w, {{DType::kFloat32, {5}}}).empty());
  CHECK(error(w, {{DType::kFloat32, {3}}}) == "hyper has shape [3], it must be [5]");
  CHECK(error({{DType::kFloat32, {8}}}, {{DType::kFloat32, {5}}}) ==
        "m has shape [8], it must be [7]");
  const Operand hyper{{DType::kFloat32, {10}}};
  OpInstance adam{"AdamUpdate", {}, {w, w, w, w, hyper}, {w, w, w}};
  CHECK(InferOutputs(&adam).ok());
  CHECK(adam.outputs[2].type.shape == Shape{7});
  adam.inputs[3].type.shape = {8};
  CHECK(InferOutputs(&adam).message() == "v has shape [8], it must be [7]");
}

}  // namespace
}  // namespace rm::kernels
