// Gather, GatherElements and GatherND, and their gradients.
//
// The three differ in one thing alone: which index, or indices, tell where an element of Y comes
// from. Once that place in X is known, the forward op reads it and the gradient adds to it.
#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "kernels/api/strided_view.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// Where element i of Y comes from: X's element base + Σ index[first + m] · strides[m].
struct Place {
  int64_t base;
  int64_t first;
};

// The geometry of one use. `x` and `y` are the forward op's shapes.
class Places {
 public:
  Places(const std::string& op, const Attributes& attributes, const Shape& x,
         const TensorType& indices, const Shape& y)
      : x_(x), y_(y), strides_(PlainStrides(x)), indices_(indices) {
    // "GatherGrad" begins with "Gather", too; only what comes after that counts.
    kind_ = op[6] == 'E' ? Kind::kElements : op[6] == 'N' ? Kind::kTuples : Kind::kAxis;
    batch_ = static_cast<size_t>(attributes.Int("batch_dims", 0));
    axis_ = kind_ == Kind::kTuples ? batch_ : static_cast<size_t>(attributes.Int("axis", 0));
    depth_ = kind_ == Kind::kTuples ? static_cast<size_t>(indices.shape.back()) : 1;
  }

  // InvalidArgument for an index that is outside of its dimension of X.
  absl::Status Check(const void* indices) const {
    const int64_t count = indices_.elements();
    for (int64_t i = 0; i < count; ++i) {
      const int64_t size = x_[axis_ + static_cast<size_t>(i) % depth_];
      const int64_t index = Raw(indices, i);
      if (index >= -size && index < size) continue;
      return absl::InvalidArgumentError(absl::StrCat("index ", index, " at place ", i,
                                                     " is outside -", size, "…", size - 1));
    }
    return absl::OkStatus();
  }

  // The element of X from which element `i` of Y comes.
  int64_t At(const void* indices, int64_t i) const {
    const Place place = PlaceOf(i);
    int64_t at = place.base;
    for (size_t m = 0; m < depth_; ++m) {
      const int64_t index = Raw(indices, place.first + static_cast<int64_t>(m));
      at += (index < 0 ? index + x_[axis_ + m] : index) * strides_[axis_ + m];
    }
    return at;
  }

 private:
  enum class Kind { kAxis, kElements, kTuples };

  // The index as it is in memory.
  int64_t Raw(const void* indices, int64_t i) const {
    if (indices_.dtype == DType::kInt64) return static_cast<const int64_t*>(indices)[i];
    return static_cast<const int32_t*>(indices)[i];
  }

  Place PlaceOf(int64_t i) const {
    switch (kind_) {
      case Kind::kAxis: {
        // Y is (outer, indices, inner).
        const int64_t inner = strides_[axis_];
        const int64_t count = indices_.elements();
        const int64_t outer = i / inner / count;
        return {outer * inner * x_[axis_] + i % inner, i / inner % count};
      }
      case Kind::kElements: {
        // Element i of Y has index i, and is at its own place but for the axis.
        StridedView view{y_, strides_, 0};
        view.strides[axis_] = 0;
        return {view.At(i), i};
      }
      case Kind::kTuples: break;
    }
    // Y is (batch, tuples, inner).
    const int64_t inner = strides_[batch_ + depth_ - 1];
    const int64_t tuple = i / inner;
    const int64_t depth = static_cast<int64_t>(depth_);
    int64_t batches = 1;
    for (size_t axis = 0; axis < batch_; ++axis) batches *= x_[axis];
    const int64_t tuples = indices_.elements() / depth / batches;  // of one element of the batch
    const int64_t whole = strides_[batch_] * x_[batch_];           // elements of X in one
    return {tuple / tuples * whole + i % inner, tuple * depth};
  }

  const Shape x_;
  const Shape y_;
  const Shape strides_;  // of X
  const TensorType indices_;
  Kind kind_ = Kind::kAxis;
  size_t batch_ = 0;  // dimensions of the batch, for tuples
  size_t axis_ = 0;   // the first dimension of X that is indexed
  size_t depth_ = 1;  // dimensions of X that are indexed
};

// Y[i] = X[At(i)]
class Gather final : public Kernel {
 public:
  explicit Gather(const OpInstance& op)
      : places_(op.op, op.attributes, op.inputs[0].type.shape, op.inputs[1].type,
                op.outputs[0].type.shape),
        count_(op.outputs[0].type.elements()),
        bytes_(static_cast<int64_t>(ByteSize(op.inputs[0].type.dtype))) {}

  absl::Status Run(const Arguments& arguments) override {
    const void* indices = arguments.inputs[1];
    RM_RETURN_IF_ERROR(places_.Check(indices));
    const auto* x = arguments.input<char>(0);
    auto* y = arguments.output<char>(0);
    for (int64_t i = 0; i < count_; ++i) {
      std::memcpy(y + i * bytes_, x + places_.At(indices, i) * bytes_,
                  static_cast<size_t>(bytes_));
    }
    return absl::OkStatus();
  }

 private:
  const Places places_;
  const int64_t count_;  // of Y
  const int64_t bytes_;  // an element
};

// dX[At(i)] += dY[i], in the order of i: the same bits in every run.
class GatherGrad final : public Kernel {
 public:
  explicit GatherGrad(const OpInstance& op)
      : places_(op.op, op.attributes, op.outputs[0].type.shape, op.inputs[1].type,
                op.inputs[0].type.shape),
        count_(op.inputs[0].type.elements()),
        x_count_(op.outputs[0].type.elements()) {}

  absl::Status Run(const Arguments& arguments) override {
    const void* indices = arguments.inputs[1];
    RM_RETURN_IF_ERROR(places_.Check(indices));
    const auto* dy = arguments.input<float>(0);
    auto* dx = arguments.output<float>(0);
    std::fill(dx, dx + x_count_, 0.0F);
    for (int64_t i = 0; i < count_; ++i) dx[places_.At(indices, i)] += dy[i];
    return absl::OkStatus();
  }

 private:
  const Places places_;
  const int64_t count_;    // of dY
  const int64_t x_count_;  // of dX
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeGather(const OpInstance& instance,
                                                   const KernelOptions& /*options*/) {
  return std::make_unique<Gather>(instance);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeGatherGrad(const OpInstance& instance,
                                                       const KernelOptions& /*options*/) {
  return std::make_unique<GatherGrad>(instance);
}

}  // namespace rm::kernels::ref
