#include "kernels/api/testing.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

namespace rm::kernels::testing {
namespace {

using Values = std::vector<float>;

// Y = X for two floats, and then `extra` zero bytes.
class Overrun final : public Kernel {
 public:
  explicit Overrun(size_t extra) : extra_(extra) {}
  size_t scratch_bytes() const override { return 4; }
  absl::Status Run(const Arguments& arguments) override {
    std::memcpy(arguments.outputs[0], arguments.inputs[0], 8);
    std::memset(arguments.output<char>(0) + 8, 0, extra_);
    std::memset(arguments.scratch, 1, 4);
    return absl::OkStatus();
  }

 private:
  size_t extra_;
};

bool Always(const OpInstance&) { return true; }
absl::StatusOr<std::unique_ptr<Kernel>> MakeGood(const OpInstance&, const KernelOptions&) {
  return std::make_unique<Overrun>(0);
}
absl::StatusOr<std::unique_ptr<Kernel>> MakeBad(const OpInstance&, const KernelOptions&) {
  return std::make_unique<Overrun>(1);
}

constexpr KernelEntry kGood[] = {{"Relu", "good", &Always, nullptr, &MakeGood, -1}};
constexpr KernelEntry kBad[] = {{"Relu", "bad", &Always, nullptr, &MakeBad, -1}};

OpInstance Two() { return {"Relu", {}, {Floats({2})}, {Floats({2})}}; }

TEST_CASE("new memory is NaN and aligned, and the guards are intact") {
  const Tensor tensor(Floats({3}).type);
  CHECK(std::isnan(tensor.values()[2]));
  CHECK(reinterpret_cast<uintptr_t>(tensor.data()) % 64 == 0);
  CHECK(tensor.GuardsAreIntact());
}

TEST_CASE("values are written and read in logical order in every layout") {
  Values values(2 * 9 * 2 * 2);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  for (const Layout layout : {Layout::kPlain, Layout::kChannelsLast, Layout::kChannels8,
                              Layout::kChannels16}) {
    INFO(LayoutName(layout));
    const Tensor tensor(Floats({2, 9, 2, 2}, layout).type, values);
    CHECK(tensor.values() == values);
    CHECK(tensor.PaddingIsZero());
    CHECK(tensor.GuardsAreIntact());
  }
}

TEST_CASE("channel c of blocked layouts lies at c modulo the block") {
  const TensorType type = Floats({1, 20, 2, 3}, Layout::kChannels16).type;
  CHECK(LayoutOffset(type, 0, 3, 0, 0) == 3);
  CHECK(LayoutOffset(type, 0, 3, 0, 1) == 19);
  CHECK(LayoutOffset(type, 0, 3, 1, 0) == 3 + 3 * 16);
  CHECK(LayoutOffset(type, 0, 17, 0, 0) == 1 + 6 * 16);
}

TEST_CASE("padding that is not zero is seen") {
  Tensor tensor(Floats({1, 3, 1, 1}, Layout::kChannels8).type, {1, 2, 3});
  CHECK(tensor.PaddingIsZero());
  static_cast<float*>(tensor.data())[3] = 1;
  CHECK_FALSE(tensor.PaddingIsZero());
}

TEST_CASE("a write beyond the end is seen") {
  Tensor tensor(Floats({2}).type, {1, 2});
  static_cast<float*>(tensor.data())[2] = 0;
  CHECK_FALSE(tensor.GuardsAreIntact());
}

TEST_CASE("same bits tell −0 from 0") {
  const TensorType type = Floats({1}).type;
  CHECK(Tensor(type, {0}).SameBits(Tensor(type, {0})));
  CHECK_FALSE(Tensor(type, {0}).SameBits(Tensor(type, {-0.0F})));
}

TEST_CASE("Compute returns what the kernel wrote and refuses what it may not write") {
  const auto good = Compute(kGood, Two(), {{3, 4}});
  REQUIRE(good.ok());
  CHECK(good->at(0) == Values{3, 4});
  CHECK(Compute(kBad, Two(), {{3, 4}}).status().code() == absl::StatusCode::kInternal);
  CHECK(Compute({}, Two(), {{3, 4}}).status().code() == absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace rm::kernels::testing
