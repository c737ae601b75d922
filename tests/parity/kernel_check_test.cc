// The judge is judged: each kind of wrong kernel must be caught, and a right one must not.
#include "tests/parity/kernel_check.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

#include "kernels/api/check_instance.h"
#include "kernels/api/testing.h"
#include "kernels/kernels.h"

namespace rm::tests {
namespace {

using kernels::Arguments;
using kernels::Kernel;
using kernels::KernelEntry;
using kernels::KernelOptions;
using kernels::Layout;
using kernels::OpInstance;
using kernels::testing::Floats;

// What a kernel of ReduceSum over the columns of (2, 4) does wrong.
enum class Fault {
  kNone,
  kForgetsATerm,
  kLeavesAnOutput,
  kWritesBeyond,
  kWritesItsInput,
  kWritesBeyondScratch,
  kChangesItsMind,
  kFails,
};

Fault g_fault = Fault::kNone;
int g_runs = 0;

class Faulty final : public Kernel {
 public:
  size_t scratch_bytes() const override { return 8; }

  absl::Status Run(const Arguments& arguments) override {
    ++g_runs;
    if (g_fault == Fault::kFails) return absl::InternalError("out of order");
    const auto* x = arguments.input<float>(0);
    auto* y = arguments.output<float>(0);
    for (int row = 0; row < 2; ++row) {
      if (g_fault == Fault::kLeavesAnOutput && row == 1) continue;
      y[row] = 0;
      const int terms = g_fault == Fault::kForgetsATerm ? 3 : 4;
      for (int i = 0; i < terms; ++i) y[row] += x[row * 4 + i];
    }
    if (g_fault == Fault::kWritesBeyond) y[2] = 0;
    if (g_fault == Fault::kWritesItsInput) const_cast<float*>(x)[0] = 5;
    if (g_fault == Fault::kWritesBeyondScratch) static_cast<float*>(arguments.scratch)[2] = 0;
    // A sum in another order, as of threads that race: right, but with other bits.
    if (g_fault == Fault::kChangesItsMind && g_runs % 2 == 0) {
      uint32_t bits;
      std::memcpy(&bits, y, sizeof(bits));
      ++bits;
      std::memcpy(y, &bits, sizeof(bits));
    }
    return absl::OkStatus();
  }
};

absl::StatusOr<std::unique_ptr<Kernel>> MakeFaulty(const OpInstance&, const KernelOptions&) {
  return std::make_unique<Faulty>();
}

bool Plain(const OpInstance& instance) { return kernels::AllPlain(instance); }

constexpr KernelEntry kFaulty{"ReduceSum", "faulty", &Plain, nullptr, &MakeFaulty, -1};

KernelCase SumCase() {
  const OpInstance op{"ReduceSum",
                      {{"axes", std::vector<int64_t>{1}}},
                      {Floats({2, 4})},
                      {Floats({2, 1})}};
  const Values x{0.1F, 0.2F, 0.3F, 0.4F, 1, 2, 3, 4};
  return {op, {x}, {4, 1}, {x}, false};
}

std::string Judge(Fault fault) {
  g_fault = fault;
  g_runs = 0;
  const ExpectedCase expected = Expect(SumCase());
  return CheckKernel(kFaulty, expected.kernel_case.instance, expected, {});
}

TEST_CASE("a right kernel passes, and is run twice") {
  CHECK(Judge(Fault::kNone) == "");
  CHECK(g_runs == 2);
}

TEST_CASE("every kind of wrong kernel is caught, and what is wrong is said") {
  const struct {
    Fault fault;
    std::string said;
  } cases[] = {
      {Fault::kForgetsATerm, "output 0, element 0 is 0.6, must be 1: off by "},
      {Fault::kLeavesAnOutput, "output 0, element 1 is nan"},
      {Fault::kWritesBeyond, "wrote outside output 0"},
      {Fault::kWritesItsInput, "wrote input 0"},
      {Fault::kWritesBeyondScratch, "wrote outside its scratch memory"},
      {Fault::kChangesItsMind, "output 0 has other bits run again"},
      {Fault::kFails, "out of order"},
  };
  for (const auto& c : cases) {
    const std::string said = Judge(c.fault);
    INFO(said);
    CHECK(said.find(c.said) != std::string::npos);
  }
}

TEST_CASE("the tolerance grows with the root of the terms and stays below one term") {
  // One term of n is 1/n of the sum of equal terms; the limit, at most a fifth of it, sees it
  // missing.
  for (const double terms : {1.0, 100.0, 10000.0}) {
    const double limit = (4 + 2 * std::sqrt(terms)) / (1 << 24);
    CHECK(limit < 0.2 / terms);
  }
}

TEST_CASE("a case that must be exact forgives no bit") {
  ExpectedCase expected = Expect(SumCase());
  g_fault = Fault::kNone;
  expected.kernel_case.tolerance = {};
  expected.outputs[0][1] = std::nextafter(10.0F, 11.0F);
  const std::string said = CheckKernel(kFaulty, expected.kernel_case.instance, expected, {});
  CHECK(said.find("output 0, element 1 is 10") == 0);
}

TEST_CASE("images are tried in every combination of layouts that an entry supports") {
  KernelCase relu{{"Relu", {}, {Floats({1, 2, 3, 4})}, {Floats({1, 2, 3, 4})}},
                  {Values(24)},
                  {},
                  {},
                  false};
  const KernelEntry* vector = FindKernel(kernels::CpuKernels(), relu.instance);
  const KernelEntry* reference = FindKernel(kernels::ReferenceKernels(), relu.instance);
  REQUIRE(vector != nullptr);
  REQUIRE(reference != nullptr);
  CHECK(SupportedInstances(*vector, relu).size() == 4);
  CHECK(SupportedInstances(*reference, relu).size() == 1);
  relu.chosen_layouts_only = true;
  CHECK(SupportedInstances(*vector, relu).size() == 1);
  CHECK(SupportedInstances(*reference, relu).empty());
}

TEST_CASE("what is expected comes from the reference, and its size from absolute values") {
  KernelCase sum = SumCase();
  sum.inputs[0][0] = -0.1F;
  const ExpectedCase expected = Expect(sum);
  CHECK(static_cast<double>(expected.outputs[0][0]) == Approx(0.8));
  CHECK(static_cast<double>(expected.magnitudes[0][0]) == Approx(1.0));
  sum.magnitude_inputs.clear();
  CHECK(Expect(sum).magnitudes == Expect(sum).outputs);
}

}  // namespace
}  // namespace rm::tests
