// What combines tensors element by element: arithmetic, comparisons, logic, Where, casts.
#include <cmath>
#include <limits>

#include "kernels/api/testing.h"
#include "tests/parity/case_tools.h"

namespace rm::tests {
namespace {

using base::RandomStream;
using kernels::Attributes;
using kernels::DType;
using kernels::ElementCount;
using kernels::Layout;
using kernels::Operand;
using kernels::OpInstance;
using kernels::Shape;
using kernels::TensorType;
using kernels::testing::Floats;

Operand Of(DType dtype, const Shape& shape) {
  return {TensorType{dtype, shape, Layout::kPlain}, true};
}

// A, B and the shape to which they broadcast.
struct Pair {
  Shape a, b, y;
};

const Pair kPairs[] = {
    {{0}, {0}, {0}},
    {{}, {}, {}},
    {{1}, {1}, {1}},
    {{17}, {17}, {17}},
    {{2, 16, 3, 3}, {2, 16, 3, 3}, {2, 16, 3, 3}},
    {{2, 3, 5, 5}, {2, 3, 5, 5}, {2, 3, 5, 5}},
    {{40000}, {40000}, {40000}},
    {{4, 3, 5}, {5}, {4, 3, 5}},
    {{4, 3, 5}, {3, 5}, {4, 3, 5}},
    {{4, 3, 5}, {1, 1, 5}, {4, 3, 5}},
    {{4, 3, 5}, {1}, {4, 3, 5}},
    {{4, 3, 5}, {}, {4, 3, 5}},
    {{}, {4, 3, 5}, {4, 3, 5}},
    {{4, 3, 5}, {3, 1}, {4, 3, 5}},
    {{5}, {4, 3, 5}, {4, 3, 5}},
    {{4, 1}, {1, 5}, {4, 5}},
    {{64, 1, 33}, {7, 33}, {64, 7, 33}},
    {{2, 20, 3, 5}, {20, 1, 1}, {2, 20, 3, 5}},
    {{2, 20, 3, 5}, {2, 20, 1, 1}, {2, 20, 3, 5}},
    {{1, 1, 9, 9}, {2, 3, 1, 9}, {2, 3, 9, 9}},
    {{3, 1, 2, 1, 4}, {1, 5, 2, 3, 1}, {3, 5, 2, 3, 4}},
    {{0, 3}, {1, 3}, {0, 3}},
};

// Whole numbers of both signs.
Values Whole(RandomStream& random, const Shape& shape) {
  Values values(static_cast<size_t>(ElementCount(shape)));
  for (float& value : values) value = static_cast<float>(random.NextBelow(2001)) - 1000;
  return values;
}

// The same without 0.
Values Divisors(RandomStream& random, const Shape& shape) {
  Values values = Whole(random, shape);
  for (float& value : values) value = value == 0 ? 7 : value;
  return values;
}

Values Truths(RandomStream& random, const Shape& shape) {
  Values values(static_cast<size_t>(ElementCount(shape)));
  for (float& value : values) value = static_cast<float>(random.NextBelow(2));
  return values;
}

// Floats are exact too: one operation has one rounding, however it is vectorised.
std::vector<KernelCase> Arithmetic(RandomStream& random, const std::string& op,
                                   const Attributes& attributes = {}) {
  std::vector<KernelCase> cases;
  for (const Pair& p : kPairs) {
    const OpInstance floats{op, attributes, {Floats(p.a), Floats(p.b)}, {Floats(p.y)}};
    cases.push_back(Exact(floats, {Uniform(random, p.a), Uniform(random, p.b)}));
    for (const DType dtype : {DType::kInt64, DType::kInt32}) {
      const OpInstance whole{op, attributes, {Of(dtype, p.a), Of(dtype, p.b)}, {Of(dtype, p.y)}};
      cases.push_back(Exact(whole, {Whole(random, p.a), Divisors(random, p.b)}));
    }
  }
  return cases;
}

std::vector<KernelCase> Extremum(RandomStream& random, const std::string& op) {
  std::vector<KernelCase> cases = Arithmetic(random, op);
  const Shape y{4, 3, 5};
  cases.push_back(Exact({op, {}, {Floats(y)}, {Floats(y)}}, {Coarse(random, y)}));
  const OpInstance three{op, {}, {Floats({3, 5}), Floats(y), Floats({})}, {Floats(y)}};
  cases.push_back(Exact(three, {Coarse(random, {3, 5}), Coarse(random, y), {0.25F}}));
  Values odd = Coarse(random, {33});
  odd[5] = std::numeric_limits<float>::quiet_NaN();
  const OpInstance nan{op, {}, {Floats({33}), Floats({33})}, {Floats({33})}};
  cases.push_back(Exact(nan, {odd, Coarse(random, {33})}));
  cases.push_back(Exact(nan, {Coarse(random, {33}), odd}));
  return cases;
}

// Remainders are of whole numbers, but by fmod.
std::vector<KernelCase> ModCases(RandomStream& random) {
  std::vector<KernelCase> cases = Arithmetic(random, "Mod", {{"fmod", int64_t{1}}});
  for (const DType dtype : {DType::kInt64, DType::kInt32}) {
    const OpInstance op{"Mod", {}, {Of(dtype, {100}), Of(dtype, {100})}, {Of(dtype, {100})}};
    cases.push_back(Exact(op, {Whole(random, {100}), Divisors(random, {100})}));
  }
  return cases;
}

// Bases above 0 with any exponent, and any base with whole ones.
constexpr Tolerance kPower{1, 1};
const float kExponents[] = {0, 1, 2, 3, 4, -1, -2, 0.5F, -0.5F, 1.7F};

Values Bases(RandomStream& random, const Shape& shape) {
  Values values = Uniform(random, shape);
  for (float& value : values) value = std::abs(value) + 0.1F;
  return values;
}

std::vector<KernelCase> PowCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const Pair& p : kPairs) {
    const OpInstance op{"Pow", {}, {Floats(p.a), Floats(p.b)}, {Floats(p.y)}};
    cases.push_back(Near(op, {Bases(random, p.a), Uniform(random, p.b)}, kPower, 0));
  }
  for (const float y : kExponents) {
    const OpInstance op{"Pow", {}, {Floats({100}), Floats({})}, {Floats({100})}};
    cases.push_back(Near(op, {Bases(random, {100}), {y}}, kPower, 0));
    if (std::floor(y) == y) cases.push_back(Near(op, {Uniform(random, {100}), {y}}, kPower, 0));
  }
  return cases;
}

