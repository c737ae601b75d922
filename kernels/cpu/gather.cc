// Gather(X, indices) → Y by memcpy of what lies behind the axis (an embedding's rows), and its
// gradient by adding such rows, in the order of the indices.
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "kernels/api/check_instance.h"
#include "kernels/api/shapes.h"
#include "kernels/cpu/element_loops.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

// X is (outer, size, inner) and Y (outer, count, inner), whichever of them is the operand.
class Rows {
 public:
  Rows(const OpInstance& op, const Shape& x)
      : int64_(op.inputs[1].type.dtype == DType::kInt64),
        count_(op.inputs[1].type.elements()),
        size_(x[Axis(op)]),
        outer_(Product(x, 0, Axis(op))),
        inner_(Product(x, Axis(op) + 1, x.size())) {}

  // Calls body(row of X, row of Y) for every row, in Y's order. InvalidArgument, with nothing
  // called, for an index that is outside −size … size − 1.
  template <typename Body>
  absl::Status For(const void* indices, const Body& body) const {
    if (int64_) return ForIndices(static_cast<const int64_t*>(indices), body);
    return ForIndices(static_cast<const int32_t*>(indices), body);
  }

  [[nodiscard]] int64_t inner() const { return inner_; }  // elements of a row

 private:
  static size_t Axis(const OpInstance& op) {
    return static_cast<size_t>(op.attributes.Int("axis", 0));
  }

  template <typename Index, typename Body>
  absl::Status ForIndices(const Index* indices, const Body& body) const {
    for (int64_t i = 0; i < count_; ++i) {
      if (indices[i] >= -size_ && indices[i] < size_) continue;
      return absl::InvalidArgumentError(absl::StrCat("index ", indices[i], " at place ", i,
                                                     " is outside -", size_, "…", size_ - 1));
    }
    for (int64_t o = 0; o < outer_; ++o) {
      for (int64_t i = 0; i < count_; ++i) {
        const int64_t row = indices[i] < 0 ? indices[i] + size_ : indices[i];
        body(o * size_ + row, o * count_ + i);
      }
    }
    return absl::OkStatus();
  }

  const bool int64_;  // or int32
  const int64_t count_;
  const int64_t size_;
  const int64_t outer_;
  const int64_t inner_;
};

class Gather final : public Kernel {
 public:
  explicit Gather(const OpInstance& op)
      : rows_(op, op.inputs[0].type.shape),
        bytes_(rows_.inner() * static_cast<int64_t>(ByteSize(op.inputs[0].type.dtype))) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<char>(0);
    auto* y = arguments.output<char>(0);
    return rows_.For(arguments.inputs[1], [&](int64_t from, int64_t to) {
      std::memcpy(y + to * bytes_, x + from * bytes_, static_cast<size_t>(bytes_));
    });
  }

 private:
  const Rows rows_;
  const int64_t bytes_;  // a row
};

class GatherGrad final : public Kernel {
 public:
  explicit GatherGrad(const OpInstance& op)
      : add_(ChooseIsa(v1::kElementLoops, v3::kElementLoops, v4::kElementLoops).add),
        rows_(op, op.outputs[0].type.shape),
        x_bytes_(op.outputs[0].type.bytes()) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* dy = arguments.input<float>(0);
    auto* dx = arguments.output<float>(0);
    if (x_bytes_ > 0) std::memset(dx, 0, x_bytes_);
    const int64_t inner = rows_.inner();
    return rows_.For(arguments.inputs[1], [&](int64_t to, int64_t from) {
      float* row = dx + to * inner;
      add_(row, dy + from * inner, row, inner);
    });
  }

 private:
  void (*const add_)(const float* a, const float* b, float* y, int64_t n);
  const Rows rows_;
  const size_t x_bytes_;
};

}  // namespace

bool SupportsGather(const OpInstance& instance) {
  return CheckInstance(instance).ok() && AllPlain(instance);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeGather(const OpInstance& instance,
                                                   const KernelOptions& /*options*/) {
  return std::make_unique<Gather>(instance);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeGatherGrad(const OpInstance& instance,
                                                       const KernelOptions& /*options*/) {
  return std::make_unique<GatherGrad>(instance);
}

}  // namespace rm::kernels::cpu
