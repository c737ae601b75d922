// Add(A, B) → Y: of equal shapes, or of a B that repeats over A's leading dimensions (a row, a
// number). Other broadcasts are left to the reference.
#include "kernels/api/check_instance.h"
#include "kernels/cpu/element_loops.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/parallel.h"

namespace rm::kernels::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements a thread

// The elements of B, when A has Y's shape and B, its leading ones aside, is the end of that shape;
// −1 otherwise.
int64_t Period(const Shape& a, const Shape& b, const Shape& y) {
  if (a != y || b.size() > y.size()) return -1;
  size_t first = 0;
  while (first < b.size() && b[first] == 1) ++first;
  for (size_t i = first; i < b.size(); ++i) {
    if (b[i] != y[y.size() - b.size() + i]) return -1;
  }
  return ElementCount(b);
}

int64_t PeriodOf(const OpInstance& op) {
  return Period(op.inputs[0].type.shape, op.inputs[1].type.shape, op.outputs[0].type.shape);
}

// B repeats every `period` elements of A: as long as Y it is a plain sum, 1 is a number, between
// them a row (or rows) added again and again.
class Add final : public Kernel {
 public:
  Add(const OpInstance& op, const KernelOptions& options)
      : loops_(ChooseIsa(v1::kElementLoops, v3::kElementLoops, v4::kElementLoops)),
        count_(op.outputs[0].type.physical_elements()),
        period_(op.inputs[1].type.physical_elements()),
        threads_(options.threads) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* a = arguments.input<float>(0);
    const auto* b = arguments.input<float>(1);
    auto* y = arguments.output<float>(0);
    if (period_ == count_) {
      ParallelFor(threads_, count_, kGrain, [&](int64_t begin, int64_t end) {
        loops_.add(a + begin, b + begin, y + begin, end - begin);
      });
    } else if (period_ == 1) {
      loops_.add_number(a, b[0], y, count_);
    } else {
      for (int64_t i = 0; i < count_; i += period_) loops_.add(a + i, b, y + i, period_);
    }
    return absl::OkStatus();
  }

 private:
  const ElementLoops& loops_;
  const int64_t count_;
  const int64_t period_;  // elements of B
  const int threads_;
};

}  // namespace

// A row only lies at the end of memory in the plain layout; equal images may have any one layout.
bool SupportsAdd(const OpInstance& instance) {
  if (!CheckInstance(instance).ok()) return false;
  if (AllPlain(instance)) return PeriodOf(instance) >= 0;
  const TensorType& y = instance.outputs[0].type;
  return instance.inputs[0].type == y && instance.inputs[1].type == y;
}

// Two images of one shape go on in the first one's layout.
LayoutChoice ChooseAddLayouts(const OpInstance& instance, const KernelOptions& /*options*/) {
  const bool same = instance.inputs[0].type.shape == instance.inputs[1].type.shape;
  const Layout layout = same ? instance.inputs[0].type.layout : Layout::kPlain;
  return {{layout, layout}, {layout}};
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeAdd(const OpInstance& instance,
                                                const KernelOptions& options) {
  return std::make_unique<Add>(instance, options);
}

}  // namespace rm::kernels::cpu