std::vector<KernelCase> PowGradCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const Pair& p : kPairs) {
    const OpInstance op{
        "PowGrad", {}, {Floats(p.y), Floats(p.a), Floats(p.b)}, {Floats(p.y)}};
    const Values dz = Uniform(random, p.y);
    cases.push_back(Near(op, {dz, Bases(random, p.a), Uniform(random, p.b)}, kPower, 0));
  }
  for (const float y : kExponents) {
    const Operand x = Floats({100});
    const OpInstance op{"PowGrad", {}, {x, x, Floats({})}, {x}};
    cases.push_back(Near(op, {Uniform(random, {100}), Bases(random, {100}), {y}}, kPower, 0));
  }
  return cases;
}

// Few different numbers, so that some are equal.
std::vector<KernelCase> Comparison(RandomStream& random, const std::string& op) {
  std::vector<KernelCase> cases;
  for (const Pair& p : kPairs) {
    for (const DType dtype : {DType::kFloat32, DType::kInt64, DType::kInt32}) {
      const OpInstance relation{
          op, {}, {Of(dtype, p.a), Of(dtype, p.b)}, {Of(DType::kBool, p.y)}};
      Values a = Coarse(random, p.a);
      Values b = Coarse(random, p.b);
      for (float& value : a) value *= 4;  // whole numbers
      for (float& value : b) value *= 4;
      cases.push_back(Exact(relation, {a, b}));
    }
  }
  return cases;
}

std::vector<KernelCase> Logic(RandomStream& random, const std::string& op) {
  std::vector<KernelCase> cases;
  for (const Pair& p : kPairs) {
    const OpInstance instance{
        op, {}, {Of(DType::kBool, p.a), Of(DType::kBool, p.b)}, {Of(DType::kBool, p.y)}};
    cases.push_back(Exact(instance, {Truths(random, p.a), Truths(random, p.b)}));
  }
  return cases;
}

std::vector<KernelCase> NotCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const Shape& shape : {Shape{0}, Shape{}, Shape{2, 3, 5, 5}}) {
    const Operand x = Of(DType::kBool, shape);
    cases.push_back(Exact({"Not", {}, {x}, {x}}, {Truths(random, shape)}));
  }
  return cases;
}

