// Losses, their gradients, and CountCorrect.
#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {
namespace {

// Scores (…, C), then labels int64 (…) and weights (…).
absl::Status RequireLabelled(const OpInstance& instance, absl::string_view scores) {
  RM_RETURN_IF_ERROR(RequireType(instance, 0, scores, DType::kFloat32));
  RM_RETURN_IF_ERROR(RequireType(instance, 1, "labels", DType::kInt64));
  RM_RETURN_IF_ERROR(RequireType(instance, 2, "weights", DType::kFloat32));
  const Shape& shape = InputShape(instance, 0);
  if (shape.size() < 2) {
    return Misfit(scores, " has ", shape.size(), " dimensions, it must have 2 or more");
  }
  const Shape rows(shape.begin(), shape.end() - 1);
  RM_RETURN_IF_ERROR(RequireShape("labels", InputShape(instance, 1), rows));
  RM_RETURN_IF_ERROR(RequireShape("weights", InputShape(instance, 2), rows));
  if (shape.back() < 1) return Misfit(scores, " has no classes");
  return absl::OkStatus();
}

// The model's output (B, …), targets of its shape, weights (B).
absl::Status RequireTargets(const OpInstance& instance) {
  for (size_t i = 0; i < 2; ++i) {
    RM_RETURN_IF_ERROR(RequireType(instance, i, i == 0 ? "Y" : "targets", DType::kFloat32));
  }
  RM_RETURN_IF_ERROR(RequireFloat(instance, 2, "weights", 1));
  const Shape& shape = InputShape(instance, 0);
  if (shape.empty()) return Misfit("Y has no first dimension that would count samples");
  RM_RETURN_IF_ERROR(RequireShape("targets", InputShape(instance, 1), shape));
  RM_RETURN_IF_ERROR(RequireShape("weights", InputShape(instance, 2), {shape[0]}));
  if (Product(shape, 1, shape.size()) < 1) return Misfit("a sample of Y has no elements");
  return absl::OkStatus();
}

// At 1 every class would be equally right.
absl::Status RequireSmoothing(const Attributes& attributes) {
  const float smoothing = attributes.Float("label_smoothing", 0.0F);
  if (smoothing >= 0.0F && smoothing < 1.0F) return absl::OkStatus();
  return Misfit("label_smoothing ", smoothing, " is not in [0, 1)");
}

}  // namespace

absl::Status InferSoftmaxCrossEntropy(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireLabelled(*instance, "logits"));
  RM_RETURN_IF_ERROR(RequireSmoothing(instance->attributes));
  SetOutput(instance, 0, {1});
  SetOutput(instance, 1, InputShape(*instance, 0));
  return absl::OkStatus();
}

absl::Status InferSoftmaxCrossEntropyGrad(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireLabelled(*instance, "probabilities"));
  RM_RETURN_IF_ERROR(RequireSmoothing(instance->attributes));
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 3, "scale", 1));
  RM_RETURN_IF_ERROR(RequireShape("scale", InputShape(*instance, 3), {1}));
  SetOutput(instance, 0, InputShape(*instance, 0));
  return absl::OkStatus();
}

absl::Status InferElementLoss(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireTargets(*instance));
  SetOutput(instance, 0, {1});
  return absl::OkStatus();
}

absl::Status InferElementLossGrad(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireTargets(*instance));
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 3, "scale", 1));
  RM_RETURN_IF_ERROR(RequireShape("scale", InputShape(*instance, 3), {1}));
  SetOutput(instance, 0, InputShape(*instance, 0));
  return absl::OkStatus();
}

absl::Status InferCountCorrect(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireLabelled(*instance, "logits"));
  SetOutput(instance, 0, {1});
  return absl::OkStatus();
}

}  // namespace rm::kernels
