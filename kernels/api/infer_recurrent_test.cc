#include <catch2/catch.hpp>

#include "kernels/api/infer_testing.h"
#include "kernels/api/recurrent.h"

namespace rm::kernels {
namespace {

// 5 steps of a batch of 2, 3 inputs, 4 hidden.
const TensorType kX = Float({5, 2, 3});
const TensorType kW = Float({1, 16, 3});
const TensorType kR = Float({1, 16, 4});
const TensorType kB = Float({1, 32});

std::string Lstm(const std::vector<TensorType>& inputs, const Attributes& attributes = {},
                 int outputs = 1) {
  return Infer({"LSTM", inputs, attributes, outputs});
}

TEST_CASE("LSTM gives all hidden states, and the last ones", "[recurrent]") {
  CHECK(Lstm({kX, kW, kR, kB}, {{"hidden_size", int64_t{4}}}, 5) ==
        "[5, 1, 2, 4], [1, 2, 4], [1, 2, 4], [5, 1, 2, 16], [5, 1, 2, 4]");
  CHECK(Lstm({kX, kW, kR}, {{"direction", std::string("reverse")}}) == "[5, 1, 2, 4]");
  CHECK(Lstm({kX, Float({2, 16, 3}), Float({2, 16, 4})},
             {{"direction", std::string("bidirectional")}}) == "[5, 2, 2, 4]");
}

TEST_CASE("LSTM refuses what does not fit, and forms it does not know", "[recurrent]") {
  CHECK(Lstm({kX, Float({1, 16, 4}), kR}) == "W has shape [1, 16, 4], it must be [1, 16, 3]");
  CHECK(Lstm({kX, kW, kR, Float({1, 16})}) == "B has shape [1, 16], it must be [1, 32]");
  CHECK(Lstm({kX, kW, kR}, {{"hidden_size", int64_t{5}}}) ==
        "attribute hidden_size is not the last dimension of R, 4");
  CHECK(Lstm({kX, kW, kR, kB, Float({1, 2, 5})}) ==
        "initial_h has shape [1, 2, 5], it must be [1, 2, 4]");
  CHECK(Lstm({kX, kW, kR}, {{"layout", int64_t{1}}}) == "layout 1 is not known, only 0");
  CHECK(Lstm({kX, kW, kR}, {{"clip", 1.0F}}) == "clip is not known");
  CHECK(Lstm({kX, kW, kR}, {{"direction", std::string("up")}}) == "unknown direction 'up'");
  CHECK(Lstm({Float({0, 2, 3}), kW, kR}) == "X has no steps");
}

TEST_CASE("the gradient of LSTM gives one for each operand", "[recurrent]") {
  const TensorType gates = Float({5, 1, 2, 16});
  const TensorType cells = Float({5, 1, 2, 4});
  CHECK(Infer({"LSTMGrad", {kX, kW, kR, gates, cells, cells}, {}, 6}) ==
        "[5, 2, 3], [1, 16, 3], [1, 16, 4], [1, 32], [1, 2, 4], [1, 2, 4]");
  CHECK(Infer({"LSTMGrad", {kX, kW, kR, gates, gates}}) ==
        "Cells has shape [5, 1, 2, 16], it must be [5, 1, 2, 4]");
}

TEST_CASE("directions walk the sequence from either end", "[recurrent]") {
  const LstmShape both =
      ReadLstmShape({{"direction", std::string("bidirectional")}}, {5, 2, 3}, {2, 16, 4});
  CHECK(both.Time(0, 1) == 1);
  CHECK(both.Time(1, 1) == 3);
  const LstmShape reverse =
      ReadLstmShape({{"direction", std::string("reverse")}}, {5, 2, 3}, {1, 16, 4});
  CHECK(reverse.Time(0, 0) == 4);
}

}  // namespace
}  // namespace rm::kernels
