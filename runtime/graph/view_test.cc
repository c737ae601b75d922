#include "runtime/graph/view.h"

#include <catch2/catch.hpp>

namespace rm::graph {
namespace {

using kernels::DType;
using kernels::Layout;
using kernels::OpInstance;
using kernels::Shape;
using kernels::TensorType;

TensorType Image(Shape shape, Layout layout) { return {DType::kFloat32, std::move(shape), layout}; }

// Where element (n, c, h, w) lies, by the definition of the layouts in kernels/api/tensor.h.
int64_t Place(const TensorType& type, int64_t n, int64_t c, int64_t h, int64_t w) {
  const int64_t channels = type.shape[1], height = type.shape[2], width = type.shape[3];
  const int64_t block = kernels::ChannelBlock(type.layout);
  const int64_t blocks = (channels + block - 1) / block;
  switch (type.layout) {
    case Layout::kPlain:
      return ((n * channels + c) * height + h) * width + w;
    case Layout::kChannelsLast:
      return ((n * height + h) * width + w) * channels + c;
    case Layout::kChannels8:
    case Layout::kChannels16:
      return (((n * blocks + c / block) * height + h) * width + w) * block + c % block;
  }
  return -1;
}

bool SameByEnumeration(const TensorType& a, const TensorType& b) {
  if (a.physical_elements() != b.physical_elements()) return false;
  for (int64_t n = 0; n < a.shape[0]; ++n) {
    for (int64_t c = 0; c < a.shape[1]; ++c) {
      for (int64_t p = 0; p < a.shape[2] * a.shape[3]; ++p) {
        const int64_t h = p / a.shape[3], w = p % a.shape[3];
        if (Place(a, n, c, h, w) != Place(b, n, c, h, w)) return false;
      }
    }
  }
  return true;
}

TEST_CASE("two layouts are the same memory when every element has the same place", "[view]") {
  const Layout layouts[] = {Layout::kPlain, Layout::kChannelsLast, Layout::kChannels8,
                            Layout::kChannels16};
  int same = 0;
  for (int64_t n : {1, 2}) {
    for (int64_t c : {1, 3, 8, 16, 24, 32}) {
      for (const auto& [h, w] : {std::pair{1, 1}, {1, 5}, {3, 1}, {2, 3}}) {
        for (Layout a : layouts) {
          for (Layout b : layouts) {
            const TensorType x = Image({n, c, h, w}, a);
            const TensorType y = Image({n, c, h, w}, b);
            INFO(x.ToString() << " and " << y.ToString());
            // Padding has no place in plain layout: never the same, even where no element moves.
            const bool padded = x.physical_elements() != x.elements();
            const bool expected = a == b || (!padded && SameByEnumeration(x, y));
            CHECK(SameMemory(x, y) == expected);
            same += expected ? 1 : 0;
          }
        }
      }
    }
  }
  CHECK(same > 192);  // more than the pairs of equal layouts
}

OpInstance Instance(const char* op, const TensorType& from, const TensorType& to) {
  OpInstance instance;
  instance.op = op;
  instance.inputs = {{from}};
  instance.outputs = {{to}};
  return instance;
}

TEST_CASE("Flatten and Reshape are views in plain layout", "[view]") {
  const TensorType plain = Image({2, 16, 2, 2}, Layout::kPlain);
  const TensorType blocked = Image({2, 16, 2, 2}, Layout::kChannels16);
  const TensorType rows = Image({2, 64}, Layout::kPlain);
  CHECK(IsView(Instance("Flatten", plain, rows)));
  CHECK(IsView(Instance("Reshape", rows, plain)));
  CHECK_FALSE(IsView(Instance("Flatten", blocked, rows)));
  CHECK_FALSE(IsView(Instance("Reshape", rows, blocked)));
  CHECK_FALSE(IsView(Instance("Relu", plain, plain)));
}

TEST_CASE("a Reorder is a view when nothing moves", "[view]") {
  const Shape one_channel = {4, 1, 3, 3};
  CHECK(IsView(Instance("Reorder", Image(one_channel, Layout::kPlain),
                        Image(one_channel, Layout::kChannelsLast))));
  const Shape image = {4, 16, 3, 3};
  CHECK_FALSE(
      IsView(Instance("Reorder", Image(image, Layout::kPlain), Image(image, Layout::kChannels16))));
}

}  // namespace
}  // namespace rm::graph
