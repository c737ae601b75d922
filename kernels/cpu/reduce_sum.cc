// ReduceSum(X) → Y over neighbouring axes: X is seen as (outer, reduced, inner).
//
// The gradient of a bias is the case that matters: (B, C) summed over B, with outer 1 and inner C.
// With inner 1 the rows of X are summed, each by itself. Axes that do not lie side by side are left
// to the reference.
#include <vector>

#include "kernels/api/check_instance.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/reduce_loops.h"

namespace rm::kernels::cpu {
namespace {

struct ReduceShape {
  int64_t outer = 1;
  int64_t reduced = 1;
  int64_t inner = 1;
  bool neighbours = true;  // false: the axes do not lie side by side, and the rest is undefined
};

// One pass from the first axis to the last: outer until the first reduced axis, reduced until the
// next kept one, inner from there on.
ReduceShape ShapeOf(const OpInstance& op) {
  const Shape& x = op.inputs[0].type.shape;
  const auto rank = static_cast<int64_t>(x.size());
  const std::vector<int64_t> axes = op.attributes.Ints("axes", {});
  std::vector<bool> is_reduced(x.size(), axes.empty());
  for (const int64_t axis : axes) {
    is_reduced[static_cast<size_t>(axis < 0 ? axis + rank : axis)] = true;
  }
  ReduceShape shape;
  bool begun = false;
  bool ended = false;
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] == 1) continue;  // may be counted to either side
    ended = ended || (begun && !is_reduced[i]);
    begun = begun || is_reduced[i];
    if (ended && is_reduced[i]) shape.neighbours = false;
    (ended ? shape.inner : begun ? shape.reduced : shape.outer) *= x[i];
  }
  return shape;
}

class ReduceSum final : public Kernel {
 public:
  ReduceSum(const OpInstance& op, const KernelOptions& options)
      : loops_(ChooseIsa(v1::kReduceLoops, v3::kReduceLoops, v4::kReduceLoops)),
        shape_(ShapeOf(op)),
        threads_(options.threads) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    auto* y = arguments.output<float>(0);
    const ReduceShape& s = shape_;
    if (s.inner == 1) {
      ParallelFor(threads_, s.outer, 16, [&](int64_t begin, int64_t end) {
        loops_.rows(x + begin * s.reduced, y + begin, end - begin, s.reduced);
      });
      return absl::OkStatus();
    }
    // Columns are shared out between threads, never rows: the order of additions stays the same.
    for (int64_t o = 0; o < s.outer; ++o) {
      const float* from = x + o * s.reduced * s.inner;
      float* to = y + o * s.inner;
      ParallelFor(threads_, s.inner, 256, [&](int64_t begin, int64_t end) {
        loops_.columns(from + begin, to + begin, s.reduced, end - begin, s.inner);
      });
    }
    return absl::OkStatus();
  }

 private:
  const ReduceLoops& loops_;
  const ReduceShape shape_;
  const int threads_;
};

}  // namespace

bool SupportsReduceSum(const OpInstance& instance) {
  return AllPlain(instance) && CheckInstance(instance).ok() && ShapeOf(instance).neighbours;
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeReduceSum(const OpInstance& instance,
                                                      const KernelOptions& options) {
  return std::make_unique<ReduceSum>(instance, options);
}

}  // namespace rm::kernels::cpu
