// Functions of one tensor, and what combines tensors element by element. Truth values are 0 and 1.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "tests/graph/double_scene.h"

namespace rm::graph {
namespace {

using kernels::Attributes;

// --- Functions of one tensor ---

using Function = double(double x, const Attributes& attributes);

template <Function* kFunction>
void Map(const Scene& s) {
  for (size_t i = 0; i < s.in[0]->size(); ++i) {
    (*s.out[0])[i] = kFunction((*s.in[0])[i], s.node->attributes);
  }
}

double Number(const Attributes& attributes, const char* name, double fallback) {
  return static_cast<double>(attributes.Float(name, static_cast<float>(fallback)));
}

double Abs(double x, const Attributes&) { return x < 0 ? -x : x; }
double Clip(double x, const Attributes& a) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return std::min(std::max(x, Number(a, "min", -kInfinity)), Number(a, "max", kInfinity));
}
double Cos(double x, const Attributes&) { return std::cos(x); }
double Elu(double x, const Attributes& a) {
  return x > 0 ? x : Number(a, "alpha", 1) * (std::exp(x) - 1);
}
double Erf(double x, const Attributes&) { return std::erf(x); }
double Exp(double x, const Attributes&) { return std::exp(x); }
double Gelu(double x, const Attributes& a) {
  if (a.String("approximate", "none") == "none") return x * (1 + std::erf(x / std::sqrt(2.0))) / 2;
  return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * std::pow(x, 3))));
}
double HardSigmoid(double x, const Attributes& a) {
  return std::min(std::max(Number(a, "alpha", 0.2) * x + Number(a, "beta", 0.5), 0.0), 1.0);
}
double HardSwish(double x, const Attributes&) {
  return x * std::min(std::max(x / 6 + 0.5, 0.0), 1.0);
}
double LeakyRelu(double x, const Attributes& a) {
  return x > 0 ? x : Number(a, "alpha", 0.01) * x;
}
double Log(double x, const Attributes&) { return std::log(x); }
double Neg(double x, const Attributes&) { return -x; }
double Reciprocal(double x, const Attributes&) { return 1 / x; }
double Sigmoid(double x, const Attributes&) { return 1 / (1 + std::exp(-x)); }
double Sin(double x, const Attributes&) { return std::sin(x); }
double Sqrt(double x, const Attributes&) { return std::sqrt(x); }
double Tanh(double x, const Attributes&) { return std::tanh(x); }
double IsNaN(double x, const Attributes&) { return std::isnan(x) ? 1 : 0; }
double Not(double x, const Attributes&) { return x == 0 ? 1 : 0; }
double Cast(double x, const Attributes& a) {
  const std::string to = a.String("to", "float32");
  return to == "float32" ? x : to == "bool" ? (x != 0 ? 1 : 0) : std::trunc(x);
}

// --- Functions of two ---

using Pair = double(double a, double b);

// One operand or more; the function takes them in turn.
template <Pair* kPair>
void Fold(const Scene& s) {
  const kernels::Shape& y = s.out_shapes[0];
  for (int64_t i = 0; i < kernels::ElementCount(y); ++i) {
    double value = (*s.in[0])[BroadcastIndex(s.in_shapes[0], y, i)];
    for (size_t k = 1; k < s.in.size(); ++k) {
      value = kPair(value, (*s.in[k])[BroadcastIndex(s.in_shapes[k], y, i)]);
    }
    (*s.out[0])[Size(i)] = value;
  }
}

double Sub(double a, double b) { return a - b; }
double Mul(double a, double b) { return a * b; }
double Div(double a, double b) { return a / b; }
double Max(double a, double b) { return std::max(a, b); }
double Min(double a, double b) { return std::min(a, b); }
double Pow(double a, double b) { return std::pow(a, b); }
double And(double a, double b) { return a != 0 && b != 0 ? 1 : 0; }
double Or(double a, double b) { return a != 0 || b != 0 ? 1 : 0; }
double Equal(double a, double b) { return a == b ? 1 : 0; }
double Less(double a, double b) { return a < b ? 1 : 0; }
double LessOrEqual(double a, double b) { return a <= b ? 1 : 0; }
double Greater(double a, double b) { return a > b ? 1 : 0; }
double GreaterOrEqual(double a, double b) { return a >= b ? 1 : 0; }

void RunWhere(const Scene& s) {
  const kernels::Shape& z = s.out_shapes[0];
  for (int64_t i = 0; i < kernels::ElementCount(z); ++i) {
    const size_t k = (*s.in[0])[BroadcastIndex(s.in_shapes[0], z, i)] != 0 ? 1 : 2;
    (*s.out[0])[Size(i)] = (*s.in[k])[BroadcastIndex(s.in_shapes[k], z, i)];
  }
}

constexpr DoubleOperator kOperators[] = {
    {"Abs", &Map<Abs>},
    {"And", &Fold<And>},
    {"Cast", &Map<Cast>},
    {"Clip", &Map<Clip>},
    {"Cos", &Map<Cos>},
    {"Div", &Fold<Div>},
    {"Elu", &Map<Elu>},
    {"Equal", &Fold<Equal>},
    {"Erf", &Map<Erf>},
    {"Exp", &Map<Exp>},
    {"Gelu", &Map<Gelu>},
    {"Greater", &Fold<Greater>},
    {"GreaterOrEqual", &Fold<GreaterOrEqual>},
    {"HardSigmoid", &Map<HardSigmoid>},
    {"HardSwish", &Map<HardSwish>},
    {"IsNaN", &Map<IsNaN>},
    {"LeakyRelu", &Map<LeakyRelu>},
    {"Less", &Fold<Less>},
    {"LessOrEqual", &Fold<LessOrEqual>},
    {"Log", &Map<Log>},
    {"Max", &Fold<Max>},
    {"Min", &Fold<Min>},
    {"Mul", &Fold<Mul>},
    {"Neg", &Map<Neg>},
    {"Not", &Map<Not>},
    {"Or", &Fold<Or>},
    {"Pow", &Fold<Pow>},
    {"Reciprocal", &Map<Reciprocal>},
    {"Sigmoid", &Map<Sigmoid>},
    {"Sin", &Map<Sin>},
    {"Sqrt", &Map<Sqrt>},
    {"Sub", &Fold<Sub>},
    {"Tanh", &Map<Tanh>},
    {"Where", &RunWhere},
};

}  // namespace

DoubleOperators ElementwiseDoubleOperators() { return kOperators; }

}  // namespace rm::graph
