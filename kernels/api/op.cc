#include "kernels/api/op.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rm::kernels {
namespace {

// The attribute's value if it exists and is of kind T, else nullptr.
template <typename T>
const T* Find(const std::map<std::string, Attribute>& map, absl::string_view name) {
  const auto it = map.find(std::string(name));
  return it == map.end() ? nullptr : std::get_if<T>(&it->second);
}

// A list of operands as in a call; absent ones keep their place, as a reader counts by it.
std::string OperandsString(const std::vector<Operand>& operands) {
  return absl::StrJoin(operands, ", ", [](std::string* out, const Operand& operand) {
    absl::StrAppend(out, operand.present ? operand.type.ToString() : "-");
  });
}

// ONNX's formula. A negative room must not be divided: C++ rounds towards zero, so −1 / 2 + 1 would
// make one window out of none.
int64_t OutputSize(int64_t input, int64_t pads, int64_t kernel, int64_t stride, int64_t dilation) {
  const int64_t room = input + pads - dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

// Copies the list's values to `targets`, in order. A list that is too short is left alone as a
// whole: half a pair of strides would be worse than none.
void Assign(const Attributes& attributes, absl::string_view name,
            std::initializer_list<int64_t*> targets) {
  const std::vector<int64_t> values = attributes.Ints(name, {});
  if (values.size() < targets.size()) return;
  size_t i = 0;
  for (int64_t* target : targets) *target = values[i++];
}

}  // namespace

// The keys are strings and the names are views; a lookup makes a string. Attributes are read when
// kernels are made, never in the step loop.
void Attributes::Set(absl::string_view name, Attribute value) {
  map_[std::string(name)] = std::move(value);
}

void Attributes::Remove(absl::string_view name) { map_.erase(std::string(name)); }

bool Attributes::Has(absl::string_view name) const { return map_.count(std::string(name)) > 0; }

int64_t Attributes::Int(absl::string_view name, int64_t fallback) const {
  const auto* value = Find<int64_t>(map_, name);
  return value != nullptr ? *value : fallback;
}

float Attributes::Float(absl::string_view name, float fallback) const {
  const auto* value = Find<float>(map_, name);
  return value != nullptr ? *value : fallback;
}

std::string Attributes::String(absl::string_view name, absl::string_view fallback) const {
  const auto* value = Find<std::string>(map_, name);
  return value != nullptr ? *value : std::string(fallback);
}

std::vector<int64_t> Attributes::Ints(absl::string_view name,
                                      const std::vector<int64_t>& fallback) const {
  const auto* value = Find<std::vector<int64_t>>(map_, name);
  return value != nullptr ? *value : fallback;
}

std::string OpInstance::ToString() const {
  return absl::StrCat(op, "(", OperandsString(inputs), ") → ", OperandsString(outputs));
}

int64_t Window2d::OutputHeight(int64_t input_h) const {
  return OutputSize(input_h, pad_top + pad_bottom, kernel_h, stride_h, dilation_h);
}

int64_t Window2d::OutputWidth(int64_t input_w) const {
  return OutputSize(input_w, pad_left + pad_right, kernel_w, stride_w, dilation_w);
}

Window2d ReadWindow2d(const Attributes& attributes, const Shape& weight_shape) {
  Window2d window;
  if (weight_shape.size() == 4) {
    window.kernel_h = weight_shape[2];
    window.kernel_w = weight_shape[3];
  }
  Assign(attributes, "kernel_shape", {&window.kernel_h, &window.kernel_w});
  Assign(attributes, "strides", {&window.stride_h, &window.stride_w});
  Assign(attributes, "dilations", {&window.dilation_h, &window.dilation_w});
  // ONNX gives all begins, then all ends.
  Assign(attributes, "pads",
         {&window.pad_top, &window.pad_left, &window.pad_bottom, &window.pad_right});
  window.group = attributes.Int("group", 1);
  return window;
}

}  // namespace rm::kernels
