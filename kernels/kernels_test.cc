#include "kernels/kernels.h"

#include <catch2/catch.hpp>
#include <set>

#include "kernels/api/testing.h"

namespace rm::kernels {
namespace {

using testing::Floats;

TEST_CASE("every reference kernel is also in the CPU's table, behind the fast ones") {
  REQUIRE(CpuKernels().size() > ReferenceKernels().size());
  const size_t fast = CpuKernels().size() - ReferenceKernels().size();
  for (size_t i = 0; i < ReferenceKernels().size(); ++i) {
    CHECK(CpuKernels()[fast + i].name == ReferenceKernels()[i].name);
  }
}

TEST_CASE("no two rows have one name") {
  std::set<std::string> names;
  for (const KernelEntry& entry : CpuKernels()) names.insert(entry.name);
  CHECK(names.size() == CpuKernels().size());
}

TEST_CASE("the fast kernel is found first, the reference where there is none") {
  const Operand x = Floats({2, 3, 4});
  const Operand whole = testing::Int64s({2, 3, 4});
  const OpInstance floats{"Add", {}, {x, Floats({4})}, {x}};
  const OpInstance integers{"Add", {}, {whole, whole}, {whole}};
  REQUIRE(FindKernel(CpuKernels(), floats) != nullptr);
  REQUIRE(FindKernel(CpuKernels(), integers) != nullptr);
  CHECK(FindKernel(CpuKernels(), floats)->name == std::string("vector_add"));
  CHECK(FindKernel(CpuKernels(), integers)->name == std::string("ref_add"));
}

TEST_CASE("the tables stay where they are") {
  CHECK(CpuKernels().data() == CpuKernels().data());
  CHECK(ReferenceKernels().data() == ReferenceKernels().data());
}

}  // namespace
}  // namespace rm::kernels
