#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::RunEntry;
using testing::Tensor;
using Values = std::vector<float>;

// Runs Reorder of (N, C, H, W) and returns the output as it lies in memory.
Values Reorder(const Shape& shape, Layout from, Layout to, const Values& x, DType dtype) {
  const TensorType from_type{dtype, shape, from};
  const TensorType to_type{dtype, shape, to};
  const OpInstance op{"Reorder", {}, {{from_type, true}}, {{to_type, true}}};
  const KernelEntry* entry = FindKernel(Table(), op);
  REQUIRE(entry != nullptr);
  Tensor in(from_type, x);
  Tensor out(to_type);
  REQUIRE(RunEntry(*entry, op, {&in}, {&out}).ok());
  REQUIRE(out.GuardsAreIntact());
  CHECK(out.values() == x);
  if (dtype != DType::kFloat32) return {};
  const auto* data = static_cast<const float*>(out.data());
  return Values(data, data + to_type.physical_elements());
}

TEST_CASE("channels last puts the channels of a pixel together") {
  CHECK(Reorder({1, 2, 1, 3}, Layout::kPlain, Layout::kChannelsLast, {1, 2, 3, 10, 20, 30},
                DType::kFloat32) == Values{1, 10, 2, 20, 3, 30});
}

TEST_CASE("blocked channels are padded with zeros") {
  CHECK(Reorder({1, 2, 1, 2}, Layout::kPlain, Layout::kChannels8, {1, 2, 10, 20},
                DType::kFloat32) == Values{1, 10, 0, 0, 0, 0, 0, 0, 2, 20, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("a second block follows the whole image of the first") {
  Values x(18);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  // Nine channels of two pixels: channel 8 is alone in block 1.
  const Values y =
      Reorder({1, 9, 1, 2}, Layout::kPlain, Layout::kChannels8, x, DType::kFloat32);
  REQUIRE(y.size() == 32);
  CHECK(Values(y.begin(), y.begin() + 9) == Values{0, 2, 4, 6, 8, 10, 12, 14, 1});
  CHECK(Values(y.begin() + 16, y.begin() + 18) == Values{16, 0});
  CHECK(Values(y.begin() + 24, y.begin() + 26) == Values{17, 0});
}

TEST_CASE("every pair of layouts and every dtype keeps the tensor") {
  const Layout layouts[] = {Layout::kPlain, Layout::kChannelsLast, Layout::kChannels8,
                            Layout::kChannels16};
  Values x(2 * 17 * 2 * 3);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  for (const Layout from : layouts) {
    for (const Layout to : layouts) {
      for (const DType dtype : {DType::kFloat32, DType::kUInt8, DType::kInt64}) {
        INFO(LayoutName(from) << " to " << LayoutName(to) << " " << DTypeName(dtype));
        Reorder({2, 17, 2, 3}, from, to, x, dtype);
      }
    }
  }
}

}  // namespace
}  // namespace rm::kernels::ref
