// LSTM and its gradient.
#include "kernels/api/recurrent.h"

#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {
namespace {

// What ONNX allows beside and nobody has asked for yet.
absl::Status CheckForm(const Attributes& attributes) {
  if (attributes.Int("layout", 0) != 0) return Misfit("layout 1 is not known, only 0");
  if (attributes.Int("input_forget", 0) != 0) return Misfit("input_forget is not known");
  if (attributes.Has("clip")) return Misfit("clip is not known");
  const std::string direction = attributes.String("direction", "forward");
  if (direction == "forward" || direction == "reverse" || direction == "bidirectional") {
    return absl::OkStatus();
  }
  return Misfit("unknown direction '", direction, "'");
}

// Input `i`, when there is one.
absl::Status CheckInput(const OpInstance& instance, size_t i, const char* name,
                        const Shape& shape) {
  if (!instance.has_input(i)) return absl::OkStatus();
  RM_RETURN_IF_ERROR(RequireType(instance, i, name, DType::kFloat32));
  return RequireShape(name, InputShape(instance, i), shape);
}

}  // namespace

// Gates and Cells are there for the gradient alone; at inference nobody reads them, and they are
// dropped.
absl::Status InferLstm(OpInstance* instance) {
  RM_RETURN_IF_ERROR(CheckForm(instance->attributes));
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 0, "X", 3));
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 2, "R", 3));
  const LstmShape s = ReadLstmShape(instance->attributes, InputShape(*instance, 0),
                                    InputShape(*instance, 2));
  if (s.steps < 1) return Misfit("X has no steps");
  if (instance->attributes.Int("hidden_size", s.hidden) != s.hidden) {
    return Misfit("attribute hidden_size is not the last dimension of R, ", s.hidden);
  }
  const Shape state = {s.directions, s.batch, s.hidden};
  RM_RETURN_IF_ERROR(CheckInput(*instance, 1, "W", {s.directions, 4 * s.hidden, s.inputs}));
  RM_RETURN_IF_ERROR(CheckInput(*instance, 2, "R", {s.directions, 4 * s.hidden, s.hidden}));
  RM_RETURN_IF_ERROR(CheckInput(*instance, 3, "B", {s.directions, 8 * s.hidden}));
  RM_RETURN_IF_ERROR(CheckInput(*instance, 4, "initial_h", state));
  RM_RETURN_IF_ERROR(CheckInput(*instance, 5, "initial_c", state));
  SetOutput(instance, 0, {s.steps, s.directions, s.batch, s.hidden});
  SetOutput(instance, 1, state);
  SetOutput(instance, 2, state);
  SetOutput(instance, 3, {s.steps, s.directions, s.batch, 4 * s.hidden});
  SetOutput(instance, 4, {s.steps, s.directions, s.batch, s.hidden});
  return absl::OkStatus();
}

// What arrives at an output that the model does not use is absent, and so are states that begin as
// zero. All gradients have the shapes of what they belong to.
absl::Status InferLstmGrad(OpInstance* instance) {
  RM_RETURN_IF_ERROR(CheckForm(instance->attributes));
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 0, "X", 3));
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 2, "R", 3));
  const LstmShape s = ReadLstmShape(instance->attributes, InputShape(*instance, 0),
                                    InputShape(*instance, 2));
  const Shape state = {s.directions, s.batch, s.hidden};
  const Shape all = {s.steps, s.directions, s.batch, s.hidden};
  const Shape w = {s.directions, 4 * s.hidden, s.inputs};
  const Shape r = {s.directions, 4 * s.hidden, s.hidden};
  const Shape gates = {s.steps, s.directions, s.batch, 4 * s.hidden};
  const struct {
    const char* name;
    Shape shape;
  } inputs[] = {{"X", {s.steps, s.batch, s.inputs}}, {"W", w},       {"R", r},
                {"Gates", gates},                    {"Cells", all}, {"dY", all},
                {"dY_h", state},                     {"dY_c", state}, {"initial_h", state},
                {"initial_c", state}};
  size_t i = 0;
  for (const auto& input : inputs) {
    RM_RETURN_IF_ERROR(CheckInput(*instance, i++, input.name, input.shape));
  }
  const Shape x = InputShape(*instance, 0);
  SetOutput(instance, 0, x);
  SetOutput(instance, 1, w);
  SetOutput(instance, 2, r);
  SetOutput(instance, 3, {s.directions, 8 * s.hidden});
  SetOutput(instance, 4, state);
  SetOutput(instance, 5, state);
  return absl::OkStatus();
}

}  // namespace rm::kernels
