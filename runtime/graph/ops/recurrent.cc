// LSTM.
#include <vector>

#include "runtime/graph/ops/rules.h"

namespace rm::graph {

// The forward node learns to keep its gates and cells, five numbers a hidden unit and step, from
// which one node walks back through all steps.
absl::Status DifferentiateLstm(GradientContext* context) {
  std::vector<ValueId> outputs;
  for (size_t i = 0; i < 5; ++i) {
    const bool missing = i >= context->node().outputs.size();
    outputs.push_back(missing ? context->AppendForwardOutput() : context->output(i));
  }
  const auto arrived = [context](size_t i) {
    return i < context->node().outputs.size() ? context->output_gradient(i) : kNoValue;
  };
  std::vector<ValueId> operands = {context->input(0), context->input(1), context->input(2),
                                   outputs[3],        outputs[4],        arrived(0),
                                   arrived(1),        arrived(2),        context->input(4),
                                   context->input(5)};
  while (operands.back() == kNoValue) operands.pop_back();
  std::vector<ValueId> likes;
  for (size_t i = 0; i < 6; ++i) likes.push_back(context->input(i));
  const std::vector<ValueId> gradients =
      context->AppendMany("LSTMGrad", "dX", operands, likes, context->attributes());
  for (size_t i : {size_t{1}, size_t{2}, size_t{3}, size_t{0}, size_t{4}, size_t{5}}) {
    if (context->wants(i)) context->SetInputGradient(i, gradients[i]);
  }
  return absl::OkStatus();
}

}  // namespace rm::graph
