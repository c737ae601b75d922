// ReduceSum and ReduceMean(X) → Y over any axes, and their gradients over neighbouring ones.
//
// X is seen as runs of neighbouring axes, reduced and kept in turn. One reduced run is one pass: X
// as (outer, reduced, inner). The gradient of a bias is the case that matters: (B, C) summed over
// B, with outer 1 and inner C. With inner 1 the rows of X are summed, each by itself. Further runs,
// from the last to the first, are passes over what the one before has left, which is small.
#include <algorithm>
#include <vector>

#include "kernels/api/check_instance.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/reduce_loops.h"
#include "kernels/cpu/softmax_loops.h"

namespace rm::kernels::cpu {
namespace {

// One reduced run.
struct Pass {
  int64_t outer = 1;
  int64_t reduced = 1;
  int64_t inner = 1;

  [[nodiscard]] int64_t results() const { return outer * inner; }
};

// Neighbouring axes of one kind as one dimension.
struct AxisRun {
  int64_t size;
  bool reduced;
};

// The runs of a tensor, whose axes of 1 may be counted to either side.
std::vector<AxisRun> RunsOf(const Attributes& attributes, const Shape& x) {
  const auto rank = static_cast<int64_t>(x.size());
  const std::vector<int64_t> axes = attributes.Ints("axes", {});
  std::vector<bool> is_reduced(x.size(), axes.empty());
  for (const int64_t axis : axes) {
    is_reduced[static_cast<size_t>(axis < 0 ? axis + rank : axis)] = true;
  }
  std::vector<AxisRun> runs;
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] == 1) continue;
    if (!runs.empty() && runs.back().reduced == is_reduced[i]) {
      runs.back().size *= x[i];
    } else {
      runs.push_back({x[i], is_reduced[i]});
    }
  }
  return runs;
}

// The passes in the order in which they are made: the last run first.
std::vector<Pass> PassesOf(const Attributes& attributes, const Shape& x) {
  const std::vector<AxisRun> runs = RunsOf(attributes, x);
  std::vector<Pass> passes;
  int64_t inner = 1;
  for (size_t i = runs.size(); i-- > 0;) {
    if (!runs[i].reduced) {
      inner *= runs[i].size;
      continue;
    }
    int64_t outer = 1;
    for (size_t before = 0; before < i; ++before) outer *= runs[before].size;
    passes.push_back({outer, runs[i].size, inner});
  }
  // Nothing to reduce: a copy.
  if (passes.empty()) passes.push_back({ElementCount(x), 1, 1});
  return passes;
}

// Two halves of scratch memory take turns between the passes; the last one writes Y.
class ReduceSum final : public Kernel {
 public:
  ReduceSum(const OpInstance& op, const KernelOptions& options)
      : loops_(ChooseIsa(v1::kReduceLoops, v3::kReduceLoops, v4::kReduceLoops)),
        scaling_(ChooseIsa(v1::kSoftmaxLoops, v3::kSoftmaxLoops, v4::kSoftmaxLoops)),
        passes_(PassesOf(op.attributes, op.inputs[0].type.shape)),
        count_(op.outputs[0].type.elements()),
        factor_(op.op == "ReduceMean" ? static_cast<float>(count_) /
                                            static_cast<float>(op.inputs[0].type.elements())
                                      : 1),
        threads_(options.threads) {}

  size_t scratch_bytes() const override { return 2 * half() * sizeof(float); }

  absl::Status Run(const Arguments& arguments) override {
    const auto* from = arguments.input<float>(0);
    auto* y = arguments.output<float>(0);
    auto* scratch = static_cast<float*>(arguments.scratch);
    for (size_t i = 0; i < passes_.size(); ++i) {
      float* to = i + 1 == passes_.size() ? y : scratch + i % 2 * half();
      Reduce(passes_[i], from, to);
      from = to;
    }
    if (factor_ != 1) scaling_.shift_and_scale(y, 0, factor_, y, count_);
    return absl::OkStatus();
  }

 private:
  // Floats that the first pass, whose result is the largest, leaves for another.
  [[nodiscard]] size_t half() const {
    if (passes_.size() == 1) return 0;
    return (static_cast<size_t>(passes_[0].results()) + 15) / 16 * 16;
  }

  // x (outer, reduced, inner), y (outer, inner)
  void Reduce(const Pass& pass, const float* x, float* y) const {
    if (pass.inner == 1) {
      ParallelFor(threads_, pass.outer, 16, [&](int64_t begin, int64_t end) {
        loops_.rows(x + begin * pass.reduced, y + begin, end - begin, pass.reduced);
      });
      return;
    }
    // Columns are shared out between threads, never rows: the order of additions stays the same.
    for (int64_t o = 0; o < pass.outer; ++o) {
      const float* from = x + o * pass.reduced * pass.inner;
      float* to = y + o * pass.inner;
      ParallelFor(threads_, pass.inner, 256, [&](int64_t begin, int64_t end) {
        loops_.columns(from + begin, to + begin, pass.reduced, end - begin, pass.inner);
      });
    }
  }

  const ReduceLoops& loops_;
  const SoftmaxLoops& scaling_;
  const std::vector<Pass> passes_;
  const int64_t count_;  // elements of Y
  const float factor_;
  const int threads_;
};

// dX (outer, reduced, inner) is dY (outer, inner) again and again, divided by the number of terms
// for a mean.
class ReduceGrad final : public Kernel {
 public:
  explicit ReduceGrad(const OpInstance& op)
      : pass_(PassesOf(op.attributes, op.outputs[0].type.shape)[0]),
        factor_(op.op == "ReduceMeanGrad" ? static_cast<float>(op.inputs[0].type.elements()) /
                                                static_cast<float>(op.outputs[0].type.elements())
                                          : 1),
        scaling_(ChooseIsa(v1::kSoftmaxLoops, v3::kSoftmaxLoops, v4::kSoftmaxLoops)) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* dy = arguments.input<float>(0);
    auto* dx = arguments.output<float>(0);
    for (int64_t o = 0; o < pass_.outer; ++o) {
      float* to = dx + o * pass_.reduced * pass_.inner;
      if (pass_.inner == 1) {
        std::fill_n(to, pass_.reduced, factor_ * dy[o]);
        continue;
      }
      for (int64_t r = 0; r < pass_.reduced; ++r, to += pass_.inner) {
        scaling_.shift_and_scale(dy + o * pass_.inner, 0, factor_, to, pass_.inner);
      }
    }
    return absl::OkStatus();
  }

 private:
  const Pass pass_;
  const float factor_;
  const SoftmaxLoops& scaling_;
};

}  // namespace

bool SupportsReduceSum(const OpInstance& instance) {
  return AllPlain(instance) && CheckInstance(instance).ok();
}

// More than one run would need a walk over strides, which the reference does; no model asks for it
// where it would count.
bool SupportsReduceGrad(const OpInstance& instance) {
  return AllPlain(instance) && CheckInstance(instance).ok() &&
         PassesOf(instance.attributes, instance.outputs[0].type.shape).size() == 1;
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeReduceSum(const OpInstance& instance,
                                                      const KernelOptions& options) {
  return std::make_unique<ReduceSum>(instance, options);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeReduceGrad(const OpInstance& instance,
                                                          const KernelOptions& /*options*/) {
  return std::make_unique<ReduceGrad>(instance);
}

}  // namespace rm::kernels::cpu
