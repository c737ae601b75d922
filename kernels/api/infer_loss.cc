// SoftmaxCrossEntropy, its gradient, and CountCorrect.
#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {
namespace {

// Scores (B, C), then labels int64 (B) and weights (B).
absl::Status RequireLabelled(const OpInstance& instance, absl::string_view scores) {
  RM_RETURN_IF_ERROR(RequireFloat(instance, 0, scores, 2));
  RM_RETURN_IF_ERROR(RequireType(instance, 1, "labels", DType::kInt64));
  RM_RETURN_IF_ERROR(RequireFloat(instance, 2, "weights", 1));
  const Shape& shape = InputShape(instance, 0);
  RM_RETURN_IF_ERROR(RequireShape("labels", InputShape(instance, 1), {shape[0]}));
  RM_RETURN_IF_ERROR(RequireShape("weights", InputShape(instance, 2), {shape[0]}));
  if (shape[1] < 1) return Misfit(scores, " has no classes");
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

absl::Status InferCountCorrect(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireLabelled(*instance, "logits"));
  SetOutput(instance, 0, {1});
  return absl::OkStatus();
}

}  // namespace rm::kernels
