// Concat, Expand, Slice, Split, Transpose, Trilu and SliceGrad: elements of any dtype, moved one by
// one through views.
#include <cstring>
#include <vector>

#include "kernels/api/strided_view.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// y's elements are x's through `view`, in order.
void TakeThrough(const StridedView& view, const char* x, char* y, int64_t bytes) {
  const int64_t count = ElementCount(view.shape);
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(y + i * bytes, x + view.At(i) * bytes, static_cast<size_t>(bytes));
  }
}

// x's elements become y's through `view`, in order.
void PutThrough(const StridedView& view, const char* x, char* y, int64_t bytes) {
  const int64_t count = ElementCount(view.shape);
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(y + view.At(i) * bytes, x + i * bytes, static_cast<size_t>(bytes));
  }
}

int64_t ElementBytes(const Operand& operand) {
  return static_cast<int64_t>(ByteSize(operand.type.dtype));
}

// Output i is input 0 through views[i]: one for most, many for Split.
class Take final : public Kernel {
 public:
  Take(const OpInstance& op, std::vector<StridedView> views)
      : views_(std::move(views)), bytes_(ElementBytes(op.inputs[0])) {}

  absl::Status Run(const Arguments& arguments) override {
    for (size_t i = 0; i < views_.size(); ++i) {
      auto* y = arguments.output<char>(i);
      if (y != nullptr) TakeThrough(views_[i], arguments.input<char>(0), y, bytes_);
    }
    return absl::OkStatus();
  }

 private:
  const std::vector<StridedView> views_;
  const int64_t bytes_;  // an element
};

// Input i goes to output 0 through views[i]; what no view covers is zero.
class Put final : public Kernel {
 public:
  Put(const OpInstance& op, std::vector<StridedView> views)
      : views_(std::move(views)),
        bytes_(ElementBytes(op.inputs[0])),
        output_bytes_(op.outputs[0].type.bytes()) {}

  absl::Status Run(const Arguments& arguments) override {
    auto* y = arguments.output<char>(0);
    if (output_bytes_ > 0) std::memset(y, 0, output_bytes_);
    for (size_t i = 0; i < views_.size(); ++i) {
      PutThrough(views_[i], arguments.input<char>(i), y, bytes_);
    }
    return absl::OkStatus();
  }

 private:
  const std::vector<StridedView> views_;
  const int64_t bytes_;  // an element
  const size_t output_bytes_;
};

// Where the column is `k` or more to the right of the row, or not.
class Trilu final : public Kernel {
 public:
  explicit Trilu(const OpInstance& op)
      : shape_(op.inputs[0].type.shape),
        upper_(op.attributes.Int("upper", 1) != 0),
        k_(op.attributes.Int("k", 0)),
        bytes_(ElementBytes(op.inputs[0])) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<char>(0);
    auto* y = arguments.output<char>(0);
    const int64_t columns = shape_[shape_.size() - 1];
    const int64_t rows = shape_[shape_.size() - 2];
    const int64_t count = ElementCount(shape_);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t diagonal = i % columns - i / columns % rows;
      const bool kept = upper_ ? diagonal >= k_ : diagonal <= k_;
      if (kept) std::memcpy(y + i * bytes_, x + i * bytes_, static_cast<size_t>(bytes_));
      if (!kept) std::memset(y + i * bytes_, 0, static_cast<size_t>(bytes_));
    }
    return absl::OkStatus();
  }

 private:
  const Shape shape_;
  const bool upper_;
  const int64_t k_;
  const int64_t bytes_;  // an element
};

}  // namespace

// The inputs fill the output one after the other.
absl::StatusOr<std::unique_ptr<Kernel>> MakeConcat(const OpInstance& instance,
                                                   const KernelOptions& /*options*/) {
  const int64_t axis = instance.attributes.Int("axis", 0);
  std::vector<StridedView> views;
  int64_t begin = 0;
  for (const Operand& input : instance.inputs) {
    const int64_t size = input.type.shape[static_cast<size_t>(axis)];
    views.push_back(PartView(instance.outputs[0].type.shape, axis, begin, size));
    begin += size;
  }
  return std::make_unique<Put>(instance, std::move(views));
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeExpand(const OpInstance& instance,
                                                   const KernelOptions& /*options*/) {
  const StridedView view =
      BroadcastView(instance.inputs[0].type.shape, instance.outputs[0].type.shape);
  return std::make_unique<Take>(instance, std::vector<StridedView>{view});
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeSlice(const OpInstance& instance,
                                                  const KernelOptions& /*options*/) {
  const StridedView view = SlicedView(instance.inputs[0].type.shape, instance.attributes);
  return std::make_unique<Take>(instance, std::vector<StridedView>{view});
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeSliceGrad(const OpInstance& instance,
                                                      const KernelOptions& /*options*/) {
  const StridedView view = SlicedView(instance.outputs[0].type.shape, instance.attributes);
  return std::make_unique<Put>(instance, std::vector<StridedView>{view});
}

// Sizes are taken from the attribute: an output that nobody reads has no type.
absl::StatusOr<std::unique_ptr<Kernel>> MakeSplit(const OpInstance& instance,
                                                  const KernelOptions& /*options*/) {
  const Shape& x = instance.inputs[0].type.shape;
  const int64_t axis = instance.attributes.Int("axis", 0);
  std::vector<StridedView> views;
  int64_t begin = 0;
  for (const int64_t size : instance.attributes.Ints("split", {})) {
    views.push_back(PartView(x, axis, begin, size));
    begin += size;
  }
  return std::make_unique<Take>(instance, std::move(views));
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeTranspose(const OpInstance& instance,
                                                      const KernelOptions& /*options*/) {
  const Shape& x = instance.inputs[0].type.shape;
  const StridedView view = TransposedView(x, Permutation(instance.attributes, x.size()));
  return std::make_unique<Take>(instance, std::vector<StridedView>{view});
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeTrilu(const OpInstance& instance,
                                                  const KernelOptions& /*options*/) {
  return std::make_unique<Trilu>(instance);
}

}  // namespace rm::kernels::ref
