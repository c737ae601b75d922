// The cases are what they promise to be: legal, repeatable and awkward.
#include "tests/parity/kernel_cases.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "kernels/api/bfloat16_form.h"
#include "kernels/api/check_instance.h"
#include "kernels/kernels.h"

namespace rm::tests {
namespace {

using kernels::OpInstance;
using kernels::Shape;

TEST_CASE("every case of every operator is legal and has its inputs") {
  for (const kernels::KernelEntry& entry : kernels::ReferenceKernels()) {
    for (const KernelCase& kernel_case : CasesOf(entry.op)) {
      const OpInstance& op = kernel_case.instance;
      INFO(op.ToString() << CheckInstance(op));
      CHECK(IsLegalInEitherForm(op));
      CHECK(AllPlain(op));
      REQUIRE(kernel_case.inputs.size() == op.inputs.size());
      for (size_t i = 0; i < op.inputs.size(); ++i) {
        const int64_t elements = op.inputs[i].present ? op.inputs[i].type.elements() : 0;
        CHECK(static_cast<int64_t>(kernel_case.inputs[i].size()) == elements);
      }
    }
  }
}

TEST_CASE("the cases are the same in every run") {
  for (const std::string op : {"Conv", "SgdUpdate", "SoftmaxCrossEntropy"}) {
    const auto first = CasesOf(op);
    const auto second = CasesOf(op);
    REQUIRE(first.size() == second.size());
    for (size_t i = 0; i < first.size(); ++i) CHECK(first[i].inputs == second[i].inputs);
  }
}

TEST_CASE("an operator nobody knows has none") { CHECK(CasesOf("Frobnicate").empty()); }

bool AnyCase(const std::string& op, const std::function<bool(const OpInstance&)>& is_so) {
  const auto cases = CasesOf(op);
  return std::any_of(cases.begin(), cases.end(), [&is_so](const KernelCase& kernel_case) {
    return is_so(kernel_case.instance);
  });
}

TEST_CASE("convolutions come in all kinds") {
  using Kind = std::function<bool(const OpInstance&)>;
  const auto x = [](const OpInstance& op) -> const Shape& { return op.inputs[0].type.shape; };
  const auto window = [](const OpInstance& op) {
    return kernels::ReadWindow2d(op.attributes, op.inputs[1].type.shape);
  };
  const std::pair<std::string, Kind> kinds[] = {
      {"a batch of one", [&](const OpInstance& op) { return x(op)[0] == 1; }},
      {"one channel", [&](const OpInstance& op) { return x(op)[1] == 1; }},
      {"channels that fill no block", [&](const OpInstance& op) { return x(op)[1] % 8 != 0; }},
      {"odd sizes", [&](const OpInstance& op) { return x(op)[2] % 2 == 1; }},
      {"strides", [&](const OpInstance& op) { return window(op).stride_h > 1; }},
      {"dilation", [&](const OpInstance& op) { return window(op).dilation_w > 1; }},
      {"groups", [&](const OpInstance& op) { return window(op).group > 1; }},
      {"depthwise", [&](const OpInstance& op) { return window(op).group == x(op)[1]; }},
      {"pads that differ",
       [&](const OpInstance& op) { return window(op).pad_top != window(op).pad_bottom; }},
      {"a bias", [&](const OpInstance& op) { return op.has_input(2); }},
      {"no bias", [&](const OpInstance& op) { return !op.has_input(2); }},
      {"a fused relu", [&](const OpInstance& op) { return op.attributes.Has("activation"); }},
  };
  for (const auto& [name, is_so] : kinds) {
    INFO(name);
    CHECK(AnyCase("Conv", is_so));
  }
}

TEST_CASE("every form of a product occurs") {
  for (const int64_t trans_a : {0, 1}) {
    for (const int64_t trans_b : {0, 1}) {
      CHECK(AnyCase("Gemm", [&](const OpInstance& op) {
        return op.attributes.Int("transA", 0) == trans_a &&
               op.attributes.Int("transB", 0) == trans_b;
      }));
    }
  }
}

TEST_CASE("losses have rows that do not count, with labels that are no classes") {
  for (const KernelCase& kernel_case : CasesOf("SoftmaxCrossEntropy")) {
    for (size_t row = 0; row < kernel_case.inputs[1].size(); ++row) {
      CHECK((kernel_case.inputs[1][row] < 0) == (kernel_case.inputs[2][row] == 0));
    }
  }
}

}  // namespace
}  // namespace rm::tests