std::vector<KernelCase> IsNaNCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const Shape& shape : {Shape{0}, Shape{1}, Shape{2, 3, 5, 5}}) {
    Values x = Uniform(random, shape);
    for (size_t i = 0; i < x.size(); i += 3) x[i] = std::numeric_limits<float>::quiet_NaN();
    cases.push_back(Exact({"IsNaN", {}, {Floats(shape)}, {Of(DType::kBool, shape)}}, {x}));
  }
  return cases;
}

// The condition takes the shape of either side, or is a row, a column or a mask of its own.
std::vector<KernelCase> WhereCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const DType dtype : {DType::kFloat32, DType::kInt64, DType::kUInt8}) {
    const auto add = [&](const Shape& c, const Shape& x, const Shape& y, const Shape& z) {
      const OpInstance op{
          "Where", {}, {Of(DType::kBool, c), Of(dtype, x), Of(dtype, y)}, {Of(dtype, z)}};
      Values a = Whole(random, x);
      Values b = Whole(random, y);
      for (float& value : a) value = std::abs(std::fmod(value, 100.0F));
      for (float& value : b) value = std::abs(std::fmod(value, 100.0F));
      cases.push_back(Exact(op, {Truths(random, c), a, b}));
    };
    for (const Pair& p : kPairs) {
      add(p.a, p.b, {}, p.y);
      add(p.a, p.y, p.b, p.y);
    }
    add({9, 9}, {2, 3, 9, 9}, {}, {2, 3, 9, 9});
    add({2, 1, 1, 9}, {}, {2, 3, 9, 9}, {2, 3, 9, 9});
  }
  return cases;
}

std::vector<KernelCase> CastCases(RandomStream& random) {
  const DType dtypes[] = {DType::kFloat32, DType::kInt64, DType::kInt32, DType::kUInt8,
                          DType::kBool};
  std::vector<KernelCase> cases;
  for (const DType from : dtypes) {
    for (const DType to : dtypes) {
      const Attributes attributes{{"to", std::string(DTypeName(to))}};
      Values x = from == DType::kBool ? Truths(random, {33}) : Whole(random, {33});
      if (from == DType::kFloat32) x = Uniform(random, {33});
      if (from == DType::kUInt8) x = Truths(random, {33});
      cases.push_back(Exact({"Cast", attributes, {Of(from, {33})}, {Of(to, {33})}}, {x}));
    }
  }
  // Vectors and their rest, and images, which are cast as they lie.
  for (const Shape& shape : {Shape{33}, Shape{2, 17, 3, 5}, Shape{40000}}) {
    for (const DType to : {DType::kFloat32, DType::kBfloat16}) {
      const DType from = to == DType::kFloat32 ? DType::kBfloat16 : DType::kFloat32;
      const Attributes attributes{{"to", std::string(DTypeName(to))}};
      cases.push_back(Exact({"Cast", attributes, {Of(from, shape)}, {Of(to, shape)}},
                            {Uniform(random, shape)}));
    }
  }
  return cases;
}

using Random = RandomStream;

const Generator kGenerators[] = {
    {"Add", [](Random& r) { return Arithmetic(r, "Add"); }},
    {"And", [](Random& r) { return Logic(r, "And"); }},
    {"Cast", &CastCases},
    {"Div", [](Random& r) { return Arithmetic(r, "Div"); }},
    {"Equal", [](Random& r) { return Comparison(r, "Equal"); }},
    {"Greater", [](Random& r) { return Comparison(r, "Greater"); }},
    {"GreaterOrEqual", [](Random& r) { return Comparison(r, "GreaterOrEqual"); }},
    {"IsNaN", &IsNaNCases},
    {"Less", [](Random& r) { return Comparison(r, "Less"); }},
    {"LessOrEqual", [](Random& r) { return Comparison(r, "LessOrEqual"); }},
    {"Max", [](Random& r) { return Extremum(r, "Max"); }},
    {"Min", [](Random& r) { return Extremum(r, "Min"); }},
    {"Mod", &ModCases},
    {"Mul", [](Random& r) { return Arithmetic(r, "Mul"); }},
    {"Not", &NotCases},
    {"Or", [](Random& r) { return Logic(r, "Or"); }},
    {"Pow", &PowCases},
    {"PowGrad", &PowGradCases},
    {"Sub", [](Random& r) { return Arithmetic(r, "Sub"); }},
    {"Where", &WhereCases},
};

}  // namespace

Generators BroadcastGenerators() { return kGenerators; }

}  // namespace rm::tests
