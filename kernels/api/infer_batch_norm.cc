// BatchNormalization, its training form and the gradient of that.
#include "absl/types/span.h"
#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {
namespace {

// X has channels in its second dimension; the inputs from `first` on are one number a channel.
absl::Status CheckChannels(const OpInstance& instance, size_t x, size_t first,
                           absl::Span<const char* const> names) {
  RM_RETURN_IF_ERROR(RequireType(instance, x, "X", DType::kFloat32));
  const Shape& shape = InputShape(instance, x);
  if (shape.size() < 2) return Misfit("X has no dimension of channels: it must have at least 2");
  for (size_t i = 0; i < names.size(); ++i) {
    RM_RETURN_IF_ERROR(RequireType(instance, first + i, names[i], DType::kFloat32));
    RM_RETURN_IF_ERROR(RequireShape(names[i], InputShape(instance, first + i), {shape[1]}));
  }
  return RequireActivation(instance.attributes);
}

constexpr const char* kGiven[] = {"scale", "B", "mean", "var"};
constexpr const char* kTrained[] = {"scale", "B"};
constexpr const char* kKept[] = {"scale", "batch_mean", "inverse_stddev"};

// An operand that must be as X.
absl::Status RequireLikeX(const OpInstance& instance, size_t i, const char* name, const Shape& x) {
  RM_RETURN_IF_ERROR(RequireType(instance, i, name, DType::kFloat32));
  return RequireShape(name, InputShape(instance, i), x);
}

}  // namespace

// An export in training mode is turned into the training form before it gets here.
absl::Status InferBatchNormalization(OpInstance* instance) {
  if (instance->attributes.Int("training_mode", 0) != 0) {
    return Misfit("training_mode 1 is BatchNormTraining here");
  }
  RM_RETURN_IF_ERROR(CheckChannels(*instance, 0, 1, kGiven));
  const Shape x = InputShape(*instance, 0);
  SetOutput(instance, 0, x);
  return absl::OkStatus();
}

// A batch of a single value a channel is legal, as an exact split of a batch may end in one; its
// variance is 0, and its result the bias.
absl::Status InferBatchNormTraining(OpInstance* instance) {
  RM_RETURN_IF_ERROR(CheckChannels(*instance, 0, 1, kTrained));
  const Shape x = InputShape(*instance, 0);
  if (instance->has_input(3)) RM_RETURN_IF_ERROR(RequireLikeX(*instance, 3, "residual", x));
  if (ElementCount(x) < 1) return Misfit("X has no elements to take statistics of");
  SetOutput(instance, 0, x);
  for (size_t i = 1; i < 4; ++i) SetOutput(instance, i, {x[1]});
  return absl::OkStatus();
}

// With a relu the gradient is masked by the forward result, which is then an operand.
absl::Status InferBatchNormGrad(OpInstance* instance) {
  RM_RETURN_IF_ERROR(CheckChannels(*instance, 1, 2, kKept));
  const Shape x = InputShape(*instance, 1);
  RM_RETURN_IF_ERROR(RequireLikeX(*instance, 0, "dY", x));
  const bool relu = instance->attributes.String("activation", "") == "relu";
  if (relu != instance->has_input(5)) return Misfit("Y is read exactly where there is a relu");
  if (relu) RM_RETURN_IF_ERROR(RequireLikeX(*instance, 5, "Y", x));
  SetOutput(instance, 0, x);
  SetOutput(instance, 1, {x[1]});
  SetOutput(instance, 2, {x[1]});
  return absl::OkStatus();
}

}  // namespace rm::kernels
