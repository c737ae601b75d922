#include "kernels/ref/unary.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Values = std::vector<float>;

struct FunctionCase {
  std::string op;
  Attributes attributes;
  Values x, y;
};

// Values that a person can check, corners among them.
const FunctionCase kFunctions[] = {
    {"Abs", {}, {-2, 0, 3}, {2, 0, 3}},
    {"Clip", {}, {-2, 0, 3}, {-2, 0, 3}},
    {"Clip", {{"min", -1.0F}, {"max", 2.0F}}, {-2, 0, 3}, {-1, 0, 2}},
    {"Clip", {{"max", 2.0F}}, {-2, 3}, {-2, 2}},
    {"Clip", {{"min", 2.0F}, {"max", 1.0F}}, {0, 3}, {1, 1}},
    {"Cos", {}, {0, 3.14159274F}, {1, -1}},
    {"Elu", {}, {2, 0, -1}, {2, 0, -0.63212056F}},
    {"Elu", {{"alpha", 2.0F}}, {2, -1}, {2, -1.26424112F}},
    {"Erf", {}, {0, 1, -1, 9}, {0, 0.84270079F, -0.84270079F, 1}},
    {"Exp", {}, {0, 1}, {1, 2.71828183F}},
    {"Gelu", {}, {0, 1, -1}, {0, 0.84134475F, -0.15865525F}},
    {"Gelu", {{"approximate", std::string("tanh")}}, {0, 1, -1}, {0, 0.84119199F, -0.15880801F}},
    {"HardSigmoid", {}, {-3, 0, 1, 3}, {0, 0.5F, 0.7F, 1}},
    {"HardSigmoid", {{"alpha", 0.5F}, {"beta", 0.25F}}, {0, 1, 3}, {0.25F, 0.75F, 1}},
    {"HardSwish", {}, {-4, -3, 0, 1, 3, 4}, {0, 0, 0, 2.0F / 3, 3, 4}},
    {"LeakyRelu", {}, {2, -2}, {2, -0.02F}},
    {"LeakyRelu", {{"alpha", 0.5F}}, {2, -2}, {2, -1}},
    {"Log", {}, {1, 2.71828183F}, {0, 1}},
    {"Neg", {}, {1, -2}, {-1, 2}},
    {"Reciprocal", {}, {2, -4}, {0.5F, -0.25F}},
    {"Sigmoid", {}, {0, 100, -100}, {0.5F, 1, 3.7835059e-44F}},
    {"Sin", {}, {0, 1.57079633F}, {0, 1}},
    {"Sqrt", {}, {4, 0}, {2, 0}},
    {"Tanh", {}, {0, 1, -20}, {0, 0.76159416F, -1}},
};

TEST_CASE("functions have the values that they are known for") {
  for (const FunctionCase& c : kFunctions) {
    const Operand x = Floats({static_cast<int64_t>(c.x.size())});
    const auto y = Compute(Table(), {c.op, c.attributes, {x}, {x}}, {c.x});
    INFO(c.op << y.status());
    REQUIRE(y.ok());
    for (size_t i = 0; i < c.y.size(); ++i) {
      CHECK((*y)[0][i] == Approx(c.y[i]).epsilon(1e-6).margin(1e-9));
    }
  }
}

// Central differences of the function itself; `by_y` where the gradient reads Y.
struct SlopeCase {
  std::string function;
  bool by_y;
  std::vector<double> points;
};

const SlopeCase kSlopes[] = {
    {"Abs", false, {-2, 3}},
    {"Clip", false, {-2, 0.5, 3}},
    {"Elu", false, {-2, 0.5}},
    {"Erf", false, {-2, 0, 0.5}},
    {"Gelu", false, {-3, -1, 0, 0.5, 2}},
    {"HardSigmoid", true, {-9, 0.5, 9}},
    {"HardSwish", false, {-4, -1, 0.5, 4}},
    {"LeakyRelu", false, {-2, 0.5}},
    {"Reciprocal", true, {-2, 0.5}},
    {"Sigmoid", true, {-2, 0, 0.5}},
    {"Sqrt", true, {0.25, 4}},
    {"Tanh", true, {-2, 0, 0.5}},
};

