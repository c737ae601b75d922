#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;

struct Form {
  bool trans_a, trans_b;
};

constexpr Form kForms[] = {{false, false}, {false, true}, {true, false}, {true, true}};

OpInstance Gemm(int64_t m, int64_t n, int64_t k, const Form& form) {
  return {"Gemm",
          {{"transA", int64_t{form.trans_a}}, {"transB", int64_t{form.trans_b}}},
          {Floats(form.trans_a ? Shape{k, m} : Shape{m, k}),
           Floats(form.trans_b ? Shape{n, k} : Shape{k, n})},
          {Floats({m, n})}};
}

// a is (rows, columns); the transpose of it.
Values Transposed(const Values& a, int64_t rows, int64_t columns) {
  Values result(a.size());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      result[static_cast<size_t>(c * rows + r)] = a[static_cast<size_t>(r * columns + c)];
    }
  }
  return result;
}

Values Product(const Values& a, const Values& b, int64_t m, int64_t n, int64_t k) {
  Values y(static_cast<size_t>(m * n));
  for (int64_t i = 0; i < m * n; ++i) {
    for (int64_t j = 0; j < k; ++j) {
      y[static_cast<size_t>(i)] += a[static_cast<size_t>(i / n * k + j)] *
                                   b[static_cast<size_t>(j * n + i % n)];
    }
  }
  return y;
}

TEST_CASE("all four forms give the product, for shapes that take every way to compute it") {
  const struct {
    int64_t m, n, k;
  } shapes[] = {{1, 1, 1}, {3, 5, 7}, {4, 512, 40}, {40, 512, 40}, {64, 1024, 33}, {70, 10, 130}};
  for (const auto& s : shapes) {
    const Values a = Pattern(s.m * s.k, 7);
    const Values b = Pattern(s.k * s.n, 5);
    const Values expected = Product(a, b, s.m, s.n, s.k);
    for (const Form& form : kForms) {
      INFO(s.m << "×" << s.n << "×" << s.k << " " << form.trans_a << form.trans_b);
      CHECK(RunOnCpu(Gemm(s.m, s.n, s.k, form),
                     {form.trans_a ? Transposed(a, s.m, s.k) : a,
                      form.trans_b ? Transposed(b, s.k, s.n) : b})[0] == expected);
    }
  }
}

TEST_CASE("C is a matrix, a row, a column or a number, scaled by beta") {
  // [1 2; 3 4] · [1 0; 0 1] = [1 2; 3 4]
  const struct {
    Shape shape;
    Values c, y;
  } cases[] = {
      {{2, 2}, {10, 20, 30, 40}, {11, 22, 33, 44}}, {{2}, {10, 20}, {11, 22, 13, 24}},
      {{1, 2}, {10, 20}, {11, 22, 13, 24}},         {{2, 1}, {10, 20}, {11, 12, 23, 24}},
      {{1}, {10}, {11, 12, 13, 14}},                {{}, {10}, {11, 12, 13, 14}},
  };
  for (const auto& c : cases) {
    OpInstance op = Gemm(2, 2, 2, {false, false});
    op.inputs.push_back(Floats(c.shape));
    const std::vector<Values> inputs{{1, 2, 3, 4}, {1, 0, 0, 1}, c.c};
    CHECK(RunOnCpu(op, inputs)[0] == c.y);
    op.attributes.Set("alpha", 2.0F);
    op.attributes.Set("beta", -1.0F);
    Values scaled = c.y;
    for (size_t i = 0; i < 4; ++i) {
      scaled[i] = 2 * inputs[0][i] - (c.y[i] - inputs[0][i]);
    }
    CHECK(RunOnCpu(op, inputs)[0] == scaled);
  }
}

TEST_CASE("the relu comes last, by every way to compute the product") {
  for (const int64_t m : {2, 64}) {
    OpInstance op = Gemm(m, 512, 32, {false, false});
    op.inputs.push_back(Floats({512}));
    const std::vector<Values> inputs{Pattern(m * 32, 7), Pattern(32 * 512, 5), Pattern(512, 9)};
    Values expected = RunOnCpu(op, inputs)[0];
    for (float& value : expected) value = value < 0 ? 0 : value;
    op.attributes.Set("activation", std::string("relu"));
    CHECK(RunOnCpu(op, inputs)[0] == expected);
  }
}

TEST_CASE("empty products are left to the reference") {
  CHECK_FALSE(SupportsGemm(Gemm(2, 3, 0, {false, false})));
  CHECK_FALSE(SupportsGemm(Gemm(0, 3, 2, {false, false})));
  CHECK(SupportsGemm(Gemm(2, 3, 1, {false, false})));
}

}  // namespace
}  // namespace rm::kernels::cpu
