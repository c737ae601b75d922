// Concat, Expand, Slice, SliceGrad, Split and Transpose of any dtype: strided copies, planned when
// the kernel is made.
#include <cstring>
#include <vector>

#include "kernels/api/check_instance.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/strided_copy.h"

namespace rm::kernels::cpu {
namespace {

size_t ElementBytes(const OpInstance& op) { return ByteSize(op.inputs[0].type.dtype); }

// Output i is input 0 through a view: one for most, many for Split.
class Take final : public Kernel {
 public:
  Take(const OpInstance& op, const std::vector<StridedView>& views, int threads)
      : threads_(threads) {
    for (const StridedView& view : views) {
      copies_.push_back(StridedCopy::Take(view, ElementBytes(op)));
    }
  }

  absl::Status Run(const Arguments& arguments) override {
    for (size_t i = 0; i < copies_.size(); ++i) {
      void* y = i < arguments.outputs.size() ? arguments.outputs[i] : nullptr;
      if (y != nullptr) copies_[i].Run(arguments.inputs[0], y, threads_);
    }
    return absl::OkStatus();
  }

 private:
  std::vector<StridedCopy> copies_;
  const int threads_;
};

// Input i goes to output 0 through a view. What no view covers is zero: `zero_bytes` of it are set
// first, none where the views cover everything.
class Put final : public Kernel {
 public:
  Put(const OpInstance& op, const std::vector<StridedView>& views, size_t zero_bytes, int threads)
      : zero_bytes_(zero_bytes), threads_(threads) {
    for (const StridedView& view : views) {
      copies_.push_back(StridedCopy::Put(view, ElementBytes(op)));
    }
  }

  absl::Status Run(const Arguments& arguments) override {
    void* y = arguments.outputs[0];
    if (zero_bytes_ > 0) std::memset(y, 0, zero_bytes_);
    for (size_t i = 0; i < copies_.size(); ++i) copies_[i].Run(arguments.inputs[i], y, threads_);
    return absl::OkStatus();
  }

 private:
  std::vector<StridedCopy> copies_;
  const size_t zero_bytes_;
  const int threads_;
};

}  // namespace

bool SupportsMovement(const OpInstance& instance) {
  return CheckInstance(instance).ok() && AllPlain(instance);
}

// The inputs fill the output one after the other.
absl::StatusOr<std::unique_ptr<Kernel>> MakeConcat(const OpInstance& instance,
                                                   const KernelOptions& options) {
  const int64_t axis = instance.attributes.Int("axis", 0);
  std::vector<StridedView> views;
  int64_t begin = 0;
  for (const Operand& input : instance.inputs) {
    const int64_t size = input.type.shape[static_cast<size_t>(axis)];
    views.push_back(PartView(instance.outputs[0].type.shape, axis, begin, size));
    begin += size;
  }
  return std::make_unique<Put>(instance, views, 0, options.threads);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeExpand(const OpInstance& instance,
                                                   const KernelOptions& options) {
  const StridedView view =
      BroadcastView(instance.inputs[0].type.shape, instance.outputs[0].type.shape);
  return std::make_unique<Take>(instance, std::vector<StridedView>{view}, options.threads);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeSlice(const OpInstance& instance,
                                                  const KernelOptions& options) {
  const StridedView view = SlicedView(instance.inputs[0].type.shape, instance.attributes);
  return std::make_unique<Take>(instance, std::vector<StridedView>{view}, options.threads);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeSliceGrad(const OpInstance& instance,
                                                      const KernelOptions& options) {
  const TensorType& x = instance.outputs[0].type;
  const StridedView view = SlicedView(x.shape, instance.attributes);
  const bool covers = ElementCount(view.shape) == x.elements();
  return std::make_unique<Put>(instance, std::vector<StridedView>{view}, covers ? 0 : x.bytes(),
                               options.threads);
}

// Sizes are taken from the attribute: an output that nobody reads has no type.
absl::StatusOr<std::unique_ptr<Kernel>> MakeSplit(const OpInstance& instance,
                                                  const KernelOptions& options) {
  const Shape& x = instance.inputs[0].type.shape;
  const int64_t axis = instance.attributes.Int("axis", 0);
  std::vector<StridedView> views;
  int64_t begin = 0;
  for (const int64_t size : instance.attributes.Ints("split", {})) {
    views.push_back(PartView(x, axis, begin, size));
    begin += size;
  }
  return std::make_unique<Take>(instance, views, options.threads);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeTranspose(const OpInstance& instance,
                                                      const KernelOptions& options) {
  const Shape& x = instance.inputs[0].type.shape;
  const StridedView view = TransposedView(x, Permutation(instance.attributes, x.size()));
  return std::make_unique<Take>(instance, std::vector<StridedView>{view}, options.threads);
}

}  // namespace rm::kernels::cpu
