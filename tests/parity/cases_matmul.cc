// Products of stacks of matrices.
#include <utility>

#include "kernels/api/testing.h"
#include "tests/parity/case_tools.h"

namespace rm::tests {
namespace {

using base::RandomStream;
using kernels::Attributes;
using kernels::Shape;
using kernels::testing::Floats;

struct Product {
  Shape a, b, y;
};

// Operands as they are.
const Product kPlain[] = {
    {{3, 5}, {5, 7}, {3, 7}},
    {{40, 33}, {33, 1024}, {40, 1024}},
    {{4, 3, 5}, {5, 7}, {4, 3, 7}},
    {{4, 3, 5}, {4, 5, 7}, {4, 3, 7}},
    {{2, 3, 17, 8}, {2, 3, 8, 9}, {2, 3, 17, 9}},
    {{2, 1, 3, 4}, {5, 4, 2}, {2, 5, 3, 2}},
    {{3, 4}, {2, 4, 5}, {2, 3, 5}},
    {{1, 3, 4}, {2, 4, 5}, {2, 3, 5}},
    {{5}, {5, 7}, {7}},
    {{3, 5}, {5}, {3}},
    {{5}, {5}, {}},
    {{2, 0}, {0, 3}, {2, 3}},
};

// As they are when nothing is transposed: the last two dimensions are swapped where it is.
const Product kTransposable[] = {
    {{3, 5}, {5, 7}, {3, 7}},
    {{1, 1}, {1, 1}, {1, 1}},
    {{4, 1, 5}, {4, 5, 7}, {4, 1, 7}},
    {{6, 64, 32}, {6, 32, 64}, {6, 64, 64}},  // a head of attention
    {{2, 3, 17, 8}, {2, 3, 8, 9}, {2, 3, 17, 9}},
    {{4, 3, 5}, {5, 7}, {4, 3, 7}},
    {{3, 5}, {4, 5, 7}, {4, 3, 7}},
    {{2, 1, 3, 4}, {5, 4, 2}, {2, 5, 3, 2}},
};

Shape Swapped(Shape shape) {
  std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
  return shape;
}

std::vector<KernelCase> MatMulCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const Product& p : kPlain) {
    cases.push_back(Linear(random, {"MatMul", {}, {Floats(p.a), Floats(p.b)}, {Floats(p.y)}},
                           static_cast<double>(p.a.back())));
  }
  for (const Product& p : kTransposable) {
    for (int form = 1; form < 4; ++form) {
      const bool trans_a = form % 2 != 0;
      const bool trans_b = form / 2 != 0;
      Attributes attributes{{"transA", int64_t{trans_a}}, {"transB", int64_t{trans_b}}};
      if (form == 2) attributes.Set("alpha", 0.3F);
      cases.push_back(Linear(random,
                             {"MatMul",
                              attributes,
                              {Floats(trans_a ? Swapped(p.a) : p.a),
                               Floats(trans_b ? Swapped(p.b) : p.b)},
                              {Floats(p.y)}},
                             static_cast<double>(p.a.back()) + 1));
    }
  }
  return cases;
}

constexpr Generator kGenerators[] = {
    {"MatMul", &MatMulCases},
};

}  // namespace

Generators MatMulGenerators() { return kGenerators; }

}  // namespace rm::tests