TEST_CASE("slopes are those of the functions") {
  for (const SlopeCase& c : kSlopes) {
    UnaryFunction* const function = FindUnary(c.function);
    UnaryFunction* const slope = FindSlope(c.function + "Grad");
    REQUIRE(function != nullptr);
    REQUIRE(slope != nullptr);
    for (const bool tanh : {false, true}) {
      const UnaryParameters parameters{0.3, 0.4, -1, 2, tanh};
      for (const double x : c.points) {
        constexpr double kStep = 1e-6;
        const double difference =
            (function(x + kStep, parameters) - function(x - kStep, parameters)) / (2 * kStep);
        INFO(c.function << " at " << x);
        CHECK(slope(c.by_y ? function(x, parameters) : x, parameters) ==
              Approx(difference).margin(1e-8));
      }
    }
  }
}

TEST_CASE("the gradient is dY times the slope") {
  const Operand x = Floats({3});
  const OpInstance op{"TanhGrad", {}, {x, x}, {x}};
  CHECK(Compute(Table(), op, {{1, 2, 3}, {0, 0.5F, 1}})->at(0) == Values{1, 1.5F, 0});
}

TEST_CASE("Abs and Neg of whole numbers") {
  for (const DType dtype : {DType::kInt64, DType::kInt32}) {
    const Operand x{TensorType{dtype, {3}}, true};
    CHECK(Compute(Table(), {"Abs", {}, {x}, {x}}, {{-5, 0, 7}})->at(0) == Values{5, 0, 7});
    CHECK(Compute(Table(), {"Neg", {}, {x}, {x}}, {{-5, 0, 7}})->at(0) == Values{5, 0, -7});
  }
  const Operand x{TensorType{DType::kInt32, {1}}, true};
  CHECK(Compute(Table(), {"Abs", {}, {x}, {x}}, {{-2147483648.0F}})->at(0) ==
        Values{-2147483648.0F});
}

TEST_CASE("at corners the slope is what op.h says") {
  const UnaryParameters p{0.3, 0.4, -1, 2, false};
  CHECK(FindSlope("AbsGrad")(0, p) == 0);
  CHECK(FindSlope("ClipGrad")(-1, p) == 1);
  CHECK(FindSlope("ClipGrad")(2, p) == 1);
  CHECK(FindSlope("EluGrad")(0, p) == 0.3);
  CHECK(FindSlope("HardSigmoidGrad")(0, p) == 0);
  CHECK(FindSlope("HardSigmoidGrad")(1, p) == 0);
  CHECK(FindSlope("HardSwishGrad")(-3, p) == 0);
  CHECK(FindSlope("HardSwishGrad")(3, p) == 1);
  CHECK(FindSlope("LeakyReluGrad")(0, p) == 0.3);
}

TEST_CASE("parameters that are missing have ONNX's values") {
  const auto alpha = [](const std::string& op) {
    return ReadUnaryParameters({op, {}, {}, {}}).alpha;
  };
  CHECK(alpha("Elu") == 1);
  CHECK(alpha("EluGrad") == 1);
  CHECK(alpha("LeakyRelu") == Approx(0.01));
  CHECK(alpha("HardSigmoidGrad") == Approx(0.2));
  CHECK(ReadUnaryParameters({"HardSigmoid", {}, {}, {}}).beta == 0.5);
}

TEST_CASE("a NaN stays a NaN") {
  for (const FunctionCase& c : kFunctions) {
    if (c.op == "HardSigmoid" || c.op == "HardSwish") continue;  // left open
    INFO(c.op);
    CHECK(std::isnan(Compute(Table(), {c.op, c.attributes, {Floats({1})}, {Floats({1})}},
                             {{NAN}})->at(0)[0]));
  }
}

}  // namespace
}  // namespace rm::kernels::ref
