// Sums, means and maxima along axes, and average pools, with their gradients.
#include "kernels/api/testing.h"
#include "tests/parity/case_tools.h"

namespace rm::tests {
namespace {

using base::RandomStream;
using kernels::Attributes;
using kernels::ElementCount;
using kernels::OpInstance;
using kernels::Shape;
using kernels::testing::Floats;

// --- Reductions ---

struct Reduction {
  Attributes attributes;
  Shape x, y;
};

std::vector<Reduction> Reductions() {
  const Attributes dropped{{"axes", Ints{0}}, {"keepdims", int64_t{0}}};
  return {
      {dropped, {128, 512}, {512}},
      {dropped, {64, 10}, {10}},
      {dropped, {1, 7}, {7}},
      {{{"axes", Ints{1}}}, {33, 65}, {33, 1}},
      {{{"axes", Ints{-1}}}, {3, 5, 1000}, {3, 5, 1}},
      {{{"axes", Ints{0, 1}}}, {3, 5, 7}, {1, 1, 7}},
      {{{"axes", Ints{1, 2}}}, {3, 5, 7}, {3, 1, 1}},
      {{{"axes", Ints{1}}}, {3, 5, 7}, {3, 1, 7}},
      {{{"axes", Ints{0, 2}}}, {3, 5, 7}, {1, 5, 1}},
      {{{"axes", Ints{0, 2, 3}}}, {4, 6, 5, 5}, {1, 6, 1, 1}},
      {{{"axes", Ints{2, 3}}, {"keepdims", int64_t{0}}}, {4, 33, 7, 5}, {4, 33}},
      {{{"axes", Ints{0, 2, 4}}}, {3, 2, 5, 2, 4}, {1, 2, 1, 2, 1}},
      {{}, {9, 11}, {1, 1}},
      {{{"keepdims", int64_t{0}}}, {1001}, {}},
  };
}

double TermsOf(const Reduction& r) {
  return static_cast<double>(ElementCount(r.x)) / static_cast<double>(ElementCount(r.y));
}

std::vector<KernelCase> Sums(RandomStream& random, const std::string& op) {
  std::vector<KernelCase> cases;
  for (const Reduction& r : Reductions()) {
    cases.push_back(
        Linear(random, {op, r.attributes, {Floats(r.x)}, {Floats(r.y)}}, TermsOf(r) + 1));
  }
  return cases;
}

std::vector<KernelCase> SumGradients(RandomStream& random, const std::string& op) {
  std::vector<KernelCase> cases;
  for (const Reduction& r : Reductions()) {
    cases.push_back(Linear(random, {op, r.attributes, {Floats(r.y)}, {Floats(r.x)}}, 1));
  }
  return cases;
}

std::vector<KernelCase> ReduceSumCases(RandomStream& random) {
  std::vector<KernelCase> cases = Sums(random, "ReduceSum");
  const Attributes first{{"axes", Ints{0}}};
  cases.push_back(Linear(random, {"ReduceSum", first, {Floats({0, 7})}, {Floats({1, 7})}}, 1));
  return cases;
}
std::vector<KernelCase> ReduceMeanCases(RandomStream& random) {
  return Sums(random, "ReduceMean");
}
std::vector<KernelCase> ReduceSumGradCases(RandomStream& random) {
  return SumGradients(random, "ReduceSumGrad");
}
std::vector<KernelCase> ReduceMeanGradCases(RandomStream& random) {
  return SumGradients(random, "ReduceMeanGrad");
}

std::vector<KernelCase> ReduceMaxCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const Reduction& r : Reductions()) {
    const OpInstance op{"ReduceMax", r.attributes, {Floats(r.x)}, {Floats(r.y)}};
    cases.push_back(Exact(op, {Uniform(random, r.x)}));
  }
  return cases;
}

// --- Average pools ---

struct Pool {
  Shape x;
  Ints kernel, strides, pads, dilations;
};

const Ints kOnes{1, 1};
const Ints kNoPads{0, 0, 0, 0};

