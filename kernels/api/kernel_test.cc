#include "kernels/api/kernel.h"

#include <catch2/catch.hpp>

namespace rm::kernels {
namespace {

bool Always(const OpInstance&) { return true; }
bool Never(const OpInstance&) { return false; }
bool Plain(const OpInstance& instance) {
  return instance.inputs[0].type.layout == Layout::kPlain;
}

class Nothing final : public Kernel {
 public:
  absl::Status Run(const Arguments&) override { return absl::OkStatus(); }
};

absl::StatusOr<std::unique_ptr<Kernel>> Make(const OpInstance&, const KernelOptions&) {
  return std::make_unique<Nothing>();
}

OpInstance Instance(const std::string& op, Layout layout) {
  const Operand operand{{DType::kFloat32, {1, 2, 3, 4}, layout}, true};
  return {op, {}, {operand}, {operand}};
}

constexpr KernelEntry kTable[] = {
    {"Relu", "refuses", &Never, nullptr, &Make},
    {"Relu", "plain_only", &Plain, nullptr, &Make, 0},
    {"Relu", "any", &Always, nullptr, &Make},
    {"Add", "add", &Never, nullptr, &Make},
};

TEST_CASE("the first entry that supports the instance is taken") {
  CHECK(FindKernel(kTable, Instance("Relu", Layout::kPlain)) == &kTable[1]);
  CHECK(FindKernel(kTable, Instance("Relu", Layout::kChannels8)) == &kTable[2]);
}

TEST_CASE("an operator that nobody implements or supports has no kernel") {
  CHECK(FindKernel(kTable, Instance("Add", Layout::kPlain)) == nullptr);
  CHECK(FindKernel(kTable, Instance("Conv", Layout::kPlain)) == nullptr);
  CHECK(FindKernel({}, Instance("Relu", Layout::kPlain)) == nullptr);
}

TEST_CASE("an entry is never in place and a kernel needs no scratch unless they say so") {
  CHECK(kTable[1].in_place_input == 0);
  CHECK(kTable[2].in_place_input == -1);
  const auto kernel = kTable[2].make(Instance("Relu", Layout::kPlain), {});
  REQUIRE(kernel.ok());
  CHECK((*kernel)->scratch_bytes() == 0);
  CHECK((*kernel)->Run({}).ok());
}

TEST_CASE("one thread is the default") { CHECK(KernelOptions().threads == 1); }

}  // namespace
}  // namespace rm::kernels
