#include <cmath>

#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Compute;
using testing::Floats;
using testing::Int64s;

OpInstance Loss(int64_t rows, int64_t classes, float smoothing = 0) {
  return {"SoftmaxCrossEntropy",
          {{"label_smoothing", smoothing}},
          {Floats({rows, classes}), Int64s({rows}), Floats({rows})},
          {Floats({1}), Floats({rows, classes})}};
}

OpInstance LossGrad(int64_t rows, int64_t classes, float smoothing = 0) {
  OpInstance op = Loss(rows, classes, smoothing);
  op.op = "SoftmaxCrossEntropyGrad";
  op.inputs.push_back(Floats({1}));
  op.outputs = {Floats({rows, classes})};
  return op;
}

TEST_CASE("the loss is the weighted sum over the rows") {
  // softmax(0, log 3) = (1/4, 3/4)
  const float log3 = std::log(3.0F);
  const auto outputs = RunOnCpu(Loss(2, 2), {{0, log3, 0, log3}, {0, 1}, {2, 10}});
  CHECK(static_cast<double>(outputs[0][0]) ==
        Approx(2 * std::log(4.0) + 10 * std::log(4.0 / 3)));
  CHECK(static_cast<double>(outputs[1][0]) == Approx(0.25));
  CHECK(static_cast<double>(outputs[1][3]) == Approx(0.75));
}

TEST_CASE("smoothing moves a share of the target to all classes, in loss and gradient") {
  const auto outputs = RunOnCpu(Loss(1, 2, 0.2F), {{std::log(3.0F), 0}, {0}, {1}});
  CHECK(static_cast<double>(outputs[0][0]) ==
        Approx(-0.9 * std::log(0.75) - 0.1 * std::log(0.25)));
  const auto grads = RunOnCpu(LossGrad(1, 2, 0.5F), {{0.75F, 0.25F}, {0}, {1}, {1}});
  CHECK(grads[0] == Values{0, 0});
}

TEST_CASE("the gradient is the probabilities less the target, weighted and scaled") {
  const auto grads =
      RunOnCpu(LossGrad(2, 2), {{0.25F, 0.75F, 0.5F, 0.5F}, {0, 1}, {1, 2}, {4}});
  CHECK(grads[0] == Values{-3, 3, 4, -4});
}

TEST_CASE("a row of weight zero counts for nothing, whatever it holds") {
  const auto outputs = RunOnCpu(Loss(2, 2), {{0, 0, NAN, NAN}, {0, 77}, {1, 0}});
  CHECK(static_cast<double>(outputs[0][0]) == Approx(std::log(2.0)));
  const auto grads = RunOnCpu(LossGrad(2, 2), {{0.5F, 0.5F, NAN, NAN}, {0, 77}, {1, 0}, {2}});
  CHECK(grads[0] == Values{-1, 1, 0, 0});
}

TEST_CASE("a NaN in a row that counts reaches the loss") {
  CHECK(std::isnan(RunOnCpu(Loss(1, 3), {{0, NAN, 0}, {0}, {1}})[0][0]));
}

TEST_CASE("a label that is no class is refused by row") {
  const auto loss = Compute(Table(), Loss(2, 3), {Values(6), {0, 3}, {1, 1}});
  CHECK(loss.status() == absl::InvalidArgumentError("label 3 of row 1 is not in 0…2"));
  const auto grad = Compute(Table(), LossGrad(1, 3), {Values(3), {-1}, {1}, {1}});
  CHECK(grad.status() == absl::InvalidArgumentError("label -1 of row 0 is not in 0…2"));
}

TEST_CASE("without room for probabilities the reference is needed") {
  OpInstance op = Loss(2, 3);
  CHECK(SupportsSoftmaxCrossEntropy(op));
  op.outputs.pop_back();
  CHECK_FALSE(SupportsSoftmaxCrossEntropy(op));
}

}  // namespace
}  // namespace rm::kernels::cpu