const Pool kPools[] = {
    {{1, 1, 2, 2}, {2, 2}, {2, 2}, kNoPads, kOnes},
    {{2, 64, 8, 6}, {2, 2}, {2, 2}, kNoPads, kOnes},
    {{3, 20, 7, 9}, {2, 2}, {2, 2}, kNoPads, kOnes},       // a row and a column are left over
    {{2, 17, 9, 8}, {3, 3}, {2, 2}, {1, 1, 1, 1}, kOnes},  // overlapping
    {{1, 5, 6, 7}, {3, 2}, {1, 1}, {1, 1, 2, 0}, kOnes},
    {{1, 8, 9, 9}, {2, 3}, {3, 4}, kNoPads, kOnes},        // gaps
    {{2, 3, 11, 10}, {2, 2}, {1, 2}, kNoPads, {3, 2}},     // dilated
    {{1, 16, 20, 18}, {18, 17}, {1, 1}, kNoPads, kOnes},   // larger than a max pool may be
};

std::vector<OpInstance> AveragePools(bool gradient) {
  std::vector<OpInstance> instances;
  for (const Pool& pool : kPools) {
    Attributes attributes{{"kernel_shape", pool.kernel},
                          {"strides", pool.strides},
                          {"pads", pool.pads},
                          {"dilations", pool.dilations}};
    const kernels::Window2d window = kernels::ReadWindow2d(attributes, {});
    const Shape y{pool.x[0], pool.x[1], window.OutputHeight(pool.x[2]),
                  window.OutputWidth(pool.x[3])};
    for (const int64_t count_padding : {0, 1}) {
      attributes.Set("count_include_pad", count_padding);
      instances.push_back(gradient ? OpInstance{"AveragePoolGrad", attributes, {Floats(y)},
                                                {Floats(pool.x)}}
                                   : OpInstance{"AveragePool", attributes, {Floats(pool.x)},
                                                {Floats(y)}});
    }
  }
  return instances;
}

std::vector<KernelCase> LinearCases(RandomStream& random,
                                    const std::vector<OpInstance>& instances) {
  std::vector<KernelCase> cases;
  for (const OpInstance& op : instances) {
    const Ints kernel = op.attributes.Ints("kernel_shape", {1, 1});
    cases.push_back(Linear(random, op, static_cast<double>(kernel[0] * kernel[1] + 1)));
  }
  return cases;
}

std::vector<KernelCase> AveragePoolCases(RandomStream& random) {
  return LinearCases(random, AveragePools(false));
}
std::vector<KernelCase> AveragePoolGradCases(RandomStream& random) {
  return LinearCases(random, AveragePools(true));
}

std::vector<KernelCase> GlobalCases(RandomStream& random, bool gradient) {
  std::vector<KernelCase> cases;
  for (const Shape& x : {Shape{1, 1, 1, 1}, Shape{2, 20, 4, 4}, Shape{3, 64, 7, 5},
                         Shape{1, 9, 1, 30}, Shape{2, 16, 33, 32}}) {
    const Shape y{x[0], x[1], 1, 1};
    const OpInstance op =
        gradient ? OpInstance{"GlobalAveragePoolGrad", {}, {Floats(y)}, {Floats(x)}}
                 : OpInstance{"GlobalAveragePool", {}, {Floats(x)}, {Floats(y)}};
    cases.push_back(Linear(random, op, static_cast<double>(x[2] * x[3])));
  }
  return cases;
}

std::vector<KernelCase> GlobalAveragePoolCases(RandomStream& random) {
  return GlobalCases(random, false);
}
std::vector<KernelCase> GlobalAveragePoolGradCases(RandomStream& random) {
  return GlobalCases(random, true);
}

constexpr Generator kGenerators[] = {
    {"AveragePool", &AveragePoolCases},
    {"AveragePoolGrad", &AveragePoolGradCases},
    {"GlobalAveragePool", &GlobalAveragePoolCases},
    {"GlobalAveragePoolGrad", &GlobalAveragePoolGradCases},
    {"ReduceMax", &ReduceMaxCases},
    {"ReduceMean", &ReduceMeanCases},
    {"ReduceMeanGrad", &ReduceMeanGradCases},
    {"ReduceSum", &ReduceSumCases},
    {"ReduceSumGrad", &ReduceSumGradCases},
};

}  // namespace

Generators ReduceGenerators() { return kGenerators; }

}  // namespace rm::tests
