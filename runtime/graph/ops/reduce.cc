// ReduceSum and ReduceMean.
#include "runtime/graph/ops/rules.h"

namespace rm::graph {
namespace {

// Every term has the gradient of its sum; that of a mean is divided by the number of terms.
absl::Status DifferentiateTerms(const char* op, GradientContext* context) {
  context->SetInputGradient(0, context->Append(op, "dX", {context->output_gradient(0)},
                                               context->input(0), context->attributes()));
  return absl::OkStatus();
}

}  // namespace

absl::Status DifferentiateReduceMean(GradientContext* context) {
  return DifferentiateTerms("ReduceMeanGrad", context);
}

absl::Status DifferentiateReduceSum(GradientContext* context) {
  return DifferentiateTerms("ReduceSumGrad", context);
}

}  // namespace rm::graph
