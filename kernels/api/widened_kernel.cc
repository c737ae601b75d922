#include "kernels/api/widened_kernel.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status.h"
#include "kernels/api/bfloat16_form.h"

namespace rm::kernels {
namespace {

// What happens to an operand on its way to or from the float32 kernel.
enum class Way { kAsItIs, kConverted, kRounded };

struct Passage {
  Way way = Way::kAsItIs;
  int64_t elements = 0;  // in memory
  size_t offset = 0;     // of the float32 copy in scratch memory
};

class WidenedKernel final : public Kernel {
 public:
  // The scratch memory of the inner kernel lies first, then the copies, then one of bfloat16 on the
  // way to a rounded operand.
  WidenedKernel(const OpInstance& op, std::unique_ptr<Kernel> inner,
                const Bfloat16Conversions& conversions)
      : inner_(std::move(inner)),
        conversions_(conversions),
        in_(op.inputs.size()),
        out_(op.outputs.size()) {
    scratch_bytes_ = RoundUp(inner_->scratch_bytes());
    const Bfloat16Form& form = *FindBfloat16Form(op.op);
    int64_t most_rounded = 0;
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      inputs_.push_back(Place(op.inputs[i], form.rounds(i)));
      if (inputs_[i].way == Way::kRounded) {
        most_rounded = std::max(most_rounded, inputs_[i].elements);
      }
    }
    for (const Operand& output : op.outputs) outputs_.push_back(Place(output, false));
    rounding_offset_ = scratch_bytes_;
    scratch_bytes_ += RoundUp(static_cast<size_t>(most_rounded) * sizeof(Bfloat16));
  }

  size_t scratch_bytes() const override { return scratch_bytes_; }

  absl::Status Run(const Arguments& arguments) override {
    char* const scratch = static_cast<char*>(arguments.scratch);
    for (size_t i = 0; i < in_.size(); ++i) in_[i] = Take(inputs_[i], arguments, i, scratch);
    for (size_t i = 0; i < out_.size(); ++i) {
      const bool copy = outputs_[i].way == Way::kConverted;
      out_[i] = copy ? scratch + outputs_[i].offset : arguments.outputs[i];
    }
    RM_RETURN_IF_ERROR(inner_->Run({in_, out_, scratch}));
    for (size_t i = 0; i < out_.size(); ++i) {
      if (outputs_[i].way != Way::kConverted) continue;
      conversions_.narrow(static_cast<const float*>(out_[i]), arguments.output<Bfloat16>(i),
                          outputs_[i].elements);
    }
    return absl::OkStatus();
  }

 private:
  static size_t RoundUp(size_t bytes) { return (bytes + 63) / 64 * 64; }

  Passage Place(const Operand& operand, bool rounded) {
    Passage passage;
    if (!operand.present) return passage;
    if (operand.type.dtype == DType::kBfloat16) passage.way = Way::kConverted;
    if (rounded) passage.way = Way::kRounded;
    if (passage.way == Way::kAsItIs) return passage;
    passage.elements = operand.type.physical_elements();
    passage.offset = scratch_bytes_;
    scratch_bytes_ += RoundUp(static_cast<size_t>(passage.elements) * sizeof(float));
    return passage;
  }

  // What the inner kernel reads for input i.
  const void* Take(const Passage& passage, const Arguments& arguments, size_t i, char* scratch) {
    if (passage.way == Way::kAsItIs) return i < arguments.inputs.size() ? arguments.inputs[i] : nullptr;
    void* const copy = scratch + passage.offset;
    auto* const wide = static_cast<float*>(copy);
    if (passage.way == Way::kConverted) {
      conversions_.widen(arguments.input<Bfloat16>(i), wide, passage.elements);
      return wide;
    }
    void* const rounded = scratch + rounding_offset_;
    auto* const narrow = static_cast<Bfloat16*>(rounded);
    conversions_.narrow(arguments.input<float>(i), narrow, passage.elements);
    conversions_.widen(narrow, wide, passage.elements);
    return wide;
  }

  const std::unique_ptr<Kernel> inner_;
  const Bfloat16Conversions conversions_;
  std::vector<Passage> inputs_;
  std::vector<Passage> outputs_;
  size_t rounding_offset_ = 0;
  size_t scratch_bytes_ = 0;
  // Operands of the inner kernel, set by each Run: no memory is allocated there.
  std::vector<const void*> in_;
  std::vector<void*> out_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeWidenedKernel(const OpInstance& instance,
                                                          const KernelEntry& entry,
                                                          const KernelOptions& options,
                                                          const Bfloat16Conversions& conversions) {
  RM_ASSIGN_OR_RETURN(std::unique_ptr<Kernel> inner, entry.make(Widened(instance), options));
  return std::make_unique<WidenedKernel>(instance, std::move(inner), conversions);
}

}  // namespace rm::kernels
