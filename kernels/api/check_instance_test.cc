#include "kernels/api/check_instance.h"

#include <catch2/catch.hpp>

#include "kernels/api/testing.h"

namespace rm::kernels {
namespace {

using testing::Absent;
using testing::Bytes;
using testing::Floats;
using testing::Int64s;

struct Case {
  std::string broken;  // end of the message; empty when the instance is legal
  OpInstance instance;
};

void Check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const absl::Status status = CheckInstance(c.instance);
    INFO(c.instance.ToString() << " gives " << status);
    if (c.broken.empty()) {
      CHECK(status.ok());
    } else {
      CHECK(status.code() == absl::StatusCode::kInvalidArgument);
      CHECK(status.message() == c.instance.ToString() + ": " + c.broken);
    }
  }
}

TEST_CASE("an unknown operator is named") {
  CHECK(CheckInstance({"Frobnicate", {}, {}, {}}) ==
        absl::NotFoundError("there is no operator Frobnicate"));
}

TEST_CASE("operands must be there, in number and in kind") {
  const Operand x = Floats({2, 3});
  Check({
      {"", {"Relu", {}, {x}, {x}}},
      {"it has 0 inputs, it takes 1", {"Relu", {}, {}, {x}}},
      {"it has 2 inputs, it takes 1", {"Relu", {}, {x, x}, {x}}},
      {"it has 0 outputs, it takes 1", {"Relu", {}, {x}, {}}},
      {"it lacks one of its inputs", {"Relu", {}, {Absent()}, {x}}},
      {"X is int64, it must be float32", {"Relu", {}, {Int64s({2, 3})}, {x}}},
      {"output 0 must be [2, 3]", {"Relu", {}, {x}, {Bytes({2, 3})}}},
      {"output 0 must be [2, 3]", {"Relu", {}, {x}, {Floats({3, 2})}}},
      {"input 0 is no image and must be plain",
       {"Relu", {}, {Floats({2, 3}, Layout::kChannels8)}, {x}}},
      {"", {"Gemm", {}, {x, Floats({3, 4}), Absent()}, {Floats({2, 4})}}},
  });
}

TEST_CASE("an output whose shape cannot be told from the inputs is checked against them") {
  const Operand x = Floats({1, 4, 8, 8});
  const Operand w = Floats({6, 4, 3, 3});
  const Operand y = Floats({1, 6, 6, 6});
  Check({
      {"", {"ConvGradInput", {}, {y, w}, {x}}},
      {"dY has shape [1, 4, 8, 8], it must be [1, 6, 6, 6]", {"ConvGradInput", {}, {x, w}, {x}}},
      {"", {"ConvGradWeight", {}, {x, y}, {w, Floats({6})}}},
      {"output 1 must be [6]", {"ConvGradWeight", {}, {x, y}, {w, Floats({4})}}},
      {"", {"Reshape", {}, {Int64s({6})}, {Int64s({2, 3})}}},
      {"6 elements do not fill [5]", {"Reshape", {}, {Floats({2, 3})}, {Floats({5})}}},
  });
}

TEST_CASE("blocked layouts are legal where there is an image, whatever the operator") {
  const Operand image = Floats({1, 2, 3, 4});
  Check({{"", {"Reorder", {}, {image}, {Floats({1, 2, 3, 4}, Layout::kChannels8)}}}});
}

TEST_CASE("plain instances are told from others, absent operands aside") {
  const Operand plain = Floats({1, 2, 3, 4});
  const Operand blocked = Floats({1, 2, 3, 4}, Layout::kChannels8);
  CHECK(AllPlain({"Relu", {}, {plain, Absent()}, {plain}}));
  CHECK_FALSE(AllPlain({"Relu", {}, {blocked}, {plain}}));
  CHECK_FALSE(AllPlain({"Relu", {}, {plain}, {blocked}}));
}

}  // namespace
}  // namespace rm::kernels
