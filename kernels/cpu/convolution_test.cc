#include "kernels/cpu/convolution.h"

#include <catch2/catch.hpp>

#include "kernels/api/testing.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;
using Ints = std::vector<int64_t>;

Layout Blocked() {
  if (!OneDnnHasAvx2()) return Layout::kPlain;
  return OneDnnHasAvx512() ? Layout::kChannels16 : Layout::kChannels8;
}

TEST_CASE("images with many channels are blocked, first images are not") {
  CHECK(ConvLayout(64, 1) == Blocked());
  CHECK(ConvLayout(20, 1) == Blocked());
  CHECK(ConvLayout(4, 1) == Blocked());
  CHECK(ConvLayout(1, 1) == Layout::kPlain);
  CHECK(ConvLayout(3, 1) == Layout::kPlain);
}

TEST_CASE("groups are blocked when each fills whole blocks, or has one channel") {
  CHECK(ConvLayout(64, 2) == Blocked());
  CHECK(ConvLayout(64, 64) == Blocked());
  CHECK(ConvLayout(24, 4) == Layout::kPlain);
}

TEST_CASE("an instance without elements is left to others") {
  const Operand w = Floats({4, 2, 3, 3});
  CHECK(OneDnnTakes({"Conv", {}, {Floats({1, 2, 5, 5}), w}, {Floats({1, 4, 3, 3})}}));
  CHECK_FALSE(OneDnnTakes({"Conv", {}, {Floats({0, 2, 5, 5}), w}, {Floats({0, 4, 3, 3})}}));
  CHECK_FALSE(OneDnnTakes({"Conv", {}, {Floats({1, 2, 5, 5}), w}, {Floats({1, 4, 5, 5})}}));
}

TEST_CASE("the geometry is told in oneDNN's way") {
  const ConvTypes types{Floats({1, 4, 9, 9}).type, Floats({6, 2, 3, 3}).type,
                        Floats({1, 6, 5, 4}).type, true};
  const Attributes attributes{{"strides", Ints{2, 1}}, {"pads", Ints{1, 0, 2, 1}},
                              {"dilations", Ints{1, 3}}, {"group", int64_t{2}}};
  const Convolution conv = MakeConvolution(types, attributes, false);
  CHECK(conv.strides == Dims{2, 1});
  CHECK(conv.dilates == Dims{0, 2});
  CHECK(conv.pads_begin == Dims{1, 0});
  CHECK(conv.pads_end == Dims{2, 1});
  CHECK(conv.x == Describe(types.x));
  CHECK(conv.bias.get_size() == 24);
  CHECK(DescribeWeights(types, 2).get_size() == types.w.bytes());
}

TEST_CASE("layouts that oneDNN has no code for give way to those it has") {
  const ConvTypes types{Floats({1, 16, 8, 8}).type,
                        Floats({16, 16, 3, 3}).type,
                        Floats({1, 16, 6, 6}, Layout::kChannels8).type, false};
  const auto describe = [](const Convolution& conv) {
    return DescribeForward(conv, PrimitiveAttributes(false));
  };
  CHECK(IsSlow(describe(MakeConvolution(types, {}, false))));
  CHECK_FALSE(IsSlow(DescribeFast(types, {}, describe)));
}

TEST_CASE("Winograd's algorithm is taken where oneDNN's rule finds it faster, on AVX-512") {
  const ConvTypes many{Floats({64, 32, 26, 26}, Blocked()).type, Floats({64, 32, 3, 3}).type,
                       Floats({64, 64, 24, 24}, Blocked()).type, false};
  const ConvTypes few{Floats({1, 32, 26, 26}, Blocked()).type, Floats({64, 32, 3, 3}).type,
                      Floats({1, 64, 24, 24}, Blocked()).type, false};
  const auto algorithm = [](const ConvTypes& types) {
    const Convolution conv = MakeConvolution(types, {}, false);
    return std::string(DescribeForward(conv, PrimitiveAttributes(true)).impl_info_str());
  };
  const bool taken = algorithm(many).find("wino") != std::string::npos;
  CHECK(taken == OneDnnHasAvx512());
  CHECK(algorithm(few).find("wino") == std::string::npos);
}

}  // namespace
}  // namespace rm::kernels::cpu
